/* What the kernels of pooling share with the fused block: the maximum of a window in registers, and
 * its winners in memory. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_POOL_TILE_H
#define WEIR_POOL_TILE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernels/vec.h"

#define POOL_INLINE static inline __attribute__((always_inline))

/* Of the steps seen so far: the first of the largest, or the first NaN. */
typedef struct best {
    vf value;
    vi at; /* its position, 0 the first step */
} best;

POOL_INLINE best best_first(vf a) { return (best){a, vi_set1(0)}; }

/* at: the position of step a, the same in each lane. */
POOL_INLINE best best_next(best b, vf a, vi at) {
    vm keep = vm_or(v_isnan(b.value), v_le(a, b.value)); /* v_le is false where a is NaN */
    return (best){v_blend(keep, b.value, a), vi_blend(keep, b.at, at)};
}

/* The same where neither is NaN, which takes fewer steps. Not as a > b ? a : b: clang would make that
 * the instruction for a maximum, which flushes a denormal that is only to be copied. */
POOL_INLINE best best_next_number(best b, vf a, vi at) {
    vm keep = v_le(a, b.value);
    return (best){v_blend(keep, b.value, a), vi_blend(keep, b.at, at)};
}

/* dy where the winner is the step at this position, else 0. */
POOL_INLINE vf share_of(vf dy, vi winner, vi at) {
    return v_blend(vi_eq(winner, at), dy, v_zero());
}

/*
 * Winners lie in memory as bytes, or as int32_t where windows are wide. Those of elements
 * i .. i + VL - 1; with masked a constant true, only those of the lanes of m, the first n.
 */
POOL_INLINE vi winner_load(const void *winner, const bool wide, int64_t i, vm m, int64_t n,
                           const bool masked) {
    const int32_t *words = (const int32_t *)winner + (wide ? i : 0);
    const uint8_t *bytes = (const uint8_t *)winner + i;
    if (wide) return masked ? vi_load_m(words, m) : vi_load(words);
    return masked ? vi_load_u8_n(bytes, n) : vi_load_u8(bytes);
}

POOL_INLINE void winner_store(void *winner, const bool wide, int64_t i, vm m, int64_t n,
                              const bool masked, vi at) {
    int32_t *words = (int32_t *)winner + (wide ? i : 0);
    uint8_t *bytes = (uint8_t *)winner + i;
    if (wide && masked)
        vi_store_m(words, m, at);
    else if (wide)
        vi_store(words, at);
    else if (masked)
        vi_store_u8_n(bytes, n, at);
    else
        vi_store_u8(bytes, at);
}

#endif

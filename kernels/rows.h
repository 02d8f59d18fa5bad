/* Rows of matrices on vectors, as the recurrent kernels use them. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_ROWS_H
#define WEIR_ROWS_H

#include "kernels/vec.h"

/* Vector k VL of a row of n floats: nothing beyond the row is touched, other lanes load as 0. */
static inline vf load_below(const float *p, int64_t k, int64_t n) {
    return k + VL <= n ? v_load(p + k) : v_load_m(p + k, v_tail(n - k));
}
static inline void store_below(float *p, int64_t k, int64_t n, vf a) {
    if (k + VL <= n)
        v_store(p + k, a);
    else
        v_store_m(p + k, v_tail(n - k), a);
}

/* Rows of a matrix; `stride` may be 0 (every row the same). */
typedef struct rows {
    const float *p;
    int64_t stride;
} rows;

/* Rows that are written; p is NULL where they are not kept. */
typedef struct kept {
    float *p;
    int64_t stride;
} kept;

/* out[r][..] = a mask, m rows of n floats; the rows of out are out_stride apart and whole vectors. */
static inline void multiply_rows(int64_t m, int64_t n, rows a, rows mask, float *out,
                                 int64_t out_stride) {
    for (int64_t r = 0; r < m; r++, out += out_stride) {
        const float *from = a.p + r * a.stride, *by = mask.p + r * mask.stride;
        for (int64_t k = 0; k < n; k += VL)
            v_store(out + k, v_mul(load_below(from, k, n), load_below(by, k, n)));
    }
}

#endif

/* Seeded random shapes and values. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_VALIDATE_RANDOM_H
#define WEIR_VALIDATE_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct rng {
    uint64_t state;
    int tail; /* 1 to 16: sizes have this remainder by 16 (16: none) where they can; 0: any */
} rng;

/* A case's numbers depend on the seed, the kernel and the case only: not on the instruction set, and
 * not on the cases before it. */
rng rng_new(uint64_t seed, const char *kernel, int64_t index);
uint64_t rng_next(rng *r);
int64_t rng_range(rng *r, int64_t low, int64_t high); /* low <= x <= high */
double rng_unit(rng *r);                              /* 0 <= x < 1 */
bool rng_chance(rng *r, int percent);

/* A size from 1 to max: often 1, a prime, or one beside a multiple of 4, 8 or 16. */
int64_t size_draw(rng *r, int64_t max);

typedef enum values {
    VALUES_NORMAL,   /* -1 .. 1 */
    VALUES_EXACT,    /* small integers: sums have no rounding, so every bit is due */
    VALUES_WIDE,     /* exponents -20 .. 10 */
    VALUES_ZERO,     /* mostly zeros of both signs */
    VALUES_SPECIAL,  /* some NaN and infinities */
    VALUES_TINY,     /* products underflow */
    VALUES_HUGE,     /* products near the largest float; sums do not overflow */
    VALUES_DENORMAL, /* some denormals: zero as inputs */
    VALUES_OVERFLOW, /* sums overflow: same bits on each instruction set, no bound */
    VALUES_COUNT
} values;

const char *values_name(values v);
values values_draw(rng *r, int64_t index);
void values_fill(rng *r, values v, float *a, int64_t n);
/* Finite, of ordinary size, for v special or overflow also: where NaN has no meaning. */
values values_tame(values v);

#endif

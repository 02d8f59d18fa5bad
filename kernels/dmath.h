/*
 * log, log1p and exp in double, for the losses. Internal. SPDX-License-Identifier: Apache-2.0
 *
 * The C library's differ from machine to machine in their last bits, and a training run with them.
 * These add, multiply and divide only, in one order: the same bits from every compiler and instruction
 * set, as long as operations round to nearest and are not contracted. Relative errors, u = 2^-53:
 *
 *   dmath_log    6 u. a = 2^k m with 1/sqrt 2 <= m < sqrt 2; log m = 2 atanh(s), s = (m - 1) / (m + 1).
 *                m - 1 is exact, so that s has 2 u; the series' part beyond 2 s is at most 1% of it and
 *                adds 0.2 u, its last sum u, the terms left out 0.3 u. For k != 0 the result is at
 *                least |log m|, since |k ln 2| >= 2 |log m|; k ln2_hi is exact, two sums add 2 u.
 *   dmath_exp    4 u. e^x = 2^n e^t, |t| <= 0.347; t has u |t|, the last steps of Horner's scheme
 *                3 u, the terms left out 0.1 u.
 *   dmath_log1p  9 u. log w + (e - (w - 1)) / w, where w is 1 + e rounded: the second part has what
 *                the rounding lost. Near e = u, log w may be 2 e; then it has k = 0 and 4 u.
 */
#ifndef WEIR_DMATH_H
#define WEIR_DMATH_H

#include <stdint.h>
#include <string.h>

#define DMATH_LN2_HI 0x1.62e42fefa38p-1 /* 42 bits */
#define DMATH_LN2_LO 0x1.ef35793c7673p-45
#define DMATH_LOG2E 0x1.71547652b82fep+0
#define DMATH_SHIFT 0x1.8p52 /* n + DMATH_SHIFT has n in its low bits */

static inline uint64_t dmath_bits(double a) {
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static inline double dmath_float(uint64_t bits) {
    double a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

/* 2 atanh(s) = log((1 + s) / (1 - s)) for |s| <= 0.1716: Taylor's series, up to s^19. */
static inline double dmath_2atanh(double s) {
    double z = s * s, q = 1.0 / 19;
    q = q * z + 1.0 / 17;
    q = q * z + 1.0 / 15;
    q = q * z + 1.0 / 13;
    q = q * z + 1.0 / 11;
    q = q * z + 1.0 / 9;
    q = q * z + 1.0 / 7;
    q = q * z + 1.0 / 5;
    q = q * z + 1.0 / 3;
    return 2 * s + 2 * s * (z * q);
}

/* a > 0, not denormal, finite; NaN passes. */
static inline double dmath_log(double a) {
    if (!(a > 0)) return a;
    const uint64_t root = UINT64_C(0x3fe6a09e667f3bcd); /* sqrt(1/2) */
    uint64_t bits = dmath_bits(a);
    int64_t k = (int64_t)(bits - root) >> 52;
    double m = dmath_float(bits - ((uint64_t)k << 52));
    double r = dmath_2atanh((m - 1) / (m + 1));
    return (double)k * DMATH_LN2_HI + ((double)k * DMATH_LN2_LO + r);
}

/* 0 <= e <= 1; NaN passes. */
static inline double dmath_log1p(double e) {
    double w = 1 + e;
    return dmath_log(w) + (e - (w - 1)) / w;
}

/* x <= 0; NaN passes. 0 below e^-708, where the result would leave the normal numbers. */
static inline double dmath_exp(double x) {
    if (x < -708) return 0;
    if (!(x <= 0)) return x;
    double shifted = x * DMATH_LOG2E + DMATH_SHIFT, n = shifted - DMATH_SHIFT;
    double t = x - n * DMATH_LN2_HI - n * DMATH_LN2_LO;
    double p = 1.0 / 6227020800;
    p = p * t + 1.0 / 479001600;
    p = p * t + 1.0 / 39916800;
    p = p * t + 1.0 / 3628800;
    p = p * t + 1.0 / 362880;
    p = p * t + 1.0 / 40320;
    p = p * t + 1.0 / 5040;
    p = p * t + 1.0 / 720;
    p = p * t + 1.0 / 120;
    p = p * t + 1.0 / 24;
    p = p * t + 1.0 / 6;
    p = p * t + 0.5;
    p = p * t + 1;
    p = p * t + 1;
    return p * dmath_float((dmath_bits(shifted) + 1023) << 52);
}

#endif

/*
 * exp, tanh, sigmoid and the activations, on vectors. SPDX-License-Identifier: Apache-2.0
 *
 * Only exactly rounded operations of vec.h, so every instruction set gives the same bits. Largest
 * errors over all 2^32 floats (weir-validate --exhaustive repeats the measurement):
 *
 *   v_exp      1.008 ULP     v_tanh     1.334 ULP     v_sigmoid  1.696 ULP
 *
 * All three are monotone over all floats, exact at 0 and at the infinities, and pass NaN on. Where
 * the exact result is below FLT_MIN, v_exp and v_sigmoid give 0, with or without flush-to-zero;
 * v_tanh of a denormal is that denormal, or a zero of its sign where denormals are flushed.
 */
#ifndef WEIR_VMATH_H
#define WEIR_VMATH_H

#include "kernels/vec.h"
#include "weir/ops.h"

/*
 * e^y = 2^n (1 + p), n = y / ln 2 rounded to nearest, p = e^t - 1 with t = y - n ln 2.
 *
 * Adding 1.5 * 2^23 leaves n in the low bits of the sum; 127 more makes it the exponent of a float.
 * y - n ln2_hi is exact: both are multiples of 2^-25, and the difference has at most 24 bits.
 * The polynomial is minimax on |t| <= 0.3475, largest error 2^-27.4.
 */
#define VMATH_SHIFT (12582912.0f + 127.0f)
#define VMATH_LOG2E 0x1.715476p+0f
#define VMATH_LN2_HI 0x1.62e430p-1f
#define VMATH_LN2_LO -0x1.05c610p-29f

static inline vf v_expm1_poly(vf t) {
    vf q = v_fma(v_set1(0x1.6721e8p-10f), t, v_set1(0x1.123d60p-7f));
    q = v_fma(q, t, v_set1(0x1.555dd2p-5f));
    q = v_fma(q, t, v_set1(0x1.55548cp-3f));
    q = v_fma(q, t, v_set1(0x1.fffff4p-2f));
    return v_fma(v_mul(t, t), q, t);
}

static inline vf v_exp(vf x) {
    /* 2^(n - 1) for positive x and twice the result: 2^128 is no float, 2^127 (1 + p) may be. */
    vm positive = v_gt(x, v_zero());
    vf y = v_min(v_set1(89.0f), v_max(v_set1(-87.5f), x));
    vf shift = v_set1(VMATH_SHIFT);
    vf r = v_fma(y, v_set1(VMATH_LOG2E), shift);
    vf n = v_sub(r, shift);
    vf t = v_fnma(n, v_set1(VMATH_LN2_LO), v_fnma(n, v_set1(VMATH_LN2_HI), y));
    vi exponent = vi_add(v_bits(r), v_bits(v_blend(positive, v_float(vi_set1(-1)), v_zero())));
    vf s = v_float(vi_shl(exponent, 23));
    vf e = v_fma(s, v_expm1_poly(t), s);
    e = v_mul(e, v_blend(positive, v_set1(2.0f), v_set1(1.0f)));
    return v_blend(v_lt(x, v_set1(-0x1.5d589ep+6f)), v_zero(), e);
}

/* 1 / (1 + e^-x): a chain of monotone steps. 1 + 2^n + 2^n p is rounded once up to n = 23, where
 * 1 + 2^n and 2^n p are exact; beyond, `lost` keeps what 1 + 2^n dropped. */
static inline vf v_sigmoid(vf x) {
    vf y = v_min(v_set1(30.0f), v_max(v_set1(-88.3f), x));
    vf shift = v_set1(VMATH_SHIFT);
    vf r = v_fma(y, v_set1(-VMATH_LOG2E), shift);
    vf n = v_sub(r, shift);
    vf t = v_fnma(n, v_set1(VMATH_LN2_LO), v_fnma(n, v_set1(VMATH_LN2_HI), v_sub(v_zero(), y)));
    vf s = v_float(vi_shl(v_bits(r), 23));
    vf one = v_set1(1.0f);
    vf sum = v_add(s, one);
    vf lost = v_sub(one, v_sub(sum, s));
    vf d = v_add(sum, v_fma(s, v_expm1_poly(t), lost));
    vf g = v_div(one, d);
    return v_blend(v_lt(x, v_set1(-0x1.5d589ep+6f)), v_zero(), g);
}

/* |x| < 0.55: x + x^3 q(x^2), minimax, relative error 2^-29. Above: 1 - 2 / (1 + e^2|x|) with the
 * sum as (1 + 2^n) + 2^n p; there the error of one float for ln 2 does not matter. */
static inline vf v_tanh(vf x) {
    vf a = v_abs(x);
    vf y = v_min(v_set1(10.0f), a);
    vf shift = v_set1(VMATH_SHIFT);
    vf r = v_fma(y, v_set1(2.0f * VMATH_LOG2E), shift);
    vf n = v_sub(r, shift);
    vf t = v_fnma(n, v_set1(VMATH_LN2_HI), v_add(y, y));
    vf s = v_float(vi_shl(v_bits(r), 23));
    vf d = v_fma(s, v_expm1_poly(t), v_add(s, v_set1(1.0f)));
    vf big = v_sub(v_set1(1.0f), v_div(v_set1(2.0f), d));

    vf a2 = v_mul(a, a);
    vf q = v_fma(v_set1(-0x1.958c74p-8f), a2, v_set1(0x1.584238p-6f));
    q = v_fma(q, a2, v_set1(-0x1.b90a76p-5f));
    q = v_fma(q, a2, v_set1(0x1.110c70p-3f));
    q = v_fma(q, a2, v_set1(-0x1.555548p-2f));
    vf small = v_fma(v_mul(a, a2), q, a);
    return v_copysign(v_blend(v_lt(a, v_set1(0.55f)), small, big), x);
}

/* clip(fma(slope, x, 1/2), 0, 1): one rounding, with the slope 1/5 (Keras 2) or 1/6 (Keras 3) as a
 * float. */
#define VMATH_HARD_SLOPE 0.2f
#define VMATH_HARD6_SLOPE (1.0f / 6.0f)

static inline vf v_hard_sigmoid(float slope, vf x) {
    vf y = v_fma(v_set1(slope), x, v_set1(0.5f));
    return v_min(v_set1(1.0f), v_max(v_zero(), y));
}

/* act(x). The activation is the same for all of a call, so the branch is well predicted. */
static inline vf v_activate(weir_activation activation, vf x) {
    switch (activation) {
    case WEIR_RELU: return v_max(v_zero(), x);
    case WEIR_TANH: return v_tanh(x);
    case WEIR_SIGMOID: return v_sigmoid(x);
    case WEIR_HARD_SIGMOID: return v_hard_sigmoid(VMATH_HARD_SLOPE, x);
    case WEIR_HARD_SIGMOID6: return v_hard_sigmoid(VMATH_HARD6_SLOPE, x);
    case WEIR_LINEAR:
    case WEIR_ACTIVATION_COUNT: break;
    }
    return x;
}

/* act'(x) from y = act(x). */
static inline vf v_activate_grad(weir_activation activation, vf y) {
    vf one = v_set1(1.0f);
    vm inside = vm_and(v_gt(y, v_zero()), v_lt(y, one));
    switch (activation) {
    case WEIR_RELU: return v_blend(v_gt(y, v_zero()), one, v_zero());
    case WEIR_TANH: return v_fnma(y, y, one);
    case WEIR_SIGMOID: return v_fnma(y, y, y);
    case WEIR_HARD_SIGMOID: return v_blend(inside, v_set1(VMATH_HARD_SLOPE), v_zero());
    case WEIR_HARD_SIGMOID6: return v_blend(inside, v_set1(VMATH_HARD6_SLOPE), v_zero());
    case WEIR_LINEAR:
    case WEIR_ACTIVATION_COUNT: break;
    }
    return one;
}

#endif

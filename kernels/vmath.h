/*
 * exp, tanh, sigmoid and the activations, on vectors. SPDX-License-Identifier: Apache-2.0
 *
 * Only exactly rounded operations of vec.h, so every instruction set gives the same bits. Largest
 * errors over all 2^32 floats (weir-validate --exhaustive repeats the measurement):
 *
 *   v_exp      1.008 ULP     v_tanh     1.334 ULP     v_sigmoid  1.695 ULP
 *
 * All three are monotone over all floats, exact at 0 and at the infinities, and pass NaN on. Where
 * the exact result is below FLT_MIN, v_exp and v_sigmoid give 0, with or without flush-to-zero;
 * v_tanh of a denormal is that denormal, or a zero of its sign where denormals are flushed.
 */
#ifndef WEIR_VMATH_H
#define WEIR_VMATH_H

#include "kernels/vec.h"
#include "weir/ops.h"

/* A call would pass four vectors through memory. */
#define VMATH_INLINE static inline __attribute__((always_inline))

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

/* 2^n, from r = n + VMATH_SHIFT. */
static inline vf v_exponent(vf r) { return v_float(vi_shl(v_bits(r), 23)); }
static inline vf v_zero_below(float least, vf x, vf a) {
    return v_blend(v_lt(x, v_set1(least)), v_zero(), a);
}
static inline vf v_choose_below(float bound, vf x, vf below, vf above) {
    return v_blend(v_lt(x, v_set1(bound)), below, above);
}

/* v_expm1_poly, v_sigmoid, v_tanh */
#define VF vf
#define W(name) v_##name
#include "kernels/vmath_width.def"
#undef VF
#undef W

/* Four vectors, and what vmath_width.def does with them. */
typedef struct vf4 {
    vf a, b, c, d;
} vf4;
static inline vf4 v4_set1(float a) { return (vf4){v_set1(a), v_set1(a), v_set1(a), v_set1(a)}; }

/* Vectors at p, p + d.b, p + d.c and p + d.b + d.c. */
typedef struct v4_at {
    int64_t b, c;
} v4_at;
static inline vf4 v4_load(const float *p, v4_at d) {
    return (vf4){v_load(p), v_load(p + d.b), v_load(p + d.c), v_load(p + d.b + d.c)};
}
static inline void v4_store(float *p, v4_at d, vf4 x) {
    v_store(p, x.a);
    v_store(p + d.b, x.b);
    v_store(p + d.c, x.c);
    v_store(p + d.b + d.c, x.d);
}

#define V4_UNARY(name)                                                            \
    static inline vf4 v4_##name(vf4 x) {                                          \
        return (vf4){v_##name(x.a), v_##name(x.b), v_##name(x.c), v_##name(x.d)}; \
    }
#define V4_BINARY(name)                                                          \
    static inline vf4 v4_##name(vf4 x, vf4 y) {                                  \
        return (vf4){v_##name(x.a, y.a), v_##name(x.b, y.b), v_##name(x.c, y.c), \
                     v_##name(x.d, y.d)};                                        \
    }
#define V4_TERNARY(name)                                                                        \
    static inline vf4 v4_##name(vf4 x, vf4 y, vf4 z) {                                          \
        return (vf4){v_##name(x.a, y.a, z.a), v_##name(x.b, y.b, z.b), v_##name(x.c, y.c, z.c), \
                     v_##name(x.d, y.d, z.d)};                                                  \
    }
V4_UNARY(abs)
V4_UNARY(exponent)
V4_BINARY(add)
V4_BINARY(sub)
V4_BINARY(mul)
V4_BINARY(div)
V4_BINARY(min)
V4_BINARY(copysign)
V4_TERNARY(fma)
V4_TERNARY(fnma)
static inline vf4 v4_zero_below(float least, vf4 x, vf4 y) {
    return (vf4){v_zero_below(least, x.a, y.a), v_zero_below(least, x.b, y.b),
                 v_zero_below(least, x.c, y.c), v_zero_below(least, x.d, y.d)};
}
static inline vf4 v4_choose_below(float bound, vf4 x, vf4 y, vf4 z) {
    return (vf4){v_choose_below(bound, x.a, y.a, z.a), v_choose_below(bound, x.b, y.b, z.b),
                 v_choose_below(bound, x.c, y.c, z.c), v_choose_below(bound, x.d, y.d, z.d)};
}
#define VF vf4
#define W(name) v4_##name
#include "kernels/vmath_width.def"
#undef VF
#undef W

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

/* The same for four vectors; only what takes long gains by it. */
VMATH_INLINE vf4 v4_activate(weir_activation activation, vf4 x) {
    if (activation == WEIR_TANH) return v4_tanh(x);
    if (activation == WEIR_SIGMOID) return v4_sigmoid(x);
    return (vf4){v_activate(activation, x.a), v_activate(activation, x.b),
                 v_activate(activation, x.c), v_activate(activation, x.d)};
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

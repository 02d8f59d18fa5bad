/*
 * Sigmoid and tanh for one vector or for four: included by vmath.h once for each width.
 * SPDX-License-Identifier: Apache-2.0
 *
 * VF is the type and W(name) the function of the width at hand. Four vectors go in lockstep: the
 * chain of one takes some 70 cycles, and what a core sees ahead holds too few chains to keep its
 * units busy.
 */

/* e^t - 1 for |t| <= 0.3475; vmath.h says more. */
static inline VF W(expm1_poly)(VF t) {
    VF q = W(fma)(W(set1)(0x1.6721e8p-10f), t, W(set1)(0x1.123d60p-7f));
    q = W(fma)(q, t, W(set1)(0x1.555dd2p-5f));
    q = W(fma)(q, t, W(set1)(0x1.55548cp-3f));
    q = W(fma)(q, t, W(set1)(0x1.fffff4p-2f));
    return W(fma)(W(mul)(t, t), q, t);
}

/* 1 - e^-t for |t| <= 0.3475: the same polynomial, every sign the other way. */
static inline VF W(expm1_poly_negated)(VF t) {
    VF q = W(fma)(W(set1)(0x1.6721e8p-10f), t, W(set1)(-0x1.123d60p-7f));
    q = W(fma)(q, t, W(set1)(0x1.555dd2p-5f));
    q = W(fma)(q, t, W(set1)(-0x1.55548cp-3f));
    q = W(fma)(q, t, W(set1)(0x1.fffff4p-2f));
    return W(fnma)(W(mul)(t, t), q, t);
}

/* 1 / (1 + e^-x): a chain of monotone steps, e^-x = 2^n (1 - p) with p = 1 - e^-t, t = x + n ln 2.
 * 1 + 2^n - 2^n p is rounded once up to n = 23, where 1 + 2^n and 2^n p are exact; beyond, `lost`
 * keeps what 1 + 2^n dropped. Below the last comparison's bound anything may come out before it. */
VMATH_INLINE VF W(sigmoid)(VF x) {
    VF y = W(min)(W(set1)(30.0f), x), shift = W(set1)(VMATH_SHIFT), one = W(set1)(1.0f);
    VF r = W(fma)(y, W(set1)(-VMATH_LOG2E), shift);
    VF n = W(sub)(r, shift);
    VF t = W(fma)(n, W(set1)(VMATH_LN2_LO), W(fma)(n, W(set1)(VMATH_LN2_HI), y));
    VF s = W(exponent)(r);
    VF p = W(expm1_poly_negated)(t);
    VF sum = W(add)(s, one);
    VF lost = W(sub)(one, W(sub)(sum, s));
    VF d = W(add)(sum, W(fnma)(s, p, lost));
    return W(zero_below)(-0x1.5d589ep+6f, x, W(div)(one, d));
}

/* |x| < 0.55: x + x^3 q(x^2), minimax, relative error 2^-29. Above: 1 - 2 / (1 + e^2|x|) with the
 * sum as (1 + 2^n) + 2^n p; there the error of one float for ln 2 does not matter. */
VMATH_INLINE VF W(tanh)(VF x) {
    VF a = W(abs)(x), one = W(set1)(1.0f), shift = W(set1)(VMATH_SHIFT);
    VF y = W(min)(W(set1)(10.0f), a);
    VF r = W(fma)(y, W(set1)(2.0f * VMATH_LOG2E), shift);
    VF n = W(sub)(r, shift);
    VF t = W(fnma)(n, W(set1)(VMATH_LN2_HI), W(add)(y, y));
    VF s = W(exponent)(r);
    VF d = W(fma)(s, W(expm1_poly)(t), W(add)(s, one));
    VF big = W(sub)(one, W(div)(W(set1)(2.0f), d));

    VF a2 = W(mul)(a, a);
    VF q = W(fma)(W(set1)(-0x1.958c74p-8f), a2, W(set1)(0x1.584238p-6f));
    q = W(fma)(q, a2, W(set1)(-0x1.b90a76p-5f));
    q = W(fma)(q, a2, W(set1)(0x1.110c70p-3f));
    q = W(fma)(q, a2, W(set1)(-0x1.555548p-2f));
    VF small = W(fma)(W(mul)(a, a2), q, a);
    return W(copysign)(W(choose_below)(0.55f, a, small, big), x);
}

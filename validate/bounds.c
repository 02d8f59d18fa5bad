/*
 * Error bounds, derived from the number of roundings. SPDX-License-Identifier: Apache-2.0
 *
 * Model: a float operation gives r (1 + d), |d| <= u = 2^-24, plus at most FLT_MIN where the result
 * is flushed to zero. After n operations on the longest path a term carries at most gamma(n) =
 * n u / (1 - n u) (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., lemma 3.1), so a
 * sum of products has an error of at most gamma(n) sum |terms| + (n + 1) FLT_MIN: see DESIGN.md
 * section 5. A sum of partial sums, in whatever tree, rounds a term no more often than it has terms,
 * but each of its additions may be flushed too: `tree` counts them. The oracle sums in double (its
 * n 2^-53 is taken as one more u / 2^10, for n < 2^18) and rounds once to float.
 */
#include <float.h>
#include <math.h>

#include "validate/check.h"

double bound_gamma(double roundings) { return roundings * U32 / (1 - roundings * U32); }

/*
 * |got - expected| for a sum whose terms carry at most n roundings, magnitude = sum |terms|. A sum
 * that can overflow has no bound, unless an input was NaN or infinite: then these decide, exactly.
 */
double bound_terms(const context *c, double n, double magnitude, double expected) {
    if (!isfinite(magnitude)) return c->values == VALUES_SPECIAL ? 0 : INFINITY;
    n += c->tree;
    return bound_gamma(n + 0x1p-10) * magnitude + U32 * fabs(expected) + (n + 1) * (double)FLT_MIN;
}

/* The same where small integers are added and multiplied only: without any rounding. */
double bound_sum(const context *c, double n, double magnitude, double expected) {
    return c->values == VALUES_EXACT ? 0 : bound_terms(c, n, magnitude, expected);
}

/*
 * |got - expected| of an activation whose argument is known to `before`, by the Lipschitz constant
 * L: L before, plus its own error. tanh and sigmoid: 2 ULP = 4 u |y| at most (vmath.h; measured by
 * --exhaustive). hard_sigmoid: constants and result rounded, where not clipped |y| and |slope z| are
 * below 1 + 1/2: 4 u.
 */
double bound_activation(weir_activation activation, double before, double expected) {
    double lipschitz = 1, own = 0;
    if (isnan(expected)) return before;
    switch (activation) {
    case WEIR_TANH: own = 4 * U32 * (fabs(expected) + before); break;
    case WEIR_SIGMOID:
        lipschitz = 0.25;
        own = 4 * U32 * (fabs(expected) + before);
        break;
    case WEIR_HARD_SIGMOID:
        lipschitz = 0.2 * (1 + 2 * U32);
        own = 4 * U32;
        break;
    case WEIR_HARD_SIGMOID6:
        lipschitz = (1 + 2 * U32) / 6;
        own = 4 * U32;
        break;
    default: return before;
    }
    return lipschitz * before + own + U32 * fabs(expected) + 2 * (double)FLT_MIN;
}

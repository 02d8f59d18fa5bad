/* The oracle's derivatives against finite differences. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "validate/check.h"

static double difference(float *x, float step, scalar_fn *f, void *arg) {
    const float at = *x;
    *x = at + step;
    double above = f(arg);
    *x = at - step;
    double below = f(arg);
    *x = at;
    return (above - below) / (2 * (double)step);
}

/* f is linear (or quadratic) in each x[i] within one step, and computed without rounding: a central
 * difference has no error. */
void finite_exact(context *c, const tensor *t, float *x, const float *gradient, float step,
                  scalar_fn *f, void *arg) {
    int64_t n = tensor_size(t);
    float *expected = plain_new(c, n);
    for (int64_t i = 0; i < n; i++) expected[i] = (float)difference(&x[i], step, f, arg);
    compare_bounds(c, t, gradient, expected, double_new(c, n));
}

/* How much the slopes right and left of x differ, over one step. */
static double bend(float *x, float step, double here, scalar_fn *f, void *arg) {
    const float at = *x;
    *x = at + step;
    double above = f(arg);
    *x = at - step;
    double below = f(arg);
    *x = at;
    return (above - 2 * here + below) / (double)step;
}

/*
 * f is smooth, and known to within `noise` (its float results are rounded). The difference D(h) has
 * the error c2 h^2 + c4 h^4 + ..., so R(h) = (4 D(h) - D(2h)) / 3 has -4 c4 h^4 + ... (Richardson),
 * and R(2h) 16 times that: the truncation error of R(h) is about |R(2h) - R(h)| / 15; all of the
 * difference is granted. Noise adds at most (4/3 + 1/6) noise / h to R(h).
 *
 * f may have kinks (relu, hard sigmoid). The bend B(h) is h f'' where f is smooth, so that
 * B(2h) - 2 B(h) is of order h^3; at a kink in x it is the kink. One of the two differences sees a
 * kink wherever it lies within 4 h; then the tolerance is large and the element proves nothing. An
 * element is decisive when its tolerance is below 1% of the largest gradient; main.c demands 3 of 4
 * over all cases.
 */
void finite_smooth(context *c, const tensor *t, float *x, const float *gradient, double noise,
                   scalar_fn *f, void *arg) {
    const float h = 0x1p-6f;
    int64_t n = tensor_size(t), decisive = 0;
    double largest = 0, here = f(arg);
    for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)gradient[i]));
    if (largest <= 0) largest = 1;
    float *expected = plain_new(c, n);
    double *bound = double_new(c, n);
    for (int64_t i = 0; i < n; i++) {
        double d1 = difference(&x[i], h, f, arg), d2 = difference(&x[i], 2 * h, f, arg);
        double d4 = difference(&x[i], 4 * h, f, arg);
        double fine = (4 * d1 - d2) / 3, coarse = (4 * d2 - d4) / 3;
        double kink = bend(&x[i], 2 * h, here, f, arg) - 2 * bend(&x[i], h, here, f, arg);
        expected[i] = (float)fine;
        bound[i] = fabs(fine - coarse) + fabs(kink) + 1.5 * noise / (double)h + U32 * fabs(fine);
        if (bound[i] < 0.01 * largest)
            decisive++;
        else
            bound[i] = INFINITY;
    }
    compare_bounds(c, t, gradient, expected, bound);
    c->differences += n;
    c->decisive += decisive;
}

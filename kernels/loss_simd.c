/* Losses, summed in double, one element after the other. SPDX-License-Identifier: Apache-2.0
 *
 * A compiler may not reorder these sums, so that they are the same everywhere; batches are short.
 */
#include <stddef.h>

#include "kernels/dmath.h"
#include "kernels/kernels.h"

double WEIR_KERNEL(loss_mae)(int64_t n, const float *y, const float *target, float *dy) {
    double sum = 0;
    float slope = (float)(1 / (double)n);
    for (int64_t i = 0; i < n; i++) {
        double e = (double)y[i] - (double)target[i];
        sum += e < 0 ? -e : e;
        /* NaN, which is neither below nor above 0, passes. */
        if (dy) dy[i] = e > 0 ? slope : e < 0 ? -slope : (float)e;
    }
    return sum;
}

double WEIR_KERNEL(loss_mse)(int64_t n, const float *y, const float *target, float *dy) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double e = (double)y[i] - (double)target[i];
        sum += e * e;
        if (dy) dy[i] = (float)(2 * e / (double)n);
    }
    return sum;
}

/* 1 - p is exact: p is a float, and 1 - 2^-23 at most. */
double WEIR_KERNEL(loss_bce)(int64_t n, const float *y, const float *target, float *dy) {
    const float least = 1e-7f, most = 1 - 1e-7f;
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        float clipped = y[i] < least ? least : y[i] > most ? most : y[i]; /* NaN passes */
        double p = (double)clipped, q = 1 - p, t = (double)target[i];
        sum -= t * dmath_log(p) + (1 - t) * dmath_log(q);
        if (!dy) continue;
        dy[i] = y[i] < least || y[i] > most ? 0 : (float)((p - t) / (p * q) / (double)n);
    }
    return sum;
}

double WEIR_KERNEL(loss_bce_logits)(int64_t n, const float *y, const float *target, float *dy) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double x = (double)y[i], t = (double)target[i];
        double e = dmath_exp(x > 0 ? -x : x); /* NaN passes */
        sum += (x < 0 ? 0 : x) - x * t + dmath_log1p(e);
        if (dy) dy[i] = (float)(((x < 0 ? e : 1) / (1 + e) - t) / (double)n);
    }
    return sum;
}

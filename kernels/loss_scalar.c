/* The oracle of the losses. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "kernels/kernels.h"

double weir_loss_mae_scalar(int64_t n, const float *y, const float *target, float *dy) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double e = (double)y[i] - (double)target[i];
        sum += fabs(e);
        if (dy) dy[i] = (float)(isnan(e) ? e : ((e > 0) - (e < 0)) / (double)n);
    }
    return sum;
}

double weir_loss_mse_scalar(int64_t n, const float *y, const float *target, float *dy) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double e = (double)y[i] - (double)target[i];
        sum += e * e;
        if (dy) dy[i] = (float)(2 * e / (double)n);
    }
    return sum;
}

double weir_loss_bce_scalar(int64_t n, const float *y, const float *target, float *dy) {
    double sum = 0, least = (double)1e-7f, most = (double)(1 - 1e-7f);
    for (int64_t i = 0; i < n; i++) {
        double p = (double)y[i], t = (double)target[i];
        bool inside = !(p < least) && !(p > most);
        if (p < least) p = least;
        if (p > most) p = most;
        sum += -t * log(p) - (1 - t) * log(1 - p);
        if (dy) dy[i] = (float)(inside ? ((1 - t) / (1 - p) - t / p) / (double)n : 0);
    }
    return sum;
}

double weir_loss_bce_logits_scalar(int64_t n, const float *y, const float *target, float *dy) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double x = (double)y[i], t = (double)target[i];
        sum += (isnan(x) ? x : fmax(x, 0)) - x * t + log1p(exp(-fabs(x)));
        if (dy) dy[i] = (float)((1 / (1 + exp(-x)) - t) / (double)n);
    }
    return sum;
}

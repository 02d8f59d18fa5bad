/* What the scalar oracles share, in double: activations, a step of conv1d.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_ORACLE_H
#define WEIR_ORACLE_H

#include <math.h>

#include "kernels/kernels.h"

/* NaN fails every comparison and so falls through to the last return. */
static inline double oracle_clip01(double a) {
    if (a < 0) return 0;
    if (a > 1) return 1;
    return a;
}

static inline double oracle_activate(weir_activation activation, double a) {
    switch (activation) {
    case WEIR_RELU: return a < 0 ? 0 : a;
    case WEIR_TANH: return tanh(a);
    case WEIR_SIGMOID: return 1 / (1 + exp(-a));
    case WEIR_HARD_SIGMOID: return oracle_clip01(0.2 * a + 0.5);
    case WEIR_HARD_SIGMOID6: return oracle_clip01(a / 6 + 0.5);
    case WEIR_LINEAR:
    case WEIR_ACTIVATION_COUNT: break;
    }
    return a;
}

/* The derivative, from the value y = act(a). */
static inline double oracle_derivative(weir_activation activation, double y) {
    switch (activation) {
    case WEIR_RELU: return y > 0 ? 1 : 0;
    case WEIR_TANH: return 1 - y * y;
    case WEIR_SIGMOID: return y * (1 - y);
    case WEIR_HARD_SIGMOID: return y > 0 && y < 1 ? 0.2 : 0;
    case WEIR_HARD_SIGMOID6: return y > 0 && y < 1 ? 1.0 / 6 : 0;
    case WEIR_LINEAR:
    case WEIR_ACTIVATION_COUNT: break;
    }
    return 1;
}

/* Step t of sample n of the convolution, filter o, after the activation. */
static inline float oracle_conv1d_at(const weir_conv1d_call *c, int64_t n, int64_t t, int64_t o) {
    const weir_conv1d *p = &c->p;
    double sum = c->b ? (double)c->b[o] : 0;
    for (int64_t k = 0; k < p->K; k++) {
        int64_t s = t * p->S + k * p->D - c->P_l;
        if (s < 0 || s >= p->T) continue;
        for (int64_t i = 0; i < p->C_in; i++)
            sum += (double)c->x[(n * p->T + s) * p->C_in + i] *
                   (double)c->w[(k * p->C_in + i) * p->C_out + o];
    }
    return (float)oracle_activate(p->activation, sum);
}

#endif

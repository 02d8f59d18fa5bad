/* The oracle of activations, optimizers, add. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "kernels/kernels.h"
#include "kernels/oracle.h"

void weir_activation_fwd_scalar(weir_activation activation, int64_t i0, int64_t i1, const float *x,
                                float *y) {
    for (int64_t i = i0; i < i1; i++) y[i] = (float)oracle_activate(activation, (double)x[i]);
}

void weir_activation_bwd_scalar(weir_activation activation, int64_t i0, int64_t i1, const float *y,
                                const float *dy, float *dx) {
    for (int64_t i = i0; i < i1; i++)
        dx[i] = (float)((double)dy[i] * oracle_derivative(activation, (double)y[i]));
}

void weir_exp_scalar(int64_t i0, int64_t i1, const float *x, float *y) {
    for (int64_t i = i0; i < i1; i++) y[i] = (float)exp((double)x[i]);
}

void weir_add_scalar(int64_t i0, int64_t i1, float *a, const float *b) {
    for (int64_t i = i0; i < i1; i++) a[i] = (float)((double)a[i] + (double)b[i]);
}

void weir_rmsprop_scalar(const weir_rmsprop *o, int64_t i0, int64_t i1, const float *g, float *v,
                         float *p) {
    double rho = (double)o->rho, epsilon = (double)o->epsilon;
    for (int64_t i = i0; i < i1; i++) {
        double gradient = (double)g[i];
        double mean = rho * (double)v[i] + (1 - rho) * gradient * gradient;
        double root = o->epsilon_inside ? sqrt(mean + epsilon) : sqrt(mean) + epsilon;
        v[i] = (float)mean;
        p[i] = (float)((double)p[i] - (double)o->rate * gradient / root);
    }
}

void weir_adam_scalar(const weir_adam *o, float rate, int64_t i0, int64_t i1, const float *g,
                      float *m, float *v, float *p) {
    double beta1 = (double)o->beta1, beta2 = (double)o->beta2;
    for (int64_t i = i0; i < i1; i++) {
        double gradient = (double)g[i];
        double first = beta1 * (double)m[i] + (1 - beta1) * gradient;
        double second = beta2 * (double)v[i] + (1 - beta2) * gradient * gradient;
        m[i] = (float)first;
        v[i] = (float)second;
        p[i] = (float)((double)p[i] - (double)rate * first / (sqrt(second) + (double)o->epsilon));
    }
}

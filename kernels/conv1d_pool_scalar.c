/* The oracle of conv1d with max pooling: textbook loops in double. SPDX-License-Identifier: Apache-2.0
 */
#include "kernels/kernels.h"
#include "kernels/oracle.h"

void weir_conv1d_pool_fwd_scalar(const weir_conv1d_pool_call *c, int64_t v0, int64_t v1) {
    int64_t C = c->conv.p.C_out;
    for (int64_t v = v0; v < v1; v++)
        for (int64_t o = 0; o < C; o++) {
            int64_t n = v / c->T_p, first = v % c->T_p * c->P, best = 0;
            float most = oracle_conv1d_at(&c->conv, n, first, o);
            for (int64_t j = 1; j < c->P; j++) {
                float a = oracle_conv1d_at(&c->conv, n, first + j, o);
                if (!(a > most || (isnan(a) && !isnan(most)))) continue;
                most = a;
                best = j;
            }
            c->y[v * C + o] = most;
            if (c->winner) c->winner[v * C + o] = (uint8_t)best;
        }
}

/* The gradient before the activation of step t of the convolution; t may be in no window. */
static double gradient_at(const weir_conv1d_pool_call *c, int64_t n, int64_t t, int64_t o) {
    if (t < 0 || t >= c->T_p * c->P) return 0;
    int64_t i = (n * c->T_p + t / c->P) * c->conv.p.C_out + o;
    if (c->winner_in[i] != t % c->P) return 0;
    return (double)c->dy[i] * oracle_derivative(c->conv.p.activation, (double)c->y_in[i]);
}

void weir_conv1d_pool_bwd_weights_scalar(const weir_conv1d_pool_call *c, int64_t r0, int64_t r1,
                                         int64_t o0, int64_t o1, float *dw, float *db) {
    const weir_conv1d *p = &c->conv.p;
    for (int64_t o = o0; o < o1; o++) {
        double bias = 0;
        for (int64_t r = r0; r < r1; r++)
            bias += gradient_at(c, r / c->conv.T_out, r % c->conv.T_out, o);
        if (db) db[o - o0] = (float)bias;
        for (int64_t q = 0; q < p->K * p->C_in; q++) {
            double sum = 0;
            for (int64_t r = r0; r < r1; r++) {
                int64_t n = r / c->conv.T_out, t = r % c->conv.T_out;
                int64_t s = t * p->S + q / p->C_in * p->D - c->conv.P_l;
                if (s < 0 || s >= p->T) continue;
                sum += gradient_at(c, n, t, o) *
                       (double)c->conv.x[(n * p->T + s) * p->C_in + q % p->C_in];
            }
            dw[(o - o0) * p->K * p->C_in + q] = (float)sum;
        }
    }
}

void weir_conv1d_pool_bwd_data_scalar(const weir_conv1d_pool_call *c, int64_t r0, int64_t r1) {
    const weir_conv1d *p = &c->conv.p;
    for (int64_t r = r0; r < r1; r++)
        for (int64_t i = 0; i < p->C_in; i++) {
            double sum = 0;
            for (int64_t k = 0; k < p->K; k++) {
                int64_t from = r % p->T + c->conv.P_l - k * p->D; /* t S of the step that read it */
                if (from < 0 || from % p->S) continue;
                for (int64_t o = 0; o < p->C_out; o++)
                    sum += gradient_at(c, r / p->T, from / p->S, o) *
                           (double)c->conv.w[(k * p->C_in + i) * p->C_out + o];
            }
            c->conv.dx[r * p->C_in + i] = (float)sum;
        }
}

/* The oracle of conv1d and the bias gradient, in double. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/kernels.h"
#include "kernels/oracle.h"

void weir_conv1d_fwd_scalar(const weir_conv1d_call *c, int64_t r0, int64_t r1) {
    for (int64_t r = r0; r < r1; r++)
        for (int64_t o = 0; o < c->p.C_out; o++)
            c->y[r * c->p.C_out + o] = oracle_conv1d_at(c, r / c->T_out, r % c->T_out, o);
}

void weir_conv1d_transpose_scalar(const weir_conv1d *p, int64_t r0, int64_t r1, const float *w,
                                  float *w_t) {
    for (int64_t r = r0; r < r1; r++) {
        int64_t k = p->K - 1 - r / p->C_out, o = r % p->C_out;
        for (int64_t i = 0; i < p->C_in; i++)
            w_t[r * p->C_in + i] = w[(k * p->C_in + i) * p->C_out + o];
    }
}

void weir_conv1d_bwd_data_scalar(const weir_conv1d_call *c, int64_t r0, int64_t r1) {
    const weir_conv1d *p = &c->p;
    for (int64_t r = r0; r < r1; r++) {
        int64_t n = r / p->T, s = r % p->T;
        for (int64_t i = 0; i < p->C_in; i++) {
            double sum = 0;
            for (int64_t k = 0; k < p->K; k++) {
                int64_t from = s + c->P_l - k * p->D; /* t S of the output step that read s by k */
                if (from < 0 || from % p->S || from / p->S >= c->T_out) continue;
                for (int64_t o = 0; o < p->C_out; o++)
                    sum += (double)c->dy[(n * c->T_out + from / p->S) * p->C_out + o] *
                           (double)c->w[(k * p->C_in + i) * p->C_out + o];
            }
            c->dx[r * p->C_in + i] = (float)sum;
        }
    }
}

void weir_conv1d_bwd_weights_scalar(const weir_conv1d_call *c, int64_t r0, int64_t r1, int64_t q0,
                                    int64_t q1, float *dw) {
    const weir_conv1d *p = &c->p;
    for (int64_t q = q0; q < q1; q++) {
        int64_t k = q / p->C_in, i = q % p->C_in;
        for (int64_t o = 0; o < p->C_out; o++) {
            double sum = 0;
            for (int64_t r = r0; r < r1; r++) {
                int64_t n = r / c->T_out, t = r % c->T_out;
                int64_t s = t * p->S + k * p->D - c->P_l;
                if (s < 0 || s >= p->T) continue;
                sum += (double)c->x[(n * p->T + s) * p->C_in + i] * (double)c->dy[r * p->C_out + o];
            }
            dw[q * p->C_out + o] = (float)sum;
        }
    }
}

void weir_sum_rows_scalar(int64_t C, int64_t r0, int64_t r1, const float *a, float *out) {
    for (int64_t c = 0; c < C; c++) {
        double sum = 0;
        for (int64_t r = r0; r < r1; r++) sum += (double)a[r * C + c];
        out[c] = (float)sum;
    }
}

/* The oracle of the poolings: textbook loops. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "kernels/kernels.h"

static bool in_window(const weir_pool_call *c, int64_t window, int64_t t) {
    int64_t first = window * c->p.S - c->P_l;
    return t >= first && t < first + c->p.P;
}

/* The winner of element i of y, as a step of x; first: the first step of its window inside x. */
static int64_t winner_get(const weir_pool_call *c, int64_t i, int64_t first) {
    if (c->p.P <= 256) return first + ((const uint8_t *)c->winner_in)[i];
    return first + ((const int32_t *)c->winner_in)[i];
}

static void winner_set(const weir_pool_call *c, int64_t i, int64_t position) {
    if (c->p.P <= 256)
        ((uint8_t *)c->winner)[i] = (uint8_t)position;
    else
        ((int32_t *)c->winner)[i] = (int32_t)position;
}

static int64_t first_step(const weir_pool_call *c, int64_t window) {
    int64_t first = window * c->p.S - c->P_l;
    return first < 0 ? 0 : first;
}

void weir_pool_max_fwd_scalar(const weir_pool_call *c, int64_t r0, int64_t r1) {
    int64_t T = c->p.T, C = c->p.C;
    for (int64_t r = r0; r < r1; r++) {
        int64_t n = r / c->T_out, first = r % c->T_out * c->p.S - c->P_l;
        for (int64_t ch = 0; ch < C; ch++) {
            int64_t best = -1;
            for (int64_t t = first < 0 ? 0 : first; t < T && t < first + c->p.P; t++) {
                float a = c->x[(n * T + t) * C + ch];
                float b = best < 0 ? 0 : c->x[(n * T + best) * C + ch];
                if (best < 0 || a > b || (isnan(a) && !isnan(b))) best = t;
            }
            c->y[r * C + ch] = c->x[(n * T + best) * C + ch];
            if (c->winner) winner_set(c, r * C + ch, best - first_step(c, r % c->T_out));
        }
    }
}

void weir_pool_avg_fwd_scalar(const weir_pool_call *c, int64_t r0, int64_t r1) {
    int64_t T = c->p.T, C = c->p.C;
    for (int64_t r = r0; r < r1; r++) {
        int64_t n = r / c->T_out, first = r % c->T_out * c->p.S - c->P_l;
        for (int64_t ch = 0; ch < C; ch++) {
            double sum = 0;
            int64_t count = 0;
            for (int64_t t = first < 0 ? 0 : first; t < T && t < first + c->p.P; t++, count++)
                sum += (double)c->x[(n * T + t) * C + ch];
            c->y[r * C + ch] = (float)(sum / (double)count);
        }
    }
}

void weir_pool_max_bwd_scalar(const weir_pool_call *c, int64_t r0, int64_t r1) {
    int64_t T = c->p.T, C = c->p.C;
    for (int64_t r = r0; r < r1; r++) {
        int64_t n = r / T, t = r % T;
        for (int64_t ch = 0; ch < C; ch++) {
            double sum = 0;
            for (int64_t window = 0; window < c->T_out; window++) {
                int64_t from = (n * c->T_out + window) * C + ch;
                if (in_window(c, window, t) && winner_get(c, from, first_step(c, window)) == t)
                    sum += (double)c->dy[from];
            }
            c->dx[r * C + ch] = (float)sum;
        }
    }
}

static int64_t window_count(const weir_pool_call *c, int64_t window) {
    int64_t count = 0;
    for (int64_t t = 0; t < c->p.T; t++) count += in_window(c, window, t);
    return count;
}

void weir_pool_avg_bwd_scalar(const weir_pool_call *c, int64_t r0, int64_t r1) {
    int64_t T = c->p.T, C = c->p.C;
    for (int64_t r = r0; r < r1; r++) {
        int64_t n = r / T, t = r % T;
        for (int64_t ch = 0; ch < C; ch++) {
            double sum = 0;
            for (int64_t window = 0; window < c->T_out; window++)
                if (in_window(c, window, t))
                    sum += (double)c->dy[(n * c->T_out + window) * C + ch] /
                           (double)window_count(c, window);
            c->dx[r * C + ch] = (float)sum;
        }
    }
}

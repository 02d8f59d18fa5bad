/* A convolution over embedded tokens, from its product table. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/columns.h"
#include "kernels/kernels.h"

enum {
    AHEAD = 6,  /* steps whose rows of the table are fetched into the cache meanwhile */
    BLOCK = 64, /* steps that all columns take before the next */
    LINE = 16   /* floats of a cache line */
};

/* The row that step s is the first to reach. */
static void fetch_row(const weir_embedding_call *c, const int32_t *tokens, int64_t s) {
    if (s >= c->T) return;
    const float *row = c->table + tokens[s] * c->K * c->C;
    for (int64_t i = 0; i < c->K * c->C; i += LINE) v_fetch(row + i, 0);
}

/* Columns a of step t: the bias, then the steps of the tokens in ascending order. */
static inline void sum_step(const weir_embedding_call *c, columns a, const int32_t *tokens,
                            int64_t t, float *y) {
    vm m0 = a.V == 2 ? v_tail(VL) : a.m, m1 = a.V == 2 ? a.m : v_tail(0);
    vf sum0 = v_zero(), sum1 = v_zero();
    if (c->b) {
        sum0 = v_load_m(c->b + a.c, m0);
        sum1 = v_load_m(c->b + a.c + VL, m1);
    }
    int64_t last = max(0, t + c->P_r - c->T + 1);
    for (int64_t j = min(c->K - 1, t + c->P_r); j >= last; j--) {
        const float *p = c->table + (tokens[t + c->P_r - j] * c->K + j) * c->C + a.c;
        if (a.V == 2 && !a.masked) {
            sum0 = v_add(sum0, v_load(p));
            sum1 = v_add(sum1, v_load(p + VL));
        } else {
            sum0 = v_add(sum0, v_load_m(p, m0));
            sum1 = v_add(sum1, v_load_m(p + VL, m1));
        }
    }
    v_store_m(y + a.c, m0, v_activate(c->activation, sum0));
    if (a.V == 2) v_store_m(y + a.c + VL, m1, v_activate(c->activation, sum1));
}

/* Steps t0 <= t < t1 of a sample. */
static void sum_steps(const weir_embedding_call *c, const int32_t *tokens, int64_t t0, int64_t t1,
                      float *y) {
    for (columns a = columns_at(0, c->C); a.c < c->C; a = columns_at(a.c + a.V * VL, c->C))
        for (int64_t t = t0; t < t1; t++) {
            if (a.c == 0) fetch_row(c, tokens, t + c->P_r + AHEAD);
            sum_step(c, a, tokens, t, y + t * c->C);
        }
}

void WEIR_KERNEL(embedding_conv1d_fwd)(const weir_embedding_call *c, int64_t r0, int64_t r1) {
    for (int64_t r = r0, steps; r < r1; r += steps) {
        int64_t n = r / c->T_out, t = r % c->T_out;
        steps = min(BLOCK, min(c->T_out - t, r1 - r));
        sum_steps(c, c->tokens + n * c->T, t, t + steps, c->y + n * c->T_out * c->C);
    }
}

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
TILE_INLINE void sum_columns(const weir_embedding_call *c, columns a, const int32_t *tokens,
                             int64_t t, float *y, const int V, const bool masked) {
    const int64_t C = c->C, K = c->K, P_r = c->P_r, last = max(0, t + P_r - c->T + 1);
    const float *table = c->table + a.c;
    vf sum0 = v_zero(), sum1 = v_zero();
    if (c->b) {
        sum0 = v_load_if(c->b + a.c, a.m, masked && V == 1);
        if (V == 2) sum1 = v_load_if(c->b + a.c + VL, a.m, masked);
    }
    for (int64_t j = min(K - 1, t + P_r); j >= last; j--) {
        const float *p = table + (tokens[t + P_r - j] * K + j) * C;
        sum0 = v_add(sum0, v_load_if(p, a.m, masked && V == 1));
        if (V == 2) sum1 = v_add(sum1, v_load_if(p + VL, a.m, masked));
    }
    v_store_if(y + a.c, a.m, v_activate(c->activation, sum0), masked && V == 1);
    if (V == 2) v_store_if(y + a.c + VL, a.m, v_activate(c->activation, sum1), masked);
}

static inline void sum_step(const weir_embedding_call *c, columns a, const int32_t *tokens,
                            int64_t t, float *y) {
    if (a.V == 2 && !a.masked)
        sum_columns(c, a, tokens, t, y, 2, false);
    else if (a.V == 2)
        sum_columns(c, a, tokens, t, y, 2, true);
    else
        sum_columns(c, a, tokens, t, y, 1, true);
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

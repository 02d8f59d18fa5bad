/*
 * Private layouts of the SimpleRNN: what its driver and its kernels share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Rows of H units are padded to H_p as the GRU's, and weights are packed in its panels (gru.h).
 * Steps s = 0 .. T-1 are counted as they are processed.
 *
 *   reserve    [N][T + 1][H_p]    h before step 0, then after each step
 *   da         [N][steps][H_p]    gradients before the activation
 */
#ifndef WEIR_RNN_H
#define WEIR_RNN_H

#include "kernels/gru.h"

/* Offset in reserve of the state before step s of sample n. */
static inline int64_t rnn_state_at(const weir_rnn *p, int64_t n, int64_t s) {
    return (n * (p->T + 1) + s) * gru_padded(p->H);
}

/* Offset of row (n, s) of da. */
static inline int64_t rnn_da_at(const weir_rnn_call *c, int64_t n, int64_t s) {
    return (n * c->d_steps + s - c->d_s0) * gru_padded(c->p.H);
}

/* A backward call on all steps. */
static inline void rnn_all_steps(weir_rnn_call *c) {
    c->s0 = c->d_s0 = 0;
    c->s1 = c->d_steps = c->p.T;
}

/* Covers every kernel: GRU_ROWS samples with up to 6 rows of H_p and 2 of C_in each, or GRU_CHUNK
 * rows of x or h with their masks and of two panels. */
static inline int64_t rnn_scratch_floats(const weir_rnn *p) {
    int64_t H = gru_padded(p->H), C = gru_padded(p->C_in);
    int64_t step = GRU_ROWS * (6 * H + 2 * C),
            chunk = GRU_CHUNK * ((H > C ? H : C) + 3 * GRU_PANEL);
    return step > chunk ? step : chunk;
}

#endif

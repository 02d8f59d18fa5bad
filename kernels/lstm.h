/*
 * Private layouts of the LSTM: what its driver and its kernels share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Rows of H units are padded to H_p, steps counted as they are processed, weights packed in panels,
 * all as the GRU's (gru.h), with four gates i, f, g, o. One stream for each sample:
 *
 *   reserve   [N] rows [T + 1][6][H_p]   h and c before the step, then its i, f, g, o; the last row
 *                                        ends after h and c. A step that is passed over has
 *                                        i = g = o = 0 and f = 1
 *   dgates    [N][steps] rows            [4][H_p] di, df, dg, do before the activations, 0 in steps
 *                                        that are passed over; then a panel that is not used
 */
#ifndef WEIR_LSTM_H
#define WEIR_LSTM_H

#include "kernels/gru.h"
#include "kernels/kernels.h"

enum { LSTM_GATE_I, LSTM_GATE_F, LSTM_GATE_G, LSTM_GATE_O, LSTM_GATES };
enum { LSTM_PARTS = 2 + LSTM_GATES }; /* of a row of the reserve */

enum {
    LSTM_ROWS = 24,      /* samples that a SIMD kernel takes through time together */
    LSTM_AHEAD_ROWS = 48 /* rows of x W, samples times steps, that it computes ahead */
};

/* Offset in reserve of the row of step s of sample n, which begins with the state before it; of the
 * step's gates. */
static inline int64_t lstm_row_at(const weir_lstm *p, int64_t n, int64_t s) {
    return (n * (LSTM_PARTS * p->T + 2) + LSTM_PARTS * s) * gru_padded(p->H);
}
static inline int64_t lstm_gates_at(const weir_lstm *p, int64_t n, int64_t s) {
    return lstm_row_at(p, n, s) + 2 * gru_padded(p->H);
}

/* Floats of a row of dgates: not a power of two, or rows would share a few sets of the first cache. */
static inline int64_t lstm_dgates_row(const weir_lstm *p) {
    return LSTM_GATES * gru_padded(p->H) + GRU_PANEL;
}

/* Offset of row (n, s) of dgates. */
static inline int64_t lstm_dgates_at(const weir_lstm_call *c, int64_t n, int64_t s) {
    return (n * c->d_steps + s - c->d_s0) * lstm_dgates_row(&c->p);
}

/* A backward call on all steps. */
static inline void lstm_all_steps(weir_lstm_call *c) {
    c->s0 = c->d_s0 = 0;
    c->s1 = c->d_steps = c->p.T;
}

/* The step that x, dx and step_mask have for step s. */
static inline int64_t lstm_time(const weir_lstm *p, int64_t s) {
    return p->go_backwards ? p->T - 1 - s : s;
}
static inline bool lstm_passes(const weir_lstm_call *c, int64_t n, int64_t s) {
    return c->t.step_mask && c->t.step_mask[n * c->p.T + lstm_time(&c->p, s)] == 0;
}

/* Covers every kernel: LSTM_ROWS samples with up to 14 rows of H_p and 4 of C_in each and the rows
 * computed ahead, or GRU_CHUNK rows of x or h and of two panels. */
static inline int64_t lstm_scratch_floats(const weir_lstm *p) {
    int64_t H = gru_padded(p->H), C = gru_padded(p->C_in);
    int64_t step = LSTM_ROWS * (14 * H + 4 * C) + LSTM_AHEAD_ROWS * LSTM_GATES * (H + C);
    int64_t chunk = GRU_CHUNK * ((H > C ? H : C) + 3 * GRU_PANEL);
    return step > chunk ? step : chunk;
}

#endif

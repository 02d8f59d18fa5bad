/*
 * Private layouts of the GRU: what its driver and its kernels share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Rows of H units are padded to H_p = H rounded up to 16, so that no kernel needs a tail for them;
 * what the padding holds reaches no result. Steps s = 0 .. T-1 are counted as they are processed:
 * s reads x at T-1-s when the GRU goes backwards.
 *
 *   reserve   [N] gates  [T][3 or 4][H_p]  z, r, candidate; with reset_after also q = hh Uh + b1h
 *                 states [T + 1][H_p]      h before step 0, then after each step
 *             the gates of a step that is passed over are 0
 *   dgates    [N][steps][3 or 4][H_p]     dz, dr, dcandidate before the activations; with
 *                                         reset_after also dq = r dcandidate
 *   packed    [panels of 16 columns][rows][16], columns beyond the last are zero:
 *             w_packed, u_packed       a panel is 16 units of a gate: z's panels, r's, h's; its
 *                                      rows are the channels of x, or the units of h
 *             w_t_packed, u_t_packed   a panel is, for each gate, 16 channels of dx or units of dh;
 *                                      its rows are the units of the gate
 */
#ifndef WEIR_GRU_H
#define WEIR_GRU_H

#include "kernels/kernels.h"

enum { GRU_GATES = 3 };
enum {
    GRU_PANEL = 16,  /* columns of a panel, a multiple of every VL */
    GRU_ROWS = 24,   /* samples that a SIMD kernel takes through time together */
    GRU_CHUNK = 320, /* steps that gru_bwd_weights takes at a time, */
    GRU_STRIPS = 64  /* in so many samples at most */
};

static inline int64_t gru_padded(int64_t n) { return (n + GRU_PANEL - 1) / GRU_PANEL * GRU_PANEL; }
static inline int64_t gru_parts(const weir_gru *p) { return p->reset_after ? 4 : 3; }

/* Offset of row (n, s) of dgates. */
static inline int64_t gru_dgates_at(const weir_gru_call *c, int64_t n, int64_t s) {
    return (n * c->d_steps + s - c->d_s0) * gru_parts(&c->p) * gru_padded(c->p.H);
}

/* A backward call on all steps. */
static inline void gru_all_steps(weir_gru_call *c) {
    c->s0 = c->d_s0 = 0;
    c->s1 = c->d_steps = c->p.T;
}

/* Offset in reserve of the gates of step s of sample n, and of its state before step s. */
static inline int64_t gru_gates_at(const weir_gru *p, int64_t n, int64_t s) {
    int64_t H = gru_padded(p->H), row = gru_parts(p) * H;
    return n * (p->T * row + (p->T + 1) * H) + s * row;
}
static inline int64_t gru_state_at(const weir_gru *p, int64_t n, int64_t s) {
    return gru_gates_at(p, n, p->T) + s * gru_padded(p->H);
}

/* Covers every kernel: GRU_ROWS samples with up to 16 rows of H_p and 6 of C_in each, or GRU_CHUNK
 * rows of x or h with their masks and of two panels. */
static inline int64_t gru_scratch_floats(const weir_gru *p) {
    int64_t H = gru_padded(p->H), C = gru_padded(p->C_in);
    int64_t step = GRU_ROWS * (16 * H + 6 * C),
            chunk = GRU_CHUNK * ((H > C ? H : C) + 3 * GRU_PANEL);
    return step > chunk ? step : chunk;
}

#endif

/*
 * Private layouts of conv1d_pool: what its driver and its kernels share.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A kernel takes its windows in pieces whose data stay in the first cache: several whole samples, or
 * windows of one sample. The scratch of a call holds, 64-byte aligned,
 *
 *   fwd          the activation of a piece, [windows][P][C_out]
 *   bwd_weights  in panels of 32 channels padded to 16, the sums [panels][C_out][K][channels] and,
 *                of a piece, x [panels][steps][channels]; of a piece dy after the activation's
 *                derivative [windows][C_out], and the winners [windows][C_out], bytes, both with
 *                C_out padded to 16; db[C_out], and the largest winner of each filter
 *   bwd_data     of a sample for each step of the convolution a set of the filters whose winner it
 *                is: 64-bit words [T_p][P][ceil(C_out / 64)]
 */
#ifndef WEIR_CONV1D_POOL_H
#define WEIR_CONV1D_POOL_H

#include "kernels/kernels.h"

enum {
    POOL_UNIT = 16,   /* channels of w_units, a multiple of every VL */
    POOL_PANEL = 32,  /* channels of x that bwd_weights takes at a time, a multiple of POOL_UNIT */
    POOL_PIECE = 6144 /* floats that a piece has at most, unless one window needs more */
};

static inline int64_t pool_padded(int64_t n) { return (n + POOL_UNIT - 1) / POOL_UNIT * POOL_UNIT; }

/* Either some samples of all T_p windows, or one sample and some windows. */
typedef struct pool_piece {
    int64_t samples, windows;
} pool_piece;

/* w windows of one sample need `each` w + `more` floats. */
static inline pool_piece pool_piece_of(int64_t T_p, int64_t each, int64_t more) {
    int64_t windows = (POOL_PIECE - more) / each;
    if (windows < 1) windows = 1;
    if (windows < T_p) return (pool_piece){1, windows};
    int64_t samples = POOL_PIECE / (each * T_p + more);
    return (pool_piece){samples < 1 ? 1 : samples, T_p};
}

static inline pool_piece pool_fwd_piece(const weir_conv1d_pool_call *c) {
    pool_piece piece = pool_piece_of(c->T_p, c->P * c->conv.p.C_out, 0);
    return piece;
}

/* Steps of x that w windows of a sample read: with D = 1 by all k, else by one k. */
static inline int64_t pool_x_rows(const weir_conv1d_pool_call *c, int64_t w) {
    return (w * c->P - 1) * c->conv.p.S + (c->conv.p.D == 1 ? c->conv.p.K : 1);
}

static inline pool_piece pool_weights_piece(const weir_conv1d_pool_call *c) {
    int64_t C = pool_padded(c->conv.p.C_in), width = C < POOL_PANEL ? C : POOL_PANEL;
    int64_t each = c->P * c->conv.p.S * width;
    pool_piece piece = pool_piece_of(c->T_p, each, pool_x_rows(c, 1) * width - each);
    return piece;
}

/* Floats of scratch that any kernel needs for this call, a multiple of 16; INT64_MAX: too many to be
 * counted. */
int64_t weir_conv1d_pool_scratch_floats(const weir_conv1d_pool_call *c);
/* Floats of w_units. */
int64_t weir_conv1d_pool_units_floats(const weir_conv1d *p);
/* Fills rows item0 <= item < item1 of w_units, item = unit C_out + o. */
void weir_conv1d_pool_pack(const weir_conv1d *p, const float *w, int64_t item0, int64_t item1,
                           float *w_units);

#endif

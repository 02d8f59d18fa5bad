/* What the vector kernels of the GRU share: blocks of samples and their rows.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_GRU_BLOCK_H
#define WEIR_GRU_BLOCK_H

#include <stdbool.h>

#include "kernels/gru_tile.h"
#include "kernels/rows.h"
#include "kernels/steps.h"

/* The reserve has one stream for each sample of a block, more than the hardware follows. */
static inline void prefetch(const float *p, int64_t n) {
    for (int64_t k = 0; k < n; k += GRU_PANEL) __builtin_prefetch(p + k);
}

/* A block of samples on its way through time. */
typedef struct block {
    const weir_gru_call *c;
    step_order steps;
    int64_t n0, m; /* samples n0 .. n0 + m - 1 */
    int64_t H, C;  /* padded */
    int64_t masks; /* gates that are told apart: 1 or 3 */
    float *next;   /* of the scratch not yet in use */
} block;

static inline step_order gru_steps(const weir_gru_call *c) {
    return (step_order){c->t.step_mask, c->p.T, c->p.go_backwards};
}

static inline block block_begin(const weir_gru_call *c, int64_t n0, int64_t n1) {
    bool masked = c->t.mask_x || c->t.mask_h;
    return (block){.c = c,
                   .steps = gru_steps(c),
                   .n0 = n0,
                   .m = n1 - n0 < GRU_ROWS ? n1 - n0 : GRU_ROWS,
                   .H = gru_padded(c->p.H),
                   .C = gru_padded(c->p.C_in),
                   .masks = masked ? c->p.mask_gates : 1,
                   .next = c->scratch};
}

static inline float *take(block *b, int64_t floats) {
    float *part = b->next;
    b->next += floats;
    return part;
}

/* Index of the row of x and dx that step s of sample n reads and writes. */
static inline int64_t x_row(const weir_gru *p, int64_t n, int64_t s) {
    return (n * p->T + (p->go_backwards ? p->T - 1 - s : s)) * p->C_in;
}

static inline rows mask_rows(const block *b, const float *mask, int64_t width, int64_t gate) {
    int64_t gates = b->c->p.mask_gates;
    return (rows){mask + (b->n0 * gates + (gates == 3 ? gate : 0)) * width, gates * width};
}

#endif

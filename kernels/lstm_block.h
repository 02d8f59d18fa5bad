/* What the vector kernels of the LSTM share: blocks of samples and their rows.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_LSTM_BLOCK_H
#define WEIR_LSTM_BLOCK_H

#include <stdbool.h>

#include "kernels/gru_tile.h"
#include "kernels/lstm.h"
#include "kernels/rows.h"

/* A block of samples on its way through time. */
typedef struct block {
    const weir_lstm_call *c;
    int64_t n0, m; /* samples n0 .. n0 + m - 1 */
    int64_t H, C;  /* padded */
    int64_t masks; /* gates that are told apart: 1 or 4 */
    float *next;   /* of the scratch not yet in use */
} block;

static inline block block_begin(const weir_lstm_call *c, int64_t n0, int64_t n1) {
    bool masked = c->t.mask_x || c->t.mask_h;
    return (block){.c = c,
                   .n0 = n0,
                   .m = n1 - n0 < LSTM_ROWS ? n1 - n0 : LSTM_ROWS,
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
static inline int64_t x_row(const weir_lstm *p, int64_t n, int64_t s) {
    return (n * p->T + lstm_time(p, s)) * p->C_in;
}

static inline rows mask_rows(const block *b, const float *mask, int64_t width, int64_t gate) {
    int64_t gates = b->c->p.mask_gates;
    return (rows){mask + (b->n0 * gates + (gates == LSTM_GATES ? gate : 0)) * width, gates * width};
}

/* Samples of a block that step s does not pass over: from row r on the first such run. */
typedef struct run {
    int64_t begin, end;
} run;
static inline run run_next(const block *b, int64_t s, int64_t r) {
    run a = {r, b->m};
    if (!b->c->t.step_mask) return a;
    while (a.begin < b->m && lstm_passes(b->c, b->n0 + a.begin, s)) a.begin++;
    a.end = a.begin;
    while (a.end < b->m && !lstm_passes(b->c, b->n0 + a.end, s)) a.end++;
    return a;
}

#endif

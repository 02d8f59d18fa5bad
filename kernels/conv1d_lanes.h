/*
 * conv1d with time across the lanes of the vectors: for few channels of y, which would leave lanes
 * idle. Internal. SPDX-License-Identifier: Apache-2.0
 *
 * A block of steps of x is transposed to [C_x][steps]. A tile is then some channels of y by two
 * vectors of rows: each k and channel of x adds to it the product of scalars of w with two vectors of
 * x, at whatever step they begin. Rows that have no step of x for a k are left out by beginning later
 * or ending earlier. At last the tile is transposed back. Every sum is the same chain as elsewhere.
 */
#ifndef WEIR_CONV1D_LANES_H
#define WEIR_CONV1D_LANES_H

#include "kernels/columns.h"
#include "kernels/conv1d_product.h"
#include "kernels/transpose.h"

enum {
    LANES_X = 8192,       /* floats of transposed x at most, and ... */
    LANES_X_USUAL = 6144, /* ... where more than one tile fits into them: a part of an L1 cache */
    LANES_Y = 4096,       /* floats of y not yet transposed */
    LANES_TILE = 2 * VL   /* rows of a tile */
};

typedef struct lanes {
    const product *p;
    int64_t n, m0, rows; /* the block: rows m0 <= m < m0 + rows of sample n */
    int64_t ld;
    float *x; /* [C_x][ld], from step from + m0 of x on; what is outside x is not set */
    float *y; /* [C_y][LANES_TILE] */
} lanes;

/* Steps of x that a row reaches beyond the first. */
static inline int64_t lanes_reach(const product *p) { return (p->K - 1) * p->dk; }

/* Rows of a block; 0 when not even one tile fits. */
static inline int64_t lanes_rows(const product *p) {
    int64_t reach = lanes_reach(p);
    int64_t rows = (LANES_X_USUAL / p->C_x - reach) / LANES_TILE * LANES_TILE;
    if (rows > 0) return rows;
    return LANES_TILE + reach <= LANES_X / p->C_x ? LANES_TILE : 0;
}

/*
 * True when this takes less time for each row and term, in units of a vector multiply-add at peak speed
 * and by measurements on Zen 5. With the channels across the lanes it is that of the tiles, 2 vectors or 1
 * wide. With time across them a channel takes a unit for as many rows as there are lanes; and to
 * transpose takes about 1.2 for each step of x, shared by K terms.
 */
static inline bool lanes_pay(const product *p) {
    if (p->step != 1 || p->K < 1 || p->C_y > LANES_Y / LANES_TILE) return false;
    int64_t block = lanes_rows(p), left = p->C_y % (2 * VL);
    if (block == 0) return false;
    float pairs = 2.1f * (float)(p->C_y / (2 * VL));
    float last = left == 0 ? 0.0f : left < VL ? 1.22f : left == VL ? 1.16f : 2.2f;
    float used = (float)p->rows / (float)(ceil_div(p->rows, VL) * VL);
    float steps = 1 + (float)lanes_reach(p) / (float)min(block, p->rows);
    float time = 1.07f * (float)max(p->C_y, 4) / (float)VL / used + 1.2f * steps / (float)p->K;
    return time < pairs + last;
}

/* Adds the terms of `count` k from k on to rows t0 <= t < t1 of the block, which belong to the tile
 * that begins at row t. */
static inline void lanes_terms(const lanes *b, int64_t k, int64_t count, int64_t t, int64_t t0,
                               int64_t t1) {
    const product *p = b->p;
    columns a = columns_at(0, t1 - t0);
    int64_t tiles = ceil_div(p->C_y, outer_height(a)), height = ceil_div(p->C_y, tiles);
    for (int64_t c = 0; c < p->C_y; c += height) {
        const tile_rank r = {
            .x = p->w + k * p->wk + c,
            .dy = b->x + k * p->dk + t0,
            .dw = b->y + c * LANES_TILE + t0 - t,
            .xs = p->C_y,
            .ld = b->ld,
            .ldw = LANES_TILE,
            .rows = p->C_x,
            .samples = count,
            .x_sample = p->wk,
            .dy_sample = p->dk,
            .gradient = p->gradient,
        };
        outer_tile(&r, a, min(height, p->C_y - c));
    }
}

static inline void lanes_finish(const lanes *b, int64_t t, int64_t rows) {
    const product *p = b->p;
    if (p->activation != WEIR_LINEAR)
        for (int64_t c = 0; c < p->C_y; c++)
            for (int64_t j = 0; j < rows; j += VL) {
                float *y = b->y + c * LANES_TILE + j;
                vm m = v_tail(rows - j);
                v_store_m(y, m, v_activate(p->activation, v_load_m(y, m)));
            }
    float *y = p->y + (b->n * p->T_y + p->phase + (b->m0 + t) * p->stride) * p->C_y;
    transpose(b->y, LANES_TILE, p->C_y, rows, y, p->stride * p->C_y);
}

/* Rows t, t + 1, ... of the block. */
static inline void lanes_tile(const lanes *b, int64_t t, int64_t rows) {
    const product *p = b->p;
    for (int64_t c = 0; c < p->C_y; c++)
        for (int64_t j = 0; j < LANES_TILE; j += VL)
            v_store(b->y + c * LANES_TILE + j, v_set1(p->b ? p->b[c] : 0.0f));
    for (int64_t k = 0, count; k < p->K; k += count) {
        int64_t s = p->from + b->m0 + t + k * p->dk; /* the step of x of the tile's first row */
        int64_t t0 = max(0, -s), t1 = min(rows, p->T_x - s);
        count = 1;
        if (t0 == 0 && t1 == rows) /* all k for which no row is left out at once */
            count = p->dk == 0 ? p->K - k : min(p->K - k, (p->T_x - rows - s) / p->dk + 1);
        if (t0 < t1) lanes_terms(b, k, count, t, t + t0, t + t1);
    }
    lanes_finish(b, t, rows);
}

static inline void lanes_block(const lanes *b) {
    const product *p = b->p;
    int64_t s = p->from + b->m0, s0 = max(0, s);
    int64_t s1 = min(p->T_x, s + b->rows + lanes_reach(p));
    transpose(p->x + (b->n * p->T_x + s0) * p->C_x, p->C_x, s1 - s0, p->C_x, b->x + s0 - s, b->ld);
    for (int64_t t = 0; t < b->rows; t += LANES_TILE)
        lanes_tile(b, t, min(LANES_TILE, b->rows - t));
}

/* Rows g0 <= g < g1 of p, g = n rows + m. */
static inline void lanes_run(const product *p, int64_t g0, int64_t g1) {
    float x[LANES_X + VL], y[LANES_Y];
    lanes b = {.p = p, .x = x, .y = y};
    int64_t rows = lanes_rows(p);
    b.ld = rows + lanes_reach(p);
    for (int64_t g = g0; g < g1; g += b.rows) {
        b.n = g / p->rows;
        b.m0 = g % p->rows;
        b.rows = min(min(rows, p->rows - b.m0), g1 - g);
        lanes_block(&b);
    }
}

#endif

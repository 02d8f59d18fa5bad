/* Tiles of any height and width, and whole numbers. Internal. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_COLUMNS_H
#define WEIR_COLUMNS_H

#include "kernels/tile.h"

static inline int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* a / b rounded up, for b > 0. */
static inline int64_t ceil_div(int64_t a, int64_t b) { return a > 0 ? (a - 1) / b + 1 : a / b; }

/* Columns c, c + 1, ... of a tile, 2 or 1 vectors wide. */
typedef struct columns {
    int64_t c;
    int V, R;
    bool masked;
    vm m;
} columns;

static inline columns columns_at(int64_t c, int64_t C) {
    columns a = {.c = c, .V = C - c > VL ? 2 : 1};
    int64_t left = C - c - (a.V - 1) * VL;
    a.R = a.V == 2 ? TILE_R2 : TILE_R1;
    a.masked = left < VL;
    a.m = v_tail(left);
    return a;
}

/* Rows of the highest outer_tile. */
static inline int64_t outer_height(columns a) { return a.V == 2 ? TILE_OUTER_R2 : TILE_OUTER_R1; }

/* Every height has its own code: what is left after the whole tiles is often large. */
static inline void outer_tile(const tile_rank *p, columns a, int64_t R) {
    vm m = a.m;
    if (a.V == 2 && R == TILE_OUTER_R2 && !a.masked) {
        tile_outer(p, TILE_OUTER_R2, 2, m, false);
        return;
    }
    switch (a.V * 32 + R) {
#define HEIGHT(j)                                                \
    case 32 + j + 1:                                             \
        if (j < TILE_OUTER_R1) tile_outer(p, j + 1, 1, m, true); \
        break;                                                   \
    case 64 + j + 1:                                             \
        if (j < TILE_OUTER_R2) tile_outer(p, j + 1, 2, m, true); \
        break;
        TILE_EACH_ROW(HEIGHT)
#undef HEIGHT
    }
}

#endif

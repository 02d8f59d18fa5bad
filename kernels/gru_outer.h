/*
 * Weight gradients of the GRU: out[r][column] += sum over steps of a[step][r] d[step][column].
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tiles as in gru_tile.h, each element one chain of fma over the steps. A tile walks through several
 * strips of steps before its sums go back to memory. A tile with a sum row also adds up the columns
 * of d itself, the gradient of a bias: d is read once for both.
 */
#ifndef WEIR_GRU_OUTER_H
#define WEIR_GRU_OUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/gru_tile.h"

/* Consecutive steps of a sample. */
typedef struct strip {
    const float *a, *d; /* of the first step */
    int64_t a_stride, d_stride, steps;
} strip;

/* One vector of columns: rows of the output end where the columns of a gate end. */
typedef struct target {
    float *p;   /* row 0 of the tile */
    float *sum; /* of a tile with a sum row */
    vm m;       /* lanes that exist */
    bool whole; /* all of them: AMD's masked stores are slow */
} target;

#define LOAD_ACC(r, v) vf acc_##r##_##v = v_load_m(to[v].p + (r)*to_stride, to[v].m)
#define LOAD_ACC_ROW(r, V) EACH_VECTOR_##V(LOAD_ACC, r)
#define LOAD_SUM(r, v) vf sum_##v = v_load_m(to[v].sum, to[v].m)
#define LOAD_D(r, v) const vf b_##v = v_load(d + (v)*VL)
#define ADD_D(r, v) sum_##v = v_add(sum_##v, b_##v)
#define OUTER_ROW(r, V)            \
    do {                           \
        const vf a = v_set1(x[r]); \
        EACH_VECTOR_##V(FMA, r);   \
    } while (0)
#define STORE_ACC(r, v)                            \
    do {                                           \
        float *at = to[v].p + (r)*to_stride;       \
        if (to[v].whole)                           \
            v_store(at, acc_##r##_##v);            \
        else                                       \
            v_store_m(at, to[v].m, acc_##r##_##v); \
    } while (0)
#define STORE_ACC_ROW(r, V) EACH_VECTOR_##V(STORE_ACC, r)
#define STORE_SUM(r, v) v_store_m(to[v].sum, to[v].m, sum_##v)

/* Memory that will be read soon: blocks of 16 floats from p on. */
typedef struct lookahead {
    const float *p;
    int64_t step; /* 0 when there is none: p is then any address */
} lookahead;

/* One tile: rows from `row` and columns from `column` on of what the strips multiply. */
typedef struct outer_call {
    const strip *s;
    int64_t count, row, column;
    const target *to;
    int64_t to_stride;
    const lookahead *ahead; /* of each strip */
} outer_call;

/* The tile has load slots to spare: each step also asks for a block of what comes next. */
#define OUTER_STEPS(R, V, SUM)                                                         \
    for (int64_t j = 0; j < c->count; j++) {                                           \
        const strip *s = c->s + j;                                                     \
        const float *x = s->a + c->row, *d = s->d + c->column, *ahead = c->ahead[j].p; \
        const int64_t a_stride = s->a_stride, d_stride = s->d_stride;                  \
        const int64_t ahead_step = c->ahead[j].step;                                   \
        for (int64_t i = s->steps; i > 0; i--, x += a_stride, d += d_stride) {         \
            __builtin_prefetch(ahead, 0, 2);                                           \
            ahead += ahead_step;                                                       \
            EACH_VECTOR_##V(LOAD_D, 0);                                                \
            SUM;                                                                       \
            EACH_ROW_##R(OUTER_ROW, V);                                                \
        }                                                                              \
    }

#define OUTER(R, V)                                    \
    static void outer_##R##_##V(const outer_call *c) { \
        const target *to = c->to;                      \
        const int64_t to_stride = c->to_stride;        \
        (void)to_stride;                               \
        EACH_ROW_##R(LOAD_ACC_ROW, V);                 \
        OUTER_STEPS(R, V, )                            \
        EACH_ROW_##R(STORE_ACC_ROW, V);                \
    }
TILE_SHAPES(OUTER)

#define OUTER_SUM(R, V)                                    \
    static void outer_sum_##R##_##V(const outer_call *c) { \
        const target *to = c->to;                          \
        const int64_t to_stride = c->to_stride;            \
        (void)to_stride;                                   \
        EACH_VECTOR_##V(LOAD_SUM, 0);                      \
        EACH_ROW_##R(LOAD_ACC_ROW, V);                     \
        OUTER_STEPS(R, V, EACH_VECTOR_##V(ADD_D, 0))       \
        EACH_VECTOR_##V(STORE_SUM, 0);                     \
        EACH_ROW_##R(STORE_ACC_ROW, V);                    \
    }

/* A sum row takes registers: fewer rows where they are few. */
#if VREGS >= 32
#define SUM_SHAPES(T) \
    T(12, 2) T(12, 1) T(8, 2) T(8, 1) T(4, 2) T(4, 1) T(2, 2) T(2, 1) T(1, 2) T(1, 1)
#else
#define SUM_SHAPES(T) T(4, 2) T(2, 2) T(1, 2)
#endif
SUM_SHAPES(OUTER_SUM)

typedef struct outer_shape {
    int64_t rows, vectors;
    void (*tile)(const outer_call *c);
} outer_shape;

#define OUTER_SHAPE(R, V) {R, V, outer_##R##_##V},
#define SUM_SHAPE(R, V) {R, V, outer_sum_##R##_##V},
static const outer_shape outer_shapes[] = {TILE_SHAPES(OUTER_SHAPE)};
static const outer_shape sum_shapes[] = {SUM_SHAPES(SUM_SHAPE)};

enum {
    OUTER_VECTORS = 12,         /* of a tile, at most */
    PACK_TILES = 6,             /* so many tiles read the same columns of d: worth a copy of them */
    PACK_FLOATS = 2 * GRU_PANEL /* of a step in that copy, at most */
};

static const outer_shape *outer_fit(const outer_shape *shape, int64_t a_rows, int64_t vectors) {
    while (shape->rows > a_rows || shape->vectors > vectors) shape++;
    return shape;
}

/* Ranges of memory that will be read soon. */
typedef struct range {
    const float *p;
    int64_t floats;
} range;
typedef struct foresight {
    range *next;
    int64_t count;
} foresight;

/* Takes `blocks` blocks off the ranges; what is beyond the end of one costs nothing but time. */
static lookahead ahead_take(foresight *f, int64_t blocks) {
    static const float nothing;
    if (f->count == 0) return (lookahead){&nothing, 0};
    lookahead a = {f->next->p, GRU_PANEL};
    f->next->p += blocks * GRU_PANEL;
    f->next->floats -= blocks * GRU_PANEL;
    if (f->next->floats <= 0) f->next++, f->count--;
    return a;
}

/* All of out[a_rows][.. H] that a product with `gates` gates from `gate` on gives. */
typedef struct outer_job {
    int64_t H, stride; /* units of a gate; from a row of out to the next */
    const strip *s;    /* their d starts at the first of the gates */
    int64_t count, a_rows, gate, gates;
    float *to, *sum; /* of row 0, gate 0; sum may be NULL */
    float *scratch;  /* [steps of all strips][PACK_FLOATS] */
    foresight *foresight;
} outer_job;

/* The columns from `column` on of all strips, next to each other, become the d of one strip each:
 * rows of d that are a power of two apart would share a few sets of the first cache. */
static void pack_columns(const outer_job *j, int64_t column, int64_t vectors, strip *packed) {
    float *to = j->scratch;
    for (int64_t i = 0; i < j->count; i++) {
        const float *d = j->s[i].d + column;
        packed[i] = j->s[i];
        packed[i].d = to;
        packed[i].d_stride = vectors * VL;
        for (int64_t s = 0; s < j->s[i].steps; s++, d += j->s[i].d_stride)
            for (int64_t v = 0; v < vectors; v++, to += VL) v_store(to, v_load(d + v * VL));
    }
}

/* The sums of the next tile, in the cache by the time this one is done. */
static void prefetch_target(const target *to, int64_t vectors, int64_t step, int64_t stride) {
    for (int64_t r = step; r < 2 * step; r++)
        for (int64_t v = 0; v < vectors; v++) __builtin_prefetch(to[v].p + r * stride, 1);
}

/* Rows r0 .. r1 - 1 by tiles of the same number of rows, the first that fits from `shapes` on. */
static void outer_band(const outer_job *j, const outer_shape *shapes, int64_t r0, int64_t r1) {
    int64_t H = j->H, H_p = gru_padded(H), vectors = j->gates * H_p / VL, stride = j->stride;
    int64_t step = outer_fit(shapes, r1 - r0, vectors)->rows;
    bool pack = (r1 - r0) / step >= PACK_TILES;
    const outer_shape *shape;
    for (int64_t v = 0; v < vectors; v += shape->vectors) {
        shape = outer_fit(shapes, step, vectors - v);
        target at[OUTER_VECTORS];
        for (int64_t i = 0; i < shape->vectors; i++) {
            int64_t g = (v + i) * VL / H_p, k = (v + i) * VL % H_p, to = (j->gate + g) * H + k;
            at[i] = (target){j->to + to + r0 * stride, j->sum ? j->sum + to : NULL, v_tail(H - k),
                             H - k >= VL};
        }
        strip packed[GRU_STRIPS];
        if (pack) pack_columns(j, v * VL, shape->vectors, packed);
        for (int64_t r = r0; r < r1; r += step) {
            if (pack && r + step < r1) prefetch_target(at, shape->vectors, step, stride);
            lookahead ahead[GRU_STRIPS];
            for (int64_t i = 0; i < j->count; i++)
                ahead[i] = ahead_take(j->foresight, j->s[i].steps);
            shape->tile(&(outer_call){pack ? packed : j->s, j->count, r, pack ? 0 : v * VL, at,
                                      stride, ahead});
            for (int64_t i = 0; i < shape->vectors; i++) at[i].p += step * stride;
        }
    }
}

static void outer(const outer_job *j) {
    int64_t vectors = j->gates * gru_padded(j->H) / VL, r0 = 0;
    if (j->sum) {
        r0 = outer_fit(sum_shapes, j->a_rows, vectors)->rows;
        outer_band(j, sum_shapes, 0, r0);
    }
    while (r0 < j->a_rows) {
        int64_t step = outer_fit(outer_shapes, j->a_rows - r0, vectors)->rows;
        int64_t r1 = r0 + (j->a_rows - r0) / step * step;
        outer_band(j, outer_shapes, r0, r1);
        r0 = r1;
    }
}

#endif

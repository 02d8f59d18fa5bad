/*
 * Weight gradients of the GRU: out[r][column] += sum over steps of a[step][r] d[step][column].
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tiles as in gru_tile.h, each element one chain of fma over the steps.
 */
#ifndef WEIR_GRU_OUTER_H
#define WEIR_GRU_OUTER_H

#include "kernels/gru_tile.h"

typedef struct strip {
    const float *a, *d; /* of the first step */
    int64_t a_stride, d_stride, steps;
} strip;

/* One vector of columns: rows of the output end where the columns of a gate end. */
typedef struct target {
    float *p; /* row 0 of the tile */
    vm m;     /* lanes that exist */
} target;

#define LOAD_ACC(r, v) vf acc_##r##_##v = v_load_m(to[v].p + (r)*to_stride, to[v].m)
#define LOAD_ACC_ROW(r, V) EACH_VECTOR_##V(LOAD_ACC, r)
#define LOAD_D(r, v) const vf b_##v = v_load(d + (v)*VL)
#define OUTER_ROW(r, V)            \
    do {                           \
        const vf a = v_set1(x[r]); \
        EACH_VECTOR_##V(FMA, r);   \
    } while (0)
#define STORE_ACC(r, v) v_store_m(to[v].p + (r)*to_stride, to[v].m, acc_##r##_##v)
#define STORE_ACC_ROW(r, V) EACH_VECTOR_##V(STORE_ACC, r)

#define OUTER(R, V)                                                                    \
    static void outer_##R##_##V(const strip *s, const target *to, int64_t to_stride) { \
        (void)to_stride;                                                               \
        EACH_ROW_##R(LOAD_ACC_ROW, V);                                                 \
        for (int64_t i = 0; i < s->steps; i++) {                                       \
            const float *x = s->a + i * s->a_stride, *d = s->d + i * s->d_stride;      \
            EACH_VECTOR_##V(LOAD_D, 0);                                                \
            EACH_ROW_##R(OUTER_ROW, V);                                                \
        }                                                                              \
        EACH_ROW_##R(STORE_ACC_ROW, V);                                                \
    }
TILE_SHAPES(OUTER)

typedef struct outer_shape {
    int64_t rows, vectors;
    void (*tile)(const strip *s, const target *to, int64_t to_stride);
} outer_shape;

#define OUTER_SHAPE(R, V) {R, V, outer_##R##_##V},
static const outer_shape outer_shapes[] = {TILE_SHAPES(OUTER_SHAPE)};

enum { OUTER_VECTORS = 12 }; /* of a tile, at most */

static const outer_shape *outer_fit(const outer_shape *shape, int64_t a_rows, int64_t vectors) {
    while (shape->rows > a_rows || shape->vectors > vectors) shape++;
    return shape;
}

/* Sums a[step][i] d[step][column] into to[i][gate, column]: `gates` gates from `gate` on, whose d
 * starts at s->d. */
static void outer(const weir_gru *p, const strip *s, int64_t a_rows, int64_t gate, int64_t gates,
                  float *to) {
    int64_t H_p = gru_padded(p->H), vectors = gates * H_p / VL, stride = 3 * p->H;
    const outer_shape *shape;
    for (int64_t r0 = 0, r1; r0 < a_rows; r0 = r1) {
        int64_t step = outer_fit(outer_shapes, a_rows - r0, vectors)->rows;
        r1 = r0 + (a_rows - r0) / step * step;
        for (int64_t v = 0; v < vectors; v += shape->vectors) {
            shape = outer_fit(outer_shapes, step, vectors - v);
            target at[OUTER_VECTORS];
            for (int64_t i = 0; i < shape->vectors; i++) {
                int64_t g = (v + i) * VL / H_p, k = (v + i) * VL % H_p;
                at[i] = (target){to + (gate + g) * p->H + k + r0 * stride, v_tail(p->H - k)};
            }
            for (int64_t r = r0; r < r1; r += step) {
                strip tile = {s->a + r, s->d + v * VL, s->a_stride, s->d_stride, s->steps};
                shape->tile(&tile, at, stride);
                for (int64_t i = 0; i < shape->vectors; i++) at[i].p += step * stride;
            }
        }
    }
}

#endif

/*
 * Register tiles of the GRU: products whose accumulators never leave the registers.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A tile is R rows by V vectors of named variables, because gcc 12 keeps an array of accumulators
 * in memory. Each element is one chain of fma in the order of the terms, so the shape of the tile
 * that computes it does not show in its bits. TILE_SHAPES lists what is instantiated.
 */
#ifndef WEIR_GRU_TILE_H
#define WEIR_GRU_TILE_H

#include "kernels/gru.h"
#include "kernels/vec.h"

/* Rows by vectors, best first: what is left of the rows, and then of the vectors, goes to the first
 * shape that fits. V VL is a multiple or a divisor of a panel's 16 columns, so that no tile starts
 * inside a panel and reaches beyond it; each row count ends with a divisor. */
#if VREGS >= 32
#define LOW_SHAPES(T) T(2, 8) T(2, 4) T(2, 2) T(2, 1) T(1, 8) T(1, 6) T(1, 4) T(1, 2) T(1, 1)
#define TILE_SHAPES(T) T(12, 2) T(12, 1) T(8, 2) T(8, 1) T(4, 4) T(4, 2) T(4, 1) LOW_SHAPES(T)
#elif VL >= 8
#define TILE_SHAPES(T) T(6, 2) T(4, 2) T(2, 4) T(2, 2) T(1, 12) T(1, 8) T(1, 4) T(1, 2)
#else
#define TILE_SHAPES(T) T(4, 2) T(2, 4) T(2, 2) T(1, 8) T(1, 4) T(1, 2)
#endif

#define EACH_VECTOR_1(M, r) M(r, 0)
#define EACH_VECTOR_2(M, r) \
    M(r, 0);                \
    M(r, 1)
#define EACH_VECTOR_4(M, r) \
    EACH_VECTOR_2(M, r);    \
    M(r, 2);                \
    M(r, 3)
#define EACH_VECTOR_6(M, r) \
    EACH_VECTOR_4(M, r);    \
    M(r, 4);                \
    M(r, 5)
#define EACH_VECTOR_8(M, r) \
    EACH_VECTOR_6(M, r);    \
    M(r, 6);                \
    M(r, 7)
#define EACH_VECTOR_12(M, r) \
    EACH_VECTOR_8(M, r);     \
    M(r, 8);                 \
    M(r, 9);                 \
    M(r, 10);                \
    M(r, 11)
#define EACH_ROW_1(M, V) M(0, V)
#define EACH_ROW_2(M, V) \
    M(0, V);             \
    M(1, V)
#define EACH_ROW_4(M, V) \
    EACH_ROW_2(M, V);    \
    M(2, V);             \
    M(3, V)
#define EACH_ROW_6(M, V) \
    EACH_ROW_4(M, V);    \
    M(4, V);             \
    M(5, V)
#define EACH_ROW_8(M, V) \
    EACH_ROW_6(M, V);    \
    M(6, V);             \
    M(7, V)
#define EACH_ROW_12(M, V) \
    EACH_ROW_8(M, V);     \
    M(8, V);              \
    M(9, V);              \
    M(10, V);             \
    M(11, V)

/* acc_<row>_<vector> += a b_<vector>; a is the row's element, broadcast. */
#define FMA(r, v) acc_##r##_##v = v_fma(a, b_##v, acc_##r##_##v)

/* ---- product: out = init + sum over factors of a b, rows of samples by columns of units ----- */

typedef struct factor {
    const float *a; /* row r of the tile: a[r a_stride + i] */
    int64_t a_stride;
    const float *b; /* panels, [terms][16] each */
    int64_t terms;
} factor;

/* Element i of row r, a_<r> having gone to element i. Rows go in threes, so that few registers hold
 * addresses. */
#define A_0 a_0[0]
#define A_1 a_0[stride]
#define A_2 a_0[2 * stride]
#define A_3 a_3[0]
#define A_4 a_3[stride]
#define A_5 a_3[2 * stride]
#define A_6 a_6[0]
#define A_7 a_6[stride]
#define A_8 a_6[2 * stride]
#define A_9 a_9[0]
#define A_10 a_9[stride]
#define A_11 a_9[2 * stride]
#define A_BEGIN_1 const float *a_0 = f->a + row * f->a_stride
#define A_BEGIN_2 \
    A_BEGIN_1;    \
    const int64_t stride = f->a_stride
#define A_BEGIN_4 \
    A_BEGIN_2;    \
    const float *a_3 = a_0 + 3 * stride
#define A_BEGIN_6 A_BEGIN_4
#define A_BEGIN_8 \
    A_BEGIN_6;    \
    const float *a_6 = a_0 + 6 * stride
#define A_BEGIN_12 \
    A_BEGIN_8;     \
    const float *a_9 = a_0 + 9 * stride
#define A_NEXT_1 a_0++
#define A_NEXT_2 a_0++
#define A_NEXT_4 a_0++, a_3++
#define A_NEXT_6 a_0++, a_3++
#define A_NEXT_8 a_0++, a_3++, a_6++
#define A_NEXT_12 a_0++, a_3++, a_6++, a_9++

#define INIT(r, v) vf acc_##r##_##v = v_load(init + (r)*init_stride + (v)*VL)
#define INIT_ROW(r, V) EACH_VECTOR_##V(INIT, r)
#define LOAD_B(r, v) const vf b_##v = v_load(b + (v)*VL / GRU_PANEL * panel + (v)*VL % GRU_PANEL)
#define PRODUCT_ROW(r, V)           \
    do {                            \
        const vf a = v_set1(A_##r); \
        EACH_VECTOR_##V(FMA, r);    \
    } while (0)
#define STORE(r, v) v_store(out + (r)*out_stride + (v)*VL, acc_##r##_##v)
#define STORE_ROW(r, V) EACH_VECTOR_##V(STORE, r)

/* Rows from `row` and columns from `column` on; out and init are those of the tile (init_stride 0:
 * one row for all). A panel is cut at most by the beginning and by the end of the tile. */
#define PRODUCT(R, V)                                                                  \
    static void product_##R##_##V(const factor *f, int count, const float *init,       \
                                  int64_t init_stride, float *out, int64_t out_stride, \
                                  int64_t row, int64_t column) {                       \
        (void)init_stride, (void)out_stride;                                           \
        EACH_ROW_##R(INIT_ROW, V);                                                     \
        for (; count > 0; count--, f++) {                                              \
            const int64_t panel = f->terms * GRU_PANEL;                                \
            const float *b = f->b + column / GRU_PANEL * panel + column % GRU_PANEL;   \
            A_BEGIN_##R;                                                               \
            for (int64_t i = 0; i < f->terms; i++, b += GRU_PANEL) {                   \
                EACH_VECTOR_##V(LOAD_B, 0);                                            \
                EACH_ROW_##R(PRODUCT_ROW, V);                                          \
                A_NEXT_##R;                                                            \
            }                                                                          \
        }                                                                              \
        EACH_ROW_##R(STORE_ROW, V);                                                    \
    }
TILE_SHAPES(PRODUCT)

/* ---- the shapes in use ------------------------------------------------------------------------ */

typedef struct tile_shape {
    int64_t rows, vectors;
    void (*product)(const factor *f, int count, const float *init, int64_t init_stride, float *out,
                    int64_t out_stride, int64_t row, int64_t column);
} tile_shape;

#define SHAPE(R, V) {R, V, product_##R##_##V},
static const tile_shape tile_shapes[] = {TILE_SHAPES(SHAPE)};

enum {
    FACTORS = 3,                 /* at most */
    TILE_FLOATS = (VREGS) * (VL) /* the same */
};

/* The best shape for what is left, from `shape` on. */
static const tile_shape *tile_fit(const tile_shape *shape, int64_t rows, int64_t vectors) {
    while (shape->rows > rows || shape->vectors > vectors) shape++;
    return shape;
}

/* out[row][v VL ..] = init[row][v VL ..] + the product, for all rows and vectors. Columns are
 * outermost, so that a panel stays in the first cache for all rows. */
static inline void product_from(const float *init, int64_t init_stride, int64_t rows,
                                int64_t vectors, const factor *f, int count, float *out,
                                int64_t out_stride) {
    static const float zeros[TILE_FLOATS];
    const tile_shape *shape;
    for (int64_t r0 = 0, r1; r0 < rows; r0 = r1) {
        const tile_shape *first = tile_fit(tile_shapes, rows - r0, vectors);
        int64_t step = first->rows;
        r1 = r0 + (rows - r0) / step * step;
        for (int64_t v = 0; v < vectors; v += shape->vectors) {
            shape = tile_fit(first, step, vectors - v);
            for (int64_t r = r0; r < r1; r += step)
                shape->product(f, count, init ? init + r * init_stride + v * VL : zeros,
                               init_stride, out + r * out_stride + v * VL, out_stride, r, v * VL);
        }
    }
}

/* The same with one init for all rows (NULL: 0). */
static inline void product(int64_t rows, int64_t vectors, const factor *f, int count,
                           const float *init, float *out, int64_t out_stride) {
    product_from(init, 0, rows, vectors, f, count, out, out_stride);
}

#endif

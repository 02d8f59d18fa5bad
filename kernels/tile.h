/*
 * Register tiles of the matrix products: every sum is one chain of fused multiply-adds.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A tile is R rows of V vectors. The accumulators aj, bj are named variables, because gcc 12 keeps
 * an array of them in memory. R, V and masked (the last vector of a row has only the lanes of m)
 * are constants wherever these functions are inlined, so that unused rows vanish.
 */
#ifndef WEIR_TILE_H
#define WEIR_TILE_H

#include <stdbool.h>

#include "kernels/vec.h"
#include "kernels/vmath.h"

#define TILE_INLINE static inline __attribute__((always_inline))

/* Rows of a tile that is two vectors wide, and of one that is one vector wide. */
#define TILE_R2 (VREGS >= 32 ? 14 : 6)
#define TILE_R1 (VREGS >= 32 ? 24 : 12)
/* Rows of a tile whose rows lie anywhere: their addresses are in memory. */
#define TILE_EDGE_R2 (VREGS >= 32 ? 12 : 6)
#define TILE_EDGE_R1 12
#define TILE_EDGE_R_MAX 12
/* The same of tile_outer, which needs fewer registers for addresses. */
#define TILE_OUTER_R2 (VREGS >= 32 ? 14 : 6)
#define TILE_OUTER_R1 (VREGS >= 32 ? 14 : 12)

/* F(j) for each row; F says `if (j < R)` for itself. */
#define TILE_EACH_ROW(F) TILE_ROWS_0_TO_11(F) TILE_ROWS_12_TO_23(F)
#define TILE_ROWS_0_TO_11(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define TILE_ROWS_12_TO_23(F) \
    F(12) F(13) F(14) F(15) F(16) F(17) F(18) F(19) F(20) F(21) F(22) F(23)

#define TILE_ZERO(j) vf a##j = v_zero(), b##j = v_zero();
#define TILE_LOAD(j, address, masked)                            \
    if (j < R) {                                                 \
        const float *from##j = (address);                        \
        a##j = v_load_if(from##j, m, (masked) && V == 1);        \
        if (V == 2) b##j = v_load_if(from##j + VL, m, (masked)); \
    }
#define TILE_STORE(j, address, masked)                         \
    if (j < R) {                                               \
        float *to##j = (address);                              \
        v_store_if(to##j, m, a##j, (masked) && V == 1);        \
        if (V == 2) v_store_if(to##j + VL, m, b##j, (masked)); \
    }
/* Every sum ends with + 0 where its sign of zero must not depend on terms that are zero: the last
 * of them may have been flushed to -0. */
#define TILE_PLUS_ZERO(j)                         \
    if (j < R) {                                  \
        a##j = v_add(a##j, v_zero());             \
        if (V == 2) b##j = v_add(b##j, v_zero()); \
    }
#define TILE_RELU(j)                              \
    if (j < R) {                                  \
        a##j = v_max(v_zero(), a##j);             \
        if (V == 2) b##j = v_max(v_zero(), b##j); \
    }
/* The compiler does not know any more where p came from. */
#define TILE_OPAQUE(p) __asm__("" : "+r"(p))
/* Row j of the tile += scalar times the vectors w0, w1. */
#define TILE_FMA(j, scalar)                       \
    if (j < R) {                                  \
        vf s##j = v_set1(scalar);                 \
        a##j = v_fma(s##j, w0, a##j);             \
        if (V == 2) b##j = v_fma(s##j, w1, b##j); \
    }

/* y[j][:] = act(b[:] + sum over k < K, i < L of x[j xs + k xk + i] w[k wk + i ldw][:]), j < R;
 * a gradient ends with + 0 */
typedef struct tile_product {
    const float *x, *w, *b; /* b: one row of columns, or NULL */
    float *y;
    int64_t xs, xk, wk, ldw, ldy;
    int64_t K, L;
    weir_activation activation;
    bool gradient;
} tile_product;

/* Not inline, because it is much code and little time. */
static __attribute__((noinline, unused)) void tile_activate(weir_activation activation, int R,
                                                            int V, vm m, float *y, int64_t ldy) {
    for (int j = 0; j < R; j++)
        for (int v = 0; v < V; v++) {
            vm lanes = v == V - 1 ? m : v_tail(VL);
            float *p = y + j * ldy + v * VL;
            v_store_m(p, lanes, v_activate(activation, v_load_m(p, lanes)));
        }
}

TILE_INLINE void tile_multiply(const tile_product *p, const int R, const int V, vm m,
                               const bool masked) {
    const float *x = p->x, *w = p->w;
    const int64_t xs = p->xs, ldw = p->ldw;
    TILE_EACH_ROW(TILE_ZERO)
    if (p->b) {
#define LOAD(j) TILE_LOAD(j, p->b, masked)
        TILE_EACH_ROW(LOAD)
#undef LOAD
    }
    for (int64_t k = 0; k < p->K; k++, x += p->xk, w += p->wk) {
        const float *wi = w, *x0 = x, *x5 = x + 5 * xs, *x10 = x5 + 5 * xs, *x15 = x10 + 5 * xs,
                    *x20 = x15 + 5 * xs;
        TILE_OPAQUE(x5);
        TILE_OPAQUE(x10);
        TILE_OPAQUE(x15);
        TILE_OPAQUE(x20);
        for (int64_t i = 0; i < p->L; i++, wi += ldw) {
            vf w0 = v_load_if(wi, m, masked && V == 1);
            vf w1 = V == 2 ? v_load_if(wi + VL, m, masked) : w0;
#define STEP(j) \
    TILE_FMA(j, (j < 5 ? x0 : j < 10 ? x5 : j < 15 ? x10 : j < 20 ? x15 : x20)[i + j % 5 * xs])
            TILE_EACH_ROW(STEP)
#undef STEP
        }
    }
    if (p->activation == WEIR_RELU) {
        TILE_EACH_ROW(TILE_RELU)
    }
    if (p->gradient) {
        TILE_EACH_ROW(TILE_PLUS_ZERO)
    }
#define STORE(j) TILE_STORE(j, p->y + j * p->ldy, masked)
    TILE_EACH_ROW(STORE)
#undef STORE
    if (p->activation > WEIR_RELU) tile_activate(p->activation, R, V, m, p->y, p->ldy);
}

/* acc[j][:] += sum over i < L of x[j][i] w[i ldw][:], j < R: rows anywhere, acc[j] V whole vectors. */
TILE_INLINE void tile_multiply_rows(const int R, const int V, vm m, const bool masked, int64_t L,
                                    const float *const *x, const float *w, int64_t ldw,
                                    float *const *acc) {
    TILE_EACH_ROW(TILE_ZERO)
#define LOAD(j) TILE_LOAD(j, acc[j], false)
    TILE_EACH_ROW(LOAD)
#undef LOAD
    for (int64_t i = 0; i < L; i++, w += ldw) {
        vf w0 = v_load_if(w, m, masked && V == 1);
        vf w1 = V == 2 ? v_load_if(w + VL, m, masked) : w0;
#define STEP(j) TILE_FMA(j, x[j][i])
        TILE_EACH_ROW(STEP)
#undef STEP
    }
#define STORE(j) TILE_STORE(j, acc[j], false)
    TILE_EACH_ROW(STORE)
#undef STORE
}

/* dw[j ldw + :] += sum over n < samples, r < rows, in this order, of
 * x[n x_sample + r xs + j] dy[n dy_sample + r ld + :], j < R; a gradient ends with + 0. (It may
 * go on after that: a zero's sign has no effect on a sum that is not zero, nor on one that ends with + 0.) */
typedef struct tile_rank {
    const float *x, *dy;
    float *dw;
    int64_t xs, ld, ldw;
    int64_t rows, samples, x_sample, dy_sample;
    bool gradient;
} tile_rank;

TILE_INLINE void tile_outer(const tile_rank *p, const int R, const int V, vm m, const bool masked) {
    const int64_t xs = p->xs, ld = p->ld;
    TILE_EACH_ROW(TILE_ZERO)
#define LOAD(j) TILE_LOAD(j, p->dw + j * p->ldw, masked)
    TILE_EACH_ROW(LOAD)
#undef LOAD
    for (int64_t n = 0; n < p->samples; n++) {
        const float *x = p->x + n * p->x_sample, *dy = p->dy + n * p->dy_sample;
        for (int64_t r = 0; r < p->rows; r++, x += xs, dy += ld) {
            vf w0 = v_load_if(dy, m, masked && V == 1);
            vf w1 = V == 2 ? v_load_if(dy + VL, m, masked) : w0;
#define STEP(j) TILE_FMA(j, x[j])
            TILE_EACH_ROW(STEP)
#undef STEP
        }
    }
    if (p->gradient) {
        TILE_EACH_ROW(TILE_PLUS_ZERO)
    }
#define STORE(j) TILE_STORE(j, p->dw + j * p->ldw, masked)
    TILE_EACH_ROW(STORE)
#undef STORE
}

#endif

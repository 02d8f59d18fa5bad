/* Gradients of conv1d by its weights and its bias. SPDX-License-Identifier: Apache-2.0 */
#include "kernels/columns.h"
#include "kernels/kernels.h"

/*
 * Backward weights: a tile is R rows q = (k, i) of dw, and row r of dy adds to each the product with
 * x[q] = x[n][t S + k D - P_l][i]. The rows of a tile must follow each other in x as well: those of
 * one k do, and with D = 1 all.
 */
typedef struct gradient {
    const weir_conv1d_call *c;
    int64_t r0, r1;
    int64_t
        next; /* end of the block that follows, whose rows are fetched into the cache meanwhile */
    float *dw;
    columns cols;
    int64_t R;
} gradient;

/* Adds the terms of `rows` rows of dy from step t on, in each of `samples` samples from n on. */
static void outer(const gradient *a, int64_t q, int64_t n, int64_t samples, int64_t t,
                  int64_t rows) {
    const weir_conv1d_call *c = a->c;
    int64_t s = t * c->p.S + q / c->p.C_in * c->p.D - c->P_l;
    const tile_rank p = {
        .x = c->x + (n * c->p.T + s) * c->p.C_in + q % c->p.C_in,
        .dy = c->dy + (n * c->T_out + t) * c->p.C_out + a->cols.c,
        .dw = a->dw + q * c->p.C_out + a->cols.c,
        .xs = c->p.S * c->p.C_in,
        .ld = c->p.C_out,
        .ldw = c->p.C_out,
        .rows = rows,
        .samples = samples,
        .x_sample = c->p.T * c->p.C_in,
        .dy_sample = c->T_out * c->p.C_out,
        .gradient = true,
    };
    outer_tile(&p, a->cols, a->R);
}

/* Adds the terms of row t of dy of sample n to those rows of the tile that are inside x there. */
static void outer_edge(const gradient *a, int64_t q, int64_t n, int64_t t) {
    const weir_conv1d_call *c = a->c;
    const float *dy = c->dy + (n * c->T_out + t) * c->p.C_out + a->cols.c;
    for (int64_t j = q; j < q + a->R; j++) {
        int64_t s = t * c->p.S + j / c->p.C_in * c->p.D - c->P_l;
        if (s < 0 || s >= c->p.T) continue;
        vf x = v_set1(c->x[(n * c->p.T + s) * c->p.C_in + j % c->p.C_in]);
        for (int v = 0; v < a->cols.V; v++) {
            vm m = v == a->cols.V - 1 ? a->cols.m : v_tail(VL);
            float *dw = a->dw + j * c->p.C_out + a->cols.c + v * VL;
            vf sum = v_fma(x, v_load_m(dy + v * VL, m), v_load_m(dw, m));
            v_store_m(dw, m, v_add(sum, v_zero())); /* as in tile_outer */
        }
    }
}

/* Adds to one tile of dw the rows r0 <= r < r1 of dy in ascending order. */
static void gradient_tile(const gradient *a, int64_t q) {
    const weir_conv1d_call *c = a->c;
    int64_t S = c->p.S, T_out = c->T_out;
    /* All rows of the tile are inside x for steps t0 <= t < t1 of dy. */
    int64_t t0 = min(T_out, ceil_div(c->P_l - q / c->p.C_in * c->p.D, S));
    int64_t t1 = ceil_div(c->p.T + c->P_l - (q + a->R - 1) / c->p.C_in * c->p.D, S);
    for (int64_t r = a->r0; r < a->r1;) {
        int64_t n = r / T_out, t = r % T_out, end = min(T_out, t + a->r1 - r);
        int64_t samples = t == 0 && t0 <= 0 && t1 >= T_out ? (a->r1 - r) / T_out : 0;
        if (samples > 0) {
            outer(a, q, n, samples, 0, T_out);
            r += samples * T_out;
            continue;
        }
        r += end - t;
        for (; t < min(t0, end); t++) outer_edge(a, q, n, t);
        if (t < min(t1, end)) outer(a, q, n, 1, t, min(t1, end) - t);
        for (t = max(t, t1); t < end; t++) outer_edge(a, q, n, t);
    }
}

/* Where the steps of x that row r of dy is multiplied with begin, but for padding. */
static const float *x_of_row(const weir_conv1d_call *c, int64_t r) {
    return c->x + (r / c->T_out * c->p.T + r % c->T_out * c->p.S) * c->p.C_in;
}

/* Asks for the share of `count` tiles out of `all`, from tile `first` on, of what lies between. */
static void prefetch_share(const float *from, const float *to, int64_t first, int64_t count,
                           int64_t all) {
    int64_t end = (to - from) * (first + count) / all;
    for (int64_t i = (to - from) * first / all; i < end; i += 16)
        __builtin_prefetch(from + i, 0, 2);
}

/* Adds the rows r0 <= r < r1 of dy to all tiles. */
static void gradient_block(gradient *a, int64_t q0, int64_t q1) {
    int64_t C_in = a->c->p.C_in, C_out = a->c->p.C_out;
    for (a->cols = columns_at(0, C_out); a->cols.c < C_out;
         a->cols = columns_at(a->cols.c + a->cols.V * VL, C_out))
        for (int64_t q = q0; q < q1; q += a->R) {
            int64_t end = a->c->p.D == 1 ? q1 : min(q1, (q / C_in + 1) * C_in);
            a->R = min(outer_height(a->cols), end - q);
            if (a->cols.c == 0 && a->next > a->r1) {
                const float *dy = a->c->dy;
                prefetch_share(x_of_row(a->c, a->r1), x_of_row(a->c, a->next), q - q0, a->R,
                               q1 - q0);
                prefetch_share(dy + a->r1 * C_out, dy + a->next * C_out, q - q0, a->R, q1 - q0);
            }
            gradient_tile(a, q);
        }
}

/* Rows of dy are taken in blocks that stay in the cache while all tiles pass over them. */
void WEIR_KERNEL(conv1d_bwd_weights)(const weir_conv1d_call *c, int64_t r0, int64_t r1, int64_t q0,
                                     int64_t q1, float *dw) {
    const int64_t cache_floats = 3 << 14, fewest = 128;
    int64_t T_out = c->T_out, C_out = c->p.C_out;
    int64_t rows = max(fewest, cache_floats / (c->p.C_in + C_out));
    gradient a = {.c = c, .dw = dw};
    for (int64_t i = q0 * C_out; i < q1 * C_out; i++) dw[i] = 0;
    for (a.r0 = r0; a.r0 < r1; a.r0 = a.r1) {
        a.r1 = a.r0 + rows;
        if (T_out <= rows) a.r1 -= a.r1 % T_out; /* whole samples need fewer tiles */
        a.r1 = min(a.r1, r1);
        a.next = min(r1, a.r1 + rows);
        gradient_block(&a, q0, q1);
    }
}

void WEIR_KERNEL(sum_rows)(int64_t C, int64_t r0, int64_t r1, const float *a, float *out) {
    for (columns k = columns_at(0, C); k.c < C; k = columns_at(k.c + k.V * VL, C)) {
        const float *row = a + k.c;
        vm m0 = k.V == 2 ? v_tail(VL) : k.m, m1 = k.V == 2 ? k.m : v_tail(0);
        vf sum0 = v_zero(), sum1 = v_zero();
        for (int64_t r = r0; r < r1; r++) {
            sum0 = v_add(sum0, v_load_m(row + r * C, m0));
            sum1 = v_add(sum1, v_load_m(row + r * C + VL, m1));
        }
        v_store_m(out + k.c, m0, v_add(sum0, v_zero()));
        v_store_m(out + k.c + VL, m1, v_add(sum1, v_zero()));
    }
}

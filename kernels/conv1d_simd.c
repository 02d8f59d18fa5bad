/* conv1d as products of overlapping rows, without a copy of x. SPDX-License-Identifier: Apache-2.0
 */
#include "kernels/kernels.h"
#include "kernels/tile.h"

/*
 * Forward and backward data are one product:
 *
 *   y[row m of a sample] = act(b + sum over k, i of x[from + m step + k dk][i] w[k][i][:])
 *
 * with steps outside x left out. Forward: all rows of y. Backward data: the rows of dx in S phases,
 * t = phase, phase + S, ...; the rows of one phase are reached by the same k. There k counts down, so
 * that the rows of dy come in ascending order, and w_t has its k in that order.
 */
typedef struct product {
    const float *x, *w, *b;
    float *y;
    int64_t T_x, T_y;            /* steps of a sample */
    int64_t C_x, C_y;            /* channels */
    int64_t phase, stride, rows; /* of y: its steps phase + m stride, 0 <= m < rows */
    int64_t from, step, dk;
    int64_t K, wk;          /* wk: floats of w from one k to the next */
    int64_t inner0, inner1; /* rows inner0 <= m < inner1 are inside x for every k */
    weir_activation activation;
    bool gradient; /* sums end with + 0 */
} product;

/* Columns c, c + 1, ... of a tile, 2 or 1 vectors wide. */
typedef struct columns {
    int64_t c;
    int V, R;
    bool masked;
    vm m;
} columns;

static columns columns_at(int64_t c, int64_t C) {
    columns a = {.c = c, .V = C - c > VL ? 2 : 1};
    int64_t left = C - c - (a.V - 1) * VL;
    a.R = a.V == 2 ? TILE_R2 : TILE_R1;
    a.masked = left < VL;
    a.m = v_tail(left);
    return a;
}

static void multiply(const tile_product *p, columns a) {
    if (a.V == 2 && !a.masked)
        tile_multiply(p, TILE_R2, 2, a.m, false);
    else if (a.V == 2)
        tile_multiply(p, TILE_R2, 2, a.m, true);
    else
        tile_multiply(p, TILE_R1, 1, a.m, true);
}

/* Rows of the smallest tile that holds `rows` rows. */
static int64_t height(columns a, int64_t rows) {
    return rows <= 4 ? 4 : rows <= 8 && a.R > 8 ? 8 : a.R;
}

/* R = height(a, ...). */
static void multiply_rows(columns a, int64_t R, int64_t L, const float *const *x, const float *w,
                          int64_t ldw, float *const *acc) {
    if (a.V == 2 && R == 4)
        tile_multiply_rows(4, 2, a.m, true, L, x, w, ldw, acc);
    else if (a.V == 2 && R == 8)
        tile_multiply_rows(8, 2, a.m, true, L, x, w, ldw, acc);
    else if (a.V == 2)
        tile_multiply_rows(TILE_R2, 2, a.m, true, L, x, w, ldw, acc);
    else if (R == 4)
        tile_multiply_rows(4, 1, a.m, true, L, x, w, ldw, acc);
    else if (R == 8)
        tile_multiply_rows(8, 1, a.m, true, L, x, w, ldw, acc);
    else
        tile_multiply_rows(TILE_R1, 1, a.m, true, L, x, w, ldw, acc);
}

static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* a / b rounded up, for b > 0. */
static int64_t ceil_div(int64_t a, int64_t b) { return a > 0 ? (a - 1) / b + 1 : a / b; }

/* True when the k follow each other in x as in w: then all of them are one long row. */
static bool is_contiguous(const product *p) { return p->dk == 1 && p->wk == p->C_x * p->C_y; }

/* A tile of R rows from row m of sample n on, all of them inside x for every k. */
static void inner_tile(const product *p, columns a, int64_t n, int64_t m) {
    bool one = is_contiguous(p);
    tile_product t = {
        .x = p->x + (n * p->T_x + p->from + m * p->step) * p->C_x,
        .w = p->w + a.c,
        .b = p->b ? p->b + a.c : NULL,
        .y = p->y + (n * p->T_y + p->phase + m * p->stride) * p->C_y + a.c,
        .xs = p->step * p->C_x,
        .xk = p->dk * p->C_x,
        .wk = p->wk,
        .ldw = p->C_y,
        .ldy = p->stride * p->C_y,
        .K = one ? 1 : p->K,
        .L = one ? p->K * p->C_x : p->C_x,
        .activation = p->activation,
        .gradient = p->gradient,
    };
    /* The steps of x that only the next tile reads; none where a stride skips steps. */
    const float *next = t.x + a.R * t.xs + max(0, (p->K - 1) * p->dk) * p->C_x;
    int64_t floats = a.c == 0 && p->step <= p->K ? a.R * t.xs : 0;
    for (int64_t i = 0; i < floats; i += 16) __builtin_prefetch(next + i);
    multiply(&t, a);
}

/* The rows of an edge tile: they lie in several samples, or partly outside x. */
typedef struct edge_rows {
    int64_t count;
    const float *x[TILE_R_MAX]; /* of the row's sample */
    float *y[TILE_R_MAX];
    int64_t t[TILE_R_MAX]; /* step of x for k = 0, may be outside */
    bool inner;            /* every row is inside x for every k */
} edge_rows;

/* Rows g = n rows + m on. */
static edge_rows find_rows(const product *p, int64_t c, int64_t g, int64_t count) {
    edge_rows rows = {.count = count, .inner = true};
    int64_t n = g / p->rows, m = g % p->rows;
    for (int64_t j = 0; j < count; j++) {
        rows.x[j] = p->x + n * p->T_x * p->C_x;
        rows.y[j] = p->y + (n * p->T_y + p->phase + m * p->stride) * p->C_y + c;
        rows.t[j] = p->from + m * p->step;
        rows.inner = rows.inner && m >= p->inner0 && m < p->inner1;
        if (++m == p->rows) n++, m = 0;
    }
    return rows;
}

/* Adds the terms of `merged` k from k on to the rows of acc that have a step of x there. What is
 * left of the tile's rows works for the last row of acc, which belongs to no row of y. */
static void edge_terms(const product *p, columns a, const edge_rows *rows, int64_t k,
                       int64_t merged, float *acc) {
    const float *x[TILE_R_MAX];
    float *sums[TILE_R_MAX];
    int64_t inside = 0;
    for (int64_t j = 0; j < rows->count; j++) {
        int64_t t = rows->t[j] + k * p->dk;
        if (t < 0 || t >= p->T_x) continue;
        x[inside] = rows->x[j] + t * p->C_x;
        sums[inside++] = acc + j * a.V * VL;
    }
    if (inside == 0) return;
    int64_t R = height(a, inside);
    for (int64_t j = inside; j < R; j++) {
        x[j] = x[0];
        sums[j] = acc + TILE_R_MAX * a.V * VL;
    }
    multiply_rows(a, R, merged * p->C_x, x, p->w + k * p->wk + a.c, p->C_y, sums);
}

static void edge_tile(const product *p, columns a, int64_t g, int64_t count) {
    float acc[(TILE_R_MAX + 1) * 2 * VL];
    edge_rows rows = find_rows(p, a.c, g, count);
    int64_t merged = is_contiguous(p) && rows.inner ? p->K : 1;
    vf bias[2] = {v_zero(), v_zero()};
    for (int v = 0; p->b && v < a.V; v++)
        bias[v] = v_load_m(p->b + a.c + v * VL, v == a.V - 1 ? a.m : v_tail(VL));
    for (int64_t j = 0; j < (TILE_R_MAX + 1) * a.V; j++) v_store(acc + j * VL, bias[j % a.V]);
    for (int64_t k = 0; k < p->K; k += merged) edge_terms(p, a, &rows, k, merged, acc);
    for (int64_t j = 0; j < count; j++)
        for (int v = 0; v < a.V; v++) {
            vf sum = v_activate(p->activation, v_load(acc + (j * a.V + v) * VL));
            if (p->gradient) sum = v_add(sum, v_zero());
            v_store_m(rows.y[j] + v * VL, v == a.V - 1 ? a.m : v_tail(VL), sum);
        }
}

/* The first row of p, counted over all samples, that is at or after row r of y. */
static int64_t first_row(const product *p, int64_t r) {
    int64_t m = ceil_div(r % p->T_y - p->phase, p->stride);
    return r / p->T_y * p->rows + max(0, m);
}

/* How many rows from row m of a sample on an edge tile takes: none of the next inner rows, so that
 * those begin with a whole tile, if that leaves few rows of edge tiles idle. */
static int64_t edge_count(const product *p, int64_t R, int64_t m) {
    int64_t inner = p->inner1 - p->inner0, edge = p->rows - inner / R * R;
    if (inner < R || (R - edge % R) % R > R / 4) return R;
    return min(R, m < p->inner0 ? p->inner0 - m : p->rows - m + p->inner0);
}

/* The rows of p among rows r0 <= r < r1 of y. */
static void run(product *p, int64_t r0, int64_t r1) {
    int64_t g0 = first_row(p, r0), g1 = first_row(p, r1);
    int64_t reach = p->K > 0 ? (p->K - 1) * p->dk : 0;
    p->inner0 = max(0, ceil_div(-p->from - min(reach, 0), p->step));
    p->inner1 = min(p->rows, ceil_div(p->T_x - p->from - max(reach, 0), p->step));
    for (columns a = columns_at(0, p->C_y); a.c < p->C_y; a = columns_at(a.c + a.V * VL, p->C_y))
        for (int64_t g = g0, count; g < g1; g += count) {
            int64_t n = g / p->rows, m = g % p->rows;
            count = a.R;
            if (g1 - g >= a.R && m >= p->inner0 && m + a.R <= p->inner1) {
                inner_tile(p, a, n, m);
            } else {
                count = min(g1 - g, edge_count(p, a.R, m));
                edge_tile(p, a, g, count);
            }
        }
}

void WEIR_KERNEL(conv1d_fwd)(const weir_conv1d_call *c, int64_t r0, int64_t r1) {
    product p = {
        .x = c->x,
        .w = c->w,
        .b = c->b,
        .y = c->y,
        .T_x = c->p.T,
        .T_y = c->T_out,
        .C_x = c->p.C_in,
        .C_y = c->p.C_out,
        .phase = 0,
        .stride = 1,
        .rows = c->T_out,
        .from = -c->P_l,
        .step = c->p.S,
        .dk = c->p.D,
        .K = c->p.K,
        .wk = c->p.C_in * c->p.C_out,
        .activation = c->p.activation,
    };
    run(&p, r0, r1);
}

static int64_t gcd(int64_t a, int64_t b) { return b == 0 ? a : gcd(b, a % b); }

/* Step t of x is read by step (t + P_l - k D) / S of y, where that is whole: by every S / gcd(S, D)th
 * k, if at all. They are taken from the last one down. */
void WEIR_KERNEL(conv1d_bwd_data)(const weir_conv1d_call *c, int64_t r0, int64_t r1) {
    int64_t S = c->p.S, D = c->p.D, K = c->p.K, wk = c->p.C_in * c->p.C_out;
    int64_t common = gcd(S, D), every = S / common;
    for (int64_t phase = 0; phase < min(S, c->p.T); phase++) {
        int64_t k = 0;
        while (k < min(every, K) && (phase + c->P_l - k * D) % S != 0) k++;
        int64_t hits = k < min(every, K) ? (K - 1 - k) / every + 1 : 0;
        k += max(0, hits - 1) * every;
        product p = {
            .x = c->dy,
            .w = c->w_t + (hits > 0 ? (K - 1 - k) * wk : 0),
            .b = NULL,
            .y = c->dx,
            .T_x = c->T_out,
            .T_y = c->p.T,
            .C_x = c->p.C_out,
            .C_y = c->p.C_in,
            .phase = phase,
            .stride = S,
            .rows = (c->p.T - 1 - phase) / S + 1,
            .from = hits > 0 ? (phase + c->P_l - k * D) / S : 0,
            .step = 1,
            .dk = hits > 1 ? D / common : 0,
            .K = hits,
            .wk = hits > 1 ? every * wk : 0,
            .activation = WEIR_LINEAR,
            .gradient = true,
        };
        run(&p, r0, r1);
    }
}

/*
 * Backward weights: a tile is R rows q = (k, i) of dw, and row r of dy adds to each the product with
 * x[q] = x[n][t S + k D - P_l][i]. The rows of a tile must follow each other in x as well: those of
 * one k do, and with D = 1 all.
 */
typedef struct gradient {
    const weir_conv1d_call *c;
    int64_t r0, r1;
    float *dw;
    columns cols;
    int64_t R;
} gradient;

/* Every height has its own code: what is left of K C_in rows after the whole tiles is often large. */
static void outer_tile(const tile_rank *p, columns a, int64_t R) {
    vm m = a.m;
    if (a.V == 2 && R == TILE_R2 && !a.masked) {
        tile_outer(p, TILE_R2, 2, m, false);
        return;
    }
    switch (a.V * 16 + R) {
#define HEIGHT(j)                                             \
    case 16 + j + 1: tile_outer(p, j + 1, 1, m, true); break; \
    case 32 + j + 1:                                          \
        if (j < TILE_R2) tile_outer(p, j + 1, 2, m, true);    \
        break;
        TILE_EACH_ROW(HEIGHT)
#undef HEIGHT
    }
}

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
        .rows = rows,
        .samples = samples,
        .x_sample = c->p.T * c->p.C_in,
        .dy_sample = c->T_out * c->p.C_out,
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

/* Adds the rows r0 <= r < r1 of dy to all tiles. */
static void gradient_block(gradient *a, int64_t q0, int64_t q1) {
    int64_t C_in = a->c->p.C_in, C_out = a->c->p.C_out;
    for (a->cols = columns_at(0, C_out); a->cols.c < C_out;
         a->cols = columns_at(a->cols.c + a->cols.V * VL, C_out))
        for (int64_t q = q0; q < q1; q += a->R) {
            int64_t end = a->c->p.D == 1 ? q1 : min(q1, (q / C_in + 1) * C_in);
            a->R = min(a->cols.R, end - q);
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

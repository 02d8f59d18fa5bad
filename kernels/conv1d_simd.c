/* conv1d as products of overlapping rows, without a copy of x. SPDX-License-Identifier: Apache-2.0
 */
#include "kernels/columns.h"
#include "kernels/conv1d_lanes.h"
#include "kernels/conv1d_product.h"
#include "kernels/kernels.h"
#include "kernels/transpose.h"

/* The second height of tiles, where rows don't fill tiles of R rows. */
#define LOWER_R2 (VREGS >= 32 ? 12 : 5)
#define LOWER_R1 (VREGS >= 32 ? 20 : 10)

/* R: one of the heights that next_height() gives. */
static void multiply(const tile_product *p, columns a, int64_t R) {
    vm m = a.m;
    switch (a.V * 64 + R * 2 + a.masked) {
#define HEIGHT(R, V)                                                \
    case V * 64 + 2 * (R): tile_multiply(p, R, V, m, false); break; \
    case V * 64 + 2 * (R) + 1: tile_multiply(p, R, V, m, true); break;
        HEIGHT(TILE_R1, 1)
        HEIGHT(TILE_R2, 2)
        HEIGHT(LOWER_R1, 1)
        HEIGHT(LOWER_R2, 2)
        HEIGHT(4, 1)
        HEIGHT(4, 2)
        HEIGHT(8, 1)
#if VREGS >= 32
        HEIGHT(8, 2)
        HEIGHT(12, 1)
#endif
#undef HEIGHT
    }
}

/* Rows of the next tile where `rows` are left, more than those only for fewer than 4. A few lower tiles
 * spare a last one of a few rows. */
static int64_t next_height(columns a, int64_t rows) {
    int64_t lower = a.V == 2 ? LOWER_R2 : LOWER_R1;
    int64_t idle = ceil_div(rows, a.R) * a.R - rows;
    if (rows >= a.R && idle <= (a.R - lower) * (rows / lower)) return idle > 0 ? lower : a.R;
    if (rows >= a.R) return a.R;
    return rows >= lower ? lower : max(4, min(12, rows / 4 * 4));
}

static int64_t edge_height(columns a) { return a.V == 2 ? TILE_EDGE_R2 : TILE_EDGE_R1; }

/* Rows of the smallest tile that holds `rows` rows of an edge tile. */
static int64_t height(columns a, int64_t rows) {
    return min(edge_height(a), ceil_div(rows, 4) * 4);
}

/* R = height(a, ...). */
static void multiply_rows(columns a, int64_t R, int64_t L, const float *const *x, const float *w,
                          int64_t ldw, float *const *acc) {
    switch (a.V * 16 + R) {
#define HEIGHT(R, V) \
    case V * 16 + R: tile_multiply_rows(R, V, a.m, true, L, x, w, ldw, acc); break;
        HEIGHT(4, 1)
        HEIGHT(4, 2)
        HEIGHT(8, 1)
        HEIGHT(12, 1)
        HEIGHT(TILE_EDGE_R2, 2)
#if VREGS >= 32
        HEIGHT(8, 2)
#endif
#undef HEIGHT
    }
}

/* True when the k follow each other in x as in w: then all of them are one long row. */
static bool is_contiguous(const product *p) { return p->dk == 1 && p->wk == p->C_x * p->C_y; }

/* A tile of R rows from row m of sample n on, all of them inside x for every k. */
static void inner_tile(const product *p, columns a, int64_t R, int64_t n, int64_t m) {
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
    const float *next = t.x + R * t.xs + max(0, (p->K - 1) * p->dk) * p->C_x;
    int64_t floats = a.c == 0 && p->step <= p->K ? R * t.xs : 0;
    for (int64_t i = 0; i < floats; i += 16) __builtin_prefetch(next + i);
    multiply(&t, a, R);
}

/* The rows of an edge tile: they lie in several samples, or partly outside x. */
typedef struct edge_rows {
    int64_t count;
    const float *x[TILE_EDGE_R_MAX]; /* of the row's sample */
    float *y[TILE_EDGE_R_MAX];
    int64_t t[TILE_EDGE_R_MAX]; /* step of x for k = 0, may be outside */
    bool inner;                 /* every row is inside x for every k */
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
    const float *x[TILE_EDGE_R_MAX];
    float *sums[TILE_EDGE_R_MAX];
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
        sums[j] = acc + TILE_EDGE_R_MAX * a.V * VL;
    }
    multiply_rows(a, R, merged * p->C_x, x, p->w + k * p->wk + a.c, p->C_y, sums);
}

static void edge_tile(const product *p, columns a, int64_t g, int64_t count) {
    float acc[(TILE_EDGE_R_MAX + 1) * 2 * VL];
    edge_rows rows = find_rows(p, a.c, g, count);
    int64_t merged = is_contiguous(p) && rows.inner ? p->K : 1;
    vf bias[2] = {v_zero(), v_zero()};
    for (int v = 0; p->b && v < a.V; v++)
        bias[v] = v_load_m(p->b + a.c + v * VL, v == a.V - 1 ? a.m : v_tail(VL));
    for (int64_t j = 0; j < (TILE_EDGE_R_MAX + 1) * a.V; j++) v_store(acc + j * VL, bias[j % a.V]);
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

/* Rows m0 <= m < m1 of sample n, at least 4 and all of them inner rows; the last tile may begin with
 * rows of the tile before. */
static void inner_rows(const product *p, columns a, int64_t n, int64_t m0, int64_t m1) {
    for (int64_t m = m0, R; m < m1; m += R) {
        R = next_height(a, m1 - m);
        m = min(m, m1 - R);
        inner_tile(p, a, R, n, m);
    }
}

/* Columns a of rows g0 <= g < g1 of p. */
static void run_columns(const product *p, columns a, int64_t g0, int64_t g1) {
    const int64_t fewest = 8; /* inner rows of a sample that are worth tiles of their own */
    bool apart = p->inner1 - p->inner0 >= fewest;
    for (int64_t g = g0, count; g < g1; g += count) {
        int64_t n = g / p->rows, m = g % p->rows;
        int64_t inner = min(p->inner1 - m, g1 - g);
        if (m >= p->inner0 && inner >= (apart ? 4 : fewest)) {
            count = inner;
            inner_rows(p, a, n, m, m + inner);
        } else {
            count = min(g1 - g, edge_height(a));
            if (apart && m < p->inner0) count = min(count, p->inner0 - m);
            if (apart && m >= p->inner1) count = min(count, p->rows - m + p->inner0);
            edge_tile(p, a, g, count);
        }
    }
}

/* The rows of p among rows r0 <= r < r1 of y. */
static void run(product *p, int64_t r0, int64_t r1) {
    int64_t g0 = first_row(p, r0), g1 = first_row(p, r1);
    if (lanes_pay(p)) {
        lanes_run(p, g0, g1);
        return;
    }
    int64_t reach = max(0, (p->K - 1) * p->dk);
    p->inner0 = max(0, ceil_div(-p->from, p->step));
    p->inner1 = min(p->rows, ceil_div(p->T_x - p->from - reach, p->step));
    for (columns a = columns_at(0, p->C_y); a.c < p->C_y; a = columns_at(a.c + a.V * VL, p->C_y))
        run_columns(p, a, g0, g1);
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

void WEIR_KERNEL(conv1d_transpose)(const weir_conv1d *p, int64_t r0, int64_t r1, const float *w,
                                   float *w_t) {
    for (int64_t r = r0, rows; r < r1; r += rows) {
        int64_t k = p->K - 1 - r / p->C_out, o = r % p->C_out;
        rows = min(p->C_out - o, r1 - r);
        transpose(w + k * p->C_in * p->C_out + o, p->C_out, p->C_in, rows, w_t + r * p->C_in,
                  p->C_in);
    }
}

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

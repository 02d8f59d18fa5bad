/*
 * conv1d with max pooling: forward without a stored activation, backward over the winners only.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Every sum is the chain of the single ops in turn, with terms left out or added that are exactly
 * zero. Those can change nothing but the sign of a zero, and each chain ends with + 0.
 */
#include <string.h>

#include "kernels/conv1d_pool.h"
#include "kernels/pool_tile.h"

static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* Windows w0 <= w < w0 + windows of `samples` samples from n on; of several samples all windows. */
typedef struct span {
    int64_t n, samples, w0, windows;
} span;

/* The next piece of the windows v <= .. < v1, v = n T_p + window. */
static span next_span(int64_t T_p, pool_piece piece, int64_t v, int64_t v1) {
    span s = {.n = v / T_p, .samples = 1, .w0 = v % T_p};
    s.windows = min(piece.windows, min(v1 - v, T_p - s.w0));
    if (s.windows == T_p) s.samples = max(1, min(piece.samples, (v1 - v) / T_p));
    return s;
}

/* CALL(i, m, masked) for each vector of channels; only the last may need a mask. */
#define EACH_VECTOR(C, CALL)                                       \
    do {                                                           \
        int64_t i = 0;                                             \
        for (; i + VL <= (C); i += VL) CALL(i, v_tail(VL), false); \
        if (i < (C)) CALL(i, v_tail((C)-i), true);                 \
    } while (0)

/* ---- forward ---- */

/* Vector i of the first row of a window, and of the others. */
POOL_INLINE best max_of(const float *row, int64_t C, int64_t P, vm m, const bool masked) {
    best b = best_first(v_load_if(row, m, masked));
    for (int64_t j = 1; j < P; j++)
        b = best_next(b, v_load_if(row + j * C, m, masked), vi_set1((int32_t)j));
    return b;
}

static void forward_span(const weir_conv1d_pool_call *c, span s) {
    int64_t C = c->conv.p.C_out, P = c->P, v0 = s.n * c->T_p + s.w0;
    weir_conv1d_call conv = c->conv;
    conv.x += s.n * conv.p.T * conv.p.C_in;
    conv.T_out = s.windows * P;
    conv.P_l -= s.w0 * P * conv.p.S;
    conv.y = c->scratch;
    WEIR_KERNEL(conv1d_fwd)(&conv, 0, s.samples * conv.T_out);
    for (int64_t v = 0; v < s.samples * s.windows; v++) {
        const float *rows = c->scratch + v * P * C;
        int64_t to = (v0 + v) * C;
#define CALL(i, m, masked)                                                                 \
    do {                                                                                   \
        best b = max_of(rows + (i), C, P, m, masked);                                      \
        v_store_if(c->y + to + (i), m, b.value, masked);                                   \
        if (c->winner) winner_store(c->winner, false, to + (i), m, C - (i), masked, b.at); \
    } while (0)
        EACH_VECTOR(C, CALL);
#undef CALL
    }
}

void WEIR_KERNEL(conv1d_pool_fwd)(const weir_conv1d_pool_call *c, int64_t v0, int64_t v1) {
    pool_piece piece = pool_fwd_piece(c);
    while (v0 < v1) {
        span s = next_span(c->T_p, piece, v0, v1);
        forward_span(c, s);
        v0 += s.samples * s.windows;
    }
}

/* ---- backward, weights: the sums of a filter in registers, streaming over its winners ---- */

enum { RUN_MAX = 14 }; /* vectors of sums; half of it for two filters */

#define EACH_SUM(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13)

/* sums[j] += dy x[winner][j] over the windows of a piece, for one filter or two. */
typedef struct run {
    const float *x;                /* first step of the first window */
    int64_t row, window, x_sample; /* floats between steps of the convolution, windows, samples */
    const float *dy;               /* after the activation's derivative */
    const uint8_t *winner;
    int64_t ld; /* from a window to the next */
    int64_t samples, windows;
    float *sums;
    int64_t next; /* from the sums of a filter to those of the next */
    float *bias;
} run;

POOL_INLINE void run_filters(const run *p, const int V, const int filters) {
    const int64_t row = p->row, window = p->window, ld = p->ld, next = p->next;
    const float *dy = p->dy;
    const uint8_t *winner = p->winner;
    vf bias0 = v_set1(p->bias[0]), bias1 = v_set1(p->bias[filters - 1]);
#define ZERO(j) vf a##j = v_zero(), b##j = v_zero();
    EACH_SUM(ZERO)
#undef ZERO
#define LOAD(j)                                                   \
    if (j < V) {                                                  \
        a##j = v_load(p->sums + j * VL);                          \
        if (filters == 2) b##j = v_load(p->sums + next + j * VL); \
    }
    EACH_SUM(LOAD)
#undef LOAD
    for (int64_t n = 0; n < p->samples; n++) {
        const float *x = p->x + n * p->x_sample;
        for (int64_t w = 0; w < p->windows; w++, x += window, dy += ld, winner += ld) {
            const float *x0 = x + winner[0] * row, *x1 = x + winner[filters - 1] * row;
            vf s0 = v_set1(dy[0]), s1 = v_set1(dy[filters - 1]);
            bias0 = v_add(bias0, s0);
            bias1 = v_add(bias1, s1);
#define ADD(j)                                                         \
    if (j < V) {                                                       \
        a##j = v_fma(s0, v_load(x0 + j * VL), a##j);                   \
        if (filters == 2) b##j = v_fma(s1, v_load(x1 + j * VL), b##j); \
    }
            EACH_SUM(ADD)
#undef ADD
        }
    }
#define STORE(j)                                                  \
    if (j < V) {                                                  \
        v_store(p->sums + j * VL, a##j);                          \
        if (filters == 2) v_store(p->sums + next + j * VL, b##j); \
    }
    EACH_SUM(STORE)
#undef STORE
    v_store_m(p->bias, v_tail(1), bias0);
    v_store_m(p->bias + filters - 1, v_tail(1), bias1);
}

static void run_any(const run *p, int64_t V, int64_t filters) {
    switch (V * 2 + filters) {
#define CASE(j)                                            \
    case (j + 1) * 2 + 1: run_filters(p, j + 1, 1); break; \
    case (j + 1) * 2 + 2:                                  \
        if (j < RUN_MAX / 2) run_filters(p, j + 1, 2);     \
        break;
        EACH_SUM(CASE)
#undef CASE
    }
}

/* The weight gradient of one call, and what its scratch holds. */
typedef struct gradient {
    const weir_conv1d_pool_call *c;
    int64_t r0, r1, o0, filters;
    int64_t ld; /* of dy and winner */
    float *sums, *x, *dy, *bias;
    uint8_t *winner, *largest;
    const float *ahead, *end; /* of x, still to be fetched for the next piece, */
    int64_t share;            /* so many floats at a time */
} gradient;

static gradient gradient_of(const weir_conv1d_pool_call *c, int64_t r0, int64_t r1, int64_t o0,
                            int64_t o1) {
    gradient g = {.c = c, .r0 = r0, .r1 = r1, .o0 = o0, .filters = o1 - o0};
    pool_piece piece = pool_weights_piece(c);
    int64_t C_in = pool_padded(c->conv.p.C_in);
    int64_t windows = piece.samples * piece.windows;
    g.ld = pool_padded(c->conv.p.C_out);
    g.sums = c->scratch;
    g.x = g.sums + c->conv.p.C_out * c->conv.p.K * C_in;
    g.dy = g.x + piece.samples * pool_x_rows(c, piece.windows) * C_in;
    g.bias = g.dy + windows * g.ld;
    g.largest = (uint8_t *)(void *)(g.bias + g.ld);
    g.winner = g.largest + g.ld;
    return g;
}

/* dy of one window, 0 where the maximum is not alive. */
POOL_INLINE void alive_of(const gradient *g, int64_t from, vm m, const bool masked, float *out) {
    vf a = v_load_if(g->c->dy + from, m, masked);
    if (g->c->conv.p.activation == WEIR_RELU)
        a = v_blend(v_gt(v_load_if(g->c->y_in + from, m, masked), v_zero()), a, v_zero());
    v_store_if(out, m, a, masked);
}

/* Copies n winners, and keeps the largest that each filter had. In blocks of constant length, which
 * compilers turn into vectors. */
static void copy_winners(const uint8_t *restrict from, int64_t n, uint8_t *restrict to,
                         uint8_t *restrict largest) {
    int64_t o = 0;
    for (; o + POOL_UNIT <= n; o += POOL_UNIT)
        for (int64_t j = o; j < o + POOL_UNIT; j++) {
            to[j] = from[j];
            largest[j] = largest[j] > from[j] ? largest[j] : from[j];
        }
    for (; o < n; o++) {
        to[o] = from[o];
        largest[o] = largest[o] > from[o] ? largest[o] : from[o];
    }
}

/* Where a winner of a window, whose first row is `first`, is not among the rows r0 <= r < r1 or not
 * of the window, dy becomes 0 and the winner a step within reach. */
static void drop_others(const gradient *g, int64_t first, uint8_t *winner, float *dy) {
    for (int64_t o = 0; o < g->filters; o++) {
        int64_t row = first + winner[o];
        if (row >= g->r0 && row < g->r1 && winner[o] < g->c->P) continue;
        winner[o] = 0;
        dy[o] = 0;
    }
}

static void gather_winners(const gradient *g, span s) {
    const weir_conv1d_pool_call *c = g->c;
    float *dy = g->dy;
    uint8_t *winner = g->winner;
    memset(g->largest, 0, (size_t)g->ld);
    for (int64_t n = s.n; n < s.n + s.samples; n++)
        for (int64_t w = s.w0; w < s.w0 + s.windows; w++, dy += g->ld, winner += g->ld) {
            int64_t from = (n * c->T_p + w) * c->conv.p.C_out + g->o0;
#define CALL(i, m, masked) alive_of(g, from + (i), m, masked, dy + (i))
            EACH_VECTOR(g->filters, CALL);
#undef CALL
            copy_winners(c->winner_in + from, g->filters, winner, g->largest);
        }
    bool beyond = false;
    for (int64_t o = 0; o < g->filters; o++) beyond = beyond || g->largest[o] >= c->P;
    dy = g->dy;
    winner = g->winner;
    for (int64_t n = s.n; n < s.n + s.samples; n++)
        for (int64_t w = s.w0; w < s.w0 + s.windows; w++, dy += g->ld, winner += g->ld) {
            int64_t first = n * c->conv.T_out + w * c->P;
            if (beyond || first < g->r0 || first + c->P > g->r1) drop_others(g, first, winner, dy);
        }
}

/* Channels of the panel from channel i on, padded to whole vectors. */
static int64_t panel_width(const weir_conv1d *p, int64_t i) {
    return min(POOL_PANEL, (p->C_in - i + VL - 1) / VL * VL);
}

enum { COPY_ROWS = 16 }; /* that are copied vector by vector, so that none is fetched twice */

/* Channels i, ... of `rows` rows of x, all inside. */
static void copy_panel(const float *x, int64_t C, int64_t i, int64_t width, int64_t rows,
                       float *to) {
    for (int64_t j = 0; j < width; j += VL) {
        vm m = v_tail(C - i - j);
        for (int64_t row = 0; row < rows; row++)
            v_store(to + row * width + j, v_load_m(x + row * C + i + j, m));
    }
}

/* `rows` steps of sample n from s on become rows `at`, ... of panels, which are `panel` floats apart;
 * 0 outside of x. */
static void copy_rows(const weir_conv1d_call *c, int64_t n, int64_t s, int64_t rows, int64_t at,
                      float *out, int64_t panel) {
    const float *x = c->x + n * c->p.T * c->p.C_in;
    for (int64_t end = s + rows, next; s < end; at += next - s, s = next) {
        bool inside = s >= 0 && s < c->p.T;
        next = min(end, inside ? min(s + COPY_ROWS, c->p.T) : s < 0 ? 0 : end);
        for (int64_t i = 0; i < c->p.C_in; i += POOL_PANEL) {
            int64_t width = panel_width(&c->p, i);
            float *to = out + i / POOL_PANEL * panel + at * width;
            if (inside)
                copy_panel(x + s * c->p.C_in, c->p.C_in, i, width, next - s, to);
            else
                memset(to, 0, (size_t)((next - s) * width) * sizeof(float));
        }
    }
}

/* Fetches a share of the next piece of x: copying it would wait for memory. */
static void fetch_ahead(gradient *g) {
    const float *end = g->ahead + g->share < g->end ? g->ahead + g->share : g->end;
    for (; g->ahead < end; g->ahead += 16) __builtin_prefetch(g->ahead, 0, 2);
}

/* Adds the windows of s to `floats` sums of each filter, whose rows follow each other in x. */
static void add_run(gradient *g, run a, float *sums, int64_t floats, bool bias) {
    int64_t V = floats / VL, passes = (V - 1) / RUN_MAX + 1, part = (V - 1) / passes + 1;
    int64_t pair = part <= RUN_MAX / 2 ? 2 : 1;
    const float *x = a.x;
    float unused[2] = {0};
    for (int64_t o = 0, count; o < g->filters; o += count) {
        count = min(pair, g->filters - o);
        fetch_ahead(g);
        a.dy = g->dy + o;
        a.winner = g->winner + o;
        for (int64_t v = 0; v < V; v += part) {
            a.x = x + v * VL;
            a.sums = sums + o * a.next + v * VL;
            a.bias = bias && v == 0 ? g->bias + o : unused;
            run_any(&a, min(part, V - v), count);
        }
    }
}

/* The kernel's positions from k on, whose steps of x follow each other: `count` of them. */
static void add_positions(gradient *g, span s, int64_t k, int64_t count) {
    const weir_conv1d_pool_call *c = g->c;
    const weir_conv1d *p = &c->conv.p;
    int64_t rows = pool_x_rows(c, s.windows), step = s.w0 * c->P * p->S + k * p->D - c->conv.P_l;
    int64_t panel = s.samples * rows * POOL_PANEL;
    for (int64_t n = 0; n < s.samples; n++)
        copy_rows(&c->conv, s.n + n, step, rows, n * rows, g->x, panel);
    for (int64_t i = 0; i < p->C_in; i += POOL_PANEL) {
        int64_t width = panel_width(p, i);
        run a = {.x = g->x + i / POOL_PANEL * panel,
                 .row = p->S * width,
                 .window = c->P * p->S * width,
                 .x_sample = rows * width,
                 .ld = g->ld,
                 .samples = s.samples,
                 .windows = s.windows,
                 .next = p->K * width};
        add_run(g, a, g->sums + g->filters * p->K * i + k * width, count * width, i == 0 && k == 0);
    }
}

/* The steps of x behind those of s, as many again, are fetched in equal shares while s is worked on.
 */
static void plan_ahead(gradient *g, span s) {
    const weir_conv1d *p = &g->c->conv.p;
    int64_t steps = s.samples > 1 ? s.samples * p->T : s.windows * g->c->P * p->S;
    const float *x = g->c->conv.x, *end = x + p->N * p->T * p->C_in;
    int64_t first = s.w0 * g->c->P * p->S - g->c->conv.P_l;
    int64_t from = s.n * p->T + max(0, first) + steps;
    int64_t left = max(0, p->N * p->T - from) * p->C_in, floats = min(left, steps * p->C_in);
    g->ahead = end - left;
    g->end = g->ahead + floats;
    g->share = floats / (g->filters * ((p->C_in - 1) / POOL_PANEL + 1)) + 16;
}

static void add_span(gradient *g, span s) {
    const weir_conv1d *p = &g->c->conv.p;
    gather_winners(g, s);
    plan_ahead(g, s);
    if (p->D == 1)
        add_positions(g, s, 0, p->K);
    else
        for (int64_t k = 0; k < p->K; k++) add_positions(g, s, k, 1);
}

/* The sums without their padding. */
static void store_gradient(const gradient *g, float *dw, float *db) {
    const weir_conv1d *p = &g->c->conv.p;
    for (int64_t i = 0; i < p->C_in; i += POOL_PANEL) {
        int64_t width = panel_width(p, i);
        const float *sums = g->sums + g->filters * p->K * i;
        for (int64_t row = 0; row < g->filters * p->K; row++)
            for (int64_t j = 0; j < width; j += VL)
                v_store_m(dw + row * p->C_in + i + j, v_tail(p->C_in - i - j),
                          v_add(v_load(sums + row * width + j), v_zero()));
    }
    for (int64_t o = 0; db && o < g->filters; o++) db[o] = g->bias[o] + 0.0f;
}

/* The window that holds row r of the convolution, or the first after it. */
static int64_t window_at(const weir_conv1d_pool_call *c, int64_t r) {
    return r / c->conv.T_out * c->T_p + min(c->T_p, r % c->conv.T_out / c->P);
}

void WEIR_KERNEL(conv1d_pool_bwd_weights)(const weir_conv1d_pool_call *c, int64_t r0, int64_t r1,
                                          int64_t o0, int64_t o1, float *dw, float *db) {
    gradient g = gradient_of(c, r0, r1, o0, o1);
    pool_piece piece = pool_weights_piece(c);
    memset(g.sums, 0, (size_t)(g.x - g.sums) * sizeof(float));
    memset(g.bias, 0, (size_t)g.ld * sizeof(float));
    int64_t v = window_at(c, r0), v1 = r0 < r1 ? window_at(c, r1 - 1) + 1 : v;
    v1 = min(v1, ((r1 - 1) / c->conv.T_out + 1) * c->T_p);
    while (v < v1) {
        span s = next_span(c->T_p, piece, v, v1);
        add_span(&g, s);
        v += s.samples * s.windows;
    }
    store_gradient(&g, dw, db);
}

/* ---- backward, data ---- */

/* Which filters' winner is step j of window w, for w0 <= w < w1 of sample n and every j. */
static void find_winners(const weir_conv1d_pool_call *c, int64_t n, int64_t w0, int64_t w1,
                         uint64_t *sets) {
    int64_t C = c->conv.p.C_out, words = (C - 1) / 64 + 1;
    memset(sets + w0 * c->P * words, 0, (size_t)((w1 - w0) * c->P * words) * sizeof *sets);
    for (int64_t w = w0; w < w1; w++)
        for (int64_t o = 0; o < C; o += VL) {
            int64_t from = (n * c->T_p + w) * C + o;
            vm m = v_tail(C - o);
            vi winner = C - o >= VL ? vi_load_u8(c->winner_in + from)
                                    : vi_load_u8_n(c->winner_in + from, C - o);
            if (c->conv.p.activation == WEIR_RELU)
                m = vm_and(m, v_gt(v_load_m(c->y_in + from, m), v_zero()));
            uint64_t *set = sets + w * c->P * words + o / 64;
            for (int64_t j = 0; j < c->P; j++) {
                uint64_t bits = vm_bits(vm_and(m, vi_eq(winner, vi_set1((int32_t)j))));
                set[j * words] |= bits << (o % 64);
            }
        }
}

/* Steps of dx, s0 <= s < s1 of sample n. */
typedef struct walk {
    const weir_conv1d_pool_call *c;
    int64_t n, s0, s1;
    const uint64_t *sets;
} walk;

/* Adds dy w[k] of all filters whose winner is step t of the convolution; two vectors. */
POOL_INLINE void add_winners(const walk *a, int64_t t, int64_t k, const float *w0, const float *w1,
                             vf *sum0, vf *sum1) {
    const weir_conv1d_pool_call *c = a->c;
    int64_t C = c->conv.p.C_out, words = (C - 1) / 64 + 1, row = c->conv.p.K * POOL_UNIT;
    if (t >= c->T_p * c->P) return;
    const float *dy = c->dy + (a->n * c->T_p + t / c->P) * C;
    for (int64_t i = 0; i < words; i++)
        for (uint64_t set = a->sets[t * words + i]; set; set &= set - 1) {
            int64_t o = i * 64 + __builtin_ctzll(set);
            vf s = v_set1(dy[o]);
            *sum0 = v_fma(s, v_load(w0 + o * row + k * POOL_UNIT), *sum0);
            *sum1 = v_fma(s, v_load(w1 + o * row + k * POOL_UNIT), *sum1);
        }
}

/* Where the unit of channel i has that channel. */
static const float *unit_at(const weir_conv1d_pool_call *c, int64_t i) {
    return c->w_units + i / POOL_UNIT * c->conv.p.C_out * c->conv.p.K * POOL_UNIT + i % POOL_UNIT;
}

/* Any stride, dilation and K: step by step of dx, the winners that reach it in ascending order. */
static void data_by_steps(const walk *a) {
    const weir_conv1d_pool_call *c = a->c;
    const weir_conv1d *p = &c->conv.p;
    for (int64_t i = 0; i < p->C_in; i += 2 * VL) {
        const float *w0 = unit_at(c, i), *w1 = i + VL < p->C_in ? unit_at(c, i + VL) : w0;
        for (int64_t s = a->s0; s < a->s1; s++) {
            vf sum0 = v_zero(), sum1 = v_zero();
            for (int64_t k = p->K - 1; k >= 0; k--) {
                int64_t from = s + c->conv.P_l - k * p->D;
                if (from >= 0 && from % p->S == 0)
                    add_winners(a, from / p->S, k, w0, w1, &sum0, &sum1);
            }
            float *dx = c->conv.dx + (a->n * p->T + s) * p->C_in + i;
            v_store_m(dx, v_tail(p->C_in - i), v_add(sum0, v_zero()));
            v_store_m(dx + VL, v_tail(p->C_in - i - VL), v_add(sum1, v_zero()));
        }
    }
}

/*
 * With stride and dilation 1 step t of the convolution reaches the K steps t - P_l, ... of dx. Their
 * sums stay in registers, and move on by one with t. Each weight is loaded for each winner: that, not
 * the arithmetic, takes the time.
 */
enum {
    WALK_K = 12,
    WALK_SUMS = VREGS >= 32 ? 24 : 14, /* vectors */
    WALK_AHEAD = 8 /* steps of dx that are fetched before they are stored: stores wait too */
};

#define EACH_K(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define EACH_MOVE(F) \
    F(0, 1) F(1, 2) F(2, 3) F(3, 4) F(4, 5) F(5, 6) F(6, 7) F(7, 8) F(8, 9) F(9, 10) F(10, 11)

/* Channels i, ... of dx: V vectors. */
POOL_INLINE void walk_steps(const walk *a, int64_t i, const int K, const int V) {
    const weir_conv1d_pool_call *c = a->c;
    const int64_t C = c->conv.p.C_in, C_out = c->conv.p.C_out, words = (C_out - 1) / 64 + 1;
    const int64_t first = a->s0 + c->conv.P_l - (K - 1), end = a->s1 + c->conv.P_l;
    const float *units = unit_at(c, i);
    const int64_t second = V == 2 ? unit_at(c, i + VL) - units : 0;
    const vm m0 = v_tail(C - i), m1 = v_tail(C - i - VL);
    float *dx = c->conv.dx + (a->n * c->conv.p.T + first - c->conv.P_l) * C + i;
    const float *dy = c->dy + (a->n * c->T_p + max(0, first) / c->P) * C_out;
    const uint64_t *set = a->sets + max(0, first) * words;
    int64_t left = c->P - max(0, first) % c->P;
#define ZERO(k) vf a##k = v_zero(), b##k = v_zero();
    EACH_K(ZERO)
#undef ZERO
    for (int64_t t = first; t < end; t++, dx += C) {
        if (t >= 0 && t < c->T_p * c->P) {
            for (int64_t o = 0; o < C_out; o += 64) {
                const float *weights = units + o * (K * POOL_UNIT), *slopes = dy + o;
                for (uint64_t bits = *set++; bits; bits &= bits - 1) {
                    const int64_t filter = __builtin_ctzll(bits);
                    const float *u = weights + filter * (K * POOL_UNIT), *u1 = u + second;
                    __asm__("" : "+r"(u1)); /* one pointer for all k, not one index for each */
                    vf s = v_set1(slopes[filter]);
#define ADD(k)                                                         \
    if (k < K) {                                                       \
        a##k = v_fma(s, v_load(u + k * POOL_UNIT), a##k);              \
        if (V == 2) b##k = v_fma(s, v_load(u1 + k * POOL_UNIT), b##k); \
    }
                    EACH_K(ADD)
#undef ADD
                }
            }
            if (--left == 0) dy += C_out, left = c->P;
        }
        if (t + WALK_AHEAD < end) {
            __builtin_prefetch(dx + WALK_AHEAD * C, 1);
            if (V == 2) __builtin_prefetch(dx + WALK_AHEAD * C + VL, 1);
        }
        if (t >= a->s0 + c->conv.P_l) {
            v_store_m(dx, m0, v_add(a0, v_zero()));
            if (V == 2) v_store_m(dx + VL, m1, v_add(b0, v_zero()));
        }
#define MOVE(k, next)                       \
    if (next < K) a##k = a##next;           \
    if (next < K && V == 2) b##k = b##next; \
    if (next == K) a##k = b##k = v_zero();
        EACH_MOVE(MOVE)
#undef MOVE
        if (K == 1) a0 = b0 = v_zero();
        if (K == WALK_K) a11 = b11 = v_zero();
    }
}

/* A function for each K: of all of them in one compilers would keep too little in registers. */
#define DEFINE(k)                                                                  \
    static __attribute__((noinline)) void walk_one_##k(const walk *a, int64_t i) { \
        walk_steps(a, i, k + 1, 1);                                                \
    }                                                                              \
    static __attribute__((noinline)) void walk_two_##k(const walk *a, int64_t i) { \
        if ((k + 1) * 2 <= WALK_SUMS) walk_steps(a, i, k + 1, 2);                  \
    }
EACH_K(DEFINE)
#undef DEFINE

/* False where there is no code for K. */
static bool data_by_walk(const walk *a) {
#define NAMES(k) {walk_one_##k, walk_two_##k},
    static void (*const functions[WALK_K][2])(const walk *, int64_t) = {EACH_K(NAMES)};
#undef NAMES
    const weir_conv1d *p = &a->c->conv.p;
    if (p->S != 1 || p->D != 1 || p->K > WALK_K) return false;
    for (int64_t i = 0, V; i < p->C_in; i += V * VL) {
        V = p->K * 2 <= WALK_SUMS && p->C_in - i > VL ? 2 : 1;
        functions[p->K - 1][V - 1](a, i);
    }
    return true;
}

/* Windows with a step that reads one of the steps s0 <= s < s1 of x. */
static void find_reached(const walk *a, uint64_t *sets) {
    const weir_conv1d_pool_call *c = a->c;
    const weir_conv1d *p = &c->conv.p;
    int64_t first = a->s0 + c->conv.P_l - (p->K - 1) * p->D, last = a->s1 - 1 + c->conv.P_l;
    int64_t w0 = min(c->T_p, max(0, first) / p->S / c->P);
    int64_t w1 = min(c->T_p, last / p->S / c->P + 1);
    if (w0 < w1) find_winners(c, a->n, w0, w1, sets);
}

void WEIR_KERNEL(conv1d_pool_bwd_data)(const weir_conv1d_pool_call *c, int64_t r0, int64_t r1) {
    int64_t T = c->conv.p.T;
    uint64_t *sets = (uint64_t *)(void *)c->scratch;
    for (int64_t end; r0 < r1; r0 = end) {
        end = min(r1, (r0 / T + 1) * T);
        walk a = {.c = c, .n = r0 / T, .s0 = r0 % T, .s1 = end - r0 / T * T, .sets = sets};
        find_reached(&a, sets);
        if (!data_by_walk(&a)) data_by_steps(&a);
    }
}

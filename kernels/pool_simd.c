/*
 * Max and average pooling, channels in vectors. SPDX-License-Identifier: Apache-2.0
 *
 * Bandwidth is all there is to gain: every byte is touched once, in the order of its address, by
 * groups of a few vectors that are all loaded or all stored before the next step. The odd channels
 * of a row need no mask where what their vector covers beyond the row is written later; for that
 * they come first of their row. The order of arithmetic: a mean adds its steps to 0 in ascending
 * order and is divided; an element of dx adds the shares of its windows to 0 in ascending order.
 */
#include "kernels/kernels.h"
#include "kernels/pool_tile.h"

static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }

/* Window w covers steps t0 <= t < t1 of x. */
typedef struct span {
    int64_t t0, t1;
} span;

static span steps_of(const weir_pool_call *c, int64_t w) {
    int64_t first = w * c->p.S - c->P_l;
    return (span){max(0, first), min(c->p.T, first + c->p.P)};
}

/* Windows up to this one of a sample end within x. */
static int64_t last_whole(const weir_pool_call *c) {
    int64_t T = c->p.T + c->P_l;
    return c->p.P <= T ? min(c->T_out - 1, (T - c->p.P) / c->p.S) : -1;
}

/* How a row of channels is cut, and how it is stored. Copied where it is used, because a store of a
 * vector could change what lies in memory. */
typedef struct cut {
    int64_t C, odd; /* channels; those in no whole vector */
    vm m;           /* lanes of the odd */
    int64_t ahead;  /* bytes by which cache lines are asked for before they are needed, or 0 */
    bool stream;    /* every vector is aligned, and stores go past the caches */
} cut;

static cut cut_of(const weir_pool_call *c, const float *out) {
    const int64_t cache = 1 << 21; /* bytes of x that need no asking */
    int64_t C = c->p.C, odd = C % VL;
    cut k = {.C = C, .odd = odd, .m = v_tail(odd)};
    k.stream = c->stream && odd == 0 && (uintptr_t)out % (VL * sizeof(float)) == 0;
    if (c->p.N * c->p.T > cache / (int64_t)sizeof(float) / C) k.ahead = k.stream ? 4096 : 128 * VL;
    return k;
}

/* Most models have so many channels, and then a window is few instructions: with C known to the
 * compiler they are a quarter fewer. */
enum { USUAL_C = 32 };

static bool is_usual(const cut *k) { return k->C == USUAL_C && !k->stream; }

POOL_INLINE cut cut_known(cut k, const bool usual) {
    if (usual) {
        k.C = USUAL_C;
        k.odd = 0;
        k.stream = false;
    }
    return k;
}

/* The lines of so many floats some way from p on. A long window is found without. */
POOL_INLINE void fetch(const float *p, int64_t floats, int64_t ahead) {
    const int64_t line = 64 / sizeof(float);
    if (ahead && floats <= 32 * line)
        for (int64_t i = 0; i < floats; i += line) v_fetch(p + i, ahead);
}

/* Of rows that are `step` apart, the first of them row r: how many have so many rows behind them, up
 * to row `end`, that a vector of their odd channels stays before it. */
static int64_t with_room(const cut *k, int64_t r, int64_t step, int64_t end) {
    int64_t left = end - r - 1 - (VL - k->odd + k->C - 1) / k->C;
    return left < 0 ? 0 : left / step + 1;
}

/* GROUP(i, U, masked) for U vectors of channels i, i + 1, .. of a row, the odd channels first. */
#define EACH_GROUP(k, most, room, GROUP)                                           \
    do {                                                                           \
        int64_t i = (k).C - (k).odd;                                               \
        if ((k).odd && (room)) GROUP(i, 1, false);                                 \
        if ((k).odd && !(room)) GROUP(i, 1, true);                                 \
        for (i = 0; i + (most)*VL <= (k).C; i += (most)*VL) GROUP(i, most, false); \
        if ((most) > 2 && i + 2 * VL <= (k).C) {                                   \
            GROUP(i, 2, false);                                                    \
            i += 2 * VL;                                                           \
        }                                                                          \
        if (i + VL <= (k).C) GROUP(i, 1, false);                                   \
    } while (0)

POOL_INLINE void out_store(cut k, float *p, vf a, const bool masked, const bool stream) {
    if (stream)
        v_stream(p, a);
    else
        v_store_if(p, k.m, a, masked);
}

/* ---- forward ---- */

/* Windows of `steps` steps, one after the other: rows r, r + 1, .. of y, the first one's steps at x. */
typedef struct run {
    const weir_pool_call *c;
    cut k;
    int64_t r, count, x, steps; /* x: in rows of x */
    int64_t rows;               /* of y, all that this call may write */
} run;

/* Windows whose odd channels need no mask. */
static int64_t fwd_room(const run *a) {
    const weir_pool *p = &a->c->p;
    return min(with_room(&a->k, a->r, 1, a->rows),
               with_room(&a->k, a->x + a->steps - 1, p->S, p->N * p->T));
}

/* One vector again, where a NaN may be among its steps. */
static __attribute__((noinline)) best max_again(const float *x, int64_t C, int64_t steps, vm m,
                                                bool masked) {
    best b = best_first(v_load_if(x, m, masked));
    for (int64_t t = 1; t < steps; t++)
        b = best_next(b, v_load_if(x + t * C, m, masked), vi_set1((int32_t)t));
    return b;
}

/* U vectors of a window: first as if there were no NaN. The sum of its steps is one if there was. */
POOL_INLINE void max_group(cut k, const float *x, const int64_t steps, float *y, void *winner,
                           int64_t at, const int U, const bool masked, const bool wide) {
    const float *x0 = x;
    best p = best_first(v_load_if(x, k.m, masked)), q = U > 1 ? best_first(v_load(x + VL)) : p;
    vf sum_p = p.value, sum_q = q.value;
    for (int64_t t = 1; t < steps; t++) {
        vi now = vi_set1((int32_t)t);
        x += k.C;
        vf v = v_load_if(x, k.m, masked);
        p = best_next_number(p, v, now);
        sum_p = v_add(sum_p, v);
        if (U > 1) v = v_load(x + VL);
        if (U > 1) q = best_next_number(q, v, now);
        if (U > 1) sum_q = v_add(sum_q, v);
    }
    if (__builtin_expect(vm_bits(v_isnan(U > 1 ? v_add(sum_p, sum_q) : sum_p)) != 0, 0)) {
        p = max_again(x0, k.C, steps, k.m, masked);
        if (U > 1) q = max_again(x0 + VL, k.C, steps, k.m, false);
    }
    out_store(k, y + at, p.value, masked, k.stream);
    if (U > 1) out_store(k, y + at + VL, q.value, false, k.stream);
    if (!winner) return;
    winner_store(winner, wide, at, k.m, k.odd, masked, p.at);
    if (U > 1) winner_store(winner, wide, at + VL, k.m, 0, false, q.at);
}

POOL_INLINE void max_run(const run *a, const int64_t steps, const bool wide, const bool usual) {
    const cut k = cut_known(a->k, usual);
    const float *x = a->c->x + a->x * k.C;
    float *y = a->c->y;
    void *winner = a->c->winner;
    int64_t at = a->r * k.C, next = a->c->p.S * k.C, count = a->count, roomy = fwd_room(a);
    for (int64_t n = 0; n < count; n++, at += k.C, x += next) {
        bool room = n < roomy;
        fetch(x, steps * k.C, k.ahead);
#define GROUP(i, U, masked) max_group(k, x + (i), steps, y, winner, at + (i), U, masked, wide)
        EACH_GROUP(k, 2, room, GROUP);
#undef GROUP
    }
}

/* RUN(steps, usual) with the usual numbers of steps known to the compiler. */
#define RUN_KNOWN(a, RUN)                         \
    switch ((a)->steps * 2 + is_usual(&(a)->k)) { \
    case 2 * 2: RUN(2, false); break;             \
    case 2 * 2 + 1: RUN(2, true); break;          \
    case 3 * 2: RUN(3, false); break;             \
    case 3 * 2 + 1: RUN(3, true); break;          \
    case 4 * 2: RUN(4, false); break;             \
    case 4 * 2 + 1: RUN(4, true); break;          \
    case 5 * 2: RUN(5, false); break;             \
    case 5 * 2 + 1: RUN(5, true); break;          \
    default: RUN((a)->steps, false);              \
    }

static void max_run_any(const run *a) {
#define RUN(steps, usual) max_run(a, steps, false, usual)
    if (a->c->p.P > 256)
        max_run(a, a->steps, true, false);
    else
        RUN_KNOWN(a, RUN)
#undef RUN
}

/* U vectors of a window. */
POOL_INLINE void mean_group(cut k, const float *x, const int64_t steps, float *y, const int U,
                            const bool masked) {
    vf s0 = v_zero(), s1 = s0, s2 = s0, s3 = s0, count = v_set1((float)steps);
    for (int64_t t = 0; t < steps; t++, x += k.C) {
        s0 = v_add(s0, v_load_if(x, k.m, masked));
        if (U > 1) s1 = v_add(s1, v_load(x + VL));
        if (U > 2) s2 = v_add(s2, v_load(x + 2 * VL));
        if (U > 2) s3 = v_add(s3, v_load(x + 3 * VL));
    }
    out_store(k, y, v_div(s0, count), masked, k.stream);
    if (U > 1) out_store(k, y + VL, v_div(s1, count), false, k.stream);
    if (U > 2) out_store(k, y + 2 * VL, v_div(s2, count), false, k.stream);
    if (U > 2) out_store(k, y + 3 * VL, v_div(s3, count), false, k.stream);
}

POOL_INLINE void mean_run(const run *a, const int64_t steps, const bool usual) {
    const cut k = cut_known(a->k, usual);
    const float *x = a->c->x + a->x * k.C;
    float *y = a->c->y + a->r * k.C;
    int64_t next = a->c->p.S * k.C, count = a->count, roomy = fwd_room(a);
    for (int64_t n = 0; n < count; n++, y += k.C, x += next) {
        bool room = n < roomy;
        fetch(x, steps * k.C, k.ahead);
#define GROUP(i, U, masked) mean_group(k, x + (i), steps, y + (i), U, masked)
        EACH_GROUP(k, 4, room, GROUP);
#undef GROUP
    }
}

static void mean_run_any(const run *a){
#define RUN(steps, usual) mean_run(a, steps, usual)
    RUN_KNOWN(a, RUN)
#undef RUN
}

/* Rows r0 <= r < r1 of y in runs of windows that lie within x, and windows that do not, alone. */
POOL_INLINE void fwd(const weir_pool_call *c, int64_t r0, int64_t r1, void run_any(const run *)) {
    run a = {.c = c, .k = cut_of(c, c->y), .rows = r1};
    int64_t last = last_whole(c);
    for (a.r = r0; a.r < r1; a.r += a.count) {
        int64_t n = a.r / c->T_out, w = a.r % c->T_out;
        span s = steps_of(c, w);
        a.x = n * c->p.T + s.t0;
        a.steps = s.t1 - s.t0;
        a.count = a.steps == c->p.P ? min(r1 - a.r, last - w + 1) : 1;
        run_any(&a);
    }
    if (a.k.stream) v_stream_end();
}

void WEIR_KERNEL(pool_max_fwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    fwd(c, r0, r1, max_run_any);
}

void WEIR_KERNEL(pool_avg_fwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    fwd(c, r0, r1, mean_run_any);
}

/* ---- backward ---- */

/* What a step has of dy: all if it won, as winners of one or of four bytes say; or dy / count. */
typedef enum share { WON, WON_WIDE, MEAN } share;

/* Rows of dx that are steps of window w, `first` its first one, from step t of sample n on; then the
 * same of the `windows` - 1 windows that follow it. */
typedef struct piece {
    const weir_pool_call *c;
    cut k;
    int64_t n, w, t, rows, first, windows;
    int64_t steps; /* of each window */
    int64_t limit; /* rows of dx that this call may write end here */
} piece;

/* 0 + share where the sum begins: that makes +0 of -0, and of a denormal. */
POOL_INLINE vf share_load(cut k, const float *dy, vf count, const bool masked, const share what,
                          const bool add) {
    vf a = v_load_if(dy, k.m, masked);
    if (what == MEAN) a = v_div(a, count);
    return add ? a : v_add(v_zero(), a);
}

/* Shares are added to what other windows gave, or begin the sum. */
POOL_INLINE void share_store(cut k, float *dx, vf dy, vi winner, vi now, const bool masked,
                             const share what, const bool add, const bool stream) {
    vf a = what == MEAN ? dy : share_of(dy, winner, now);
    if (add) a = v_add(v_load_if(dx, k.m, masked), a);
    out_store(k, dx, a, masked, stream);
}

/* U vectors of the rows of a window. at: of dy and winner. */
POOL_INLINE void share_group(const piece *a, cut k, int64_t at, float *dx, const int U,
                             const bool masked, const share what, const bool add,
                             const bool stream) {
    const float *dy = a->c->dy + at;
    const void *winner = a->c->winner_in;
    vf count = v_set1((float)a->steps);
    vf d0 = share_load(k, dy, count, masked, what, add), d1 = d0, d2 = d0, d3 = d0;
    vi w0 = vi_set1(0), w1 = w0, w2 = w0, w3 = w0, now = vi_set1((int32_t)a->first);
    if (what != MEAN) w0 = winner_load(winner, what == WON_WIDE, at, k.m, k.odd, masked);
#define LOAD(j, vector)                                                                    \
    do {                                                                                   \
        d##j = share_load(k, dy + (vector)*VL, count, false, what, add);                   \
        if (what != MEAN)                                                                  \
            w##j = winner_load(winner, what == WON_WIDE, at + (vector)*VL, k.m, 0, false); \
    } while (0)
    if (U > 1) LOAD(1, 1);
    if (U > 2) LOAD(2, 2);
    if (U > 2) LOAD(3, 3);
#undef LOAD
    int64_t rows = a->rows;
    for (int64_t t = 0; t < rows; t++, dx += k.C, now = vi_add(now, vi_set1(1))) {
        share_store(k, dx, d0, w0, now, masked, what, add, stream);
        if (U > 1) share_store(k, dx + VL, d1, w1, now, false, what, add, stream);
        if (U > 2) share_store(k, dx + 2 * VL, d2, w2, now, false, what, add, stream);
        if (U > 2) share_store(k, dx + 3 * VL, d3, w3, now, false, what, add, stream);
    }
}

/* Rows that no window covers. */
static void zero_rows(cut k, float *dx, int64_t rows) {
    int64_t count = rows * k.C, i = 0;
    for (; i + VL <= count; i += VL) out_store(k, dx + i, v_zero(), false, k.stream);
    v_store_m(dx + i, v_tail(count - i), v_zero());
}

static int64_t bwd_room(const piece *a) {
    const weir_pool_call *c = a->c;
    return min(with_room(&a->k, a->n * c->p.T + a->t + a->rows - 1, c->p.S, a->limit),
               with_room(&a->k, a->n * c->T_out + a->w, 1, c->p.N * c->T_out));
}

/* The vectors of the odd channels may not touch rows that have a share already. */
POOL_INLINE void share_rows(const piece *a, cut k, const share what, const bool add,
                            const bool stream) {
    const weir_pool *p = &a->c->p;
    float *dx = a->c->dx + (a->n * p->T + a->t) * k.C;
    int64_t at = (a->n * a->c->T_out + a->w) * k.C, S = p->S, rows = a->rows, n = a->windows;
    int64_t roomy = add ? 0 : bwd_room(a);
    for (int64_t j = 0; j < n; j++, at += k.C, dx += S * k.C) {
        bool room = j < roomy;
        if (!add && !stream) fetch(dx, rows * k.C, k.ahead);
#define GROUP(i, U, masked) share_group(a, k, at + (i), dx + (i), U, masked, what, add, stream)
        EACH_GROUP(k, 4, room, GROUP);
#undef GROUP
        if (j + 1 == n) break; /* S may be huge */
        if (S > rows) zero_rows(k, dx + rows * k.C, S - rows);
    }
}

POOL_INLINE void new_rows(const piece *a, const share what) {
    if (is_usual(&a->k))
        share_rows(a, cut_known(a->k, true), what, false, false);
    else if (a->k.stream)
        share_rows(a, a->k, what, false, true);
    else
        share_rows(a, a->k, what, false, false);
}

static void won_rows(const piece *a, bool add) {
    bool wide = a->c->p.P > 256;
    if (wide && add)
        share_rows(a, a->k, WON_WIDE, true, false);
    else if (wide)
        share_rows(a, a->k, WON_WIDE, false, false);
    else if (add)
        share_rows(a, a->k, WON, true, false);
    else
        new_rows(a, WON);
}

static void mean_rows(const piece *a, bool add) {
    if (add)
        share_rows(a, a->k, MEAN, true, false);
    else
        new_rows(a, MEAN);
}

typedef void rows_fn(const piece *a, bool add);

/* Rows up to `done` have a share of an earlier window, the others have not. */
POOL_INLINE void window_rows(piece *a, span s, int64_t t0, int64_t t1, int64_t done,
                             rows_fn *some_rows) {
    a->windows = 1;
    a->steps = s.t1 - s.t0;
    a->t = max(s.t0, t0);
    a->first = a->t - s.t0;
    a->rows = min(s.t1, done) - a->t;
    if (a->rows > 0) some_rows(a, true);
    a->t = max(a->t, done);
    a->first = a->t - s.t0;
    a->rows = min(s.t1, t1) - a->t;
    if (a->rows > 0) some_rows(a, false);
}

/* Windows from a->w on that do not overlap and lie within x and t0 <= t < t1, at once. Returns the
 * step behind them. */
POOL_INLINE int64_t windows_rows(piece *a, int64_t count, rows_fn *some_rows) {
    const weir_pool *p = &a->c->p;
    a->windows = count;
    a->steps = a->rows = p->P;
    a->t = a->w * p->S - a->c->P_l;
    a->first = 0;
    some_rows(a, false);
    a->w += count - 1;
    return a->t + (count - 1) * p->S + p->P;
}

/* Steps t0 <= t < t1 of dx of sample a->n, window by window. */
POOL_INLINE void bwd_steps(piece *a, int64_t t0, int64_t t1, int64_t last, rows_fn *some_rows) {
    const weir_pool_call *c = a->c;
    int64_t done = t0, first = t0 + c->P_l - c->p.P + 1; /* windows from step `first` on reach t0 */
    for (a->w = first > 0 ? (first - 1) / c->p.S + 1 : 0; a->w < c->T_out; a->w++) {
        span s = steps_of(c, a->w);
        if (s.t0 >= t1) break;
        float *dx = c->dx + (a->n * c->p.T + done) * a->k.C;
        if (s.t0 > done) zero_rows(a->k, dx, s.t0 - done);
        done = max(done, s.t0);
        int64_t whole = 0;
        if (c->p.S >= c->p.P && s.t0 >= t0 && a->w <= last && t1 - s.t0 >= c->p.P)
            whole = min(last - a->w, (t1 - s.t0 - c->p.P) / c->p.S) + 1;
        if (whole > 0 && s.t1 - s.t0 == c->p.P) {
            done = windows_rows(a, whole, some_rows);
        } else {
            window_rows(a, s, t0, t1, done, some_rows);
            done = max(done, min(s.t1, t1));
        }
    }
    if (done < t1) zero_rows(a->k, c->dx + (a->n * c->p.T + done) * a->k.C, t1 - done);
}

POOL_INLINE void bwd(const weir_pool_call *c, int64_t r0, int64_t r1, rows_fn *some_rows) {
    piece a = {.c = c, .k = cut_of(c, c->dx), .limit = r1};
    if (c->p.S < c->p.P) a.k.stream = false; /* what is stored is read again */
    int64_t last = last_whole(c);
    for (int64_t r = r0; r < r1;) {
        a.n = r / c->p.T;
        int64_t t = r % c->p.T, end = min(c->p.T, t + r1 - r);
        bwd_steps(&a, t, end, last, some_rows);
        r += end - t;
    }
    if (a.k.stream) v_stream_end();
}

void WEIR_KERNEL(pool_max_bwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    bwd(c, r0, r1, won_rows);
}

void WEIR_KERNEL(pool_avg_bwd)(const weir_pool_call *c, int64_t r0, int64_t r1) {
    bwd(c, r0, r1, mean_rows);
}

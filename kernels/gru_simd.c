/*
 * GRU on vectors. SPDX-License-Identifier: Apache-2.0
 *
 * A block of samples walks through time together; its state stays in the first cache, and there is
 * no barrier inside a sequence. Arithmetic, in this order and with one rounding per operation:
 *
 * Forward (masked operands first: xm = x mask, hm = h mask; without masks x and h themselves)
 *   a_z, a_r   bias (reset after: b0 + b1), + xm[i] w[i] for i ascending, + hm[j] u[j] for j
 *              ascending, each an fma
 *   z, r       rec(a_z), rec(a_r)
 *   before     a_c = bias, + xm[i] w[i], + (r hm)[j] u[j], each an fma
 *   after      q = b1, + hm[j] u[j];  a = b0, + xm[i] w[i];  a_c = fma(r, q, a)
 *   c          act(a_c)
 *   h'         fma(z, h, c - z c), the difference an fma
 *
 * Backward, from the last step; dh starts at 0 and each step adds dy first
 *   dz         (dh (h - c)) rec'(z)
 *   dc         (dh - z dh) act'(c), the difference an fma
 *   dh         dh z
 *   before     g = (sum over k of dc[k] u[k]) mask;  dr = (g h) rec'(r);  dh = fma(g, r, dh)
 *   after      dr = (dc q) rec'(r);  dq = dc r
 *   dh         fma(mask, s, dh) (no mask: dh + s) with s one chain over the units of z, then of r,
 *              then (after) of q; with one mask per gate a chain and an fma for each gate
 *   dx         s mask, s one chain over the units of z, r, c; with one mask per gate s_z mask_z,
 *              then fma(s_r, mask_r, .), fma(s_c, mask_c, .)
 *
 * Weights: dw, du, db are chains of fma over n, then s, both ascending, from 0: dw adds xm d; du
 * adds hm d (candidate, before: (r hm) dc; after: hm dq); db adds d.
 */
#include <stdbool.h>
#include <stddef.h>

#include "kernels/gru.h"
#include "kernels/gru_tile.h"
#include "kernels/vmath.h"

/* Vector k VL of a row of n floats: nothing beyond the row is touched, other lanes load as 0. */
static inline vf load_below(const float *p, int64_t k, int64_t n) {
    return k + VL <= n ? v_load(p + k) : v_load_m(p + k, v_tail(n - k));
}
static inline void store_below(float *p, int64_t k, int64_t n, vf a) {
    if (k + VL <= n)
        v_store(p + k, a);
    else
        v_store_m(p + k, v_tail(n - k), a);
}

/* The reserve has one stream for each sample of a block, more than the hardware follows. */
static inline void prefetch(const float *p, int64_t n) {
    for (int64_t k = 0; k < n; k += GRU_PANEL) __builtin_prefetch(p + k);
}

/* Rows of a matrix; `stride` may be 0 (every row the same). */
typedef struct rows {
    const float *p;
    int64_t stride;
} rows;

/* A block of samples on its way through time. */
typedef struct block {
    const weir_gru_call *c;
    int64_t n0, m; /* samples n0 .. n0 + m - 1 */
    int64_t H, C;  /* padded */
    int64_t masks; /* gates that are told apart: 1 or 3 */
    float *next;   /* of the scratch not yet in use */
} block;

static block block_begin(const weir_gru_call *c, int64_t n0, int64_t n1) {
    bool masked = c->t.mask_x || c->t.mask_h;
    return (block){.c = c,
                   .n0 = n0,
                   .m = n1 - n0 < GRU_ROWS ? n1 - n0 : GRU_ROWS,
                   .H = gru_padded(c->p.H),
                   .C = gru_padded(c->p.C_in),
                   .masks = masked ? c->p.mask_gates : 1,
                   .next = c->scratch};
}

static float *take(block *b, int64_t floats) {
    float *part = b->next;
    b->next += floats;
    return part;
}

/* Index of the row of x and dx that step s of sample n reads and writes. */
static int64_t x_row(const weir_gru *p, int64_t n, int64_t s) {
    return (n * p->T + (p->go_backwards ? p->T - 1 - s : s)) * p->C_in;
}

static rows mask_rows(const block *b, const float *mask, int64_t width, int64_t gate) {
    int64_t gates = b->c->p.mask_gates;
    return (rows){mask + (b->n0 * gates + (gates == 3 ? gate : 0)) * width, gates * width};
}

/* out[r][..] = a mask, rows of n floats; out has the stride n padded. */
static void multiply_rows(int64_t m, int64_t n, rows a, rows mask, float *out) {
    for (int64_t r = 0; r < m; r++, out += gru_padded(n)) {
        const float *from = a.p + r * a.stride, *by = mask.p + r * mask.stride;
        for (int64_t k = 0; k < n; k += VL)
            v_store(out + k, v_mul(load_below(from, k, n), load_below(by, k, n)));
    }
}

/* ---- forward ---- */

typedef struct forward {
    block b;
    float *h, *rh;         /* [m][H] state, r times masked state (reset before) */
    float *a;              /* [m][4][H] before the activation, then z, r, c, q */
    float *bias;           /* [4][H] of z, r, c, q */
    float *mx[3], *mh[3];  /* masked x and h of each gate told apart */
    rows x_of[3], h_of[3]; /* what each gate multiplies with W and U */
} forward;

static void forward_bias(forward *f) {
    const weir_gru_call *c = f->b.c;
    int64_t H = c->p.H, H_p = f->b.H;
    const float *b0 = c->t.b, *b1 = c->t.b && c->p.reset_after ? c->t.b + 3 * H : NULL;
    for (int64_t k = 0; k < H_p; k++) {
        bool in = b0 && k < H;
        f->bias[k] = in ? b0[k] + (b1 ? b1[k] : 0.0f) : 0.0f;
        f->bias[H_p + k] = in ? b0[H + k] + (b1 ? b1[H + k] : 0.0f) : 0.0f;
        f->bias[2 * H_p + k] = in ? b0[2 * H + k] : 0.0f;
        f->bias[3 * H_p + k] = in && b1 ? b1[2 * H + k] : 0.0f;
    }
}

static void forward_begin(forward *f, const weir_gru_call *c, int64_t n0, int64_t n1) {
    f->b = block_begin(c, n0, n1);
    block *b = &f->b;
    f->h = take(b, b->m * b->H);
    f->rh = take(b, b->m * b->H);
    f->a = take(b, b->m * 4 * b->H);
    f->bias = take(b, 4 * b->H);
    for (int g = 0; g < 3; g++) {
        bool own = g < b->masks;
        f->mx[g] = own && c->t.mask_x ? take(b, b->m * b->C) : f->mx[0];
        f->mh[g] = own && c->t.mask_h ? take(b, b->m * b->H) : f->mh[0];
        f->h_of[g] = (rows){c->t.mask_h ? f->mh[g] : f->h, b->H};
        f->x_of[g] = (rows){f->mx[g], b->C}; /* without mask: set at each step */
    }
    forward_bias(f);
    for (int64_t r = 0; r < b->m; r++) {
        for (int64_t k = 0; k < b->H; k += VL) {
            vf h = c->t.h0 ? load_below(c->t.h0 + (n0 + r) * c->p.H, k, c->p.H) : v_zero();
            v_store(f->h + r * b->H + k, h);
            if (c->reserve) v_store(c->reserve + gru_state_at(&c->p, n0 + r, 0) + k, h);
        }
    }
}

/* What step s multiplies with W and U. */
static void forward_operands(forward *f, int64_t s) {
    const block *b = &f->b;
    const weir_gru_call *c = b->c;
    rows x = {c->t.x + x_row(&c->p, b->n0, s), c->p.T * c->p.C_in}, h = {f->h, b->H};
    for (int g = 0; g < b->masks; g++) {
        if (c->t.mask_x)
            multiply_rows(b->m, c->p.C_in, x, mask_rows(b, c->t.mask_x, c->p.C_in, g), f->mx[g]);
        if (c->t.mask_h)
            multiply_rows(b->m, c->p.H, h, mask_rows(b, c->t.mask_h, c->p.H, g), f->mh[g]);
    }
    for (int g = 0; !c->t.mask_x && g < 3; g++) f->x_of[g] = x;
}

static factor x_factor(const forward *f, int64_t gate) {
    const weir_gru_call *c = f->b.c;
    return (factor){f->x_of[gate].p, f->x_of[gate].stride, c->w_packed + gate * f->b.H * c->p.C_in,
                    c->p.C_in};
}

static factor h_factor(const forward *f, rows h, int64_t gate) {
    const weir_gru_call *c = f->b.c;
    return (factor){h.p, h.stride, c->u_packed + gate * f->b.H * c->p.H, c->p.H};
}

/* Products of `gates` gates from `gate` on, into part `part` of a. */
static void forward_product(const forward *f, const factor *factors, int count, int64_t part,
                            int64_t gates) {
    int64_t H = f->b.H;
    product(f->b.m, gates * H / VL, factors, count, f->bias + part * H, f->a + part * H, 4 * H);
}

static void forward_gates(const forward *f) {
    const block *b = &f->b;
    for (int64_t gate = 0; gate < (b->masks == 3 ? 2 : 1); gate++) {
        factor zr[2] = {x_factor(f, gate), h_factor(f, f->h_of[gate], gate)};
        forward_product(f, zr, 2, gate, b->masks == 3 ? 1 : 2);
    }
    if (b->c->p.reset_after) {
        factor x = x_factor(f, 2), h = h_factor(f, f->h_of[2], 2);
        forward_product(f, &x, 1, 2, 1);
        forward_product(f, &h, 1, 3, 1);
    }
    weir_activation recurrent = b->c->p.recurrent;
    for (int64_t r = 0; r < b->m; r++) {
        float *a = f->a + r * 4 * b->H, *rh = f->rh + r * b->H;
        const float *h = f->h_of[2].p + r * b->H;
        for (int64_t k = 0; k < b->H; k += VL) {
            vf reset = v_activate(recurrent, v_load(a + b->H + k));
            v_store(a + k, v_activate(recurrent, v_load(a + k)));
            v_store(a + b->H + k, reset);
            v_store(rh + k, v_mul(reset, v_load(h + k)));
        }
    }
}

/* Candidate and new state of one row; gates and state: its rows of the reserve, or NULL. */
static void forward_row(const forward *f, int64_t r, float *gates, float *state) {
    const weir_gru *p = &f->b.c->p;
    int64_t H = f->b.H;
    const float *a = f->a + r * 4 * H;
    float *h = f->h + r * H;
    for (int64_t k = 0; k < H; k += VL) {
        vf z = v_load(a + k), reset = v_load(a + H + k), c = v_load(a + 2 * H + k);
        if (p->reset_after) c = v_fma(reset, v_load(a + 3 * H + k), c);
        c = v_activate(p->activation, c);
        vf state_new = v_fma(z, v_load(h + k), v_fnma(z, c, c));
        v_store(h + k, state_new);
        if (!gates) continue;
        v_store(gates + k, z);
        v_store(gates + H + k, reset);
        v_store(gates + 2 * H + k, c);
        if (p->reset_after) v_store(gates + 3 * H + k, v_load(a + 3 * H + k));
        v_store(state + k, state_new);
    }
}

static void forward_step(forward *f, int64_t s) {
    const block *b = &f->b;
    const weir_gru_call *c = b->c;
    forward_operands(f, s);
    forward_gates(f);
    if (!c->p.reset_after) {
        factor candidate[2] = {x_factor(f, 2), h_factor(f, (rows){f->rh, b->H}, 2)};
        forward_product(f, candidate, 2, 2, 1);
    }
    for (int64_t r = 0; r < b->m; r++) {
        int64_t n = b->n0 + r, H = c->p.H, parts = gru_parts(&c->p);
        float *gates = c->reserve ? c->reserve + gru_gates_at(&c->p, n, s) : NULL;
        float *state = c->reserve ? c->reserve + gru_state_at(&c->p, n, s + 1) : NULL;
        if (gates && s + 1 < c->p.T) {
            prefetch(gates + parts * b->H, parts * b->H);
            prefetch(state + b->H, b->H);
        }
        forward_row(f, r, gates, state);
        if (!c->p.return_sequences && s < c->p.T - 1) continue;
        float *y = c->y + (c->p.return_sequences ? n * c->p.T + s : n) * H;
        for (int64_t k = 0; k < H; k += VL) store_below(y, k, H, v_load(f->h + r * b->H + k));
    }
}

void WEIR_KERNEL(gru_fwd)(const weir_gru_call *c, int64_t n0, int64_t n1) {
    for (int64_t n = n0; n < n1; n += GRU_ROWS) {
        forward f = {.mx = {NULL}, .mh = {NULL}};
        forward_begin(&f, c, n, n1);
        for (int64_t s = 0; s < c->p.T; s++) forward_step(&f, s);
    }
}

/* ---- backward data ---- */

typedef struct backward {
    block b;
    float *dh;  /* [m][H] */
    float *d;   /* [m][4][H] dz, dr, dc, dq */
    float *sum; /* [GRU_ROWS][H or C] a product with U or W transposed */
} backward;

/* First part of a step for one row: dz, dc, (reset after) dr, dq, and dh z. */
static void backward_row(const backward *w, int64_t r, int64_t s) {
    const weir_gru_call *c = w->b.c;
    const weir_gru *p = &c->p;
    int64_t n = w->b.n0 + r, H = w->b.H;
    const float *gates = c->reserve_in + gru_gates_at(p, n, s);
    const float *state = c->reserve_in + gru_state_at(p, n, s);
    const float *dy = p->return_sequences || s == p->T - 1
                          ? c->dy + (p->return_sequences ? n * p->T + s : n) * p->H
                          : NULL;
    float *d = w->d + r * 4 * H, *carry = w->dh + r * H;
    float *out = c->dgates + gru_dgates_at(p, n, s);
    if (s >= 2) {
        prefetch(gates - 2 * gru_parts(p) * H, gru_parts(p) * H);
        prefetch(state - 2 * H, H);
    }
    for (int64_t k = 0; k < H; k += VL) {
        vf dh = v_load(carry + k);
        if (dy) dh = v_add(dh, load_below(dy, k, p->H));
        vf z = v_load(gates + k), cand = v_load(gates + 2 * H + k);
        vf dz = v_mul(v_mul(dh, v_sub(v_load(state + k), cand)), v_activate_grad(p->recurrent, z));
        vf dc = v_mul(v_fnma(z, dh, dh), v_activate_grad(p->activation, cand));
        v_store(d + k, dz);
        v_store(out + k, dz);
        v_store(d + 2 * H + k, dc);
        v_store(out + 2 * H + k, dc);
        v_store(carry + k, v_mul(dh, z));
        if (!p->reset_after) continue;
        vf reset = v_load(gates + H + k), q = v_load(gates + 3 * H + k);
        vf dr = v_mul(v_mul(dc, q), v_activate_grad(p->recurrent, reset)), dq = v_mul(dc, reset);
        v_store(d + H + k, dr);
        v_store(out + H + k, dr);
        v_store(d + 3 * H + k, dq);
        v_store(out + 3 * H + k, dq);
    }
}

static factor d_factor(const backward *w, int64_t part, const float *packed) {
    return (factor){w->d + part * w->b.H, 4 * w->b.H, packed, w->b.c->p.H};
}

static factor u_t_factor(const backward *w, int64_t part) {
    const weir_gru_call *c = w->b.c;
    int64_t gate = part == 3 ? 2 : part;
    return d_factor(w, part, c->u_t_packed + gate * w->b.H * c->p.H);
}

/* Reset before: dr, and what reaches the state through r h. */
static void backward_reset(const backward *w, int64_t s) {
    const block *b = &w->b;
    const weir_gru_call *c = b->c;
    factor f = u_t_factor(w, 2);
    product(b->m, b->H / VL, &f, 1, NULL, w->sum, b->H);
    rows mask = {NULL, 0};
    if (c->t.mask_h) mask = mask_rows(b, c->t.mask_h, c->p.H, 2);
    for (int64_t r = 0; r < b->m; r++) {
        const float *reset = c->reserve_in + gru_gates_at(&c->p, b->n0 + r, s) + b->H;
        const float *state = c->reserve_in + gru_state_at(&c->p, b->n0 + r, s);
        float *d = w->d + (r * 4 + 1) * b->H, *dh = w->dh + r * b->H;
        float *out = c->dgates + gru_dgates_at(&c->p, b->n0 + r, s) + b->H;
        for (int64_t k = 0; k < b->H; k += VL) {
            vf g = v_load(w->sum + r * b->H + k), gate = v_load(reset + k);
            if (mask.p) g = v_mul(g, load_below(mask.p + r * mask.stride, k, c->p.H));
            vf dr = v_mul(v_mul(g, v_load(state + k)), v_activate_grad(c->p.recurrent, gate));
            v_store(d + k, dr);
            v_store(out + k, dr);
            v_store(dh + k, v_fma(g, gate, v_load(dh + k)));
        }
    }
}

/* dh += mask (the sum over `count` parts of d from `part` on, times U transposed). */
static void backward_state(const backward *w, const factor *f, int count, int64_t gate) {
    const block *b = &w->b;
    const weir_gru_call *c = b->c;
    product(b->m, b->H / VL, f, count, NULL, w->sum, b->H);
    rows mask = {NULL, 0};
    if (c->t.mask_h) mask = mask_rows(b, c->t.mask_h, c->p.H, gate);
    for (int64_t r = 0; r < b->m; r++) {
        float *dh = w->dh + r * b->H;
        const float *sum = w->sum + r * b->H;
        for (int64_t k = 0; k < b->H; k += VL) {
            vf a = v_load(dh + k), g = v_load(sum + k);
            a = mask.p ? v_fma(load_below(mask.p + r * mask.stride, k, c->p.H), g, a) : v_add(a, g);
            v_store(dh + k, a);
        }
    }
}

static void backward_states(const backward *w) {
    bool after = w->b.c->p.reset_after;
    factor f[FACTORS] = {u_t_factor(w, 0), u_t_factor(w, 1), u_t_factor(w, 3)};
    int count = after ? 3 : 2;
    if (w->b.masks == 1) {
        backward_state(w, f, count, 0);
        return;
    }
    for (int gate = 0; gate < count; gate++) backward_state(w, f + gate, 1, gate);
}

/* One row of dx: = (gate 0) or += mask times sum. */
static void x_write(const backward *w, const float *sum, rows mask, int64_t gate, float *dx) {
    int64_t n = w->b.c->p.C_in;
    for (int64_t k = 0; k < n; k += VL) {
        vf g = v_load(sum + k);
        if (mask.p) {
            vf by = load_below(mask.p, k, n);
            g = gate ? v_fma(g, by, load_below(dx, k, n)) : v_mul(g, by);
        } else if (gate) {
            g = v_add(g, load_below(dx, k, n));
        }
        store_below(dx, k, n, g);
    }
}

/* dx of the steps from s on, at most GRU_ROWS, of row r of the block: steps are the rows of the
 * product, as no step needs the one before. */
static void backward_x(const backward *w, int64_t r, int64_t s) {
    const block *b = &w->b;
    const weir_gru_call *c = b->c;
    int64_t n = b->n0 + r, steps = c->p.T - s < GRU_ROWS ? c->p.T - s : GRU_ROWS;
    const float *d = c->dgates + gru_dgates_at(&c->p, n, s);
    factor f[FACTORS];
    for (int64_t gate = 0; gate < 3; gate++)
        f[gate] = (factor){d + gate * b->H, gru_parts(&c->p) * b->H,
                           c->w_t_packed + gate * b->C * c->p.H, c->p.H};
    for (int64_t gate = 0; gate < b->masks; gate++) {
        product(steps, b->C / VL, f + gate, b->masks == 1 ? 3 : 1, NULL, w->sum, b->C);
        rows mask = {NULL, 0};
        if (c->t.mask_x) mask = mask_rows(b, c->t.mask_x, c->p.C_in, gate);
        if (mask.p) mask.p += r * mask.stride;
        for (int64_t i = 0; i < steps; i++)
            x_write(w, w->sum + i * b->C, mask, gate, c->dx + x_row(&c->p, n, s + i));
    }
}

static void backward_step(const backward *w, int64_t s) {
    const block *b = &w->b;
    const weir_gru_call *c = b->c;
    for (int64_t r = 0; r < b->m; r++) backward_row(w, r, s);
    if (!c->p.reset_after) backward_reset(w, s);
    backward_states(w);
}

void WEIR_KERNEL(gru_bwd_data)(const weir_gru_call *c, int64_t n0, int64_t n1) {
    for (int64_t n = n0; n < n1; n += GRU_ROWS) {
        backward w = {.b = block_begin(c, n, n1)};
        block *b = &w.b;
        w.dh = take(b, b->m * b->H);
        w.d = take(b, b->m * 4 * b->H);
        w.sum = take(b, GRU_ROWS * (b->H > b->C ? b->H : b->C));
        for (int64_t k = 0; k < b->m * b->H; k += VL) v_store(w.dh + k, v_zero());
        for (int64_t s = c->p.T - 1; s >= 0; s--) backward_step(&w, s);
        for (int64_t r = 0; c->dx && r < b->m; r++)
            for (int64_t s = 0; s < c->p.T; s += GRU_ROWS) backward_x(&w, r, s);
        for (int64_t r = 0; c->dh0 && r < b->m; r++)
            for (int64_t k = 0; k < c->p.H; k += VL)
                store_below(c->dh0 + (n + r) * c->p.H, k, c->p.H, v_load(w.dh + r * b->H + k));
    }
}

/* ---- backward weights ---- */

/* Sums a[step][i] d[step][column] into to[i][gate, column]: `gates` gates from `gate` on, whose d
 * starts at s->d. */
static void outer(const weir_gru *p, const strip *s, int64_t a_rows, int64_t gate, int64_t gates,
                  float *to) {
    int64_t H_p = gru_padded(p->H), vectors = gates * H_p / VL, stride = 3 * p->H;
    const tile_shape *shape;
    for (int64_t r0 = 0, r1; r0 < a_rows; r0 = r1) {
        int64_t step = tile_fit(tile_shapes, a_rows - r0, vectors)->rows;
        r1 = r0 + (a_rows - r0) / step * step;
        for (int64_t v = 0; v < vectors; v += shape->vectors) {
            shape = tile_fit(tile_shapes, step, vectors - v);
            target at[TILE_VECTORS];
            for (int64_t i = 0; i < shape->vectors; i++) {
                int64_t g = (v + i) * VL / H_p, k = (v + i) * VL % H_p;
                at[i] = (target){to + (gate + g) * p->H + k + r0 * stride, v_tail(p->H - k)};
            }
            for (int64_t r = r0; r < r1; r += step) {
                strip tile = {s->a + r, s->d + v * VL, s->a_stride, s->d_stride, s->steps};
                shape->outer(&tile, at, stride);
                for (int64_t i = 0; i < shape->vectors; i++) at[i].p += step * stride;
            }
        }
    }
}

/* The steps s0 .. s0 + steps - 1 of sample n. */
typedef struct chunk {
    const weir_gru_call *c;
    int64_t n, s0, steps;
    const float *d; /* dgates of the first step */
    float *scratch; /* [steps][H or C padded] */
} chunk;

/* a (by reset, if given) times mask into the scratch; without both a itself. */
static rows chunk_rows(const chunk *k, rows a, int64_t width, const float *mask, rows reset) {
    if (!mask && !reset.p) return a;
    int64_t stride = gru_padded(width);
    for (int64_t s = 0; s < k->steps; s++) {
        for (int64_t i = 0; i < width; i += VL) {
            vf v = load_below(a.p + s * a.stride, i, width);
            if (mask) v = v_mul(v, load_below(mask, i, width));
            if (reset.p) v = v_mul(load_below(reset.p + s * reset.stride, i, width), v);
            v_store(k->scratch + s * stride + i, v);
        }
    }
    return (rows){k->scratch, stride};
}

static void chunk_outer(const chunk *k, rows a, int64_t width, int64_t part, int64_t gate,
                        int64_t gates, float *to) {
    const weir_gru *p = &k->c->p;
    int64_t H_p = gru_padded(p->H);
    strip s = {a.p, k->d + part * H_p, a.stride, gru_parts(p) * H_p, k->steps};
    outer(p, &s, width, gate, gates, to);
}

static const float *gate_mask(const chunk *k, const float *mask, int64_t width, int64_t gate) {
    int64_t gates = k->c->p.mask_gates;
    return mask ? mask + (k->n * gates + (gates == 3 ? gate : 0)) * width : NULL;
}

static void chunk_dw(const chunk *k, float *dw) {
    const weir_gru_call *c = k->c;
    int64_t width = c->p.C_in, apart = c->t.mask_x && c->p.mask_gates == 3 ? 1 : 3;
    rows x = {c->t.x + x_row(&c->p, k->n, k->s0), c->p.go_backwards ? -width : width};
    for (int64_t gate = 0; gate < 3; gate += apart) {
        rows a = chunk_rows(k, x, width, gate_mask(k, c->t.mask_x, width, gate), (rows){NULL, 0});
        chunk_outer(k, a, width, gate, gate, apart, dw);
    }
}

static void chunk_du(const chunk *k, float *du) {
    const weir_gru_call *c = k->c;
    int64_t width = c->p.H, H_p = gru_padded(width);
    int64_t apart = c->t.mask_h && c->p.mask_gates == 3 ? 1 : 2;
    rows h = {c->reserve_in + gru_state_at(&c->p, k->n, k->s0), H_p}, reset = {NULL, 0};
    for (int64_t gate = 0; gate < 2; gate += apart) {
        rows a = chunk_rows(k, h, width, gate_mask(k, c->t.mask_h, width, gate), reset);
        chunk_outer(k, a, width, gate, gate, apart, du);
    }
    if (!c->p.reset_after)
        reset = (rows){c->reserve_in + gru_gates_at(&c->p, k->n, k->s0) + H_p, 3 * H_p};
    rows a = chunk_rows(k, h, width, gate_mask(k, c->t.mask_h, width, 2), reset);
    chunk_outer(k, a, width, c->p.reset_after ? 3 : 2, 2, 1, du);
}

static void chunk_db(const chunk *k, float *db) {
    static const float one = 1.0f; /* fma(1, d, sum) is sum + d */
    const rows a = {&one, 0};
    chunk_outer(k, a, 1, 0, 0, 3, db);
    if (!k->c->p.reset_after) return;
    chunk_outer(k, a, 1, 0, 3, 2, db);
    chunk_outer(k, a, 1, 3, 5, 1, db);
}

static void zero(float *p, int64_t n) {
    for (int64_t i = 0; i < n; i++) p[i] = 0.0f;
}

void WEIR_KERNEL(gru_bwd_weights)(const weir_gru_call *c, int64_t n0, int64_t n1, float *dw,
                                  float *du, float *db) {
    zero(dw, c->p.C_in * 3 * c->p.H);
    zero(du, c->p.H * 3 * c->p.H);
    if (db) zero(db, (c->p.reset_after ? 6 : 3) * c->p.H);
    for (int64_t n = n0; n < n1; n++) {
        for (int64_t s = 0; s < c->p.T; s += GRU_CHUNK) {
            int64_t left = c->p.T - s;
            chunk k = {.c = c,
                       .n = n,
                       .s0 = s,
                       .steps = left < GRU_CHUNK ? left : GRU_CHUNK,
                       .d = c->dgates_in + gru_dgates_at(&c->p, n, s),
                       .scratch = c->scratch};
            chunk_dw(&k, dw);
            chunk_du(&k, du);
            if (db) chunk_db(&k, db);
        }
    }
}

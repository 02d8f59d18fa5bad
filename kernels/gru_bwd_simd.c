/*
 * GRU backward on vectors. SPDX-License-Identifier: Apache-2.0
 *
 * gru_bwd_data takes a block of samples back through time together; gru_bwd_weights sums over what
 * it left. Arithmetic, in this order and with one rounding per operation; xm = x mask, hm = h mask:
 *
 * Data, from the last step; dh starts at 0 and each step adds dy first
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

#include "kernels/gru_block.h"
#include "kernels/gru_outer.h"
#include "kernels/vmath.h"

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

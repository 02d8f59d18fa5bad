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
 * Where a step is passed over, all gradients of gates and dx are 0 and dh stays dh + dy.
 *
 * Weights: dw, du, db are chains of fma over n, then s, both ascending and without the steps that are
 * passed over, from 0, or from what earlier calls left: dw adds xm d; du adds hm d (candidate,
 * before: (r hm) dc; after: hm dq); db adds d.
 *
 * A call takes some steps of a sequence, those after them having been taken by earlier calls: so
 * both kernels go through a few steps while they are in the second cache, and gru_bwd_weights, which
 * has multiplications enough to hide it, fetches what gru_bwd_data reads next.
 */
#include <stdbool.h>
#include <stddef.h>

#include "kernels/gru_block.h"
#include "kernels/gru_outer.h"
#include "kernels/vmath.h"

static void zero(float *p, int64_t n) {
    for (int64_t i = 0; i < n; i++) p[i] = 0.0f;
}

/* ---- data ---- */

typedef struct backward {
    block b;
    rows gates, state; /* of the reserve, before the step */
    rows dy;           /* or NULL */
    float *d;          /* of dgates at the step */
    int64_t d_stride;
    float *dh;    /* [m][H] of the state, without `sum` */
    float *sum;   /* [3][m][H] products with U transposed that are to be added to dh */
    float *x;     /* [GRU_ROWS][C] products with W transposed */
    rows mask[3]; /* of the sums, if any */
    int sums;     /* to be added: 0 before the first step */
    int64_t s;    /* the step */
} backward;

/* What has reached the state: vector k of row r. */
static inline vf state_gradient(const backward *w, int64_t r, int64_t k) {
    const block *b = &w->b;
    vf dh = v_load(w->dh + r * b->H + k);
    for (int g = 0; g < w->sums; g++) {
        vf sum = v_load(w->sum + (g * b->m + r) * b->H + k);
        if (!w->mask[g].p)
            dh = v_add(dh, sum);
        else
            dh = v_fma(load_below(w->mask[g].p + r * w->mask[g].stride, k, b->c->p.H), sum, dh);
    }
    return dh;
}

/* First part of a step for one row: dz, dc, (reset after) dr, dq, and dh z. The activations are
 * those of the call; plain: one sum without mask, and dy. */
static inline __attribute__((always_inline)) void row_gates(const backward *w, int64_t r,
                                                            const bool plain,
                                                            weir_activation activation,
                                                            weir_activation recurrent) {
    const weir_gru *p = &w->b.c->p;
    int64_t H = w->b.H, used = p->H;
    const float *gates = w->gates.p + r * w->gates.stride;
    const float *state = w->state.p + r * w->state.stride;
    const float *dy = plain || w->dy.p ? w->dy.p + r * w->dy.stride : NULL;
    const float *sum = w->sum + r * H;
    const bool after = p->reset_after;
    float *d = w->d + r * w->d_stride, *carry = w->dh + r * H;
    for (int64_t k = 0; k < H; k += VL) {
        vf dh = plain ? v_add(v_load(carry + k), v_load(sum + k)) : state_gradient(w, r, k);
        if (plain || dy) dh = v_add(dh, load_below(dy, k, used));
        vf z = v_load(gates + k), cand = v_load(gates + 2 * H + k);
        vf dz = v_mul(v_mul(dh, v_sub(v_load(state + k), cand)), v_activate_grad(recurrent, z));
        vf dc = v_mul(v_fnma(z, dh, dh), v_activate_grad(activation, cand));
        v_store(d + k, dz);
        v_store(d + 2 * H + k, dc);
        v_store(carry + k, v_mul(dh, z));
        if (!after) continue;
        vf reset = v_load(gates + H + k), q = v_load(gates + 3 * H + k);
        v_store(d + H + k, v_mul(v_mul(dc, q), v_activate_grad(recurrent, reset)));
        v_store(d + 3 * H + k, v_mul(dc, reset));
    }
}

/* Reset before, for one row: dr, and what reaches the state through r h; w->sum is the product of
 * dc with U transposed. */
static inline __attribute__((always_inline)) void row_reset(const backward *w, int64_t r, rows mask,
                                                            weir_activation recurrent) {
    int64_t H = w->b.H, used = w->b.c->p.H;
    const float *reset = w->gates.p + r * w->gates.stride + H;
    const float *state = w->state.p + r * w->state.stride, *sum = w->sum + r * H;
    float *dr = w->d + r * w->d_stride + H, *dh = w->dh + r * H;
    for (int64_t k = 0; k < H; k += VL) {
        vf g = v_load(sum + k), gate = v_load(reset + k);
        if (mask.p) g = v_mul(g, load_below(mask.p + r * mask.stride, k, used));
        v_store(dr + k, v_mul(v_mul(g, v_load(state + k)), v_activate_grad(recurrent, gate)));
        v_store(dh + k, v_fma(g, gate, v_load(dh + k)));
    }
}

static bool row_passed(const backward *w, int64_t r) {
    return step_passed(&w->b.steps, w->b.n0 + r, w->s);
}

/* The same where the step is passed over. */
static void row_gates_passed(const backward *w, int64_t r) {
    const weir_gru *p = &w->b.c->p;
    const int64_t H = w->b.H;
    float *d = w->d + r * w->d_stride;
    for (int64_t k = 0; k < H; k += VL) {
        vf dh = state_gradient(w, r, k);
        if (w->dy.p && k < p->H) dh = v_add(dh, load_below(w->dy.p + r * w->dy.stride, k, p->H));
        v_store(w->dh + r * H + k, dh);
    }
    for (int64_t k = 0; k < gru_parts(p) * H; k += VL) v_store(d + k, v_zero());
}

/* The usual case gets code of its own, without a branch for each vector. */
static void backward_gates(const backward *w) {
    weir_activation activation = w->b.c->p.activation, recurrent = w->b.c->p.recurrent;
    bool plain = w->sums == 1 && !w->mask[0].p && w->dy.p && !w->b.steps.mask;
    if (plain && activation == WEIR_TANH && recurrent == WEIR_SIGMOID) {
        for (int64_t r = 0; r < w->b.m; r++) row_gates(w, r, true, WEIR_TANH, WEIR_SIGMOID);
        return;
    }
    for (int64_t r = 0; r < w->b.m; r++) {
        if (row_passed(w, r))
            row_gates_passed(w, r);
        else
            row_gates(w, r, false, activation, recurrent);
    }
}

static factor u_t_factor(const backward *w, int64_t part) {
    const weir_gru_call *c = w->b.c;
    int64_t gate = part == 3 ? 2 : part;
    return (factor){w->d + part * w->b.H, w->d_stride, c->u_t_packed + gate * w->b.H * c->p.H,
                    c->p.H};
}

static void backward_reset(const backward *w) {
    const block *b = &w->b;
    factor f = u_t_factor(w, 2);
    product(b->m, b->H / VL, &f, 1, NULL, w->sum, b->H);
    rows mask = {NULL, 0};
    if (b->c->t.mask_h) mask = mask_rows(b, b->c->t.mask_h, b->c->p.H, 2);
    weir_activation recurrent = b->c->p.recurrent;
    if (!mask.p && recurrent == WEIR_SIGMOID && !b->steps.mask) {
        for (int64_t r = 0; r < b->m; r++) row_reset(w, r, (rows){NULL, 0}, WEIR_SIGMOID);
        return;
    }
    for (int64_t r = 0; r < b->m; r++)
        if (!row_passed(w, r)) row_reset(w, r, mask, recurrent);
}

/* What goes through U to the state before the step: one sum, or one for each mask. */
static void backward_states(backward *w) {
    const block *b = &w->b;
    int parts = b->c->p.reset_after ? 3 : 2;
    factor f[FACTORS] = {u_t_factor(w, 0), u_t_factor(w, 1), u_t_factor(w, 3)};
    w->sums = b->masks == 1 ? 1 : parts;
    for (int g = 0; g < w->sums; g++)
        product(b->m, b->H / VL, f + g, parts / w->sums, NULL, w->sum + g * b->m * b->H, b->H);
    for (int64_t r = 0; b->steps.mask && r < b->m; r++)
        for (int64_t g = 0; row_passed(w, r) && g < w->sums; g++)
            zero(w->sum + (g * b->m + r) * b->H, b->H);
}

/* The last step of the call, and from a step to the one before. */
static void step_last(backward *w) {
    const weir_gru_call *c = w->b.c;
    const weir_gru *p = &c->p;
    int64_t n = w->b.n0, s = c->s1 - 1, sample = gru_gates_at(p, 1, 0);
    w->gates = (rows){c->reserve_in + gru_gates_at(p, n, s), sample};
    w->state = (rows){c->reserve_in + gru_state_at(p, n, s), sample};
    w->d = c->dgates + gru_dgates_at(c, n, s);
    w->d_stride = c->d_steps * gru_parts(p) * w->b.H;
    w->dy = (rows){NULL, (p->return_sequences ? p->T : 1) * p->H};
    if (p->return_sequences || c->s1 == p->T)
        w->dy.p = c->dy + n * w->dy.stride + (p->return_sequences ? s * p->H : 0);
}
static void step_before(backward *w) {
    const weir_gru *p = &w->b.c->p;
    int64_t H = w->b.H, row = gru_parts(p) * H;
    w->gates.p -= row;
    w->state.p -= H;
    w->d -= row;
    w->dy.p = p->return_sequences ? w->dy.p - p->H : NULL;
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

/* dx of `count` rows of dgates, the first that of step s of row r of the block: steps are the rows
 * of the product, as no step needs the one before. */
static void x_rows(const backward *w, int64_t r, int64_t s, int64_t count) {
    const block *b = &w->b;
    const weir_gru_call *c = b->c;
    const float *d = c->dgates + gru_dgates_at(c, b->n0 + r, s);
    int64_t H = b->H, n = b->n0 + r, back = c->p.go_backwards ? -c->p.C_in : c->p.C_in;
    factor f[FACTORS];
    for (int64_t gate = 0; gate < 3; gate++)
        f[gate] = (factor){d + gate * H, gru_parts(&c->p) * H, c->w_t_packed + gate * b->C * c->p.H,
                           c->p.H};
    float *to = c->dx + x_row(&c->p, n, s);
    if (b->masks == 1 && !c->t.mask_x && s + count <= c->s1 && b->C == c->p.C_in) {
        product(count, b->C / VL, f, 3, NULL, to, back);
        return;
    }
    for (int64_t gate = 0; gate < b->masks; gate++) {
        product(count, b->C / VL, f + gate, b->masks == 1 ? 3 : 1, NULL, w->x, b->C);
        rows mask = {NULL, 0};
        if (c->t.mask_x) mask = mask_rows(b, c->t.mask_x, c->p.C_in, gate);
        if (mask.p) mask.p += r * mask.stride;
        to = c->dx + x_row(&c->p, n, s);
        for (int64_t i = 0, left = c->s1 - s, row = n; i < count; i++, left--, to += back) {
            if (left == 0) {
                left = c->s1 - c->s0;
                to = c->dx + x_row(&c->p, ++row, c->s0);
                if (mask.p) mask.p += mask.stride;
            }
            x_write(w, w->x + i * b->C, mask, gate, to);
        }
    }
}

static void backward_x(const backward *w) {
    const weir_gru_call *c = w->b.c;
    int64_t steps = c->s1 - c->s0;
    /* Without a gap the rows of the next sample are those that follow. */
    int64_t samples = steps == c->d_steps ? w->b.m : 1, total = samples * steps;
    for (int64_t r = 0; r < w->b.m; r += samples)
        for (int64_t i = 0; i < total; i += GRU_ROWS)
            x_rows(w, r + i / steps, c->s0 + i % steps,
                   total - i < GRU_ROWS ? total - i : GRU_ROWS);
}

/* dx of the steps that are passed over, whatever W holds. */
static void zero_x(const backward *w) {
    const weir_gru_call *c = w->b.c;
    for (int64_t n = w->b.n0; n < w->b.n0 + w->b.m; n++)
        for (int64_t s = c->s0; s < c->s1; s++)
            if (step_passed(&w->b.steps, n, s)) zero(c->dx + x_row(&c->p, n, s), c->p.C_in);
}

static void backward_begin(backward *w, const weir_gru_call *c, int64_t n0, int64_t n1) {
    w->b = block_begin(c, n0, n1);
    block *b = &w->b;
    w->dh = take(b, b->m * b->H);
    w->sum = take(b, 3 * b->m * b->H);
    w->x = take(b, GRU_ROWS * b->C);
    for (int g = 0; c->t.mask_h && g < 3; g++) w->mask[g] = mask_rows(b, c->t.mask_h, c->p.H, g);
    for (int64_t k = 0; k < b->m * b->H; k += VL)
        v_store(w->dh + k, c->s1 < c->p.T ? v_load(c->dh + n0 * b->H + k) : v_zero());
}

static void backward_end(const backward *w) {
    const block *b = &w->b;
    const weir_gru_call *c = b->c;
    for (int64_t r = 0; r < b->m; r++) {
        for (int64_t k = 0; k < b->H; k += VL) {
            vf dh = state_gradient(w, r, k);
            if (c->s0 > 0)
                v_store(c->dh + (b->n0 + r) * b->H + k, dh);
            else if (c->dh0 && k < c->p.H)
                store_below(c->dh0 + (b->n0 + r) * c->p.H, k, c->p.H, dh);
        }
    }
}

void WEIR_KERNEL(gru_bwd_data)(const weir_gru_call *c, int64_t n0, int64_t n1) {
    for (int64_t n = n0; n < n1; n += GRU_ROWS) {
        backward w = {.sums = 0};
        backward_begin(&w, c, n, n1);
        step_last(&w);
        for (w.s = c->s1 - 1; w.s >= c->s0; w.s--) {
            backward_gates(&w);
            if (!c->p.reset_after) backward_reset(&w);
            backward_states(&w);
            if (w.s > c->s0) step_before(&w);
        }
        backward_end(&w);
        if (c->dx) backward_x(&w);
        if (c->dx && w.b.steps.mask) zero_x(&w);
    }
}

/* ---- weights ---- */

enum { FORESIGHT = 16 }; /* samples */

/* Spans that one pass over dw and du takes in. */
typedef struct group {
    const weir_gru_call *c;
    spans spans;
    foresight *foresight;
} group;

/* What a product multiplies d with: rows of x or h of a span, with their mask, and for r h also r. */
typedef struct operand {
    rows a, reset;
    const float *mask;
    int64_t width;
} operand;

/* Its rows: those of the operand itself, or their products in `copy`. */
static rows operand_rows(const operand *o, int64_t steps, float *copy) {
    if (!o->mask && !o->reset.p) return o->a;
    int64_t stride = gru_padded(o->width) + GRU_PANEL;
    for (int64_t s = 0; s < steps; s++) {
        for (int64_t i = 0; i < o->width; i += VL) {
            vf v = load_below(o->a.p + s * o->a.stride, i, o->width);
            if (o->mask) v = v_mul(v, load_below(o->mask, i, o->width));
            if (o->reset.p) v = v_mul(load_below(o->reset.p + s * o->reset.stride, i, o->width), v);
            v_store(copy + s * stride + i, v);
        }
    }
    return (rows){copy, stride};
}

static const float *gate_mask(const weir_gru_call *c, const float *mask, int64_t n, int64_t width,
                              int64_t gate) {
    int64_t gates = c->p.mask_gates;
    return mask ? mask + (n * gates + (gates == 3 ? gate : 0)) * width : NULL;
}

static operand x_operand(const weir_gru_call *c, const span *at, int64_t gate) {
    int64_t width = c->p.C_in;
    return (operand){
        .a = {c->t.x + x_row(&c->p, at->n, at->s0), c->p.go_backwards ? -width : width},
        .mask = gate_mask(c, c->t.mask_x, at->n, width, gate),
        .width = width};
}

static operand h_operand(const weir_gru_call *c, const span *at, int64_t gate) {
    int64_t width = c->p.H, H_p = gru_padded(width);
    operand o = {.a = {c->reserve_in + gru_state_at(&c->p, at->n, at->s0), H_p},
                 .mask = gate_mask(c, c->t.mask_h, at->n, width, gate),
                 .width = width};
    if (gate == 2 && !c->p.reset_after)
        o.reset = (rows){c->reserve_in + gru_gates_at(&c->p, at->n, at->s0) + H_p, 3 * H_p};
    return o;
}

/* Adds the group's products of an operand with `gates` parts of d from `part` on to the columns of
 * `gate` and after; sum: also adds up these parts themselves. */
static void group_outer(const group *k, operand (*of)(const weir_gru_call *, const span *, int64_t),
                        int64_t part, int64_t gate, int64_t gates, float *to, float *sum) {
    const weir_gru_call *c = k->c;
    int64_t H_p = gru_padded(c->p.H), row = gru_parts(&c->p) * H_p, width = 0;
    float *packed = c->scratch, *copy = packed + k->spans.steps * PACK_FLOATS;
    strip s[GRU_STRIPS];
    for (int64_t i = 0; i < k->spans.count; i++) {
        const span *at = k->spans.of + i;
        operand o = of(c, at, gate);
        rows a = operand_rows(&o, at->steps, copy);
        if (a.p == copy) copy += at->steps * a.stride;
        s[i] = (strip){a.p, c->dgates_in + gru_dgates_at(c, at->n, at->s0) + part * H_p, a.stride,
                       row, at->steps};
        width = o.width;
    }
    outer(&(outer_job){c->p.H, 3 * c->p.H, s, k->spans.count, width, gate, gates, to, sum, packed,
                       k->foresight});
}

static void group_add(const group *k, float *dw, float *du, float *db) {
    const weir_gru *p = &k->c->p;
    int64_t x_apart = k->c->t.mask_x && p->mask_gates == 3 ? 1 : 3;
    int64_t h_apart = k->c->t.mask_h && p->mask_gates == 3 ? 1 : 2;
    for (int64_t gate = 0; gate < 3; gate += x_apart)
        group_outer(k, x_operand, gate, gate, x_apart, dw, db);
    for (int64_t gate = 0; gate < 2; gate += h_apart)
        group_outer(k, h_operand, gate, gate, h_apart, du, NULL);
    if (p->reset_after)
        group_outer(k, h_operand, 3, 2, 1, du, db ? db + 3 * p->H : NULL);
    else
        group_outer(k, h_operand, 2, 2, 1, du, NULL);
}

/* What the two kernels will read or write next: of the same samples earlier steps, or of the next
 * samples the last steps. */
static foresight foresee(const weir_gru_call *c, int64_t n0, int64_t n1, range *ranges) {
    const weir_gru *p = &c->p;
    int64_t H_p = gru_padded(p->H), m = n1 - n0, s1 = c->s0 > 0 ? c->s0 : p->T;
    int64_t steps = c->s1 - c->s0 < s1 ? c->s1 - c->s0 : s1, s0 = s1 - steps, n = n0;
    range *to = ranges;
    if (c->s0 == 0) {
        n = n1;
        if (m > c->samples_after) m = c->samples_after;
    }
    if (m > FORESIGHT) m = FORESIGHT;
    for (; m > 0; m--, n++) {
        int64_t x = x_row(p, n, p->go_backwards ? s1 - 1 : s0);
        *to++ = (range){c->reserve_in + gru_gates_at(p, n, s0), steps * gru_parts(p) * H_p};
        *to++ = (range){c->reserve_in + gru_state_at(p, n, s0), steps * H_p};
        if (c->dy && p->return_sequences)
            *to++ = (range){c->dy + (n * p->T + s0) * p->H, steps * p->H};
        *to++ = (range){c->t.x + x, steps * p->C_in};
        if (c->dx) *to++ = (range){c->dx + x, steps * p->C_in};
    }
    return (foresight){ranges, to - ranges};
}

void WEIR_KERNEL(gru_bwd_weights)(const weir_gru_call *c, int64_t n0, int64_t n1, float *dw,
                                  float *du, float *db) {
    int64_t H = c->p.H;
    if (!c->adds) {
        zero(dw, c->p.C_in * 3 * H);
        zero(du, H * 3 * H);
        if (db) zero(db, (c->p.reset_after ? 6 : 3) * H);
    }
    range ranges[5 * FORESIGHT];
    foresight soon = foresee(c, n0, n1, ranges);
    group k = {.c = c, .foresight = &soon};
    span_walk walk = {gru_steps(c), n0, n1, c->s0, c->s0, c->s1};
    while (walk.n < n1) {
        spans_fill(&k.spans, &walk);
        if (k.spans.count > 0) group_add(&k, dw, du, db);
    }
    /* b1 of z and r is added to the same sums as b0. */
    for (int64_t i = 0; db && c->p.reset_after && i < 2 * H; i++) db[3 * H + i] = db[i];
}

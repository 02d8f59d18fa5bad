/*
 * SimpleRNN backward on vectors. SPDX-License-Identifier: Apache-2.0
 *
 * rnn_bwd_data takes a block of samples back through time together; rnn_bwd_weights sums over what it
 * left, as the GRU's. Arithmetic, in this order and with one rounding per operation; xm = x mask,
 * hm = h mask:
 *
 * Data, from the last step; dh starts at 0
 *   dh     dh + dy
 *   da     dh act'(h)
 *   dh     s mask (no mask: s), s a chain over the units k of da[k] u[k], ascending
 *   dx     s mask, s a chain over the units k of da[k] w[k], ascending
 * Where the step is passed over, da and dx are 0 and dh stays dh + dy.
 *
 * Weights: dw, du, db are chains of fma over n, then s, both ascending and without the steps that are
 * passed over, from 0, or from what earlier calls left: dw adds xm da; du adds hm da; db adds da.
 */
#include <stdbool.h>
#include <stddef.h>

#include "kernels/gru_outer.h"
#include "kernels/rnn.h"
#include "kernels/rows.h"
#include "kernels/steps.h"
#include "kernels/vmath.h"

/* ---- data ---- */

typedef struct backward {
    const weir_rnn_call *c;
    step_order steps;
    int64_t n0, m; /* samples n0 .. n0 + m - 1 */
    int64_t H, C;  /* padded */
    int64_t s;     /* the step */
    float *dh;     /* [m][H] what reaches the state after the step, without dy */
    float *held;   /* [m][H] the same with dy, of steps that are passed over */
    float *x;      /* [GRU_ROWS][C] products with W transposed */
} backward;

static void backward_begin(backward *w, const weir_rnn_call *c, int64_t n0, int64_t n1) {
    *w = (backward){.c = c,
                    .steps = {c->t.step_mask, c->p.T, c->p.go_backwards},
                    .n0 = n0,
                    .m = n1 - n0 < GRU_ROWS ? n1 - n0 : GRU_ROWS,
                    .H = gru_padded(c->p.H),
                    .C = gru_padded(c->p.C_in),
                    .dh = c->scratch};
    w->held = w->dh + w->m * w->H;
    w->x = w->held + w->m * w->H;
    for (int64_t k = 0; k < w->m * w->H; k += VL)
        v_store(w->dh + k, c->s1 < c->p.T ? v_load(c->dh + n0 * w->H + k) : v_zero());
}

/* da of one row; dy is NULL where there is none. */
static inline __attribute__((always_inline)) void
row_gradient(const backward *w, int64_t r, const float *dy, float *da, weir_activation activation) {
    const weir_rnn *p = &w->c->p;
    const float *dh = w->dh + r * w->H,
                *h = w->c->reserve_in + rnn_state_at(p, w->n0 + r, w->s + 1);
    for (int64_t k = 0; k < w->H; k += VL) {
        vf d = v_load(dh + k);
        if (dy && k < p->H) d = v_add(d, load_below(dy, k, p->H));
        v_store(da + k, v_mul(d, v_activate_grad(activation, v_load(h + k))));
    }
}

static void row_passed(const backward *w, int64_t r, const float *dy, float *da) {
    const weir_rnn *p = &w->c->p;
    for (int64_t k = 0; k < w->H; k += VL) {
        vf d = v_load(w->dh + r * w->H + k);
        if (dy && k < p->H) d = v_add(d, load_below(dy, k, p->H));
        v_store(w->held + r * w->H + k, d);
        v_store(da + k, v_zero());
    }
}

static void backward_gradients(const backward *w) {
    const weir_rnn_call *c = w->c;
    const weir_rnn *p = &c->p;
    const int64_t dy_stride = (p->return_sequences ? p->T : 1) * p->H;
    const float *dy = c->dy + w->n0 * dy_stride + (p->return_sequences ? w->s * p->H : 0);
    if (!p->return_sequences && w->s < p->T - 1) dy = NULL;
    for (int64_t r = 0; r < w->m; r++) {
        float *da = c->da + rnn_da_at(c, w->n0 + r, w->s);
        if (step_passed(&w->steps, w->n0 + r, w->s))
            row_passed(w, r, dy, da);
        else if (p->activation == WEIR_TANH)
            row_gradient(w, r, dy, da, WEIR_TANH);
        else
            row_gradient(w, r, dy, da, p->activation);
        if (dy) dy += dy_stride;
    }
}

/* What goes through U to the state before the step. */
static void backward_states(const backward *w) {
    const weir_rnn_call *c = w->c;
    const int64_t H = w->H, used = c->p.H;
    const factor f = {c->da + rnn_da_at(c, w->n0, w->s), c->d_steps * H, c->u_t_packed, used};
    product(w->m, H / VL, &f, 1, NULL, w->dh, H);
    if (c->t.mask_h) {
        const rows mask = {c->t.mask_h + w->n0 * used, used};
        multiply_rows(w->m, used, (rows){w->dh, H}, mask, w->dh, H);
    }
    for (int64_t r = 0; w->steps.mask && r < w->m; r++)
        for (int64_t k = 0; step_passed(&w->steps, w->n0 + r, w->s) && k < H; k += VL)
            v_store(w->dh + r * H + k, v_load(w->held + r * H + k));
}

/* dx of `count` steps of sample n from s on: steps are the rows of the product, as no step needs the
 * one before. */
static void x_rows(const backward *w, int64_t n, int64_t s, int64_t count) {
    const weir_rnn_call *c = w->c;
    const int64_t C_in = c->p.C_in, back = c->p.go_backwards ? -C_in : C_in;
    const factor f = {c->da + rnn_da_at(c, n, s), w->H, c->w_t_packed, c->p.H};
    float *to = c->dx + step_index(&w->steps, n, s) * C_in;
    if (!c->t.mask_x && !w->steps.mask && w->C == C_in) {
        product(count, w->C / VL, &f, 1, NULL, to, back);
        return;
    }
    const float *mask = c->t.mask_x ? c->t.mask_x + n * C_in : NULL;
    product(count, w->C / VL, &f, 1, NULL, w->x, w->C);
    for (int64_t i = 0; i < count; i++, to += back) {
        for (int64_t k = 0; k < C_in; k += VL) {
            vf d = v_load(w->x + i * w->C + k);
            if (mask) d = v_mul(d, load_below(mask, k, C_in));
            if (step_passed(&w->steps, n, s + i)) d = v_zero();
            store_below(to, k, C_in, d);
        }
    }
}

static void backward_x(const backward *w) {
    const weir_rnn_call *c = w->c;
    for (int64_t r = 0; r < w->m; r++)
        for (int64_t s = c->s0; s < c->s1; s += GRU_ROWS)
            x_rows(w, w->n0 + r, s, c->s1 - s < GRU_ROWS ? c->s1 - s : GRU_ROWS);
}

static void backward_end(const backward *w) {
    const weir_rnn_call *c = w->c;
    for (int64_t r = 0; r < w->m; r++) {
        for (int64_t k = 0; k < w->H; k += VL) {
            vf dh = v_load(w->dh + r * w->H + k);
            if (c->s0 > 0)
                v_store(c->dh + (w->n0 + r) * w->H + k, dh);
            else if (c->dh0 && k < c->p.H)
                store_below(c->dh0 + (w->n0 + r) * c->p.H, k, c->p.H, dh);
        }
    }
}

void WEIR_KERNEL(rnn_bwd_data)(const weir_rnn_call *c, int64_t n0, int64_t n1) {
    for (int64_t n = n0; n < n1; n += GRU_ROWS) {
        backward w;
        backward_begin(&w, c, n, n1);
        for (w.s = c->s1 - 1; w.s >= c->s0; w.s--) {
            backward_gradients(&w);
            backward_states(&w);
        }
        backward_end(&w);
        if (c->dx) backward_x(&w);
    }
}

/* ---- weights ---- */

enum { FORESIGHT = 16 }; /* samples */

/* Adds the products of rows of x or h, by their masks, with da; sum: also adds up da. */
static void group_outer(const weir_rnn_call *c, const spans *k, bool of_x, float *to, float *sum,
                        foresight *soon) {
    const int64_t H = c->p.H, H_p = gru_padded(H), width = of_x ? c->p.C_in : H;
    const step_order at = {c->t.step_mask, c->p.T, c->p.go_backwards};
    const float *mask = of_x ? c->t.mask_x : c->t.mask_h;
    float *packed = c->scratch, *copy = packed + k->steps * PACK_FLOATS;
    strip s[GRU_STRIPS];
    for (int64_t i = 0; i < k->count; i++) {
        const span *of = k->of + i;
        rows a = {c->reserve_in + rnn_state_at(&c->p, of->n, of->s0), H_p};
        if (of_x)
            a = (rows){c->t.x + step_index(&at, of->n, of->s0) * width,
                       at.backwards ? -width : width};
        if (mask) {
            int64_t stride = gru_padded(width) + GRU_PANEL;
            multiply_rows(of->steps, width, a, (rows){mask + of->n * width, 0}, copy, stride);
            a = (rows){copy, stride};
            copy += of->steps * stride;
        }
        s[i] = (strip){a.p, c->da_in + rnn_da_at(c, of->n, of->s0), a.stride, H_p, of->steps};
    }
    outer(&(outer_job){H, H, s, k->count, width, 0, 1, to, sum, packed, soon});
}

/* What the two kernels will read or write next: of the same samples earlier steps, or of the next
 * samples the last steps. */
static foresight foresee(const weir_rnn_call *c, int64_t n0, int64_t n1, range *ranges) {
    const weir_rnn *p = &c->p;
    const step_order at = {NULL, p->T, p->go_backwards};
    int64_t m = n1 - n0, s1 = c->s0 > 0 ? c->s0 : p->T;
    int64_t count = c->s1 - c->s0 < s1 ? c->s1 - c->s0 : s1, s0 = s1 - count, n = n0;
    range *to = ranges;
    if (c->s0 == 0) {
        n = n1;
        if (m > c->samples_after) m = c->samples_after;
    }
    if (m > FORESIGHT) m = FORESIGHT;
    for (; m > 0; m--, n++) {
        int64_t x = step_index(&at, n, p->go_backwards ? s1 - 1 : s0) * p->C_in;
        *to++ = (range){c->reserve_in + rnn_state_at(p, n, s0), count * gru_padded(p->H)};
        if (c->dy && p->return_sequences)
            *to++ = (range){c->dy + (n * p->T + s0) * p->H, count * p->H};
        *to++ = (range){c->t.x + x, count * p->C_in};
        if (c->dx) *to++ = (range){c->dx + x, count * p->C_in};
    }
    return (foresight){ranges, to - ranges};
}

static void zero(float *p, int64_t n) {
    for (int64_t i = 0; i < n; i++) p[i] = 0.0f;
}

void WEIR_KERNEL(rnn_bwd_weights)(const weir_rnn_call *c, int64_t n0, int64_t n1, float *dw,
                                  float *du, float *db) {
    const weir_rnn *p = &c->p;
    if (!c->adds) {
        zero(dw, p->C_in * p->H);
        zero(du, p->H * p->H);
        if (db) zero(db, p->H);
    }
    range ranges[4 * FORESIGHT];
    foresight soon = foresee(c, n0, n1, ranges);
    span_walk walk = {{c->t.step_mask, p->T, p->go_backwards}, n0, n1, c->s0, c->s0, c->s1};
    while (walk.n < n1) {
        spans k;
        spans_fill(&k, &walk);
        if (k.count == 0) break;
        group_outer(c, &k, true, dw, db, &soon);
        group_outer(c, &k, false, du, NULL, &soon);
    }
}

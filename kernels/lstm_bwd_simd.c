/*
 * LSTM backward on vectors. SPDX-License-Identifier: Apache-2.0
 *
 * lstm_bwd_data takes a block of samples back through time together; lstm_bwd_weights sums over what
 * it left. Arithmetic, in this order and with one rounding per operation; xm = x mask, hm = h mask:
 *
 * Data, from the last step; dh and dc start at 0 and each step adds dy to dh first
 *   y          act(c'), c' the state after the step
 *   do         (dh y) rec'(o)
 *   dc         fma(dh o, act'(y), dc)
 *   di         (dc g) rec'(i);   df = (dc c) rec'(f);   dg = (dc i) act'(g)
 *   dc         dc f
 *   dh         mask s (no mask: s) with s one chain over the units of i, then of f, g, o; with one
 *              mask per gate mask_i s_i, then fma(mask_f, s_f, .), and so on
 *   dx         the same with W
 *
 * Weights: dw, du, db are chains of fma over n, then s, both ascending, from 0, or from what earlier
 * calls left: dw adds xm d; du adds hm d; db adds d. Steps that are passed over have no part in them.
 *
 * A call takes some steps of a sequence, those after them having been taken by earlier calls: so
 * both kernels go through a few steps while they are in the second cache, and lstm_bwd_weights, which
 * has multiplications enough to hide it, fetches what lstm_bwd_data reads next.
 */
#include <stdbool.h>
#include <stddef.h>

#include "kernels/gru_outer.h"
#include "kernels/lstm_block.h"
#include "kernels/vmath.h"

/* ---- data ---- */

typedef struct backward {
    block b;
    rows row; /* of the reserve: the step's */
    rows dy;  /* or NULL */
    float *d; /* of dgates at the step */
    int64_t d_stride;
    float *dh, *dc;        /* [m][H] of the states */
    float *over;           /* [m][H] dh of the rows that a step passes over */
    float *sum;            /* [4][m][H] products with U transposed, where masks follow */
    float *x;              /* [LSTM_ROWS][C] products with W transposed */
    rows mask[LSTM_GATES]; /* of the sums, if any */
} backward;

/* Vector k of a row whose step is taken: tanh_c is act(c'). */
static inline __attribute__((always_inline)) void gates_vector(const backward *w, int64_t r,
                                                               int64_t k, vf y,
                                                               weir_activation activation,
                                                               weir_activation recurrent) {
    const int64_t H = w->b.H;
    const float *row = w->row.p + r * w->row.stride + k, *gates = row + 2 * H;
    float *d = w->d + r * w->d_stride + k, *dh_at = w->dh + r * H + k, *dc_at = w->dc + r * H + k;
    vf dh = v_load(dh_at);
    if (w->dy.p) dh = v_add(dh, load_below(w->dy.p + r * w->dy.stride, k, w->b.c->p.H));
    vf i = v_load(gates + LSTM_GATE_I * H), f = v_load(gates + LSTM_GATE_F * H);
    vf g = v_load(gates + LSTM_GATE_G * H), o = v_load(gates + LSTM_GATE_O * H);
    vf dc = v_fma(v_mul(dh, o), v_activate_grad(activation, y), v_load(dc_at));
    v_store(d + LSTM_GATE_O * H, v_mul(v_mul(dh, y), v_activate_grad(recurrent, o)));
    v_store(d + LSTM_GATE_I * H, v_mul(v_mul(dc, g), v_activate_grad(recurrent, i)));
    v_store(d + LSTM_GATE_F * H, v_mul(v_mul(dc, v_load(row + H)), v_activate_grad(recurrent, f)));
    v_store(d + LSTM_GATE_G * H, v_mul(v_mul(dc, i), v_activate_grad(activation, g)));
    v_store(dc_at, v_mul(dc, f));
}

/* A row whose step is taken. The activations are those of the call. */
static inline __attribute__((always_inline)) void
row_gates(const backward *w, int64_t r, weir_activation activation, weir_activation recurrent) {
    const int64_t H = w->b.H;
    const float *after = w->row.p + r * w->row.stride + (LSTM_PARTS + 1) * H;
    int64_t k = 0;
    for (; k + 4 * VL <= H; k += 4 * VL) {
        vf4 y = v4_activate(activation, v4_load(after + k, (v4_at){VL, 2 * VL}));
        gates_vector(w, r, k, y.a, activation, recurrent);
        gates_vector(w, r, k + VL, y.b, activation, recurrent);
        gates_vector(w, r, k + 2 * VL, y.c, activation, recurrent);
        gates_vector(w, r, k + 3 * VL, y.d, activation, recurrent);
    }
    for (; k < H; k += VL)
        gates_vector(w, r, k, v_activate(activation, v_load(after + k)), activation, recurrent);
}

/* A row whose step is passed over. */
static void row_over(const backward *w, int64_t r) {
    const int64_t H = w->b.H;
    float *d = w->d + r * w->d_stride;
    for (int64_t k = 0; k < H; k += VL) {
        vf dh = v_load(w->dh + r * H + k);
        if (w->dy.p) dh = v_add(dh, load_below(w->dy.p + r * w->dy.stride, k, w->b.c->p.H));
        v_store(w->over + r * H + k, dh);
    }
    for (int64_t k = 0; k < LSTM_GATES * H; k += VL) v_store(d + k, v_zero());
}

/* The usual activations get code of their own, without a branch for each vector. */
static void rows_gates(const backward *w, int64_t r0, int64_t r1) {
    weir_activation activation = w->b.c->p.activation, recurrent = w->b.c->p.recurrent;
    if (activation == WEIR_TANH && recurrent == WEIR_SIGMOID)
        for (int64_t r = r0; r < r1; r++) row_gates(w, r, WEIR_TANH, WEIR_SIGMOID);
    else
        for (int64_t r = r0; r < r1; r++) row_gates(w, r, activation, recurrent);
}

/* Gradients before the activations; whether there are any. */
static bool backward_gates(const backward *w, int64_t s) {
    const int64_t m = w->b.m;
    run a = run_next(&w->b, s, 0);
    const bool any = a.begin < m;
    for (int64_t r = 0; r < m; a = run_next(&w->b, s, r)) {
        for (; r < a.begin; r++) row_over(w, r);
        rows_gates(w, a.begin, a.end);
        r = a.end;
    }
    return any;
}

static factor u_t_factor(const backward *w, int64_t gate) {
    const weir_lstm_call *c = w->b.c;
    return (factor){w->d + gate * w->b.H, w->d_stride, c->u_t_packed + gate * w->b.H * c->p.H,
                    c->p.H};
}

/* dh = the sum over gates told apart of mask and sum. */
static void masked_sums(const backward *w) {
    const block *b = &w->b;
    const int64_t H = b->H, state = b->m * H, used = b->c->p.H;
    for (int64_t r = 0; r < b->m; r++) {
        for (int64_t k = 0; k < H; k += VL) {
            const float *sum = w->sum + r * H + k;
            vf dh = v_mul(load_below(w->mask[0].p + r * w->mask[0].stride, k, used), v_load(sum));
            for (int64_t g = 1; g < b->masks; g++)
                dh = v_fma(load_below(w->mask[g].p + r * w->mask[g].stride, k, used),
                           v_load(sum + g * state), dh);
            v_store(w->dh + r * H + k, dh);
        }
    }
}

/* What goes through U to the state before the step. */
static void backward_states(const backward *w) {
    const block *b = &w->b;
    const factor f[LSTM_GATES] = {u_t_factor(w, 0), u_t_factor(w, 1), u_t_factor(w, 2),
                                  u_t_factor(w, 3)};
    if (!w->mask[0].p) {
        product(b->m, b->H / VL, f, LSTM_GATES, NULL, w->dh, b->H);
        return;
    }
    for (int64_t g = 0; g < b->masks; g++)
        product(b->m, b->H / VL, f + g, (int)(LSTM_GATES / b->masks), NULL,
                w->sum + g * b->m * b->H, b->H);
    masked_sums(w);
}

/* Rows that the step passes over keep their dh. */
static void states_over(const backward *w, int64_t s) {
    const block *b = &w->b;
    for (int64_t r = 0; b->c->t.step_mask && r < b->m; r++)
        if (lstm_passes(b->c, b->n0 + r, s))
            for (int64_t k = 0; k < b->H; k += VL)
                v_store(w->dh + r * b->H + k, v_load(w->over + r * b->H + k));
}

/* The last step of the call, and from a step to the one before. */
static void step_last(backward *w) {
    const weir_lstm_call *c = w->b.c;
    const weir_lstm *p = &c->p;
    int64_t n = w->b.n0, s = c->s1 - 1;
    w->row = (rows){c->reserve_in + lstm_row_at(p, n, s), lstm_row_at(p, 1, 0)};
    w->d = c->dgates + lstm_dgates_at(c, n, s);
    w->d_stride = c->d_steps * lstm_dgates_row(p);
    w->dy = (rows){NULL, (p->return_sequences ? p->T : 1) * p->H};
    if (p->return_sequences || c->s1 == p->T)
        w->dy.p = c->dy + n * w->dy.stride + (p->return_sequences ? s * p->H : 0);
}
static void step_before(backward *w) {
    const weir_lstm *p = &w->b.c->p;
    w->row.p -= LSTM_PARTS * w->b.H;
    w->d -= lstm_dgates_row(p);
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
    const weir_lstm_call *c = b->c;
    const float *d = c->dgates + lstm_dgates_at(c, b->n0 + r, s);
    int64_t H = b->H, n = b->n0 + r, back = c->p.go_backwards ? -c->p.C_in : c->p.C_in;
    factor f[LSTM_GATES];
    for (int64_t gate = 0; gate < LSTM_GATES; gate++)
        f[gate] = (factor){d + gate * H, lstm_dgates_row(&c->p),
                           c->w_t_packed + gate * b->C * c->p.H, c->p.H};
    float *to = c->dx + x_row(&c->p, n, s);
    if (b->masks == 1 && !c->t.mask_x && s + count <= c->s1 && b->C == c->p.C_in) {
        product(count, b->C / VL, f, LSTM_GATES, NULL, to, back);
        return;
    }
    for (int64_t gate = 0; gate < b->masks; gate++) {
        product(count, b->C / VL, f + gate, (int)(LSTM_GATES / b->masks), NULL, w->x, b->C);
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

static void zero(float *p, int64_t n) {
    for (int64_t i = 0; i < n; i++) p[i] = 0.0f;
}

static void backward_x(const backward *w) {
    const weir_lstm_call *c = w->b.c;
    int64_t steps = c->s1 - c->s0;
    /* Without a gap the rows of the next sample are those that follow. */
    int64_t samples = steps == c->d_steps ? w->b.m : 1, total = samples * steps;
    for (int64_t r = 0; r < w->b.m; r += samples)
        for (int64_t i = 0; i < total; i += LSTM_ROWS)
            x_rows(w, r + i / steps, c->s0 + i % steps,
                   total - i < LSTM_ROWS ? total - i : LSTM_ROWS);
    for (int64_t n = w->b.n0; c->t.step_mask && n < w->b.n0 + w->b.m; n++)
        for (int64_t s = c->s0; s < c->s1; s++)
            if (lstm_passes(c, n, s)) zero(c->dx + x_row(&c->p, n, s), c->p.C_in);
}

static void backward_begin(backward *w, const weir_lstm_call *c, int64_t n0, int64_t n1) {
    w->b = block_begin(c, n0, n1);
    block *b = &w->b;
    int64_t H = b->H, state = b->m * H;
    w->dh = take(b, state);
    w->dc = take(b, state);
    w->over = take(b, state);
    w->sum = take(b, LSTM_GATES * state);
    w->x = take(b, LSTM_ROWS * b->C);
    for (int g = 0; c->t.mask_h && g < LSTM_GATES; g++)
        w->mask[g] = mask_rows(b, c->t.mask_h, c->p.H, g);
    for (int64_t r = 0; r < b->m; r++) {
        for (int64_t k = 0; k < H; k += VL) {
            const float *carry = c->carry + (n0 + r) * 2 * H + k;
            v_store(w->dh + r * H + k, c->s1 < c->p.T ? v_load(carry) : v_zero());
            v_store(w->dc + r * H + k, c->s1 < c->p.T ? v_load(carry + H) : v_zero());
        }
    }
}

static void backward_end(const backward *w) {
    const block *b = &w->b;
    const weir_lstm_call *c = b->c;
    const int64_t H = b->H, used = c->p.H;
    for (int64_t r = 0; r < b->m; r++) {
        for (int64_t k = 0; k < H; k += VL) {
            vf dh = v_load(w->dh + r * H + k), dc = v_load(w->dc + r * H + k);
            const int64_t n = b->n0 + r;
            if (c->s0 > 0) {
                v_store(c->carry + n * 2 * H + k, dh);
                v_store(c->carry + n * 2 * H + H + k, dc);
            } else if (k < used) {
                if (c->dh0) store_below(c->dh0 + n * used, k, used, dh);
                if (c->dc0) store_below(c->dc0 + n * used, k, used, dc);
            }
        }
    }
}

void WEIR_KERNEL(lstm_bwd_data)(const weir_lstm_call *c, int64_t n0, int64_t n1) {
    for (int64_t n = n0; n < n1; n += LSTM_ROWS) {
        backward w = {.mask = {{NULL, 0}}};
        backward_begin(&w, c, n, n1);
        step_last(&w);
        for (int64_t s = c->s1 - 1; s >= c->s0; s--) {
            if (backward_gates(&w, s)) backward_states(&w);
            states_over(&w, s);
            if (s > c->s0) step_before(&w);
        }
        backward_end(&w);
        if (c->dx) backward_x(&w);
    }
}

/* ---- weights ---- */

enum { FORESIGHT = 16 }; /* samples */

typedef struct span {
    int64_t n, s0, steps;
} span;

/* Spans of steps that one pass over dw and du takes in, consecutive in the order of the sums. */
typedef struct group {
    const weir_lstm_call *c;
    int64_t count, steps;
    span of[GRU_STRIPS];
    foresight *foresight;
} group;

/* What a product multiplies d with: rows of x or h of a span, with their mask. */
typedef struct operand {
    rows a;
    const float *mask;
    int64_t width;
} operand;

/* Its rows: those of the operand itself, or their products in `copy`. */
static rows operand_rows(const operand *o, int64_t steps, float *copy) {
    if (!o->mask) return o->a;
    int64_t stride = gru_padded(o->width) + GRU_PANEL;
    multiply_rows(steps, o->width, o->a, (rows){o->mask, 0}, copy, stride);
    return (rows){copy, stride};
}

static const float *gate_mask(const weir_lstm_call *c, const float *mask, int64_t n, int64_t width,
                              int64_t gate) {
    int64_t gates = c->p.mask_gates;
    return mask ? mask + (n * gates + (gates == LSTM_GATES ? gate : 0)) * width : NULL;
}

static operand x_operand(const weir_lstm_call *c, const span *at, int64_t gate) {
    int64_t width = c->p.C_in;
    rows x = {c->t.x + x_row(&c->p, at->n, at->s0), c->p.go_backwards ? -width : width};
    return (operand){x, gate_mask(c, c->t.mask_x, at->n, width, gate), width};
}

static operand h_operand(const weir_lstm_call *c, const span *at, int64_t gate) {
    int64_t width = c->p.H;
    rows h =
        (rows){c->reserve_in + lstm_row_at(&c->p, at->n, at->s0), LSTM_PARTS * gru_padded(width)};
    return (operand){h, gate_mask(c, c->t.mask_h, at->n, width, gate), width};
}

/* Adds the group's products of an operand with `gates` parts of d from `gate` on; sum: also adds up
 * these parts themselves. */
static void group_outer(const group *k,
                        operand (*of)(const weir_lstm_call *, const span *, int64_t), int64_t gate,
                        int64_t gates, float *to, float *sum) {
    const weir_lstm_call *c = k->c;
    int64_t H_p = gru_padded(c->p.H), width = 0;
    float *packed = c->scratch, *copy = packed + k->steps * PACK_FLOATS;
    strip s[GRU_STRIPS];
    for (int64_t i = 0; i < k->count; i++) {
        const span *at = k->of + i;
        operand o = of(c, at, gate);
        rows a = operand_rows(&o, at->steps, copy);
        if (a.p == copy) copy += at->steps * a.stride;
        s[i] = (strip){a.p, c->dgates_in + lstm_dgates_at(c, at->n, at->s0) + gate * H_p, a.stride,
                       lstm_dgates_row(&c->p), at->steps};
        width = o.width;
    }
    outer(&(outer_job){c->p.H, LSTM_GATES * c->p.H, s, k->count, width, gate, gates, to, sum,
                       packed, k->foresight});
}

static void group_add(const group *k, float *dw, float *du, float *db) {
    const weir_lstm *p = &k->c->p;
    int64_t x_apart = k->c->t.mask_x && p->mask_gates == LSTM_GATES ? 1 : LSTM_GATES;
    int64_t h_apart = k->c->t.mask_h && p->mask_gates == LSTM_GATES ? 1 : LSTM_GATES;
    for (int64_t gate = 0; gate < LSTM_GATES; gate += x_apart)
        group_outer(k, x_operand, gate, x_apart, dw, db);
    for (int64_t gate = 0; gate < LSTM_GATES; gate += h_apart)
        group_outer(k, h_operand, gate, h_apart, du, NULL);
}

/* Steps from s on that are taken, at most to c->s1. */
static int64_t steps_taken(const weir_lstm_call *c, int64_t n, int64_t s) {
    int64_t s1 = s;
    if (!c->t.step_mask) return c->s1 - s;
    while (s1 < c->s1 && !lstm_passes(c, n, s1)) s1++;
    return s1 - s;
}

/* The next spans in order, as many as a group takes, of steps that are taken; the first step looked
 * at is s0 of sample n. */
static void group_fill(group *k, int64_t *n, int64_t n1, int64_t *s0) {
    const weir_lstm_call *c = k->c;
    k->count = k->steps = 0;
    while (*n < n1 && k->count < GRU_STRIPS && k->steps < GRU_CHUNK) {
        int64_t taken = steps_taken(c, *n, *s0), room = GRU_CHUNK - k->steps;
        int64_t steps = taken < room ? taken : room;
        if (steps > 0) k->of[k->count++] = (span){*n, *s0, steps};
        k->steps += steps;
        *s0 += steps > 0 ? steps : 1;
        if (*s0 < c->s1) continue;
        *s0 = c->s0;
        ++*n;
    }
}

/* What the two kernels will read or write next: of the same samples earlier steps, or of the next
 * samples the last steps. */
static foresight foresee(const weir_lstm_call *c, int64_t n0, int64_t n1, range *ranges) {
    const weir_lstm *p = &c->p;
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
        *to++ = (range){c->reserve_in + lstm_row_at(p, n, s0), steps * LSTM_PARTS * H_p};
        if (c->dy && p->return_sequences)
            *to++ = (range){c->dy + (n * p->T + s0) * p->H, steps * p->H};
        *to++ = (range){c->t.x + x, steps * p->C_in};
        if (c->dx) *to++ = (range){c->dx + x, steps * p->C_in};
    }
    return (foresight){ranges, to - ranges};
}

void WEIR_KERNEL(lstm_bwd_weights)(const weir_lstm_call *c, int64_t n0, int64_t n1, float *dw,
                                   float *du, float *db) {
    int64_t H = c->p.H, s0 = c->s0;
    if (!c->adds) {
        zero(dw, c->p.C_in * LSTM_GATES * H);
        zero(du, H * LSTM_GATES * H);
        if (db) zero(db, LSTM_GATES * H);
    }
    range ranges[4 * FORESIGHT];
    foresight soon = foresee(c, n0, n1, ranges);
    group k = {.c = c, .foresight = &soon};
    for (int64_t n = n0; n < n1;) {
        group_fill(&k, &n, n1, &s0);
        if (k.count > 0) group_add(&k, dw, du, db);
    }
}

/*
 * GRU forward on vectors. SPDX-License-Identifier: Apache-2.0
 *
 * A block of samples walks through time together; its state stays in the first cache, and there is
 * no barrier inside a sequence. Arithmetic, in this order and with one rounding per operation
 * (masked operands first: xm = x mask, hm = h mask; without masks x and h themselves):
 *   a_z, a_r   bias (reset after: b0 + b1), + xm[i] w[i] for i ascending, + hm[j] u[j] for j
 *              ascending, each an fma
 *   z, r       rec(a_z), rec(a_r)
 *   before     a_c = bias, + xm[i] w[i], + (r hm)[j] u[j], each an fma
 *   after      q = b1, + hm[j] u[j];  a = b0, + xm[i] w[i];  a_c = fma(r, q, a)
 *   c          act(a_c)
 *   h'         fma(z, h, c - z c), the difference an fma
 * Where a step is passed over h' is a copy of h, and the gates that are kept are 0.
 */
#include <stdbool.h>
#include <stddef.h>

#include "kernels/gru_block.h"
#include "kernels/vmath.h"

/* Parts of a row of sums: the gates, with q = hm Uh + b1 of reset after. z, r and q, which need only
 * the state, are neighbours. */
enum { PART_Z, PART_R, PART_Q, PART_C, PARTS };

typedef struct forward {
    block b;
    int64_t s;             /* the step */
    float *h, *rh;         /* [m][H] state, r times masked state (reset before) */
    float *held;           /* [m][H] states of the samples whose step is passed over */
    float *a;              /* [m][PARTS][H] before the activation, then z, r, q, c */
    float *bias;           /* [PARTS][H] */
    float *mx[3], *mh[3];  /* masked x and h of each gate told apart */
    rows x_of[3], h_of[3]; /* what each gate multiplies with W and U */
    float *ahead;          /* [m][steps_ahead][PARTS][H] bias and x's part */
    int64_t steps_ahead;   /* 0: x's part is computed with each step */
    kept gates, state, y;
    bool far; /* the reserve is larger than what stays in the second cache from call to call */
} forward;

/*
 * Few samples make low tiles, whose time is that of a chain from state to state. x's part is not on
 * that chain: it is computed for many steps at once, by high tiles whose rows are the steps.
 */
enum {
    AHEAD_SAMPLES = 3, /* at most */
    AHEAD_ROWS = 48    /* samples times steps */
};

enum { NEAR_FLOATS = 1 << 21 }; /* of a reserve that needs no prefetching: 8 MiB */

static void forward_bias(forward *f) {
    const weir_gru_call *c = f->b.c;
    int64_t H = c->p.H, H_p = f->b.H;
    const float *b0 = c->t.b, *b1 = c->t.b && c->p.reset_after ? c->t.b + 3 * H : NULL;
    for (int64_t k = 0; k < H_p; k++) {
        bool in = b0 && k < H;
        f->bias[PART_Z * H_p + k] = in ? b0[k] + (b1 ? b1[k] : 0.0f) : 0.0f;
        f->bias[PART_R * H_p + k] = in ? b0[H + k] + (b1 ? b1[H + k] : 0.0f) : 0.0f;
        f->bias[PART_Q * H_p + k] = in && b1 ? b1[2 * H + k] : 0.0f;
        f->bias[PART_C * H_p + k] = in ? b0[2 * H + k] : 0.0f;
    }
}

/* Cuts the scratch into the block's arrays. */
static void forward_arrays(forward *f) {
    block *b = &f->b;
    const weir_gru_tensors *t = &b->c->t;
    int64_t state = b->m * b->H;
    f->h = take(b, state);
    f->a = take(b, PARTS * state);
    f->rh = take(b, state);
    f->held = take(b, state);
    f->bias = take(b, PARTS * b->H);
    f->steps_ahead = b->m <= AHEAD_SAMPLES ? AHEAD_ROWS / b->m : 0;
    f->ahead = take(b, b->m * f->steps_ahead * PARTS * b->H);
    for (int g = 0; g < 3; g++) {
        bool own = g < b->masks;
        int64_t x_rows = f->steps_ahead ? f->steps_ahead : b->m;
        f->mx[g] = own && t->mask_x ? take(b, x_rows * b->C) : f->mx[0];
        f->mh[g] = own && t->mask_h ? take(b, state) : f->mh[0];
        f->h_of[g] = (rows){t->mask_h ? f->mh[g] : f->h, b->H};
        f->x_of[g] = (rows){f->mx[g], b->C}; /* without mask: set at each step */
    }
}

/* ---- factors ---- */

/* m rows of x, each by its mask. */
static void x_operands(forward *f, int64_t m, rows x, const rows *masks) {
    const block *b = &f->b;
    for (int g = 0; masks && g < b->masks; g++)
        multiply_rows(m, b->c->p.C_in, x, masks[g], f->mx[g], b->C);
    for (int g = 0; !masks && g < 3; g++) f->x_of[g] = x;
}

/* x of step s. */
static void x_of_step(forward *f, int64_t s) {
    const block *b = &f->b;
    const weir_gru_call *c = b->c;
    rows x = {c->t.x + x_row(&c->p, b->n0, s), c->p.T * c->p.C_in}, masks[3];
    for (int g = 0; c->t.mask_x && g < b->masks; g++)
        masks[g] = mask_rows(b, c->t.mask_x, c->p.C_in, g);
    x_operands(f, b->m, x, c->t.mask_x ? masks : NULL);
}

/* x of `steps` steps of sample r. */
static void x_of_sample(forward *f, int64_t s, int64_t steps, int64_t r) {
    const block *b = &f->b;
    const weir_gru_call *c = b->c;
    const int64_t width = c->p.C_in;
    rows x = {c->t.x + x_row(&c->p, b->n0 + r, s), c->p.go_backwards ? -width : width}, masks[3];
    for (int g = 0; c->t.mask_x && g < b->masks; g++) {
        rows of_samples = mask_rows(b, c->t.mask_x, width, g);
        masks[g] = (rows){of_samples.p + r * of_samples.stride, 0};
    }
    x_operands(f, steps, x, c->t.mask_x ? masks : NULL);
}

static void h_operands(forward *f) {
    const block *b = &f->b;
    const weir_gru_call *c = b->c;
    for (int g = 0; c->t.mask_h && g < b->masks; g++)
        multiply_rows(b->m, c->p.H, (rows){f->h, b->H}, mask_rows(b, c->t.mask_h, c->p.H, g),
                      f->mh[g], b->H);
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

/* A matrix with rows of PARTS parts. */
typedef struct sums {
    float *p;
    int64_t stride, rows;
} sums;

/* to = init + products, `parts` parts from `part` on. */
static void parts_product(const forward *f, sums to, rows init, int part, int parts,
                          const factor *factors, int count) {
    const int64_t H = f->b.H;
    product_from(init.p + part * H, init.stride, to.rows, parts * H / VL, factors, count,
                 to.p + part * H, to.stride);
}

static sums step_sums(const forward *f) { return (sums){f->a, PARTS * f->b.H, f->b.m}; }

static rows bias_rows(const forward *f) { return (rows){f->bias, 0}; }

static rows ahead_rows(const forward *f) {
    const int64_t H = f->b.H, row = f->s % f->steps_ahead * PARTS * H;
    return (rows){f->ahead + row, f->steps_ahead * PARTS * H};
}

/* Bias and x's part of the next steps, of all samples. */
static void ahead_run(forward *f) {
    const int64_t row = PARTS * f->b.H, left = f->b.c->p.T - f->s;
    const int64_t steps = left < f->steps_ahead ? left : f->steps_ahead;
    const rows init = bias_rows(f);
    for (int64_t r = 0; r < f->b.m; r++) {
        const sums to = {f->ahead + r * f->steps_ahead * row, row, steps};
        x_of_sample(f, f->s, steps, r);
        const factor x[3] = {x_factor(f, 0), x_factor(f, 1), x_factor(f, 2)};
        parts_product(f, to, init, PART_Z, f->b.masks == 3 ? 1 : 2, &x[0], 1);
        if (f->b.masks == 3) parts_product(f, to, init, PART_R, 1, &x[1], 1);
        parts_product(f, to, init, PART_Q, 1, NULL, 0);
        parts_product(f, to, init, PART_C, 1, &x[2], 1);
    }
}

/* Sums of z, r and (reset after) q from what was computed ahead. */
static void sums_ahead(forward *f) {
    const int parts = f->b.c->p.reset_after ? 3 : 2;
    if (f->s % f->steps_ahead == 0) ahead_run(f);
    const rows init = ahead_rows(f);
    for (int part = 0; part < (f->b.masks == 3 ? parts : 1); part++) {
        const factor h = h_factor(f, f->h_of[part], part);
        parts_product(f, step_sums(f), init, part, f->b.masks == 3 ? 1 : parts, &h, 1);
    }
}

/* The same, x's part included; and (reset after) the sum of c. */
static void sums_now(forward *f) {
    const rows init = bias_rows(f);
    x_of_step(f, f->s);
    for (int part = 0; part < (f->b.masks == 3 ? 2 : 1); part++) {
        const factor xh[2] = {x_factor(f, part), h_factor(f, f->h_of[part], part)};
        parts_product(f, step_sums(f), init, part, f->b.masks == 3 ? 1 : 2, xh, 2);
    }
    if (!f->b.c->p.reset_after) return;
    const factor x = x_factor(f, 2), h = h_factor(f, f->h_of[2], 2);
    parts_product(f, step_sums(f), init, PART_Q, 1, &h, 1);
    parts_product(f, step_sums(f), init, PART_C, 1, &x, 1);
}

/* Sum of the candidate (reset before). */
static void sums_candidate(const forward *f) {
    const factor xh[2] = {x_factor(f, 2), h_factor(f, (rows){f->rh, f->b.H}, 2)};
    if (f->steps_ahead)
        parts_product(f, step_sums(f), ahead_rows(f), PART_C, 1, xh + 1, 1);
    else
        parts_product(f, step_sums(f), bias_rows(f), PART_C, 1, xh, 2);
}

/* ---- what follows them, in fours of vectors ---- */

/*
 * The reserve and y have three streams for each sample, more than the hardware follows. What the
 * rest of the step writes, and the next step first, is fetched between its two products: fetched all
 * at once it waits for itself. Inline, for gcc takes a function that only prefetches for one without
 * effect and drops its calls.
 */
static inline __attribute__((always_inline)) void prefetch_row(const forward *f, int64_t r,
                                                               const float *gates) {
    const weir_gru *p = &f->b.c->p;
    const int64_t H = f->b.H, parts = gru_parts(p);
    prefetch(gates + 2 * H, (parts - 2) * H);
    prefetch(f->state.p + r * f->state.stride, H);
    if (f->y.p) prefetch(f->y.p + r * f->y.stride, p->H);
    if (f->s + 1 < p->T) prefetch(gates + parts * H, 2 * H);
}

/* z and r of one row, and r h (reset before); gates: its row of the reserve, or NULL. */
static void gates_row(const forward *f, int64_t r, float *gates) {
    const int64_t H = f->b.H;
    const weir_activation recurrent = f->b.c->p.recurrent;
    const v4_at at = {VL, 2 * VL};
    float *a = f->a + r * PARTS * H, *rh = f->rh + r * H;
    const float *h = f->h_of[2].p + r * H;
    if (gates && f->far) prefetch_row(f, r, gates);
    int64_t k = 0;
    for (; k + 4 * VL <= 2 * H; k += 4 * VL) {
        vf4 gate = v4_activate(recurrent, v4_load(a + k, at));
        v4_store(a + k, at, gate);
        if (gates) v4_store(gates + k, at, gate);
    }
    for (; k < 2 * H; k += VL) {
        vf gate = v_activate(recurrent, v_load(a + k));
        v_store(a + k, gate);
        if (gates) v_store(gates + k, gate);
    }
    for (k = 0; k < H; k += VL) v_store(rh + k, v_mul(v_load(a + H + k), v_load(h + k)));
}

/* Sums of the candidate: with reset after r q is still to be added. */
static rows candidate_rows(const forward *f) {
    rows c = {f->a, PARTS * f->b.H};
    if (f->b.c->p.reset_after && f->steps_ahead) c = ahead_rows(f);
    c.p += PART_C * f->b.H;
    return c;
}

/* Candidate and new state of vector k of row r. */
static void state_vector(const forward *f, int64_t r, int64_t k) {
    const weir_gru *p = &f->b.c->p;
    const int64_t H = f->b.H;
    const rows from = candidate_rows(f);
    const float *a = f->a + r * PARTS * H + k;
    float *h = f->h + r * H + k;
    vf c = v_load(from.p + r * from.stride + k), z = v_load(a);
    if (p->reset_after) c = v_fma(v_load(a + PART_R * H), v_load(a + PART_Q * H), c);
    c = v_activate(p->activation, c);
    vf state = v_fma(z, v_load(h), v_fnma(z, c, c));
    v_store(h, state);
    if (f->gates.p) {
        float *gates = f->gates.p + r * f->gates.stride + k;
        v_store(gates + 2 * H, c);
        if (p->reset_after) v_store(gates + 3 * H, v_load(a + PART_Q * H));
        v_store(f->state.p + r * f->state.stride + k, state);
    }
    if (f->y.p) store_below(f->y.p + r * f->y.stride, k, p->H, state);
}

/* Where the vectors of a four lie in a matrix: `columns` vectors of each row. */
static v4_at four_at(int64_t columns, int64_t stride) {
    if (columns == 4) return (v4_at){VL, 2 * VL};
    if (columns == 2) return (v4_at){VL, stride};
    return (v4_at){stride, 2 * stride};
}

/* y ends where H ends. */
static void y_store(const forward *f, int64_t r, int64_t k, int64_t columns, vf4 state) {
    const int64_t H = f->b.c->p.H;
    float *y = f->y.p + r * f->y.stride;
    const v4_at at = four_at(columns, f->y.stride), units = four_at(columns, 0);
    if (f->b.H == H) {
        v4_store(y + k, at, state);
        return;
    }
    store_below(y, k, H, state.a);
    store_below(y + at.b - units.b, k + units.b, H, state.b);
    store_below(y + at.c - units.c, k + units.c, H, state.c);
    store_below(y + at.b + at.c - units.b - units.c, k + units.b + units.c, H, state.d);
}

/* As state_vector, of the 4 / columns rows from r on. */
static void state_fours(const forward *f, int64_t r, int64_t columns) {
    const weir_gru *p = &f->b.c->p;
    const int64_t H = f->b.H;
    const rows from = candidate_rows(f);
    const v4_at in_a = four_at(columns, PARTS * H), in_c = four_at(columns, from.stride),
                in_h = four_at(columns, H), in_gates = four_at(columns, f->gates.stride);
    const float *a = f->a + r * PARTS * H;
    float *h = f->h + r * H;
    for (int64_t k = 0; k < H; k += columns * VL) {
        vf4 c = v4_load(from.p + r * from.stride + k, in_c);
        if (p->reset_after)
            c = v4_fma(v4_load(a + PART_R * H + k, in_a), v4_load(a + PART_Q * H + k, in_a), c);
        c = v4_activate(p->activation, c);
        vf4 z = v4_load(a + k, in_a);
        vf4 state = v4_fma(z, v4_load(h + k, in_h), v4_fnma(z, c, c));
        v4_store(h + k, in_h, state);
        if (f->gates.p) {
            float *gates = f->gates.p + r * f->gates.stride + k;
            v4_store(gates + 2 * H, in_gates, c);
            if (p->reset_after)
                v4_store(gates + 3 * H, in_gates, v4_load(a + PART_Q * H + k, in_a));
            v4_store(f->state.p + r * f->state.stride + k, in_gates, state);
        }
        if (f->y.p) y_store(f, r, k, columns, state);
    }
}

static void states(const forward *f) {
    const int64_t H = f->b.H, vectors = H / VL;
    const int64_t columns = vectors % 4 == 0 ? 4 : vectors % 2 == 0 ? 2 : 1;
    int64_t r = 0;
    for (; r + 4 / columns <= f->b.m; r += 4 / columns) state_fours(f, r, columns);
    for (; r < f->b.m; r++)
        for (int64_t k = 0; k < H; k += VL) state_vector(f, r, k);
}

/* ---- steps ---- */

static void forward_outputs(forward *f) {
    const weir_gru_call *c = f->b.c;
    const weir_gru *p = &c->p;
    int64_t n = f->b.n0, s = f->s;
    if (c->reserve) {
        f->gates = (kept){c->reserve + gru_gates_at(p, n, s),
                          gru_gates_at(p, 1, 0) - gru_gates_at(p, 0, 0)};
        f->state = (kept){c->reserve + gru_state_at(p, n, s + 1), f->gates.stride};
    }
    if (p->return_sequences)
        f->y = (kept){c->y + (n * p->T + s) * p->H, p->T * p->H};
    else if (s == p->T - 1)
        f->y = (kept){c->y + n * p->H, p->H};
}

static void copy_row(const float *from, int64_t n, float *to) {
    for (int64_t k = 0; k < n; k += VL) v_store(to + k, v_load(from + k));
}

/* States that the step is not to change. */
static void hold(const forward *f) {
    const int64_t H = f->b.H;
    for (int64_t r = 0; r < f->b.m; r++)
        if (step_passed(&f->b.steps, f->b.n0 + r, f->s)) copy_row(f->h + r * H, H, f->held + r * H);
}

/* Puts them back, also where the step has written its own. */
static void pass_over(const forward *f) {
    const weir_gru *p = &f->b.c->p;
    const int64_t H = f->b.H;
    for (int64_t r = 0; r < f->b.m; r++) {
        if (!step_passed(&f->b.steps, f->b.n0 + r, f->s)) continue;
        const float *held = f->held + r * H;
        copy_row(held, H, f->h + r * H);
        if (f->gates.p) {
            for (int64_t k = 0; k < gru_parts(p) * H; k += VL)
                v_store(f->gates.p + r * f->gates.stride + k, v_zero());
            copy_row(held, H, f->state.p + r * f->state.stride);
        }
        for (int64_t k = 0; f->y.p && k < p->H; k += VL)
            store_below(f->y.p + r * f->y.stride, k, p->H, v_load(held + k));
    }
}

static void forward_begin(forward *f, const weir_gru_call *c, int64_t n0, int64_t n1) {
    f->b = block_begin(c, n0, n1);
    f->far = gru_gates_at(&c->p, c->p.N, 0) > NEAR_FLOATS;
    forward_arrays(f);
    forward_bias(f);
    const block *b = &f->b;
    for (int64_t r = 0; r < b->m; r++) {
        for (int64_t k = 0; k < b->H; k += VL) {
            vf h = c->t.h0 ? load_below(c->t.h0 + (n0 + r) * c->p.H, k, c->p.H) : v_zero();
            v_store(f->h + r * b->H + k, h);
            if (c->reserve) v_store(c->reserve + gru_state_at(&c->p, n0 + r, 0) + k, h);
        }
    }
}

static void forward_step(forward *f) {
    forward_outputs(f);
    if (f->b.steps.mask) hold(f);
    h_operands(f);
    if (f->steps_ahead)
        sums_ahead(f);
    else
        sums_now(f);
    for (int64_t r = 0; r < f->b.m; r++)
        gates_row(f, r, f->gates.p ? f->gates.p + r * f->gates.stride : NULL);
    if (!f->b.c->p.reset_after) sums_candidate(f);
    states(f);
    if (f->b.steps.mask) pass_over(f);
}

void WEIR_KERNEL(gru_fwd)(const weir_gru_call *c, int64_t n0, int64_t n1) {
    for (int64_t n = n0; n < n1; n += GRU_ROWS) {
        forward f = {.mx = {NULL}, .mh = {NULL}};
        forward_begin(&f, c, n, n + GRU_ROWS < n1 ? n + GRU_ROWS : n1);
        for (f.s = 0; f.s < c->p.T; f.s++) forward_step(&f);
    }
}

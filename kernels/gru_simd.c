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
 */
#include <stdbool.h>
#include <stddef.h>

#include "kernels/gru_block.h"
#include "kernels/vmath.h"

/* out[r][..] = a mask, rows of n floats; out has the stride n padded. */
static void multiply_rows(int64_t m, int64_t n, rows a, rows mask, float *out) {
    for (int64_t r = 0; r < m; r++, out += gru_padded(n)) {
        const float *from = a.p + r * a.stride, *by = mask.p + r * mask.stride;
        for (int64_t k = 0; k < n; k += VL)
            v_store(out + k, v_mul(load_below(from, k, n), load_below(by, k, n)));
    }
}

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

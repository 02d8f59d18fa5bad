/*
 * SimpleRNN forward on vectors. SPDX-License-Identifier: Apache-2.0
 *
 * A block of samples walks through time together, as the GRU's. Arithmetic, in this order and with
 * one rounding per operation (masked operands first: xm = x mask, hm = h mask; without masks x and h
 * themselves):
 *   a      bias, + xm[i] w[i] for i ascending, + hm[j] u[j] for j ascending, each an fma
 *   h'     act(a); a copy of h where the step is passed over
 */
#include <stdbool.h>
#include <stddef.h>

#include "kernels/gru_tile.h"
#include "kernels/rnn.h"
#include "kernels/rows.h"
#include "kernels/steps.h"
#include "kernels/vmath.h"

typedef struct forward {
    const weir_rnn_call *c;
    step_order steps;
    int64_t n0, m;       /* samples n0 .. n0 + m - 1 */
    int64_t H, C;        /* padded */
    int64_t s;           /* the step */
    float *h, *a;        /* [m][H] the state, and what becomes the next one */
    float *mx, *mh;      /* masked x and h */
    float *bias;         /* [H] */
    float *ahead;        /* [m][steps_ahead][H] bias and x's part */
    int64_t steps_ahead; /* 0: x's part is computed with each step */
} forward;

/* As the GRU's: few samples make low tiles, and x's part is not on the chain from state to state. */
enum {
    AHEAD_SAMPLES = 3, /* at most */
    AHEAD_ROWS = 48    /* samples times steps */
};

static float *take(float **next, int64_t floats) {
    float *part = *next;
    *next += floats;
    return part;
}

static void forward_begin(forward *f, const weir_rnn_call *c, int64_t n0, int64_t n1) {
    const weir_rnn *p = &c->p;
    float *next = c->scratch;
    *f = (forward){.c = c,
                   .steps = {c->t.step_mask, p->T, p->go_backwards},
                   .n0 = n0,
                   .m = n1 - n0 < GRU_ROWS ? n1 - n0 : GRU_ROWS,
                   .H = gru_padded(p->H),
                   .C = gru_padded(p->C_in)};
    f->steps_ahead = f->m <= AHEAD_SAMPLES ? AHEAD_ROWS / f->m : 0;
    f->h = take(&next, f->m * f->H);
    f->a = take(&next, f->m * f->H);
    f->mh = take(&next, f->m * f->H);
    f->bias = take(&next, f->H);
    f->ahead = take(&next, f->m * f->steps_ahead * f->H);
    f->mx = take(&next, (f->steps_ahead ? f->steps_ahead : f->m) * f->C);
    for (int64_t k = 0; k < f->H; k += VL)
        v_store(f->bias + k, c->t.b && k < p->H ? load_below(c->t.b, k, p->H) : v_zero());
    for (int64_t r = 0; r < f->m; r++) {
        for (int64_t k = 0; k < f->H; k += VL) {
            vf h = v_zero();
            if (c->t.h0 && k < p->H) h = load_below(c->t.h0 + (n0 + r) * p->H, k, p->H);
            v_store(f->h + r * f->H + k, h);
            if (c->reserve) v_store(c->reserve + rnn_state_at(p, n0 + r, 0) + k, h);
        }
    }
}

/* `count` rows of x, each by its mask. */
static rows masked_x(const forward *f, int64_t count, rows x, rows mask) {
    if (!mask.p) return x;
    multiply_rows(count, f->c->p.C_in, x, mask, f->mx, f->C);
    return (rows){f->mx, f->C};
}

static rows mask_of(const float *mask, int64_t n, int64_t width) {
    return (rows){mask ? mask + n * width : NULL, width};
}

static factor x_factor(const forward *f, rows x) {
    return (factor){x.p, x.stride, f->c->w_packed, f->c->p.C_in};
}

/* Bias and x's part of the next steps, of all samples. */
static void ahead_run(const forward *f) {
    const weir_rnn_call *c = f->c;
    const int64_t C_in = c->p.C_in, left = c->p.T - f->s;
    const int64_t count = left < f->steps_ahead ? left : f->steps_ahead;
    for (int64_t r = 0; r < f->m; r++) {
        const int64_t n = f->n0 + r;
        rows x = {c->t.x + step_index(&f->steps, n, f->s) * C_in, c->p.go_backwards ? -C_in : C_in};
        rows mask = mask_of(c->t.mask_x, n, C_in);
        mask.stride = 0;
        const factor part = x_factor(f, masked_x(f, count, x, mask));
        product(count, f->H / VL, &part, 1, f->bias, f->ahead + r * f->steps_ahead * f->H, f->H);
    }
}

/* The rows of x and of the state that the step multiplies with W and U. */
static void operands(const forward *f, rows *x, rows *h) {
    const weir_rnn_call *c = f->c;
    const int64_t C_in = c->p.C_in;
    *h = (rows){f->h, f->H};
    if (c->t.mask_h) {
        multiply_rows(f->m, c->p.H, *h, mask_of(c->t.mask_h, f->n0, c->p.H), f->mh, f->H);
        h->p = f->mh;
    }
    *x = (rows){c->t.x + step_index(&f->steps, f->n0, f->s) * C_in, c->p.T * C_in};
    if (!f->steps_ahead) *x = masked_x(f, f->m, *x, mask_of(c->t.mask_x, f->n0, C_in));
}

/* The argument of the activation, of `count` rows from r on. */
static void sums(const forward *f, rows x, rows h, int64_t r, int64_t count) {
    const int64_t H = f->H, at = f->s % (f->steps_ahead + !f->steps_ahead);
    const factor both[2] = {x_factor(f, (rows){x.p + r * x.stride, x.stride}),
                            {h.p + r * h.stride, h.stride, f->c->u_packed, f->c->p.H}};
    if (f->steps_ahead)
        product_from(f->ahead + (r * f->steps_ahead + at) * H, f->steps_ahead * H, count, H / VL,
                     both + 1, 1, f->a + r * H, H);
    else
        product(count, H / VL, both, 2, f->bias, f->a + r * H, H);
}

/* n floats, a multiple of the panel's 16, in fours of vectors. */
static inline __attribute__((always_inline)) void activate_as(weir_activation activation, float *a,
                                                              int64_t n) {
    const v4_at at = {VL, 2 * VL};
    int64_t k = 0;
    for (; k + 4 * VL <= n; k += 4 * VL)
        v4_store(a + k, at, v4_activate(activation, v4_load(a + k, at)));
    for (; k < n; k += VL) v_store(a + k, v_activate(activation, v_load(a + k)));
}

static void activate(weir_activation activation, float *a, int64_t n) {
    if (activation == WEIR_TANH) activate_as(WEIR_TANH, a, n);
    if (activation == WEIR_SIGMOID) activate_as(WEIR_SIGMOID, a, n);
    if (activation == WEIR_RELU) activate_as(WEIR_RELU, a, n);
}

/* Where the step is passed over the state stays. */
static void pass_over(const forward *f, int64_t r) {
    for (int64_t k = 0; step_passed(&f->steps, f->n0 + r, f->s) && k < f->H; k += VL)
        v_store(f->a + r * f->H + k, v_load(f->h + r * f->H + k));
}

/* Lines of n floats, `ahead` floats from p on. */
static inline __attribute__((always_inline)) void fetch_row(const float *p, int64_t n,
                                                            int64_t ahead) {
    for (int64_t k = 0; k < n; k += GRU_PANEL) v_fetch(p + k, ahead * (int64_t)sizeof(float));
}

/* The new state of one row to the reserve and to y. These and x are a stream for each sample, more
 * than the hardware follows: what the row reads and writes at the next step is fetched. */
static void emit(const forward *f, int64_t r) {
    const weir_rnn *p = &f->c->p;
    const int64_t n = f->n0 + r, H = f->H;
    const float *h = f->a + r * H, *x = f->c->t.x + step_index(&f->steps, n, f->s) * p->C_in;
    fetch_row(x, p->C_in, p->go_backwards ? -p->C_in : p->C_in);
    if (f->c->reserve) {
        float *state = f->c->reserve + rnn_state_at(p, n, f->s + 1);
        fetch_row(state, H, H);
        for (int64_t k = 0; k < H; k += VL) v_store(state + k, v_load(h + k));
    }
    if (!p->return_sequences && f->s < p->T - 1) return;
    float *y = f->c->y + (p->return_sequences ? n * p->T + f->s : n) * p->H;
    fetch_row(y, p->H, p->H);
    for (int64_t k = 0; k < p->H; k += VL) store_below(y, k, p->H, v_load(h + k));
}

/* Rows go through the step by tiles, so that the memory of one is fetched while others multiply. */
static void forward_step(forward *f) {
    const int64_t tile = tile_shapes[0].rows;
    rows x, h;
    operands(f, &x, &h);
    if (f->steps_ahead && f->s % f->steps_ahead == 0) ahead_run(f);
    for (int64_t r0 = 0, count; r0 < f->m; r0 += count) {
        count = f->m - r0 < tile ? f->m - r0 : tile;
        sums(f, x, h, r0, count);
        activate(f->c->p.activation, f->a + r0 * f->H, count * f->H);
        for (int64_t r = r0; r < r0 + count; r++) {
            if (f->steps.mask) pass_over(f, r);
            emit(f, r);
        }
    }
    float *next = f->a;
    f->a = f->h;
    f->h = next;
}

void WEIR_KERNEL(rnn_fwd)(const weir_rnn_call *c, int64_t n0, int64_t n1) {
    for (int64_t n = n0; n < n1; n += GRU_ROWS) {
        forward f;
        forward_begin(&f, c, n, n1);
        for (f.s = 0; f.s < c->p.T; f.s++) forward_step(&f);
    }
}

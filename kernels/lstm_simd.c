/*
 * LSTM forward on vectors. SPDX-License-Identifier: Apache-2.0
 *
 * A block of samples walks through time together; its state stays in the first cache, and there is
 * no barrier inside a sequence. Arithmetic, in this order and with one rounding per operation
 * (masked operands first: xm = x mask, hm = h mask; without masks x and h themselves):
 *   a          bias, + xm[i] w[i] for i ascending, + hm[j] u[j] for j ascending, each an fma
 *   i, f, o    rec(a);   g = act(a)
 *   c'         fma(f, c, i g)
 *   h'         o act(c')
 */
#include <stdbool.h>
#include <stddef.h>

#include "kernels/lstm_block.h"
#include "kernels/vmath.h"

typedef struct forward {
    block b;
    int64_t s;                               /* the step */
    float *h, *c;                            /* [m][H] states */
    float *a;                                /* [m][4][H] gates before the activation */
    float *bias;                             /* [4][H] */
    float *mx[LSTM_GATES], *mh[LSTM_GATES];  /* masked x and h of each gate told apart */
    rows x_of[LSTM_GATES], h_of[LSTM_GATES]; /* what each gate multiplies with W and U */
    float *ahead;                            /* [m][steps_ahead][4][H] bias and x's part */
    int64_t steps_ahead;                     /* 0: x's part is computed with each step */
    kept row, y;                             /* row: of the reserve */
} forward;

/*
 * Few samples make low tiles, whose time is that of a chain from state to state. x's part is not on
 * that chain: it is computed for many steps at once, by high tiles whose rows are the steps.
 */
enum { AHEAD_SAMPLES = 3 }; /* at most */

static void forward_bias(forward *f) {
    const weir_lstm_call *c = f->b.c;
    int64_t H = c->p.H, H_p = f->b.H;
    for (int64_t gate = 0; gate < LSTM_GATES; gate++)
        for (int64_t k = 0; k < H_p; k++)
            f->bias[gate * H_p + k] = c->t.b && k < H ? c->t.b[gate * H + k] : 0.0f;
}

/* Cuts the scratch into the block's arrays. */
static void forward_arrays(forward *f) {
    block *b = &f->b;
    const weir_lstm_tensors *t = &b->c->t;
    int64_t state = b->m * b->H;
    f->h = take(b, state);
    f->c = take(b, state);
    f->a = take(b, LSTM_GATES * state);
    f->bias = take(b, LSTM_GATES * b->H);
    f->steps_ahead = b->m <= AHEAD_SAMPLES ? LSTM_AHEAD_ROWS / b->m : 0;
    f->ahead = take(b, b->m * f->steps_ahead * LSTM_GATES * b->H);
    for (int g = 0; g < LSTM_GATES; g++) {
        bool own = g < b->masks;
        int64_t x_rows = f->steps_ahead ? f->steps_ahead : b->m;
        f->mx[g] = own && t->mask_x ? take(b, x_rows * b->C) : f->mx[0];
        f->mh[g] = own && t->mask_h ? take(b, state) : f->mh[0];
        f->h_of[g] = (rows){t->mask_h ? f->mh[g] : f->h, b->H};
        f->x_of[g] = (rows){f->mx[g], b->C}; /* without mask: set at each step */
    }
}

/* ---- sums ---- */

/* m rows of x, each by its mask. */
static void x_operands(forward *f, int64_t m, rows x, const rows *masks) {
    const block *b = &f->b;
    for (int g = 0; masks && g < b->masks; g++)
        multiply_rows(m, b->c->p.C_in, x, masks[g], f->mx[g], b->C);
    for (int g = 0; !masks && g < LSTM_GATES; g++) f->x_of[g] = x;
}

/* x of step s. */
static void x_of_step(forward *f, int64_t s) {
    const block *b = &f->b;
    const weir_lstm_call *c = b->c;
    rows x = {c->t.x + x_row(&c->p, b->n0, s), c->p.T * c->p.C_in}, masks[LSTM_GATES];
    for (int g = 0; c->t.mask_x && g < b->masks; g++)
        masks[g] = mask_rows(b, c->t.mask_x, c->p.C_in, g);
    x_operands(f, b->m, x, c->t.mask_x ? masks : NULL);
}

/* x of `steps` steps of sample r. */
static void x_of_sample(forward *f, int64_t s, int64_t steps, int64_t r) {
    const block *b = &f->b;
    const weir_lstm_call *c = b->c;
    const int64_t width = c->p.C_in;
    rows x = {c->t.x + x_row(&c->p, b->n0 + r, s), c->p.go_backwards ? -width : width};
    rows masks[LSTM_GATES];
    for (int g = 0; c->t.mask_x && g < b->masks; g++) {
        rows of_samples = mask_rows(b, c->t.mask_x, width, g);
        masks[g] = (rows){of_samples.p + r * of_samples.stride, 0};
    }
    x_operands(f, steps, x, c->t.mask_x ? masks : NULL);
}

static void h_operands(forward *f) {
    const block *b = &f->b;
    const weir_lstm_call *c = b->c;
    for (int g = 0; c->t.mask_h && g < b->masks; g++)
        multiply_rows(b->m, c->p.H, (rows){f->h, b->H}, mask_rows(b, c->t.mask_h, c->p.H, g),
                      f->mh[g], b->H);
}

static factor x_factor(const forward *f, int64_t gate) {
    const weir_lstm_call *c = f->b.c;
    return (factor){f->x_of[gate].p, f->x_of[gate].stride, c->w_packed + gate * f->b.H * c->p.C_in,
                    c->p.C_in};
}

static factor h_factor(const forward *f, int64_t gate) {
    const weir_lstm_call *c = f->b.c;
    return (factor){f->h_of[gate].p, f->h_of[gate].stride, c->u_packed + gate * f->b.H * c->p.H,
                    c->p.H};
}

/* m rows of the gates from `gate` on that have the same operands: to = init + products. */
static void gates_product(const forward *f, int64_t m, rows init, int64_t gate,
                          const factor *factors, int count, float *to, int64_t to_stride) {
    const int64_t H = f->b.H, gates = LSTM_GATES / f->b.masks;
    product_from(init.p + gate * H, init.stride, m, gates * H / VL, factors, count, to + gate * H,
                 to_stride);
}

/* Bias and x's part of the next steps, of all samples. */
static void ahead_run(forward *f) {
    const int64_t row = LSTM_GATES * f->b.H, left = f->b.c->p.T - f->s;
    const int64_t steps = left < f->steps_ahead ? left : f->steps_ahead;
    for (int64_t r = 0; r < f->b.m; r++) {
        x_of_sample(f, f->s, steps, r);
        for (int64_t gate = 0; gate < f->b.masks; gate++) {
            const factor x = x_factor(f, gate);
            gates_product(f, steps, (rows){f->bias, 0}, gate, &x, 1,
                          f->ahead + r * f->steps_ahead * row, row);
        }
    }
}

static void sums(forward *f) {
    const int64_t row = LSTM_GATES * f->b.H, at = f->steps_ahead ? f->s % f->steps_ahead : 0;
    const rows init =
        f->steps_ahead ? (rows){f->ahead + at * row, f->steps_ahead * row} : (rows){f->bias, 0};
    if (f->steps_ahead && at == 0) ahead_run(f);
    if (!f->steps_ahead) x_of_step(f, f->s);
    h_operands(f);
    for (int64_t gate = 0; gate < f->b.masks; gate++) {
        const factor xh[2] = {x_factor(f, gate), h_factor(f, gate)};
        if (f->steps_ahead)
            gates_product(f, f->b.m, init, gate, xh + 1, 1, f->a, row);
        else
            gates_product(f, f->b.m, init, gate, xh, 2, f->a, row);
    }
}

/* ---- what follows them, in fours of vectors ---- */

#define STATES_INLINE static inline __attribute__((always_inline))

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

/* Part of the step's row of the reserve. */
static inline void keep_four(const forward *f, float *p, v4_at at, vf4 x) {
    if (!f->b.c->stream) {
        v4_store(p, at, x);
        return;
    }
    v_stream(p, x.a);
    v_stream(p + at.b, x.b);
    v_stream(p + at.c, x.c);
    v_stream(p + at.b + at.c, x.d);
}

/* Gates and new state c of vectors k .. k + columns - 1 of the 4 / columns rows from r on; o stays in
 * place of its sum. */
STATES_INLINE void cells_four(const forward *f, int64_t r, int64_t k, int64_t columns,
                              weir_activation activation, weir_activation recurrent) {
    const int64_t H = f->b.H;
    const v4_at in_a = four_at(columns, LSTM_GATES * H), in_c = four_at(columns, H);
    float *a = f->a + r * LSTM_GATES * H + k, *c = f->c + r * H + k;
    vf4 i = v4_activate(recurrent, v4_load(a + LSTM_GATE_I * H, in_a));
    vf4 g = v4_activate(activation, v4_load(a + LSTM_GATE_G * H, in_a));
    vf4 forget = v4_activate(recurrent, v4_load(a + LSTM_GATE_F * H, in_a));
    v4_store(c, in_c, v4_fma(forget, v4_load(c, in_c), v4_mul(i, g)));
    vf4 o = v4_activate(recurrent, v4_load(a + LSTM_GATE_O * H, in_a));
    v4_store(a + LSTM_GATE_O * H, in_a, o);
    if (!f->row.p) return;
    const v4_at in_row = four_at(columns, f->row.stride);
    float *gates = f->row.p + r * f->row.stride + 2 * H + k;
    keep_four(f, gates + LSTM_GATE_I * H, in_row, i);
    keep_four(f, gates + LSTM_GATE_F * H, in_row, forget);
    keep_four(f, gates + LSTM_GATE_G * H, in_row, g);
    keep_four(f, gates + LSTM_GATE_O * H, in_row, o);
}

/* New state h of the same vectors. */
STATES_INLINE void outputs_four(const forward *f, int64_t r, int64_t k, int64_t columns,
                                weir_activation activation) {
    const int64_t H = f->b.H;
    const v4_at in_a = four_at(columns, LSTM_GATES * H), in_h = four_at(columns, H);
    const float *o = f->a + (r * LSTM_GATES + LSTM_GATE_O) * H + k;
    vf4 cell = v4_load(f->c + r * H + k, in_h);
    vf4 state = v4_mul(v4_load(o, in_a), v4_activate(activation, cell));
    v4_store(f->h + r * H + k, in_h, state);
    if (f->row.p) {
        const v4_at in_row = four_at(columns, f->row.stride);
        float *after = f->row.p + r * f->row.stride + LSTM_PARTS * H + k;
        keep_four(f, after, in_row, state);
        keep_four(f, after + H, in_row, cell);
    }
    if (f->y.p) y_store(f, r, k, columns, state);
}

/* The same two of one vector. */
static void cells_vector(const forward *f, int64_t r, int64_t k) {
    const weir_lstm *p = &f->b.c->p;
    const int64_t H = f->b.H;
    float *a = f->a + r * LSTM_GATES * H + k, *c = f->c + r * H + k;
    vf i = v_activate(p->recurrent, v_load(a + LSTM_GATE_I * H));
    vf forget = v_activate(p->recurrent, v_load(a + LSTM_GATE_F * H));
    vf g = v_activate(p->activation, v_load(a + LSTM_GATE_G * H));
    vf o = v_activate(p->recurrent, v_load(a + LSTM_GATE_O * H));
    v_store(c, v_fma(forget, v_load(c), v_mul(i, g)));
    v_store(a + LSTM_GATE_O * H, o);
    if (!f->row.p) return;
    float *gates = f->row.p + r * f->row.stride + 2 * H + k;
    v_store(gates + LSTM_GATE_I * H, i);
    v_store(gates + LSTM_GATE_F * H, forget);
    v_store(gates + LSTM_GATE_G * H, g);
    v_store(gates + LSTM_GATE_O * H, o);
}

static void outputs_vector(const forward *f, int64_t r, int64_t k) {
    const weir_lstm *p = &f->b.c->p;
    const int64_t H = f->b.H;
    vf cell = v_load(f->c + r * H + k), o = v_load(f->a + (r * LSTM_GATES + LSTM_GATE_O) * H + k);
    vf state = v_mul(o, v_activate(p->activation, cell));
    v_store(f->h + r * H + k, state);
    if (f->row.p) {
        float *after = f->row.p + r * f->row.stride + LSTM_PARTS * H + k;
        v_store(after, state);
        v_store(after + H, cell);
    }
    if (f->y.p) store_below(f->y.p + r * f->y.stride, k, p->H, state);
}

/* What the next step reads and writes of x and y first. */
static inline __attribute__((always_inline)) void prefetch_row(const forward *f, int64_t r) {
    const weir_lstm_call *c = f->b.c;
    if (f->s + 1 == c->p.T) return;
    const float *x = c->t.x + x_row(&c->p, f->b.n0 + r, f->s + 1);
    for (int64_t k = 0; k < c->p.C_in; k += GRU_PANEL) __builtin_prefetch(x + k);
    if (!c->p.return_sequences) return;
    const float *y = f->y.p + r * f->y.stride + c->p.H;
    for (int64_t k = 0; k < c->p.H; k += GRU_PANEL) __builtin_prefetch(y + k, 1);
}

/* Rows r0 .. r1 - 1. The cells of all of them come first: no four then waits for another. */
STATES_INLINE void states_of(const forward *f, int64_t r0, int64_t r1, weir_activation activation,
                             weir_activation recurrent) {
    const int64_t H = f->b.H, vectors = H / VL;
    const int64_t columns = vectors % 4 == 0 ? 4 : vectors % 2 == 0 ? 2 : 1, step = 4 / columns;
    const int64_t fours = r0 + (r1 - r0) / step * step;
    for (int64_t r = r0; r < r1; r++) prefetch_row(f, r);
    for (int64_t r = r0; r < fours; r += step)
        for (int64_t k = 0; k < H; k += columns * VL)
            cells_four(f, r, k, columns, activation, recurrent);
    for (int64_t r = r0; r < fours; r += step)
        for (int64_t k = 0; k < H; k += columns * VL) outputs_four(f, r, k, columns, activation);
    for (int64_t r = fours; r < r1; r++) {
        for (int64_t k = 0; k < H; k += VL) cells_vector(f, r, k);
        for (int64_t k = 0; k < H; k += VL) outputs_vector(f, r, k);
    }
}

/* The usual activations get code of their own, without a branch for each four. */
static void states(const forward *f, int64_t r0, int64_t r1) {
    const weir_activation activation = f->b.c->p.activation, recurrent = f->b.c->p.recurrent;
    if (activation == WEIR_TANH && recurrent == WEIR_SIGMOID)
        states_of(f, r0, r1, WEIR_TANH, WEIR_SIGMOID);
    else
        states_of(f, r0, r1, activation, recurrent);
}

/* The step of row r is passed over. */
static void states_keep(const forward *f, int64_t r) {
    const int64_t H = f->b.H;
    for (int64_t k = 0; k < H; k += VL) {
        vf h = v_load(f->h + r * H + k), c = v_load(f->c + r * H + k);
        if (f->y.p) store_below(f->y.p + r * f->y.stride, k, f->b.c->p.H, h);
        if (!f->row.p) continue;
        float *gates = f->row.p + r * f->row.stride + 2 * H + k, *after = gates + LSTM_GATES * H;
        for (int gate = 0; gate < LSTM_GATES; gate++)
            v_store(gates + gate * H, gate == LSTM_GATE_F ? v_set1(1.0f) : v_zero());
        v_store(after, h);
        v_store(after + H, c);
    }
}

/* ---- steps ---- */

static void forward_outputs(forward *f) {
    const weir_lstm_call *c = f->b.c;
    const weir_lstm *p = &c->p;
    int64_t n = f->b.n0, s = f->s;
    if (c->reserve) f->row = (kept){c->reserve + lstm_row_at(p, n, s), lstm_row_at(p, 1, 0)};
    if (p->return_sequences)
        f->y = (kept){c->y + (n * p->T + s) * p->H, p->T * p->H};
    else if (s == p->T - 1)
        f->y = (kept){c->y + n * p->H, p->H};
}

static vf state_before(const float *state, int64_t n, int64_t k, int64_t H) {
    return state ? load_below(state + n * H, k, H) : v_zero();
}

static void forward_begin(forward *f, const weir_lstm_call *c, int64_t n0, int64_t n1) {
    f->b = block_begin(c, n0, n1);
    forward_arrays(f);
    forward_bias(f);
    const block *b = &f->b;
    for (int64_t r = 0; r < b->m; r++) {
        for (int64_t k = 0; k < b->H; k += VL) {
            vf h = state_before(c->t.h0, n0 + r, k, c->p.H);
            vf cell = state_before(c->t.c0, n0 + r, k, c->p.H);
            v_store(f->h + r * b->H + k, h);
            v_store(f->c + r * b->H + k, cell);
            if (!c->reserve) continue;
            float *row = c->reserve + lstm_row_at(&c->p, n0 + r, 0) + k;
            v_store(row, h);
            v_store(row + b->H, cell);
        }
    }
}

static void forward_step(forward *f) {
    const int64_t m = f->b.m;
    run a = run_next(&f->b, f->s, 0);
    forward_outputs(f);
    if (a.begin < m || f->steps_ahead) sums(f);
    for (int64_t r = 0; r < m; a = run_next(&f->b, f->s, r)) {
        for (; r < a.begin; r++) states_keep(f, r);
        states(f, a.begin, a.end);
        r = a.end;
    }
}

static void forward_end(const forward *f) {
    const block *b = &f->b;
    const weir_lstm_call *c = b->c;
    for (int64_t r = 0; c->c_last && r < b->m; r++)
        for (int64_t k = 0; k < c->p.H; k += VL)
            store_below(c->c_last + (b->n0 + r) * c->p.H, k, c->p.H, v_load(f->c + r * b->H + k));
}

void WEIR_KERNEL(lstm_fwd)(const weir_lstm_call *c, int64_t n0, int64_t n1) {
    for (int64_t n = n0; n < n1; n += LSTM_ROWS) {
        forward f = {.mx = {NULL}, .mh = {NULL}};
        forward_begin(&f, c, n, n + LSTM_ROWS < n1 ? n + LSTM_ROWS : n1);
        for (f.s = 0; f.s < c->p.T; f.s++) forward_step(&f);
        forward_end(&f);
    }
    v_stream_end();
}

/* Check of the LSTM's forward pass. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "validate/lstm_case.h"

enum { WORK = 150000 };

/*
 * The error of one step, given the states before it.
 *
 * A gate's argument is a sum of a bias and C_in + H products (each of a masked value: one rounding
 * more): a term passes at most C_in + H + 3 roundings. Then the activation. With e_ the error of what
 * is named, c' = f c + i g carries e_f |c| + e_i |g| + |i| e_g + e_i e_g and two roundings of its
 * terms; act(c') the activation's own error on top; h' = o act(c') carries e_o |act(c')| +
 * |o| e_act + e_o e_act and one rounding.
 * A product with a mask may be flushed before it is multiplied with a weight: flushed().
 * A step that is passed over has the values that lstm.h gives, and copies of the states.
 */
typedef struct step_check {
    const lstm_case *k;
    int64_t n, s;
    const float *h, *c;   /* before the step */
    const float *gates;   /* the oracle's */
    double *bound, *cell; /* of the gates, [4][H_p]; of the state c */
} step_check;

static double magnitude(const step_check *v, int64_t gate, int64_t j) {
    const lstm_case *k = v->k;
    const weir_lstm *p = &k->call.p;
    const float *x = k->x + (v->n * p->T + lstm_time(p, v->s)) * p->C_in;
    double sum = k->b ? fabs((double)k->b[gate * p->H + j]) : 0;
    for (int64_t i = 0; i < p->C_in; i++)
        sum += fabs((double)x[i] * lstm_mask_x(k, v->n, gate, i) *
                    (double)k->w[(i * LSTM_GATES + gate) * p->H + j]);
    for (int64_t i = 0; i < p->H; i++)
        sum += fabs((double)v->h[i] * lstm_mask_h(k, v->n, gate, i) *
                    (double)k->u[(i * LSTM_GATES + gate) * p->H + j]);
    return sum;
}

/* What is lost where x mask and h mask are flushed. */
static double flushed(const context *c, const step_check *v, int64_t gate, int64_t j) {
    const lstm_case *k = v->k;
    const weir_lstm *p = &k->call.p;
    double sum = 0;
    for (int64_t i = 0; k->mask_x && i < p->C_in; i++)
        sum += fabs((double)k->w[(i * LSTM_GATES + gate) * p->H + j]);
    for (int64_t i = 0; k->mask_h && i < p->H; i++)
        sum += fabs((double)k->u[(i * LSTM_GATES + gate) * p->H + j]);
    return lstm_bound_settle(c, sum * (double)FLT_MIN);
}

static void gate_bounds(context *c, const step_check *v) {
    const weir_lstm *p = &v->k->call.p;
    int64_t H_p = gru_padded(p->H);
    double roundings = (double)(p->C_in + p->H + 3);
    for (int64_t gate = 0; gate < LSTM_GATES; gate++) {
        weir_activation activation = gate == LSTM_GATE_G ? p->activation : p->recurrent;
        for (int64_t j = 0; j < p->H; j++) {
            double error =
                lstm_bound_settle(c, bound_terms(c, roundings, magnitude(v, gate, j), 0)) +
                flushed(c, v, gate, j);
            double value = (double)v->gates[gate * H_p + j];
            v->bound[gate * H_p + j] =
                bound_activation(activation, error, value) + U32 * fabs(value);
        }
    }
}

/* Bounds of both states of unit j; `state` and `cell` are the oracle's. */
static void state_bounds(const context *c, const step_check *v, int64_t j, double state,
                         double cell, double *state_bound, double *cell_bound) {
    const weir_lstm *p = &v->k->call.p;
    int64_t H_p = gru_padded(p->H);
    const float *gate = v->gates + j;
    const double *e = v->bound + j;
    double i = fabs((double)gate[LSTM_GATE_I * H_p]), f = fabs((double)gate[LSTM_GATE_F * H_p]);
    double g = fabs((double)gate[LSTM_GATE_G * H_p]), o = fabs((double)gate[LSTM_GATE_O * H_p]);
    double e_i = e[LSTM_GATE_I * H_p], e_g = e[LSTM_GATE_G * H_p], e_o = e[LSTM_GATE_O * H_p];
    double before = fabs((double)v->c[j]);
    double error = e[LSTM_GATE_F * H_p] * before + e_i * g + i * e_g + e_i * e_g;
    double terms = (f + e[LSTM_GATE_F * H_p]) * before + (i + e_i) * (g + e_g);
    *cell_bound = lstm_bound_settle(c, error + bound_terms(c, 2, terms, cell));
    double y = p->activation == WEIR_TANH ? tanh(cell) : fmax(cell, 0);
    double e_y = bound_activation(p->activation, *cell_bound, y);
    error = e_o * fabs(y) + o * e_y + e_o * e_y;
    terms = (o + e_o) * (fabs(y) + e_y);
    *state_bound = lstm_bound_settle(c, error + bound_terms(c, 1, terms, state));
}

static void step_bounds(context *c, const step_check *v, const float *after, double *after_bound) {
    const weir_lstm *p = &v->k->call.p;
    int64_t H = p->H, H_p = gru_padded(H);
    if (lstm_passes(&v->k->call, v->n, v->s)) {
        for (int64_t j = 0; j < LSTM_GATES * H_p; j++) v->bound[j] = 0;
        for (int64_t j = 0; j < 2 * H_p; j++)
            after_bound[j] = (double)FLT_MIN; /* denormals: copied */
        return;
    }
    gate_bounds(c, v);
    for (int64_t j = 0; j < H; j++)
        state_bounds(c, v, j, (double)after[j], (double)after[H_p + j], &after_bound[j],
                     &after_bound[H_p + j]);
    for (int64_t g = 0; g < LSTM_GATES; g++)
        for (int64_t j = 0; j < H; j++)
            v->bound[g * H_p + j] = lstm_bound_settle(c, v->bound[g * H_p + j]);
}

/* State h (part 0) or c (part 1) of every sample before step s, from a reserve. */
static float *states_before(context *c, const lstm_case *k, const float *reserve, int64_t s,
                            int64_t part) {
    const weir_lstm *p = &k->call.p;
    float *h = plain_new(c, p->N * p->H);
    for (int64_t n = 0; n < p->N; n++)
        memcpy(h + n * p->H, reserve + lstm_row_at(p, n, s) + part * gru_padded(p->H),
               (size_t)p->H * sizeof(float));
    return h;
}

/* Fills what the oracle and the bounds say of step s of every sample, in the reserve's layout. */
static void step_expect(context *c, const lstm_case *k, const float *got, int64_t s,
                        float *expected, double *bound) {
    const weir_lstm *p = &k->call.p;
    int64_t H_p = gru_padded(p->H);
    float *h = states_before(c, k, got, s, 0), *cell = states_before(c, k, got, s, 1);
    weir_lstm_call one = lstm_step_call(c, k, s, h, cell);
    one.y = plain_new(c, p->N * p->H);
    one.reserve = plain_new(c, lstm_reserve_size(&one.p));
    kernels_begin(c);
    lstm_scratch_set(&one);
    c->oracle->lstm_fwd(&one, 0, p->N);
    kernels_end(c);
    for (int64_t n = 0; n < p->N; n++) {
        const float *gates = one.reserve + lstm_gates_at(&one.p, n, 0);
        /* The gates and the states after them are neighbours. */
        memcpy(expected + lstm_gates_at(p, n, s), gates,
               (size_t)((LSTM_GATES + 2) * H_p) * sizeof(float));
        step_check v = {.k = k,
                        .n = n,
                        .s = s,
                        .h = h + n * p->H,
                        .c = cell + n * p->H,
                        .gates = gates,
                        .bound = bound + lstm_gates_at(p, n, s)};
        step_bounds(c, &v, gates + LSTM_GATES * H_p, bound + lstm_row_at(p, n, s + 1));
    }
}

/* The states before step 0 are copies. */
static void start_expect(const lstm_case *k, float *expected, double *bound) {
    const weir_lstm *p = &k->call.p;
    int64_t H_p = gru_padded(p->H);
    const float *states[2] = {k->h0, k->c0};
    for (int64_t n = 0; n < p->N; n++)
        for (int64_t j = 0; j < 2 * H_p; j++) {
            const float *from = states[j / H_p];
            int64_t unit = j % H_p, at = lstm_row_at(p, n, 0) + j;
            expected[at] = from && unit < p->H ? from[n * p->H + unit] : 0.0f;
            bound[at] = from && unit < p->H ? (double)FLT_MIN : 0;
        }
}

static void fwd_call(const weir_kernels *k, void *arg, int64_t n0, int64_t n1, float *const *out) {
    const lstm_case *a = arg;
    weir_lstm_call call = a->call;
    int i = 1;
    call.y = out[0];
    call.reserve = a->keeps ? out[i++] : NULL;
    call.c_last = a->c_last ? out[i] : NULL;
    call.stream = a->stream && a->keeps && (uintptr_t)call.reserve % 64 == 0;
    lstm_scratch_set(&call);
    k->lstm_fwd(&call, n0, n1);
}

/* Rows of H_p floats that the reserve has for a sample. */
static int64_t reserve_rows(const weir_lstm *p) { return LSTM_PARTS * p->T + 2; }

static range_check fwd_check(lstm_case *k) {
    const weir_lstm *p = &k->call.p;
    int64_t H_p = gru_padded(p->H), steps = p->return_sequences ? p->T : 1;
    range_check r = {.call = fwd_call, .arg = k, .rows = p->N};
    r.output[r.outputs++] = (output){.tensor = {"y", {p->N, steps, p->H}}, .width = steps * p->H};
    if (k->keeps)
        r.output[r.outputs++] = (output){.tensor = {"reserve", {p->N, reserve_rows(p), H_p}},
                                         .width = reserve_rows(p) * H_p,
                                         .padded = H_p,
                                         .used = p->H};
    if (k->c_last)
        r.output[r.outputs++] = (output){.tensor = {"c_last", {p->N, p->H}}, .width = p->H};
    return r;
}

/* y and c_last hold the states of the reserve, bit for bit. */
static void states_check(context *c, const lstm_case *k, float *const *got) {
    const weir_lstm *p = &k->call.p;
    int64_t steps = p->return_sequences ? p->T : 1;
    float *states = plain_new(c, lstm_y_floats(p));
    for (int64_t n = 0; n < p->N; n++)
        for (int64_t s = 0; s < steps; s++)
            memcpy(states + (n * steps + s) * p->H,
                   got[1] + lstm_row_at(p, n, p->T - steps + s + 1), (size_t)p->H * sizeof(float));
    tensor y = {"y", {p->N, steps, p->H}}, last = {"c_last", {p->N, p->H}};
    compare_bits(c, &y, "the reserve's states", got[0], states);
    if (k->c_last)
        compare_bits(c, &last, "the reserve's states", got[2],
                     states_before(c, k, got[1], p->T, 1));
}

/* Each step is compared with the oracle's single step from the kernel's own states before it, so no
 * error adds up over time and the bounds stay tight at any T. */
static void fwd_case(context *c) {
    lstm_case k = {
        .keeps = true, .c_last = rng_chance(&c->rng, 50), .stream = rng_chance(&c->rng, 50)};
    lstm_draw(c, &k, WORK);
    lstm_tensors_new(c, &k);
    const weir_lstm *p = &k.call.p;
    range_check r = fwd_check(&k);
    float *got[MAX_OUTPUTS], *alone[MAX_OUTPUTS];
    if (c->options->hash) {
        ranges_hash(c, &r);
        return;
    }
    ranges_run(c, &r, got);
    float *expected = plain_new(c, lstm_reserve_size(p));
    double *bound = double_new(c, lstm_reserve_size(p));
    start_expect(&k, expected, bound);
    for (int64_t s = 0; s < p->T; s++) step_expect(c, &k, got[1], s, expected, bound);
    compare_bounds(c, &r.output[1].tensor, got[1], expected, bound);
    if (c->failures) return;
    states_check(c, &k, got);
    ranges_bits(c, &r, got);
    k.keeps = false;
    range_check inference = fwd_check(&k);
    ranges_run(c, &inference, alone);
    got[1] = got[2];
    ranges_same(c, &inference, "the call with a reserve", alone, got);
}

/* ---- the oracle ---- */

/* One unit, x = 1, h = 2, c = 3: i = 0.2 (1 + 1/2) + 1/2 = 0.8, f = 0.2 (-1/2 + 1/2 - 1) + 1/2 = 0.3,
 * g = 1 + 4 - 1/2 = 4.5, o = 0.2 (1/2 + 1) + 1/2 = 0.8.
 * c' = 0.9 + 3.6 = 4.5, h' = 3.6. Without h in g: g = 1/2, c' = 1.3, h' = 1.04. */
static void fwd_by_hand(context *c) {
    static const float x[1] = {1}, h0[1] = {2}, c0[1] = {3}, w[4] = {1, -0.5f, 1, 0.5f};
    static const float u[4] = {0.25f, 0.25f, 2, 0.5f}, b[4] = {0, -1, -0.5f, 0};
    static const float mask[4] = {1, 1, 0, 1};
    static const double h[3] = {3.6, 1.04, 2}, cell[3] = {4.5, 1.3, 3};
    static const uint8_t over[1] = {0};
    for (int kind = 0; kind < 3; kind++) { /* plain, masked, passed over */
        lstm_case k = {0};
        k.call.p = (weir_lstm){.N = 1,
                               .T = 1,
                               .C_in = 1,
                               .H = 1,
                               .activation = WEIR_RELU,
                               .recurrent = WEIR_HARD_SIGMOID,
                               .mask_gates = kind == 1 ? LSTM_GATES : 0};
        k.call.t = (weir_lstm_tensors){.x = x,
                                       .w = w,
                                       .u = u,
                                       .b = b,
                                       .h0 = h0,
                                       .c0 = c0,
                                       .mask_h = kind == 1 ? mask : NULL,
                                       .step_mask = kind == 2 ? over : NULL};
        k.call.y = plain_new(c, 1);
        k.call.c_last = plain_new(c, 1);
        k.call.scratch = plain_new(c, lstm_scratch_floats(&k.call.p));
        c->oracle->lstm_fwd(&k.call, 0, 1);
        compare_scalar(c, "h by hand", (double)k.call.y[0], h[kind], 4 * U32 * h[kind]);
        compare_scalar(c, "c by hand", (double)k.call.c_last[0], cell[kind], 4 * U32 * cell[kind]);
    }
}

/* Backwards over x is forwards over x reversed; a sequence ends with the last state. */
static void fwd_oracle(context *c) {
    lstm_case k = {0};
    fwd_by_hand(c);
    lstm_draw(c, &k, 4000);
    k.call.p.return_sequences = true;
    k.call.p.go_backwards = true;
    lstm_tensors_new(c, &k);
    const weir_lstm *p = &k.call.p;
    weir_lstm_call call = k.call;
    tensor y = {"y", {p->N, p->T, p->H}};
    call.y = output_new(c, "y", tensor_size(&y));
    c->oracle->lstm_fwd(&call, 0, p->N);
    float *x = plain_new(c, p->N * p->T * p->C_in), *expected = plain_new(c, tensor_size(&y));
    uint8_t *step_mask = (uint8_t *)plain_new(c, p->N * p->T);
    for (int64_t n = 0; n < p->N; n++)
        for (int64_t s = 0; s < p->T; s++) {
            int64_t to = n * p->T + s, from = n * p->T + p->T - 1 - s;
            memcpy(x + to * p->C_in, k.x + from * p->C_in, (size_t)p->C_in * sizeof(float));
            step_mask[to] = k.step_mask ? k.step_mask[from] : 1;
        }
    call.p.go_backwards = false;
    call.t.x = x;
    call.t.step_mask = step_mask;
    float *backwards = call.y;
    call.y = expected;
    c->oracle->lstm_fwd(&call, 0, p->N);
    compare_bits(c, &y, "the reversed input", backwards, expected);
    canaries_check(c);
}

const check check_lstm_fwd = {"lstm_fwd", fwd_case, fwd_oracle};

/* ---- the op ---- */

static weir_status fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const lstm_case *k = arg;
    int i = 1;
    float *reserve = k->keeps ? out[i++] : NULL;
    return weir_lstm_fwd(rt, &k->call.p, &k->call.t, out[0], k->c_last ? out[i] : NULL, reserve);
}

static void op_fwd_case(context *c) {
    lstm_case k = {.keeps = rng_chance(&c->rng, 50), .c_last = rng_chance(&c->rng, 50)};
    lstm_draw(c, &k, 10 * WORK);
    lstm_tensors_new(c, &k);
    range_check r = fwd_check(&k);
    op_check(c, fwd_op, &r);
}

const check check_op_lstm_fwd = {"op_lstm_fwd", op_fwd_case, NULL};

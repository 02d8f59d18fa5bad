/* Check of the GRU's forward pass. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "validate/gru_case.h"

enum { WORK = 150000 };

/*
 * The error of one step, given the state before it.
 *
 * A gate's argument is a sum of C_in + H products (each of a masked value: one rounding more) and up
 * to two biases: a term passes at most C_in + H + 4 roundings. Then the activation. The candidate
 * sees r with its error e_r:
 *   reset before: e_r |h m u| summed over the units, in front of the activation
 *   reset after:  r q with the error e_r |q| + |r| e_q + e_r e_q, q a sum of H products and a bias
 * The new state z h + (1 - z) c has the derivatives h - c by z and 1 - z by c, so it carries
 * e_z (|h - c| + e_c) + |1 - z| e_c, and 4 roundings of its terms: |z h|, |z c|, |c|.
 * A step that is passed over copies the state, and its gates are 0.
 * A product with a mask or with r may be flushed before it is multiplied with a weight: flushed().
 */
typedef struct step_check {
    const gru_case *k;
    int64_t n, s;
    const float *h;        /* before the step */
    const float *gates;    /* the oracle's */
    double *z, *r, *c, *q; /* bounds */
} step_check;

static double x_magnitude(const step_check *v, int64_t gate, int64_t j) {
    const gru_case *k = v->k;
    const weir_gru *p = &k->call.p;
    const float *x = k->x + (v->n * p->T + gru_time(p, v->s)) * p->C_in;
    double sum = k->b ? fabs((double)k->b[gate * p->H + j]) : 0;
    for (int64_t i = 0; i < p->C_in; i++)
        sum += fabs((double)x[i] * gru_mask_x(k, v->n, gate, i) *
                    (double)k->w[(i * 3 + gate) * p->H + j]);
    return sum;
}

/* With scale[i] (NULL: 1) on unit i. */
static double h_magnitude(const step_check *v, int64_t gate, int64_t j, const double *scale) {
    const gru_case *k = v->k;
    const weir_gru *p = &k->call.p;
    double sum = k->b && p->reset_after ? fabs((double)k->b[(3 + gate) * p->H + j]) : 0;
    for (int64_t i = 0; i < p->H; i++)
        sum += fabs((double)v->h[i] * gru_mask_h(k, v->n, gate, i) *
                    (double)k->u[(i * 3 + gate) * p->H + j]) *
               (scale ? scale[i] : 1);
    return sum;
}

/* What is lost where x mask, h mask and r h are flushed. */
static double flushed(const context *c, const step_check *v, int64_t gate, int64_t j) {
    const gru_case *k = v->k;
    const weir_gru *p = &k->call.p;
    double sum = 0, products = (k->mask_h ? 1 : 0) + (gate == 2 && !p->reset_after ? 1 : 0);
    for (int64_t i = 0; k->mask_x && i < p->C_in; i++)
        sum += fabs((double)k->w[(i * 3 + gate) * p->H + j]);
    for (int64_t i = 0; products > 0 && i < p->H; i++)
        sum += products * fabs((double)k->u[(i * 3 + gate) * p->H + j]);
    return bound_settle(c, sum * (double)FLT_MIN);
}

/* Error of a sum before its activation. */
static double sum_error(const context *c, double roundings, double magnitude) {
    return bound_settle(c, bound_terms(c, roundings, magnitude, 0));
}

static void gate_bounds(context *c, step_check *v) {
    const weir_gru *p = &v->k->call.p;
    int64_t H_p = gru_padded(p->H);
    double roundings = (double)(p->C_in + p->H + 4);
    for (int64_t gate = 0; gate < 2; gate++) {
        double *bound = gate ? v->r : v->z;
        for (int64_t j = 0; j < p->H; j++) {
            double magnitude = x_magnitude(v, gate, j) + h_magnitude(v, gate, j, NULL);
            double error = sum_error(c, roundings, magnitude) + flushed(c, v, gate, j);
            bound[j] = bound_activation(p->recurrent, error, (double)v->gates[gate * H_p + j]);
        }
    }
}

static void candidate_bounds(context *c, step_check *v) {
    const weir_gru *p = &v->k->call.p;
    int64_t H = p->H, H_p = gru_padded(H);
    const float *r = v->gates + H_p;
    double *r_most = double_new(c, H), roundings = (double)(p->C_in + H + 5);
    for (int64_t j = 0; j < H; j++) r_most[j] = fabs((double)r[j]) + v->r[j];
    for (int64_t j = 0; j < H; j++) {
        double x_part = x_magnitude(v, 2, j), error;
        if (p->reset_after) {
            double q = fabs((double)v->gates[3 * H_p + j]);
            v->q[j] =
                sum_error(c, (double)(H + 3), h_magnitude(v, 2, j, NULL)) + flushed(c, v, 2, j);
            error = v->r[j] * q + fabs((double)r[j]) * v->q[j] + v->r[j] * v->q[j];
            error += sum_error(c, (double)(p->C_in + 4), x_part + r_most[j] * (q + v->q[j]));
            v->q[j] += U32 * q;
        } else {
            error = h_magnitude(v, 2, j, v->r) +
                    sum_error(c, roundings, x_part + h_magnitude(v, 2, j, r_most));
        }
        error += flushed(c, v, 2, j);
        v->c[j] =
            bound_activation(p->activation, bound_settle(c, error), (double)v->gates[2 * H_p + j]) +
            U32 * fabs((double)v->gates[2 * H_p + j]);
    }
}

static double state_bound(const context *c, const step_check *v, int64_t j, double expected) {
    int64_t H_p = gru_padded(v->k->call.p.H);
    double z = (double)v->gates[j], candidate = (double)v->gates[2 * H_p + j];
    double h = (double)v->h[j], terms = fabs(z * h) + (1 + fabs(z)) * fabs(candidate);
    double error = v->z[j] * (fabs(h - candidate) + v->c[j]) + fabs(1 - z) * v->c[j];
    return bound_settle(c, error + bound_terms(c, 4, terms, expected));
}

static void step_bounds(context *c, step_check *v, const float *state, double *gates,
                        double *states) {
    const weir_gru *p = &v->k->call.p;
    int64_t H = p->H, H_p = gru_padded(H);
    v->z = gates;
    v->r = gates + H_p;
    v->c = gates + 2 * H_p;
    v->q = gates + 3 * H_p;
    gate_bounds(c, v);
    candidate_bounds(c, v);
    for (int64_t j = 0; j < H; j++) states[j] = state_bound(c, v, j, (double)state[j]);
    for (int64_t g = 0; g < gru_parts(p); g++)
        for (int64_t j = 0; j < H; j++) gates[g * H_p + j] = bound_settle(c, gates[g * H_p + j]);
}

/* The state of every sample before step s, from a reserve. */
static float *states_before(context *c, const gru_case *k, const float *reserve, int64_t s) {
    const weir_gru *p = &k->call.p;
    float *h = plain_new(c, p->N * p->H);
    for (int64_t n = 0; n < p->N; n++)
        memcpy(h + n * p->H, reserve + gru_state_at(p, n, s), (size_t)p->H * sizeof(float));
    return h;
}

/* Fills what the oracle and the bounds say of step s of every sample, in the reserve's layout. */
static void step_expect(context *c, const gru_case *k, const float *got, int64_t s, float *expected,
                        double *bound) {
    const weir_gru *p = &k->call.p;
    int64_t H_p = gru_padded(p->H), row = gru_parts(p) * H_p;
    float *h = states_before(c, k, got, s);
    weir_gru_call one = gru_step_call(c, k, s, h);
    one.y = plain_new(c, p->N * p->H);
    one.reserve = plain_new(c, gru_reserve_size(&one.p));
    kernels_begin(c);
    gru_scratch_set(&one);
    c->oracle->gru_fwd(&one, 0, p->N);
    kernels_end(c);
    for (int64_t n = 0; n < p->N; n++) {
        const float *gates = one.reserve + gru_gates_at(&one.p, n, 0);
        const float *state = one.reserve + gru_state_at(&one.p, n, 1);
        float *state_expected = expected + gru_state_at(p, n, s + 1);
        memcpy(expected + gru_gates_at(p, n, s), gates, (size_t)row * sizeof(float));
        memcpy(state_expected, state, (size_t)H_p * sizeof(float));
        if (gru_passed(k, n, s)) { /* a copy keeps its denormals, which the oracle's doubles lose */
            memcpy(state_expected, h + n * p->H, (size_t)p->H * sizeof(float));
            continue;
        }
        /* weir/ops.h: c - z c is NaN where the oracle's (1 - z) c is infinite. */
        for (int64_t j = 0; j < p->H; j++)
            if (isinf(gates[2 * H_p + j])) state_expected[j] = NAN;
        step_check v = {.k = k, .n = n, .s = s, .h = h + n * p->H, .gates = gates};
        step_bounds(c, &v, state, bound + gru_gates_at(p, n, s), bound + gru_state_at(p, n, s + 1));
    }
}

/* The state before step 0 is a copy. */
static void start_expect(const gru_case *k, float *expected, double *bound) {
    const weir_gru *p = &k->call.p;
    for (int64_t n = 0; n < p->N; n++)
        for (int64_t j = 0; j < gru_padded(p->H); j++) {
            expected[gru_state_at(p, n, 0) + j] = k->h0 && j < p->H ? k->h0[n * p->H + j] : 0.0f;
            bound[gru_state_at(p, n, 0) + j] = k->h0 && j < p->H ? 0x1p-126 : 0;
        }
}

static void fwd_call(const weir_kernels *k, void *arg, int64_t n0, int64_t n1, float *const *out) {
    const gru_case *a = arg;
    weir_gru_call call = a->call;
    call.y = out[0];
    call.reserve = a->keeps ? out[1] : NULL;
    gru_scratch_set(&call);
    k->gru_fwd(&call, n0, n1);
}

/* Rows of H_p floats that the reserve has for a sample. */
static int64_t reserve_rows(const weir_gru *p) { return p->T * gru_parts(p) + p->T + 1; }

static range_check fwd_check(gru_case *k) {
    const weir_gru *p = &k->call.p;
    int64_t H_p = gru_padded(p->H), steps = p->return_sequences ? p->T : 1;
    range_check r = {.call = fwd_call, .arg = k, .rows = p->N, .outputs = k->keeps ? 2 : 1};
    r.output[0] = (output){.tensor = {"y", {p->N, steps, p->H}}, .width = steps * p->H};
    r.output[1] = (output){.tensor = {"reserve", {p->N, reserve_rows(p), H_p}},
                           .width = reserve_rows(p) * H_p,
                           .padded = H_p,
                           .used = p->H};
    return r;
}

/* y holds the states of the reserve, bit for bit. */
static void y_check(context *c, const gru_case *k, const float *y, const float *reserve) {
    const weir_gru *p = &k->call.p;
    int64_t steps = p->return_sequences ? p->T : 1;
    float *states = plain_new(c, gru_y_floats(p));
    for (int64_t n = 0; n < p->N; n++)
        for (int64_t s = 0; s < steps; s++)
            memcpy(states + (n * steps + s) * p->H,
                   reserve + gru_state_at(p, n, p->T - steps + s + 1),
                   (size_t)p->H * sizeof(float));
    tensor t = {"y", {p->N, steps, p->H}};
    compare_bits(c, &t, "the reserve's states", y, states);
}

/* Each step is compared with the oracle's single step from the kernel's own state before it, so no
 * error adds up over time and the bounds stay tight at any T. */
static void fwd_case(context *c) {
    gru_case k = {.keeps = true};
    gru_draw(c, &k, WORK);
    gru_tensors_new(c, &k);
    const weir_gru *p = &k.call.p;
    range_check r = fwd_check(&k);
    float *got[MAX_OUTPUTS], *alone[MAX_OUTPUTS];
    if (c->options->hash) {
        ranges_hash(c, &r);
        return;
    }
    ranges_run(c, &r, got);
    float *expected = plain_new(c, gru_reserve_size(p));
    double *bound = double_new(c, gru_reserve_size(p));
    start_expect(&k, expected, bound);
    for (int64_t s = 0; s < p->T; s++) step_expect(c, &k, got[1], s, expected, bound);
    compare_bounds(c, &r.output[1].tensor, got[1], expected, bound);
    if (c->failures) return;
    y_check(c, &k, got[0], got[1]);
    ranges_bits(c, &r, got);
    k.keeps = false;
    range_check inference = fwd_check(&k);
    ranges_run(c, &inference, alone);
    ranges_same(c, &inference, "the call with a reserve", alone, got);
}

/* ---- the oracle ---- */

/* One unit, x = 1, h = 2: z = 0.2 (1 + 2/4) + 1/2 = 0.8, r = 0.2 (-1/2 + 2/4 - 1) + 1/2 = 0.3.
 * before: c = 1 + 0.3 2 2 + 1/2 = 2.7,             h = 0.8 2 + 0.2 2.7 = 2.14
 * after:  c = 1 + 1/2 + 0.3 (2 2 + 1/4) = 2.775,   h = 0.8 2 + 0.2 2.775 = 2.155
 * masked: the candidate without h: c = 1.5 (after: + 0.3 / 4), h = 1.9 (1.915) */
static void fwd_by_hand(context *c) {
    static const float x[1] = {1}, h0[1] = {2}, w[3] = {1, -0.5f, 1}, u[3] = {0.25f, 0.25f, 2};
    static const float b[6] = {0, -1, 0.5f, 0, 0, 0.25f}, mask[3] = {1, 1, 0};
    static const double h[2][2] = {{2.14, 1.9}, {2.155, 1.915}};
    for (int after = 0; after < 2; after++) {
        for (int masked = 0; masked < 2; masked++) {
            gru_case k = {0};
            k.call.p = (weir_gru){.N = 1,
                                  .T = 1,
                                  .C_in = 1,
                                  .H = 1,
                                  .activation = WEIR_RELU,
                                  .recurrent = WEIR_HARD_SIGMOID,
                                  .reset_after = after,
                                  .mask_gates = masked ? 3 : 0};
            k.call.t = (weir_gru_tensors){
                .x = x, .w = w, .u = u, .b = b, .h0 = h0, .mask_h = masked ? mask : NULL};
            k.call.y = plain_new(c, 1);
            k.call.scratch = plain_new(c, gru_scratch_floats(&k.call.p));
            c->oracle->gru_fwd(&k.call, 0, 1);
            compare_scalar(c, "h by hand", (double)k.call.y[0], h[after][masked], 4 * U32);
        }
    }
}

/* Backwards over x is forwards over x and the mask reversed; a sequence ends with the last state. */
static void fwd_oracle(context *c) {
    gru_case k = {0};
    fwd_by_hand(c);
    gru_draw(c, &k, 4000);
    k.call.p.return_sequences = true;
    k.call.p.go_backwards = true;
    gru_tensors_new(c, &k);
    const weir_gru *p = &k.call.p;
    weir_gru_call call = k.call;
    tensor y = {"y", {p->N, p->T, p->H}};
    call.y = output_new(c, "y", tensor_size(&y));
    c->oracle->gru_fwd(&call, 0, p->N);
    float *x = plain_new(c, p->N * p->T * p->C_in), *expected = plain_new(c, tensor_size(&y));
    uint8_t *steps = (uint8_t *)plain_new(c, p->N * p->T);
    for (int64_t n = 0; n < p->N; n++) {
        for (int64_t s = 0; s < p->T; s++) {
            memcpy(x + (n * p->T + s) * p->C_in, k.x + (n * p->T + p->T - 1 - s) * p->C_in,
                   (size_t)p->C_in * sizeof(float));
            steps[n * p->T + s] = !gru_passed(&k, n, s);
        }
    }
    call.p.go_backwards = false;
    call.t.x = x;
    call.t.step_mask = steps;
    float *backwards = call.y;
    call.y = expected;
    c->oracle->gru_fwd(&call, 0, p->N);
    compare_bits(c, &y, "the reversed input", backwards, expected);
    canaries_check(c);
}

const check check_gru_fwd = {"gru_fwd", fwd_case, fwd_oracle};

/* ---- the op ---- */

static weir_status fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const gru_case *k = arg;
    return weir_gru_fwd(rt, &k->call.p, &k->call.t, out[0], k->keeps ? out[1] : NULL);
}

static void op_fwd_case(context *c) {
    gru_case k = {.keeps = rng_chance(&c->rng, 50)};
    gru_draw(c, &k, 10 * WORK);
    gru_tensors_new(c, &k);
    range_check r = fwd_check(&k);
    op_check(c, fwd_op, &r);
}

const check check_op_gru_fwd = {"op_gru_fwd", op_fwd_case, NULL};

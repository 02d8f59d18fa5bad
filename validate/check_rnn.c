/* Check of the SimpleRNN's forward pass. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "validate/rnn_case.h"

enum { WORK = 150000 };

/*
 * The error of one step, given the state before it. The argument is a sum of C_in + H products and a
 * bias: a term passes at most one rounding for its mask and C_in + H of the fma's that follow. A
 * product with a mask may be flushed before it is multiplied with a weight. Then the activation; its
 * value is rounded once more, by the oracle. A step that is passed over copies the state.
 */
static double state_bound(context *c, const rnn_case *k, int64_t n, int64_t s, int64_t j,
                          const float *h, double expected) {
    const weir_rnn *p = &k->call.p;
    const float *x = k->x + rnn_time(p, n, s) * p->C_in;
    double magnitude = k->b ? fabs((double)k->b[j]) : 0, flushed = 0;
    if (rnn_passed(k, n, s)) return 0;
    for (int64_t i = 0; i < p->C_in; i++) {
        double w = fabs((double)k->w[i * p->H + j]);
        magnitude += fabs((double)x[i]) * rnn_mask_x(k, n, i) * w;
        if (k->mask_x) flushed += w;
    }
    for (int64_t i = 0; i < p->H; i++) {
        double u = fabs((double)k->u[i * p->H + j]);
        magnitude += fabs((double)h[i]) * rnn_mask_h(k, n, i) * u;
        if (k->mask_h) flushed += u;
    }
    double error = bound_terms(c, (double)(p->C_in + p->H + 1), magnitude, 0);
    error = bound_settle_sum(c, error + flushed * (double)FLT_MIN, magnitude);
    return bound_settle(c, bound_activation(p->activation, error, expected) + U32 * fabs(expected));
}

/* Fills what the oracle and the bounds say of the states after step s, in the reserve's layout. */
static void step_expect(context *c, const rnn_case *k, const float *got, int64_t s, float *expected,
                        double *bound) {
    const weir_rnn *p = &k->call.p;
    float *h = plain_new(c, p->N * p->H);
    for (int64_t n = 0; n < p->N; n++)
        memcpy(h + n * p->H, got + rnn_state_at(p, n, s), (size_t)p->H * sizeof(float));
    weir_rnn_call one = rnn_step_call(c, k, s, h);
    one.y = plain_new(c, p->N * p->H);
    kernels_begin(c);
    rnn_scratch_set(&one);
    c->oracle->rnn_fwd(&one, 0, p->N);
    kernels_end(c);
    for (int64_t n = 0; n < p->N; n++) {
        int64_t at = rnn_state_at(p, n, s + 1);
        for (int64_t j = 0; j < p->H; j++) {
            /* A copy keeps its denormals, which the oracle's doubles lose. */
            expected[at + j] = (rnn_passed(k, n, s) ? h : one.y)[n * p->H + j];
            bound[at + j] = state_bound(c, k, n, s, j, h + n * p->H, (double)one.y[n * p->H + j]);
        }
    }
}

static void fwd_call(const weir_kernels *k, void *arg, int64_t n0, int64_t n1, float *const *out) {
    const rnn_case *a = arg;
    weir_rnn_call call = a->call;
    call.y = out[0];
    call.reserve = a->keeps ? out[1] : NULL;
    rnn_scratch_set(&call);
    k->rnn_fwd(&call, n0, n1);
}

static range_check fwd_check(rnn_case *k) {
    const weir_rnn *p = &k->call.p;
    int64_t H_p = gru_padded(p->H), steps = p->return_sequences ? p->T : 1;
    range_check r = {.call = fwd_call, .arg = k, .rows = p->N, .outputs = k->keeps ? 2 : 1};
    r.output[0] = (output){.tensor = {"y", {p->N, steps, p->H}}, .width = steps * p->H};
    r.output[1] = (output){.tensor = {"reserve", {p->N, p->T + 1, H_p}},
                           .width = (p->T + 1) * H_p,
                           .padded = H_p,
                           .used = p->H};
    return r;
}

/* y holds the states of the reserve, bit for bit. */
static void y_check(context *c, const rnn_case *k, const float *y, const float *reserve) {
    const weir_rnn *p = &k->call.p;
    int64_t steps = p->return_sequences ? p->T : 1;
    float *states = plain_new(c, rnn_y_floats(p));
    for (int64_t n = 0; n < p->N; n++)
        for (int64_t s = 0; s < steps; s++)
            memcpy(states + (n * steps + s) * p->H,
                   reserve + rnn_state_at(p, n, p->T - steps + s + 1),
                   (size_t)p->H * sizeof(float));
    tensor t = {"y", {p->N, steps, p->H}};
    compare_bits(c, &t, "the reserve's states", y, states);
}

/* Each step is compared with the oracle's single step from the kernel's own state before it, so no
 * error adds up over time and the bounds stay tight at any T. */
static void fwd_case(context *c) {
    rnn_case k = {.keeps = true};
    rnn_draw(c, &k, WORK);
    rnn_tensors_new(c, &k);
    const weir_rnn *p = &k.call.p;
    range_check r = fwd_check(&k);
    float *got[MAX_OUTPUTS], *alone[MAX_OUTPUTS];
    if (c->options->hash) {
        ranges_hash(c, &r);
        return;
    }
    ranges_run(c, &r, got);
    int64_t floats = rnn_reserve_size(p), H_p = gru_padded(p->H);
    float *expected = plain_new(c, floats);
    double *bound = double_new(c, floats);
    memset(expected, 0, (size_t)floats * sizeof *expected);
    /* The state before step 0 is a copy. */
    for (int64_t n = 0; k.h0 && n < p->N; n++)
        memcpy(expected + n * (p->T + 1) * H_p, k.h0 + n * p->H, (size_t)p->H * sizeof(float));
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

/* One unit, h0 = 2, two steps x = 1, 3: a = 1/2 x + 1/4 h - 1/4.
 *   linear    0.75, then 1.4375            masked: the state not looked at: 0.25, 1.25
 *   passing over the first step: 1.75; the second: 0.75 */
static void fwd_by_hand(context *c) {
    static const float x[2] = {1, 3}, h0[1] = {2}, w[1] = {0.5f}, u[1] = {0.25f}, b[1] = {-0.25f};
    static const float mask[1] = {0};
    static const uint8_t steps[2][2] = {{0, 1}, {7, 0}};
    static const double h[4][2] = {{0.75, 1.4375}, {0.25, 1.25}, {2, 1.75}, {0.75, 0.75}};
    for (int i = 0; i < 4; i++) {
        rnn_case k = {0};
        k.call.p = (weir_rnn){.N = 1, .T = 2, .C_in = 1, .H = 1, .return_sequences = true};
        k.call.p.mask_gates = i == 1;
        k.call.t = (weir_rnn_tensors){.x = x, .w = w, .u = u, .b = b, .h0 = h0};
        k.call.t.mask_h = i == 1 ? mask : NULL;
        k.call.t.step_mask = i > 1 ? steps[i - 2] : NULL;
        k.call.y = plain_new(c, 2);
        k.call.scratch = plain_new(c, rnn_scratch_floats(&k.call.p));
        c->oracle->rnn_fwd(&k.call, 0, 1);
        for (int s = 0; s < 2; s++) compare_scalar(c, "h by hand", (double)k.call.y[s], h[i][s], 0);
    }
}

/* Backwards over x is forwards over x and the mask reversed. */
static void fwd_oracle(context *c) {
    rnn_case k = {0};
    fwd_by_hand(c);
    rnn_draw(c, &k, 4000);
    k.call.p.return_sequences = true;
    k.call.p.go_backwards = true;
    rnn_tensors_new(c, &k);
    const weir_rnn *p = &k.call.p;
    weir_rnn_call call = k.call;
    tensor y = {"y", {p->N, p->T, p->H}};
    call.y = output_new(c, "y", tensor_size(&y));
    c->oracle->rnn_fwd(&call, 0, p->N);
    float *x = plain_new(c, p->N * p->T * p->C_in), *expected = plain_new(c, tensor_size(&y));
    uint8_t *steps = (uint8_t *)plain_new(c, p->N * p->T);
    for (int64_t n = 0; n < p->N; n++) {
        for (int64_t s = 0; s < p->T; s++) {
            memcpy(x + (n * p->T + s) * p->C_in, k.x + rnn_time(p, n, s) * p->C_in,
                   (size_t)p->C_in * sizeof(float));
            steps[n * p->T + s] = !rnn_passed(&k, n, s);
        }
    }
    call.p.go_backwards = false;
    call.t.x = x;
    call.t.step_mask = steps;
    float *backwards = call.y;
    call.y = expected;
    c->oracle->rnn_fwd(&call, 0, p->N);
    compare_bits(c, &y, "the reversed input", backwards, expected);
    canaries_check(c);
}

const check check_rnn_fwd = {"rnn_fwd", fwd_case, fwd_oracle};

/* ---- the op ---- */

static weir_status fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const rnn_case *k = arg;
    return weir_rnn_fwd(rt, &k->call.p, &k->call.t, out[0], k->keeps ? out[1] : NULL);
}

static void op_fwd_case(context *c) {
    rnn_case k = {.keeps = rng_chance(&c->rng, 50)};
    rnn_draw(c, &k, 10 * WORK);
    rnn_tensors_new(c, &k);
    range_check r = fwd_check(&k);
    op_check(c, fwd_op, &r);
}

const check check_op_rnn_fwd = {"op_rnn_fwd", op_fwd_case, NULL};

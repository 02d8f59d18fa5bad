/* Checks of the SimpleRNN's backward passes. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "validate/rnn_case.h"

/* RNN_TREE: additions of the sum of a gradient's leaves, at most 32. */
enum { WORK = 100000, RNN_TREE = 31 };

/* What the forward pass kept, by the oracle. */
static void reserve_new(context *c, rnn_case *k) {
    const weir_rnn *p = &k->call.p;
    weir_rnn_call call = k->call;
    call.y = plain_new(c, rnn_y_floats(p));
    call.reserve = k->reserve = input_new(c, "reserve", rnn_reserve_size(p));
    kernels_begin(c);
    inputs_unlock(c);
    c->oracle->rnn_fwd(&call, 0, p->N);
    inputs_lock(c);
    kernels_end(c);
    padding_poison(k->reserve, rnn_reserve_size(p), p->H);
    k->call.reserve_in = k->reserve;
}

/* ---- data ---- */

static void data_call(const weir_kernels *k, void *arg, int64_t n0, int64_t n1, float *const *out) {
    const rnn_case *a = arg;
    weir_rnn_call call = a->call;
    int i = 0;
    call.da = out[i++];
    call.dx = a->dx ? out[i++] : NULL;
    call.dh0 = a->dh0 ? out[i++] : NULL;
    call.dh = a->dh;
    call.s0 = a->cut;
    rnn_scratch_set(&call);
    k->rnn_bwd_data(&call, n0, n1);
    if (a->cut == 0) return;
    call.s0 = 0;
    call.s1 = a->cut;
    rnn_scratch_set(&call);
    k->rnn_bwd_data(&call, n0, n1);
}

/* The last steps by a call of their own, now and then. */
static void cut_draw(context *c, rnn_case *k) {
    const weir_rnn *p = &k->call.p;
    if (p->T == 1 || rng_chance(&c->rng, 60)) return;
    k->cut = rng_range(&c->rng, 1, p->T - 1);
    k->dh = plain_new(c, p->N * gru_padded(p->H));
}

static range_check data_check(rnn_case *k) {
    const weir_rnn *p = &k->call.p;
    int64_t H_p = gru_padded(p->H);
    range_check r = {.call = data_call, .arg = k, .rows = p->N};
    r.output[r.outputs++] = (output){
        .tensor = {"da", {p->N, p->T, H_p}}, .width = p->T * H_p, .padded = H_p, .used = p->H};
    if (k->dx)
        r.output[r.outputs++] =
            (output){.tensor = {"dx", {p->N, p->T, p->C_in}}, .width = p->T * p->C_in};
    if (k->dh0) r.output[r.outputs++] = (output){.tensor = {"dh0", {p->N, p->H}}, .width = p->H};
    return r;
}

/* The last T - s steps of the call as a call of their own; x is not read. */
static rnn_case suffix_of(context *c, const rnn_case *k, int64_t s) {
    const weir_rnn *p = &k->call.p;
    rnn_case e = *k;
    weir_rnn *q = &e.call.p;
    q->T = p->T - s;
    rnn_all_steps(&e.call);
    e.cut = 0;
    e.dx = false;
    e.dh0 = true;
    const bool all = p->return_sequences;
    int64_t H_p = gru_padded(p->H), steps = all ? q->T : 1, first = p->go_backwards ? 0 : s;
    float *reserve = plain_new(c, rnn_reserve_size(q)), *dy = plain_new(c, rnn_y_floats(q));
    uint8_t *mask = k->step_mask ? (uint8_t *)plain_new(c, p->N * q->T) : NULL;
    for (int64_t n = 0; n < p->N; n++) {
        memcpy(reserve + rnn_state_at(q, n, 0), k->reserve + rnn_state_at(p, n, s),
               (size_t)((q->T + 1) * H_p) * sizeof(float));
        memcpy(dy + n * steps * p->H, k->dy + (n * (all ? p->T : 1) + (all ? s : 0)) * p->H,
               (size_t)(steps * p->H) * sizeof(float));
        if (mask) memcpy(mask + n * q->T, k->step_mask + n * p->T + first, (size_t)q->T);
    }
    e.call.reserve_in = reserve;
    e.call.dy = dy;
    e.call.t.step_mask = mask;
    return e;
}

/*
 * One step back, from dh with the magnitude D = |dh| + |dy|. All its factors are stored floats, so
 * each product carries the roundings of its own factors, relative to its absolute value:
 *   da = (dh + dy) slope(h)                   the sum, the slope, the product: 3
 *   dh = mask times the sum of u da over H    H + 4
 *   dx = mask times the sum of w da over H    H + 4
 * A value that is flushed to zero loses up to FLT_MIN: the sum dh + dy, the slope times it, the
 * product: (2 + D) FLT_MIN of da, as the slope is at most 1. What is lost goes on to dh and dx.
 * Where a step is passed over, dh carries the rounding of the sum and da, dx are exact.
 */
typedef struct back_check {
    const rnn_case *k;
    int64_t n, s;
    const double *D;
    double *da, *lost; /* magnitude of da, and what flushing loses of it */
} back_check;

static void gradient_back(const back_check *v) {
    const weir_rnn *p = &v->k->call.p;
    const float *h = v->k->reserve + rnn_state_at(p, v->n, v->s + 1);
    for (int64_t j = 0; j < p->H; j++) {
        v->da[j] = sloped(v->D[j], slope(p->activation, (double)h[j]));
        v->lost[j] = (2 + v->D[j]) * (double)FLT_MIN;
    }
}

/* Bound of mask times the sum of weight[i stride] da[i]. */
static double product_bound(const context *c, const back_check *v, const float *weight, double mask,
                            double expected) {
    const int64_t H = v->k->call.p.H;
    double magnitude = 0, lost = 0;
    for (int64_t i = 0; i < H; i++) {
        magnitude += fabs((double)weight[i]) * v->da[i] * mask;
        lost += fabs((double)weight[i]) * v->lost[i] * mask;
    }
    double error = bound_terms(c, (double)(H + 4), magnitude, expected);
    return bound_settle_sum(c, error + lost, magnitude);
}

/* The bounds of one sample's step; expected: the oracle's da, dx, dh of it. */
static void step_bounds(context *c, back_check *v, const float *const *expected, double *da,
                        double *dx, double *dh) {
    const rnn_case *k = v->k;
    const weir_rnn *p = &k->call.p;
    const int64_t H = p->H;
    if (rnn_passed(k, v->n, v->s)) {
        for (int64_t j = 0; j < H; j++)
            dh[j] = bound_settle(c, bound_terms(c, 1, v->D[j], (double)expected[2][j]));
        return;
    }
    v->da = double_new(c, H);
    v->lost = double_new(c, H);
    gradient_back(v);
    for (int64_t j = 0; j < H; j++) {
        double error = bound_terms(c, 3, v->da[j], (double)expected[0][j]) + v->lost[j];
        da[j] = bound_settle(c, error);
        dh[j] = product_bound(c, v, k->u + j * H, rnn_mask_h(k, v->n, j), (double)expected[2][j]);
    }
    for (int64_t i = 0; i < p->C_in; i++)
        dx[i] = product_bound(c, v, k->w + i * H, rnn_mask_x(k, v->n, i), (double)expected[1][i]);
}

/* Arrays of all steps, each [N] ...: what is expected, and the bounds. */
typedef struct back_arrays {
    float *da_expected, *dx_expected;
    double *da_bound, *dx_bound;
} back_arrays;

/* The gradient that step s receives: from the step after it, as the kernel computed it, and dy. */
static float *received(context *c, const rnn_case *k, int64_t s, const float *dh_after, double *D) {
    const weir_rnn *p = &k->call.p;
    float *dh = plain_new(c, p->N * p->H);
    bool last = s == p->T - 1;
    for (int64_t i = 0; i < p->N * p->H; i++) {
        int64_t n = i / p->H, j = i % p->H;
        float dy = 0;
        if (p->return_sequences)
            dy = k->dy[(n * p->T + s) * p->H + j];
        else if (last)
            dy = k->dy[i];
        float after = last ? 0.0f : dh_after[i];
        dh[i] = after + dy;
        D[i] = fabs((double)after) + fabs((double)dy);
    }
    return dh;
}

/* The oracle's single step back from dh. */
static void oracle_back(context *c, const rnn_case *k, int64_t s, const float *dh, float **out) {
    const weir_rnn *p = &k->call.p;
    int64_t H_p = gru_padded(p->H);
    rnn_case one = *k;
    one.call = rnn_step_call(c, k, s, NULL);
    one.cut = 0;
    float *reserve = plain_new(c, rnn_reserve_size(&one.call.p));
    for (int64_t n = 0; n < p->N; n++)
        memcpy(reserve + rnn_state_at(&one.call.p, n, 0), k->reserve + rnn_state_at(p, n, s),
               (size_t)(2 * H_p) * sizeof(float));
    one.call.reserve_in = reserve;
    one.call.dy = dh;
    one.dx = one.dh0 = true;
    range_check r = data_check(&one);
    ranges_run_on(c, &r, c->oracle, out);
}

static void step_back(context *c, const rnn_case *k, int64_t s, const float *dh_after,
                      const float *dh_got, back_arrays *a) {
    const weir_rnn *p = &k->call.p;
    int64_t H = p->H, H_p = gru_padded(H), C_in = p->C_in;
    double *D = double_new(c, p->N * H), *dh = double_new(c, p->N * H);
    float *out[MAX_OUTPUTS];
    oracle_back(c, k, s, received(c, k, s, dh_after, D), out);
    for (int64_t n = 0; n < p->N; n++) {
        int64_t da_at = rnn_da_at(&k->call, n, s), x_at = rnn_time(p, n, s) * C_in;
        back_check sample = {.k = k, .n = n, .s = s, .D = D + n * H};
        const float *of_sample[3] = {out[0] + n * H_p, out[1] + n * C_in, out[2] + n * H};
        memcpy(a->da_expected + da_at, of_sample[0], (size_t)H_p * sizeof(float));
        memcpy(a->dx_expected + x_at, of_sample[1], (size_t)C_in * sizeof(float));
        step_bounds(c, &sample, of_sample, a->da_bound + da_at, a->dx_bound + x_at, dh + n * H);
    }
    tensor t = {"dh before the step", {p->N, H}};
    compare_bounds(c, &t, dh_got, out[2], dh);
}

/* da of the suffix call is that of the whole call. */
static void suffix_same(context *c, const rnn_case *k, int64_t s, const float *da,
                        const float *suffix) {
    const weir_rnn *p = &k->call.p;
    int64_t row = gru_padded(p->H), steps = p->T - s;
    float *part = plain_new(c, p->N * steps * row);
    for (int64_t n = 0; n < p->N; n++)
        memcpy(part + n * steps * row, da + rnn_da_at(&k->call, n, s),
               (size_t)(steps * row) * sizeof(float));
    tensor t = {"da", {p->N, steps, row}};
    compare_bits(c, &t, "the call on the last steps", part, suffix);
}

/*
 * As in the forward pass, each step is compared with the oracle's single step. The gradient that a
 * step receives is not kept, but it is dh0 of the kernel's own call on the steps after it, whose da
 * must be the same bits.
 */
static void data_steps(context *c, const rnn_case *k, const range_check *r, float *const *got) {
    const weir_rnn *p = &k->call.p;
    float *suffix[MAX_OUTPUTS];
    tensor da = r->output[0].tensor, dx = {"dx", {p->N, p->T, p->C_in}},
           dh0 = {"dh0", {p->N, p->H}};
    back_arrays a = {.da_expected = plain_new(c, tensor_size(&da)),
                     .dx_expected = plain_new(c, tensor_size(&dx)),
                     .da_bound = double_new(c, tensor_size(&da)),
                     .dx_bound = double_new(c, tensor_size(&dx))};
    const float *dh_after = NULL;
    for (int64_t s = p->T - 1; s >= 0 && !c->failures; s--) {
        rnn_case e = suffix_of(c, k, s);
        range_check from = data_check(&e);
        ranges_run_on(c, &from, c->k, suffix);
        suffix_same(c, k, s, got[0], suffix[0]);
        step_back(c, k, s, dh_after, suffix[1], &a);
        dh_after = suffix[1];
    }
    compare_bounds(c, &da, got[0], a.da_expected, a.da_bound);
    if (k->dx) compare_bounds(c, &dx, got[1], a.dx_expected, a.dx_bound);
    if (k->dh0) compare_bits(c, &dh0, "the same without dx", got[r->outputs - 1], dh_after);
}

static void data_case(context *c) {
    rnn_case k = {.dx = rng_chance(&c->rng, 75), .dh0 = rng_chance(&c->rng, 50)};
    rnn_draw(c, &k, WORK);
    values dy_values = c->values;
    c->values = values_tame(c->values);
    rnn_tensors_new(c, &k);
    c->values = dy_values;
    k.call.dy = k.dy = tensor_new(c, "dy", rnn_y_floats(&k.call.p));
    reserve_new(c, &k);
    cut_draw(c, &k);
    range_check r = data_check(&k);
    float *got[MAX_OUTPUTS];
    if (c->options->hash) {
        ranges_hash(c, &r);
        return;
    }
    ranges_run(c, &r, got);
    data_steps(c, &k, &r, got);
    ranges_bits(c, &r, got);
}

/* ---- weights ---- */

static void weights_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                         float *const *out) {
    const rnn_case *a = arg;
    weir_rnn_call call = a->call;
    (void)r0;
    (void)r1;
    call.s0 = a->cut;
    rnn_scratch_set(&call);
    k->rnn_bwd_weights(&call, a->n0, a->n1, out[0], out[1], a->b ? out[2] : NULL);
    if (a->cut == 0) return;
    call.s0 = 0;
    call.s1 = a->cut;
    call.adds = true;
    rnn_scratch_set(&call);
    k->rnn_bwd_weights(&call, a->n0, a->n1, out[0], out[1], a->b ? out[2] : NULL);
}

/* A term passes at most one addition for each sample and step, and is itself a product of a masked
 * value: 2 roundings. Where the call is cut, the oracle's first sum is rounded too. The product with
 * the mask may be flushed, before it is multiplied with da: FLT_MIN sum |da| more, which is the bias's
 * gradient. */
static void weights_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    rnn_case k = *(rnn_case *)arg;
    const weir_rnn *p = &k.call.p;
    int64_t n[3] = {p->C_in * p->H, p->H * p->H, p->H};
    float *out[3];
    int outputs = k.b ? 3 : 2;
    for (int i = 0; i < 3; i++) out[i] = plain_new(c, n[i]);
    k.b = out[2]; /* the bias's gradient in any case */
    k.call.t.x = abs_new(c, k.x, p->N * p->T * p->C_in);
    k.call.reserve_in = abs_new(c, k.reserve, rnn_reserve_size(p));
    k.call.da_in = abs_new(c, k.da, rnn_da_at(&k.call, p->N, 0));
    weights_call(c->oracle, &k, 0, 1, out);
    double roundings = (double)((k.n1 - k.n0) * p->T + (k.cut ? 3 : 2));
    for (int i = 0; i < outputs; i++) {
        for (int64_t j = 0; j < n[i]; j++) {
            double error = bound_terms(c, roundings, (double)out[i][j], (double)expected[i][j]);
            if (i < 2) error += (double)FLT_MIN * (double)out[2][j % p->H];
            bound[i][j] = bound_settle(c, error);
        }
    }
}

static range_check weights_check(rnn_case *k) {
    const weir_rnn *p = &k->call.p;
    range_check r = {.call = weights_call, .bound = weights_bound, .arg = k, .rows = 1};
    r.outputs = k->b ? 3 : 2;
    r.output[0] = (output){.tensor = {"dw", {p->C_in, p->H}}, .width = p->C_in * p->H};
    r.output[1] = (output){.tensor = {"du", {p->H, p->H}}, .width = p->H * p->H};
    r.output[2] = (output){.tensor = {"db", {p->H}}, .width = p->H};
    return r;
}

/* Random floats in the layout of a reserve or of da. */
static float *padded_new(context *c, const char *name, int64_t floats, int64_t H) {
    float *a = tensor_new(c, name, floats);
    padding_poison(a, floats, H);
    return a;
}

/* The rows of da that nobody may look at. */
static void passed_poison(const rnn_case *k) {
    const weir_rnn *p = &k->call.p;
    for (int64_t n = 0; n < p->N; n++)
        for (int64_t s = 0; s < p->T; s++)
            if (rnn_passed(k, n, s)) poison(k->da + rnn_da_at(&k->call, n, s), gru_padded(p->H));
}

static void weights_case(context *c) {
    rnn_case k = {0};
    rnn_draw(c, &k, 2 * WORK);
    rnn_tensors_new(c, &k);
    const weir_rnn *p = &k.call.p;
    k.call.reserve_in = k.reserve = padded_new(c, "reserve", rnn_reserve_size(p), p->H);
    k.call.da_in = k.da = padded_new(c, "da", rnn_da_at(&k.call, p->N, 0), p->H);
    passed_poison(&k);
    k.n1 = p->N;
    if (rng_chance(&c->rng, 40)) {
        k.n0 = rng_range(&c->rng, 0, p->N - 1);
        k.n1 = rng_range(&c->rng, k.n0 + 1, p->N);
    }
    cut_draw(c, &k);
    range_check r = weights_check(&k);
    ranges_check(c, &r);
}

/* ---- the oracle: finite differences ---- */

static double loss(void *arg) {
    const rnn_case *k = arg;
    int64_t n = rnn_y_floats(&k->call.p);
    double sum = 0;
    weir_kernels_get(WEIR_ISA_SCALAR)->rnn_fwd(&k->call, 0, k->call.p.N);
    for (int64_t i = 0; i < n; i++) sum += (double)k->dy[i] * (double)k->call.y[i];
    return sum;
}

/* Small weights, so that the fifth derivative is small too. Noise: each y is rounded to float, |y|
 * below 8; the gradient comes from states rounded to float, which weighs less: not divided by h. */
static double oracle_setup(context *c, rnn_case *k, range_check *data, float **out) {
    c->values = VALUES_NORMAL;
    do rnn_draw(c, k, 400);
    while (k->call.p.N > 2);
    rnn_tensors_new(c, k);
    const weir_rnn *p = &k->call.p;
    for (int64_t i = 0; i < p->C_in * p->H; i++) k->w[i] *= 0.5f;
    for (int64_t i = 0; i < p->H * p->H; i++) k->u[i] *= 0.5f;
    k->call.dy = k->dy = tensor_new(c, "dy", rnn_y_floats(p));
    k->call.y = plain_new(c, rnn_y_floats(p));
    k->call.reserve = k->reserve = output_new(c, "reserve", rnn_reserve_size(p));
    k->dx = k->dh0 = true;
    cut_draw(c, k);
    (void)loss(k);
    k->call.reserve_in = k->reserve;
    *data = data_check(k);
    outputs_new(c, data, out);
    data->call(c->oracle, k, 0, p->N, out);
    canaries_check(c);
    double noise = 0;
    for (int64_t i = 0; i < rnn_y_floats(p); i++) noise += 8 * U32 * fabs((double)k->dy[i]);
    return noise;
}

static void data_oracle(context *c) {
    rnn_case k = {0};
    range_check r;
    float *out[MAX_OUTPUTS];
    double noise = oracle_setup(c, &k, &r, out);
    finite_smooth(c, &r.output[1].tensor, k.x, out[1], noise, loss, &k);
    if (k.h0) finite_smooth(c, &r.output[2].tensor, k.h0, out[2], noise, loss, &k);
}

static void weights_oracle(context *c) {
    rnn_case k = {0};
    range_check data;
    float *out[MAX_OUTPUTS], *gradients[MAX_OUTPUTS];
    double noise = oracle_setup(c, &k, &data, out);
    k.call.da_in = out[0];
    k.n1 = k.call.p.N;
    range_check r = weights_check(&k);
    outputs_new(c, &r, gradients);
    r.call(c->oracle, &k, 0, 1, gradients);
    canaries_check(c);
    finite_smooth(c, &r.output[0].tensor, k.w, gradients[0], noise, loss, &k);
    finite_smooth(c, &r.output[1].tensor, k.u, gradients[1], noise, loss, &k);
    if (k.b) finite_smooth(c, &r.output[2].tensor, k.b, gradients[2], noise, loss, &k);
}

const check check_rnn_bwd_data = {"rnn_bwd_data", data_case, data_oracle};
const check check_rnn_bwd_weights = {"rnn_bwd_weights", weights_case, weights_oracle};

/* ---- the op ---- */

/* Outputs as the weights', then dx and dh0. */
static weir_status bwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const rnn_case *k = arg;
    weir_rnn_gradients g = {.dy = k->dy, .dw = out[0], .du = out[1]};
    int i = 2;
    g.db = k->b ? out[i++] : NULL;
    g.dx = k->dx ? out[i++] : NULL;
    g.dh0 = k->dh0 ? out[i++] : NULL;
    return weir_rnn_bwd(rt, &k->call.p, &k->call.t, k->reserve, &g);
}

/* da by the kernel under test: its own errors are the business of rnn_bwd_data. */
static void bwd_op_call(const weir_kernels *k, void *arg, int64_t n0, int64_t n1,
                        float *const *out) {
    rnn_case a = *(rnn_case *)arg;
    weir_rnn_call call = a.call;
    int i = a.b ? 3 : 2;
    call.da = a.da;
    call.dx = a.dx ? out[i++] : NULL;
    call.dh0 = a.dh0 ? out[i++] : NULL;
    rnn_scratch_set(&call);
    weir_kernels_get(a.isa)->rnn_bwd_data(&call, n0, n1);
    weights_call(k, &a, 0, 1, out);
}

static void bwd_op_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    rnn_case *k = arg;
    const weir_rnn *p = &k->call.p;
    weights_bound(c, arg, expected, bound);
    int i = k->b ? 3 : 2;
    /* dx and dh0 are the kernel's own here: the same bits. */
    if (k->dx) memset(bound[i++], 0, (size_t)(p->N * p->T * p->C_in) * sizeof(double));
    if (k->dh0) memset(bound[i], 0, (size_t)(p->N * p->H) * sizeof(double));
}

static void op_bwd_case(context *c) {
    rnn_case k = {.dx = rng_chance(&c->rng, 75), .dh0 = rng_chance(&c->rng, 50), .isa = c->isa};
    c->values = values_tame(c->values);
    rnn_draw(c, &k, 10 * WORK);
    rnn_tensors_new(c, &k);
    const weir_rnn *p = &k.call.p;
    k.call.dy = k.dy = tensor_new(c, "dy", rnn_y_floats(p));
    reserve_new(c, &k);
    k.da = plain_new(c, rnn_da_at(&k.call, p->N, 0));
    k.call.da_in = k.da;
    k.n1 = p->N;
    range_check r = weights_check(&k);
    r.call = bwd_op_call;
    r.bound = bwd_op_bound;
    r.rows = p->N;
    range_check data = data_check(&k);
    for (int i = 1; i < data.outputs; i++) r.output[r.outputs++] = data.output[i];
    c->tree = RNN_TREE;
    op_check(c, bwd_op, &r);
    c->tree = 0;
}

const check check_op_rnn_bwd = {"op_rnn_bwd", op_bwd_case, NULL};

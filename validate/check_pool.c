/* Checks of the poolings. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>

#include "validate/check.h"

enum { WORK = 200000 };

typedef struct pool_case {
    weir_pool_call call;
    float *x, *dy;
    void *winner_in;
    bool winner;
} pool_case;

/* T_out and P_l worked out a second time, from the definitions in weir/ops.h. */
static void padding_set(weir_pool_call *c) {
    const weir_pool *p = &c->p;
    c->P_l = 0;
    c->T_out = (p->T - p->P) / p->S + 1;
    if (p->padding == WEIR_VALID) return;
    c->T_out = (p->T + p->S - 1) / p->S;
    int64_t missing = (c->T_out - 1) * p->S + p->P - p->T;
    c->P_l = missing > 0 ? missing / 2 : 0;
}

static void shape_draw(context *c, weir_pool_call *call, weir_pool_kind kind, int64_t C_max,
                       int64_t T_max) {
    rng *r = &c->rng;
    weir_pool *p = &call->p;
    p->kind = kind;
    if (c->op) T_max *= 8;
    do {
        p->N = rng_range(r, 1, 4);
        p->C = C_max >= 32 && rng_chance(r, 20) ? 32 : size_draw(r, C_max);
        p->T = size_draw(r, T_max);
        p->padding = rng_chance(r, 50) ? WEIR_VALID : WEIR_SAME;
        p->P = rng_chance(r, 15) ? p->T : rng_range(r, 1, 6);
        /* The widest windows whose winners are bytes, and wider ones; too flat for differences. */
        if (T_max > 12 && rng_chance(r, 20)) {
            p->T = rng_range(r, 1, 300);
            p->P = rng_range(r, 254, 300);
        }
        if (p->padding == WEIR_VALID && p->P > p->T) p->P = p->T;
        p->S = rng_chance(r, 50) ? p->P : rng_range(r, 1, 5);
        padding_set(call);
    } while (p->N * call->T_out * p->P * p->C > (c->op ? 10 : 1) * WORK);
    call->stream = rng_chance(r, 30);
    shape_set(c, "N:%lld/T:%lld/C:%lld/P:%lld/S:%lld/%s", (long long)p->N, (long long)p->T,
              (long long)p->C, (long long)p->P, (long long)p->S, weir_padding_name(p->padding));
}

/* Of 4 bytes where windows are wide, as weir/ops.h defines. */
static bool wide(const weir_pool_call *c) { return c->p.P > 256; }

static tensor output_shape(const weir_pool_call *c, const char *name) {
    return (tensor){name, {c->p.N, c->T_out, c->p.C}};
}

static tensor input_shape(const weir_pool_call *c, const char *name) {
    return (tensor){name, {c->p.N, c->p.T, c->p.C}};
}

/* ---- maximum ---- */

static void max_fwd_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                         float *const *out) {
    const pool_case *a = arg;
    weir_pool_call call = a->call;
    call.y = out[0];
    if (a->winner) call.winner = out[1];
    k->pool_max_fwd(&call, r0, r1);
}

static void winners_new(context *c, pool_case *k) {
    tensor x = input_shape(&k->call, "x"), y = output_shape(&k->call, "y");
    k->call.x = k->x = tensor_new(c, "x", tensor_size(&x));
    weir_pool_call call = k->call;
    call.y = plain_new(c, tensor_size(&y));
    int64_t n = tensor_size(&y);
    call.winner = wide(&call) ? (void *)input_new(c, "winner", n) : bytes_input_new(c, "winner", n);
    c->oracle->pool_max_fwd(&call, 0, k->call.p.N * k->call.T_out);
    k->call.winner_in = k->winner_in = call.winner;
}

/* Some winners that are no step of their window: their dy reaches no dx. */
static void winners_spoil(context *c, const pool_case *k) {
    tensor y = output_shape(&k->call, "y");
    for (int64_t i = 0, n = tensor_size(&y); i < n; i++) {
        if (!rng_chance(&c->rng, 20)) continue;
        if (wide(&k->call))
            ((int32_t *)k->winner_in)[i] = (int32_t)rng_next(&c->rng);
        else
            ((uint8_t *)k->winner_in)[i] = (uint8_t)rng_range(&c->rng, 0, 255);
    }
}

static void max_bwd_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                         float *const *out) {
    weir_pool_call call = ((pool_case *)arg)->call;
    call.dx = out[0];
    k->pool_max_bwd(&call, r0, r1);
}

/* One addition for each window that a step can win: ceil(P / S). */
static void max_bwd_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    pool_case k = *(pool_case *)arg;
    tensor dx = input_shape(&k.call, "dx"), dy = output_shape(&k.call, "dy");
    int64_t n = tensor_size(&dx);
    k.call.dy = abs_new(c, k.dy, tensor_size(&dy));
    k.call.dx = plain_new(c, n);
    c->oracle->pool_max_bwd(&k.call, 0, k.call.p.N * k.call.p.T);
    double roundings = (double)((k.call.p.P + k.call.p.S - 1) / k.call.p.S);
    for (int64_t i = 0; i < n; i++)
        bound[0][i] = bound_sum(c, roundings, (double)k.call.dx[i], (double)expected[0][i]);
}

/* ---- average ---- */

static void avg_fwd_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                         float *const *out) {
    weir_pool_call call = ((pool_case *)arg)->call;
    call.y = out[0];
    k->pool_avg_fwd(&call, r0, r1);
}

/* P additions and a division. */
static void avg_fwd_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    pool_case k = *(pool_case *)arg;
    tensor x = input_shape(&k.call, "x"), y = output_shape(&k.call, "y");
    int64_t n = tensor_size(&y);
    k.call.x = abs_new(c, k.x, tensor_size(&x));
    k.call.y = plain_new(c, n);
    c->oracle->pool_avg_fwd(&k.call, 0, k.call.p.N * k.call.T_out);
    double P = (double)k.call.p.P;
    for (int64_t i = 0; i < n; i++) {
        double magnitude = (double)k.call.y[i];
        if (P * magnitude > (double)FLT_MAX) magnitude = INFINITY; /* the sum may overflow */
        bound[0][i] = bound_terms(c, P + 1, magnitude, (double)expected[0][i]);
    }
}

static void avg_bwd_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                         float *const *out) {
    weir_pool_call call = ((pool_case *)arg)->call;
    call.dx = out[0];
    k->pool_avg_bwd(&call, r0, r1);
}

/* Each of at most ceil(P / S) terms is divided, then added, and may be flushed both times. */
static void avg_bwd_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    pool_case k = *(pool_case *)arg;
    tensor dx = input_shape(&k.call, "dx"), dy = output_shape(&k.call, "dy");
    int64_t n = tensor_size(&dx);
    k.call.dy = abs_new(c, k.dy, tensor_size(&dy));
    k.call.dx = plain_new(c, n);
    c->oracle->pool_avg_bwd(&k.call, 0, k.call.p.N * k.call.p.T);
    double roundings = 2 * (double)((k.call.p.P + k.call.p.S - 1) / k.call.p.S);
    for (int64_t i = 0; i < n; i++)
        bound[0][i] = bound_terms(c, roundings, (double)k.call.dx[i], (double)expected[0][i]);
}

/* ---- the cases ---- */

static range_check fwd_check(pool_case *k) {
    bool max = k->call.p.kind == WEIR_POOL_MAX;
    range_check r = {.call = max ? max_fwd_call : avg_fwd_call, .arg = k};
    r.bound = max ? NULL : avg_fwd_bound;
    r.rows = k->call.p.N * k->call.T_out;
    r.outputs = max && k->winner ? 2 : 1;
    r.output[0] = (output){.tensor = output_shape(&k->call, "y"), .width = k->call.p.C};
    r.output[1] = (output){.tensor = output_shape(&k->call, "winner"),
                           .width = k->call.p.C,
                           .integer = wide(&k->call),
                           .byte = !wide(&k->call)};
    return r;
}

static range_check bwd_check(pool_case *k) {
    bool max = k->call.p.kind == WEIR_POOL_MAX;
    range_check r = {.call = max ? max_bwd_call : avg_bwd_call, .arg = k, .outputs = 1};
    r.bound = max ? max_bwd_bound : avg_bwd_bound;
    r.rows = k->call.p.N * k->call.p.T;
    r.output[0] = (output){.tensor = input_shape(&k->call, "dx"),
                           .width = k->call.p.C,
                           .no_negative_zero = k->call.p.S >= k->call.p.P}; /* one share, or none */
    return r;
}

/* Nothing is rounded: the oracle's bits and its winners. Often some NaN, whatever the values. */
static void max_fwd_case(context *c) {
    pool_case k = {0};
    shape_draw(c, &k.call, WEIR_POOL_MAX, 80, 60);
    tensor x = input_shape(&k.call, "x");
    int64_t n = tensor_size(&x);
    k.call.x = k.x = tensor_new(c, "x", n);
    if (rng_chance(&c->rng, 30))
        for (int64_t i = rng_range(&c->rng, 0, 15); i < n; i += rng_range(&c->rng, 1, 15))
            k.x[i] = NAN;
    k.winner = rng_chance(&c->rng, 75);
    range_check r = fwd_check(&k);
    ranges_check(c, &r);
}

static void max_bwd_case(context *c) {
    pool_case k = {0};
    shape_draw(c, &k.call, WEIR_POOL_MAX, 80, 60);
    winners_new(c, &k);
    if (rng_chance(&c->rng, 40)) winners_spoil(c, &k);
    tensor dy = output_shape(&k.call, "dy");
    k.call.dy = k.dy = tensor_new(c, "dy", tensor_size(&dy));
    range_check r = bwd_check(&k);
    ranges_check(c, &r);
}

static void avg_fwd_case(context *c) {
    pool_case k = {0};
    shape_draw(c, &k.call, WEIR_POOL_AVG, 80, 60);
    tensor x = input_shape(&k.call, "x");
    k.call.x = k.x = tensor_new(c, "x", tensor_size(&x));
    range_check r = fwd_check(&k);
    ranges_check(c, &r);
}

static void avg_bwd_case(context *c) {
    pool_case k = {0};
    shape_draw(c, &k.call, WEIR_POOL_AVG, 80, 60);
    tensor dy = output_shape(&k.call, "dy");
    k.call.dy = k.dy = tensor_new(c, "dy", tensor_size(&dy));
    range_check r = bwd_check(&k);
    ranges_check(c, &r);
}

/* ---- the oracle ---- */

static double loss(void *arg) {
    const pool_case *k = arg;
    const weir_kernels *scalar = weir_kernels_get(WEIR_ISA_SCALAR);
    tensor y = output_shape(&k->call, "y");
    int64_t n = tensor_size(&y);
    double sum = 0;
    (k->call.p.kind == WEIR_POOL_MAX ? scalar->pool_max_fwd : scalar->pool_avg_fwd)(
        &k->call, 0, k->call.p.N * k->call.T_out);
    for (int64_t i = 0; i < n; i++) sum += (double)k->dy[i] * (double)k->call.y[i];
    return sum;
}

static void oracle_setup(context *c, pool_case *k, weir_pool_kind kind) {
    c->values = VALUES_EXACT;
    shape_draw(c, &k->call, kind, 4, 12);
    tensor dy = output_shape(&k->call, "dy"), dx = input_shape(&k->call, "dx");
    if (kind == WEIR_POOL_MAX) {
        winners_new(c, k);
    } else {
        k->call.x = k->x = tensor_new(c, "x", tensor_size(&dx));
    }
    k->call.dy = k->dy = tensor_new(c, "dy", tensor_size(&dy));
    k->call.y = output_new(c, "y", tensor_size(&dy));
    k->call.dx = output_new(c, "dx", tensor_size(&dx));
}

/* Distinct x: the maximum is linear within a quarter of their distance, and all is exact. */
static void max_bwd_oracle(context *c) {
    pool_case k = {0};
    oracle_setup(c, &k, WEIR_POOL_MAX);
    tensor dx = input_shape(&k.call, "dx");
    int64_t n = tensor_size(&dx);
    for (int64_t i = 0; i < n; i++) k.x[i] = (float)(i * 7919 % 4093);
    weir_pool_call call = k.call;
    call.winner = k.winner_in;
    c->oracle->pool_max_fwd(&call, 0, call.p.N * call.T_out);
    c->oracle->pool_max_bwd(&k.call, 0, k.call.p.N * k.call.p.T);
    finite_exact(c, &dx, k.x, k.call.dx, 0.25f, loss, &k);
    canaries_check(c);
}

/* Linear in x; y and the gradient are rounded to float: 1/P of each term. */
static void avg_bwd_oracle(context *c) {
    pool_case k = {0};
    oracle_setup(c, &k, WEIR_POOL_AVG);
    tensor dx = input_shape(&k.call, "dx"), dy = output_shape(&k.call, "dy");
    double noise = 0;
    for (int64_t i = 0, n = tensor_size(&dy); i < n; i++)
        noise += U32 * fabs((double)k.dy[i]) * 6; /* |x| <= 4 + 4 h, so is |y| */
    c->oracle->pool_avg_bwd(&k.call, 0, k.call.p.N * k.call.p.T);
    finite_smooth(c, &dx, k.x, k.call.dx, noise, loss, &k);
    canaries_check(c);
}

static void max_fwd_by_hand(context *c) {
    static const float x[5] = {1, 3, 3, -2, NAN};
    static const struct {
        weir_padding padding;
        int64_t P, S, T_out, P_l;
        float y[5];
        uint8_t winner[5];
    } cases[] = {{WEIR_VALID, 3, 1, 3, 0, {3, 3, NAN}, {1, 0, 2}},
                 {WEIR_VALID, 2, 2, 2, 0, {3, 3}, {1, 0}},
                 {WEIR_SAME, 2, 2, 3, 0, {3, 3, NAN}, {1, 0, 0}},
                 {WEIR_SAME, 4, 3, 2, 1, {3, NAN}, {1, 2}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_pool_call call = {.p = {.kind = WEIR_POOL_MAX, .N = 1, .T = 5, .C = 1}};
        call.p.P = cases[i].P;
        call.p.S = cases[i].S;
        call.p.padding = cases[i].padding;
        padding_set(&call);
        compare_scalar(c, "T_out", (double)call.T_out, (double)cases[i].T_out, 0);
        compare_scalar(c, "P_l", (double)call.P_l, (double)cases[i].P_l, 0);
        compare_scalar(c, "weir_pool_t_out", (double)weir_pool_t_out(&call.p), (double)call.T_out,
                       0);
        call.x = x;
        call.y = plain_new(c, 5);
        call.winner = plain_new(c, 2);
        c->oracle->pool_max_fwd(&call, 0, call.T_out);
        tensor y = {"y by hand", {call.T_out}}, winner = {"winner by hand", {call.T_out}};
        compare_bits(c, &y, "the hand-computed case", call.y, cases[i].y);
        compare_bytes(c, &winner, "the hand-computed case", call.winner, cases[i].winner);
        compare_scalar(c, "weir_pool_winner_bytes", (double)weir_pool_winner_bytes(&call.p),
                       (double)call.T_out, 0);
    }
}

/* Padded steps are not counted: x = 1 2 3 4 5 over windows of 3. */
static void avg_fwd_by_hand(context *c) {
    static const float x[5] = {1, 2, 3, 4, 5}, y[5] = {1.5f, 2, 3, 4, 4.5f};
    weir_pool_call call = {
        .p = {.kind = WEIR_POOL_AVG, .N = 1, .T = 5, .C = 1, .P = 3, .S = 1, .padding = WEIR_SAME}};
    padding_set(&call);
    call.x = x;
    call.y = plain_new(c, 5);
    c->oracle->pool_avg_fwd(&call, 0, 5);
    tensor t = {"y by hand", {5}};
    compare_bits(c, &t, "the hand-computed case", call.y, y);
}

const check check_pool_max_fwd = {"pool_max_fwd", max_fwd_case, max_fwd_by_hand};
const check check_pool_avg_fwd = {"pool_avg_fwd", avg_fwd_case, avg_fwd_by_hand};
const check check_pool_max_bwd = {"pool_max_bwd", max_bwd_case, max_bwd_oracle};
const check check_pool_avg_bwd = {"pool_avg_bwd", avg_bwd_case, avg_bwd_oracle};

/* ---- the ops: forward and backward by turns ---- */

static weir_status fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const pool_case *k = arg;
    return weir_pool_fwd(rt, &k->call.p, k->x, out[0], k->winner ? out[1] : NULL);
}

static weir_status bwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const pool_case *k = arg;
    return weir_pool_bwd(rt, &k->call.p, k->dy, k->winner_in, out[0]);
}

static void op_run(context *c, weir_pool_kind kind) {
    pool_case k = {0};
    shape_draw(c, &k.call, kind, 80, 60);
    tensor x = input_shape(&k.call, "x"), dy = output_shape(&k.call, "dy");
    range_check r;
    if (c->index % 2 == 0) {
        k.call.x = k.x = tensor_new(c, "x", tensor_size(&x));
        k.winner = kind == WEIR_POOL_MAX && rng_chance(&c->rng, 75);
        r = fwd_check(&k);
    } else {
        if (kind == WEIR_POOL_MAX) winners_new(c, &k);
        k.call.dy = k.dy = tensor_new(c, "dy", tensor_size(&dy));
        r = bwd_check(&k);
    }
    op_check(c, c->index % 2 == 0 ? fwd_op : bwd_op, &r);
}

static void op_max_case(context *c) { op_run(c, WEIR_POOL_MAX); }
static void op_avg_case(context *c) { op_run(c, WEIR_POOL_AVG); }

const check check_op_pool_max = {"op_pool_max", op_max_case, NULL};
const check check_op_pool_avg = {"op_pool_avg", op_avg_case, NULL};

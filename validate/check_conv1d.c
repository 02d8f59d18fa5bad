/* Checks of conv1d and of the sum of rows. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "validate/check.h"

/* Multiply-adds of one case at most, so that the oracle stays quick; and for an op, where a parallel
 * loop needs several chunks. */
enum { WORK = 300000, OP_WORK = 3000000 };

/* Additions of the sum of a gradient's leaves, at most 32. */
enum { TREE = 31 };

typedef struct conv1d_case {
    weir_conv1d_call call;
    float *x, *w, *b, *dy;
    int64_t r0, r1; /* bwd_weights: rows of dy */
    bool db;        /* op: the bias gradient too */
} conv1d_case;

/* T_out and P_l worked out a second time, from the definitions in weir/ops.h. */
static void padding_set(weir_conv1d_call *c) {
    const weir_conv1d *p = &c->p;
    int64_t reach = (p->K - 1) * p->D + 1, missing;
    switch (p->padding) {
    case WEIR_SAME:
        c->T_out = (p->T + p->S - 1) / p->S;
        missing = (c->T_out - 1) * p->S + reach - p->T;
        c->P_l = missing > 0 ? missing / 2 : 0;
        break;
    case WEIR_CAUSAL:
        c->T_out = (p->T + p->S - 1) / p->S;
        c->P_l = reach - 1;
        break;
    default:
        c->T_out = (p->T - reach) / p->S + 1;
        c->P_l = 0;
        break;
    }
}

/* By turns so few channels, and k enough, that a kernel had better take time across the lanes; for a
 * kernel also of tiny values (index 5), for an op in several blocks (index 1). With padding, so that
 * rows are left out. */
static bool narrow_draw(context *c, weir_conv1d *p) {
    rng *r = &c->rng;
    bool in = c->index % 16 == (c->op ? 1 : 5), out = c->index % 16 == 13;
    if ((!in && !out) || c->isa == WEIR_ISA_SCALAR) return false;
    if (in) p->C_in = rng_range(r, 1, 4);
    if (in && c->op) p->C_out = rng_range(r, 24, 48);
    if (out) p->C_out = rng_range(r, 1, 4);
    p->K = rng_range(r, 4, 6);
    p->S = 1;
    p->padding = WEIR_SAME;
    return true;
}

static void sizes_draw(context *c, weir_conv1d *p, int64_t C_max, int64_t T_max) {
    rng *r = &c->rng;
    p->N = rng_range(r, 1, c->op ? 9 : 4);
    p->C_in = size_draw(r, C_max);
    p->C_out = size_draw(r, C_max);
    p->K = rng_chance(r, 20) ? size_draw(r, 12) : rng_range(r, 1, 5);
    p->S = rng_chance(r, 60) ? 1 : rng_range(r, 1, 4);
    p->D = rng_chance(r, 60) ? 1 : rng_range(r, 1, 4);
    p->padding = (weir_padding)rng_range(r, 0, WEIR_PADDING_COUNT - 1);
    bool narrow = narrow_draw(c, p);
    p->T = narrow ? rng_range(r, 16, 40) : size_draw(r, T_max);
    if (c->op && (narrow || c->index % 2 == 0))
        p->T = rng_range(r, 500, 2000); /* several parts for sure */
    if (p->padding == WEIR_VALID) p->T += (p->K - 1) * p->D;
}

/* So many rows that their tensors leave any block that a kernel keeps in a cache; by turns also of
 * so many channels that a block is as short as it gets. */
static void many_rows_draw(context *c, weir_conv1d *p) {
    rng *r = &c->rng;
    bool wide = c->index % 32 == 9;
    sizes_draw(c, p, 1, 1);
    p->C_in = wide ? rng_range(r, 384, 400) : rng_range(r, 2, 4);
    p->C_out = wide ? rng_range(r, 1, 2) : rng_range(r, 2, 4);
    p->K = rng_range(r, 1, 2);
    p->S = 1;
    int64_t rows =
        wide ? rng_range(r, 140, 300) : 60000 / (p->C_in + p->C_out) + rng_range(r, 0, 3000);
    p->T = rows / p->N + p->D;
}

/* Every 16th case has many rows (with --hash the last one), but not of the oracle: finite differences
 * would take too long. */
static void shape_draw(context *c, weir_conv1d_call *call, int64_t C_max, int64_t T_max) {
    weir_conv1d *p = &call->p;
    int64_t work = c->op ? OP_WORK : WORK;
    bool many_rows = c->index % 16 == (c->options->hash ? 0 : 9) && !c->rng.tail &&
                     c->isa != WEIR_ISA_SCALAR && !c->op;
    do {
        if (many_rows)
            many_rows_draw(c, p);
        else
            sizes_draw(c, p, C_max, c->op ? 6 * T_max : T_max);
        padding_set(call);
    } while (p->N * call->T_out * p->K * p->C_in * p->C_out > work);
    p->activation = WEIR_LINEAR;
    /* Against so many roundings only exact sums show that one term is missing. */
    if (many_rows) c->values = VALUES_EXACT;
}

static void shape_say(context *c, const conv1d_case *k) {
    const weir_conv1d *p = &k->call.p;
    shape_set(
        c, "N:%lld/T:%lld/Cin:%lld/Cout:%lld/K:%lld/S:%lld/D:%lld/%s/%s/bias:%d/rows:%lld-%lld",
        (long long)p->N, (long long)p->T, (long long)p->C_in, (long long)p->C_out, (long long)p->K,
        (long long)p->S, (long long)p->D, weir_padding_name(p->padding),
        weir_activation_name(p->activation), k->b != NULL, (long long)k->r0, (long long)k->r1);
}

/* ---- forward ---- */

static void fwd_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1, float *const *out) {
    weir_conv1d_call call = ((conv1d_case *)arg)->call;
    call.y = out[0];
    k->conv1d_fwd(&call, r0, r1);
}

/*
 * z is one chain of at most K C_in multiply-adds that starts at the bias: a term passes at most
 * K C_in roundings. sum |terms| is the oracle's result on absolute values. Then the activation.
 */
static void fwd_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    const conv1d_case *k = arg;
    weir_conv1d_call call = k->call;
    const weir_conv1d *p = &call.p;
    int64_t n = p->N * call.T_out * p->C_out;
    float *magnitude = plain_new(c, n), *z = plain_new(c, n);
    call.p.activation = WEIR_LINEAR;
    call.y = z;
    c->oracle->conv1d_fwd(&call, 0, p->N * call.T_out);
    call.x = abs_new(c, k->x, p->N * p->T * p->C_in);
    call.w = abs_new(c, k->w, p->K * p->C_in * p->C_out);
    call.b = abs_new(c, k->b, p->C_out);
    call.y = magnitude;
    c->oracle->conv1d_fwd(&call, 0, p->N * call.T_out);
    double roundings = (double)(p->K * p->C_in);
    for (int64_t i = 0; i < n; i++)
        bound[0][i] = bound_activation(k->call.p.activation,
                                       bound_sum(c, roundings, (double)magnitude[i], (double)z[i]),
                                       (double)expected[0][i]);
}

static void fwd_case(context *c) {
    conv1d_case k = {0};
    shape_draw(c, &k.call, 48, 40);
    weir_conv1d *p = &k.call.p;
    p->activation = (weir_activation)rng_range(&c->rng, 0, WEIR_ACTIVATION_COUNT - 1);
    k.call.x = k.x = tensor_new(c, "x", p->N * p->T * p->C_in);
    k.call.w = k.w = tensor_new(c, "w", p->K * p->C_in * p->C_out);
    if (rng_chance(&c->rng, 75)) k.call.b = k.b = tensor_new(c, "b", p->C_out);
    shape_say(c, &k);
    range_check r = {.call = fwd_call, .bound = fwd_bound, .arg = &k, .outputs = 1};
    r.rows = p->N * k.call.T_out;
    r.output[0] = (output){.tensor = {"y", {p->N, k.call.T_out, p->C_out}}, .width = p->C_out};
    ranges_check(c, &r);
}

/* ---- backward, data ---- */

static void bwd_data_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                          float *const *out) {
    weir_conv1d_call call = ((conv1d_case *)arg)->call;
    call.dx = out[0];
    k->conv1d_bwd_data(&call, r0, r1);
}

/* At most K C_out products into each dx. */
static void bwd_data_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    const conv1d_case *k = arg;
    weir_conv1d_call call = k->call;
    const weir_conv1d *p = &call.p;
    int64_t n = p->N * p->T * p->C_in;
    call.w = abs_new(c, k->w, p->K * p->C_in * p->C_out);
    call.dy = abs_new(c, k->dy, p->N * call.T_out * p->C_out);
    call.dx = plain_new(c, n);
    c->oracle->conv1d_bwd_data(&call, 0, p->N * p->T);
    double roundings = (double)(p->K * p->C_out);
    for (int64_t i = 0; i < n; i++)
        bound[0][i] = bound_sum(c, roundings, (double)call.dx[i], (double)expected[0][i]);
}

static void bwd_data_case(context *c) {
    conv1d_case k = {0};
    shape_draw(c, &k.call, 48, 40);
    const weir_conv1d *p = &k.call.p;
    k.call.dy = k.dy = tensor_new(c, "dy", p->N * k.call.T_out * p->C_out);
    k.call.w = k.w = tensor_new(c, "w", p->K * p->C_in * p->C_out);
    float *w_t = input_new(c, "w_t", p->K * p->C_in * p->C_out);
    c->oracle->conv1d_transpose(p, 0, p->K * p->C_out, k.w, w_t);
    k.call.w_t = w_t;
    shape_say(c, &k);
    range_check r = {.call = bwd_data_call, .bound = bwd_data_bound, .arg = &k, .outputs = 1};
    r.rows = p->N * p->T;
    r.output[0] = (output){
        .tensor = {"dx", {p->N, p->T, p->C_in}}, .no_negative_zero = true, .width = p->C_in};
    ranges_check(c, &r);
}

/* ---- transposed weights ---- */

static void transpose_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                           float *const *out) {
    const conv1d_case *a = arg;
    k->conv1d_transpose(&a->call.p, r0, r1, a->w, out[0]);
}

static void transpose_case(context *c) {
    conv1d_case k = {0};
    weir_conv1d *p = &k.call.p;
    p->K = size_draw(&c->rng, 7);
    p->C_in = size_draw(&c->rng, 70);
    p->C_out = size_draw(&c->rng, 70);
    k.w = tensor_new(c, "w", p->K * p->C_in * p->C_out);
    shape_set(c, "Cin:%lld/Cout:%lld/K:%lld", (long long)p->C_in, (long long)p->C_out,
              (long long)p->K);
    range_check r = {.call = transpose_call, .arg = &k, .rows = p->K * p->C_out, .outputs = 1};
    r.output[0] = (output){.tensor = {"w_t", {p->K, p->C_out, p->C_in}}, .width = p->C_in};
    ranges_check(c, &r);
}

/* The definition, on a matrix by hand. */
static void transpose_by_hand(context *c) {
    static const float w[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const float w_t[12] = {7, 10, 8, 11, 9, 12, 1, 4, 2, 5, 3, 6};
    const weir_conv1d p = {.K = 2, .C_in = 2, .C_out = 3};
    float *got = plain_new(c, 12);
    c->oracle->conv1d_transpose(&p, 0, 6, w, got);
    tensor t = {"w_t by hand", {12}};
    compare_bits(c, &t, "the hand-computed case", got, w_t);
}

const check check_conv1d_transpose = {"conv1d_transpose", transpose_case, transpose_by_hand};

/* ---- backward, weights ---- */

static void bwd_weights_call(const weir_kernels *k, void *arg, int64_t q0, int64_t q1,
                             float *const *out) {
    const conv1d_case *a = arg;
    k->conv1d_bwd_weights(&a->call, a->r0, a->r1, q0, q1, out[0]);
}

/* At most r1 - r0 products into each dw. */
static void bwd_weights_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    const conv1d_case *k = arg;
    weir_conv1d_call call = k->call;
    const weir_conv1d *p = &call.p;
    int64_t n = p->K * p->C_in * p->C_out;
    float *magnitude = plain_new(c, n);
    call.x = abs_new(c, k->x, p->N * p->T * p->C_in);
    call.dy = abs_new(c, k->dy, p->N * call.T_out * p->C_out);
    c->oracle->conv1d_bwd_weights(&call, k->r0, k->r1, 0, p->K * p->C_in, magnitude);
    for (int64_t i = 0; i < n; i++)
        bound[0][i] =
            bound_sum(c, (double)(k->r1 - k->r0), (double)magnitude[i], (double)expected[0][i]);
}

static void bwd_weights_case(context *c) {
    conv1d_case k = {0};
    shape_draw(c, &k.call, 48, 60);
    const weir_conv1d *p = &k.call.p;
    k.r1 = p->N * k.call.T_out;
    if (c->index % 2 == 0) {
        k.r0 = rng_range(&c->rng, 0, k.r1);
        k.r1 = rng_range(&c->rng, k.r0, k.r1);
    }
    k.call.x = k.x = tensor_new(c, "x", p->N * p->T * p->C_in);
    k.call.dy = k.dy = tensor_new(c, "dy", p->N * k.call.T_out * p->C_out);
    shape_say(c, &k);
    range_check r = {.call = bwd_weights_call, .bound = bwd_weights_bound, .arg = &k};
    r.rows = p->K * p->C_in;
    r.outputs = 1;
    r.output[0] = (output){
        .tensor = {"dw", {p->K, p->C_in, p->C_out}}, .no_negative_zero = true, .width = p->C_out};
    ranges_check(c, &r);
}

/* ---- the oracle ---- */

/* y = x * (1, 10, 100) by hand: in double, and to the end of each padding. */
static void fwd_by_hand(context *c) {
    static const float x[4] = {1, 2, 3, 4}, w[3] = {1, 10, 100}, b[1] = {0.5f};
    static const struct {
        weir_padding padding;
        int64_t S, D, T_out, P_l;
        float y[4];
    } cases[] = {{WEIR_VALID, 1, 1, 2, 0, {321.5f, 432.5f}},
                 {WEIR_SAME, 1, 1, 4, 1, {210.5f, 321.5f, 432.5f, 43.5f}},
                 {WEIR_SAME, 2, 1, 2, 0, {321.5f, 43.5f}},
                 {WEIR_CAUSAL, 1, 1, 4, 2, {100.5f, 210.5f, 321.5f, 432.5f}},
                 {WEIR_CAUSAL, 1, 2, 4, 4, {100.5f, 200.5f, 310.5f, 420.5f}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_conv1d_call call = {.p = {.N = 1, .T = 4, .C_in = 1, .C_out = 1, .K = 3}};
        call.p.S = cases[i].S;
        call.p.D = cases[i].D;
        call.p.padding = cases[i].padding;
        padding_set(&call);
        compare_scalar(c, "T_out", (double)call.T_out, (double)cases[i].T_out, 0);
        compare_scalar(c, "P_l", (double)call.P_l, (double)cases[i].P_l, 0);
        compare_scalar(c, "weir_conv1d_t_out", (double)weir_conv1d_t_out(&call.p),
                       (double)call.T_out, 0);
        call.x = x;
        call.w = w;
        call.b = b;
        call.y = plain_new(c, call.T_out);
        c->oracle->conv1d_fwd(&call, 0, call.T_out);
        tensor t = {"y by hand", {call.T_out}};
        compare_bits(c, &t, "the hand-computed case", call.y, cases[i].y);
    }
}

/* loss(tensors) = sum dy y, whose derivatives the backward passes give. */
static double loss(void *arg) {
    const conv1d_case *k = arg;
    int64_t n = k->call.p.N * k->call.T_out * k->call.p.C_out;
    double sum = 0;
    weir_kernels_get(WEIR_ISA_SCALAR)->conv1d_fwd(&k->call, 0, k->call.p.N * k->call.T_out);
    for (int64_t i = 0; i < n; i++) sum += (double)k->dy[i] * (double)k->call.y[i];
    return sum;
}

/* Small integers and a step of 1: the loss is linear in each tensor and every number is exact, so a
 * central difference is the derivative, to the last bit. */
static void oracle_setup(context *c, conv1d_case *k) {
    c->values = VALUES_EXACT;
    shape_draw(c, &k->call, 5, 7);
    const weir_conv1d *p = &k->call.p;
    k->call.x = k->x = tensor_new(c, "x", p->N * p->T * p->C_in);
    k->call.w = k->w = tensor_new(c, "w", p->K * p->C_in * p->C_out);
    k->call.b = k->b = tensor_new(c, "b", p->C_out);
    k->call.dy = k->dy = tensor_new(c, "dy", p->N * k->call.T_out * p->C_out);
    k->call.y = output_new(c, "y", p->N * k->call.T_out * p->C_out);
    k->r1 = p->N * k->call.T_out;
    shape_say(c, k);
}

static void bwd_data_oracle(context *c) {
    conv1d_case k = {0};
    oracle_setup(c, &k);
    const weir_conv1d *p = &k.call.p;
    tensor t = {"dx", {p->N, p->T, p->C_in}};
    k.call.dx = output_new(c, "dx", tensor_size(&t));
    c->oracle->conv1d_bwd_data(&k.call, 0, p->N * p->T);
    finite_exact(c, &t, k.x, k.call.dx, 1, loss, &k);
    canaries_check(c);
}

static void bwd_weights_oracle(context *c) {
    conv1d_case k = {0};
    oracle_setup(c, &k);
    const weir_conv1d *p = &k.call.p;
    tensor t = {"dw", {p->K, p->C_in, p->C_out}};
    float *dw = output_new(c, "dw", tensor_size(&t));
    c->oracle->conv1d_bwd_weights(&k.call, 0, k.r1, 0, p->K * p->C_in, dw);
    finite_exact(c, &t, k.w, dw, 1, loss, &k);
    canaries_check(c);
}

/* ---- sum of rows ---- */

typedef struct rows_case {
    int64_t C, r0, r1;
    const float *a;
} rows_case;

static void rows_call(const weir_kernels *k, void *arg, int64_t q0, int64_t q1, float *const *out) {
    const rows_case *a = arg;
    (void)q0;
    (void)q1;
    k->sum_rows(a->C, a->r0, a->r1, a->a, out[0]);
}

static void rows_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    const rows_case *a = arg;
    float *magnitude = plain_new(c, a->C);
    c->oracle->sum_rows(a->C, a->r0, a->r1, abs_new(c, a->a, a->C * a->r1), magnitude);
    for (int64_t i = 0; i < a->C; i++)
        bound[0][i] =
            bound_sum(c, (double)(a->r1 - a->r0), (double)magnitude[i], (double)expected[0][i]);
}

static void sum_rows_case(context *c) {
    rows_case a = {.C = size_draw(&c->rng, 80)};
    a.r1 = size_draw(&c->rng, 300);
    a.r0 = rng_chance(&c->rng, 50) ? 0 : rng_range(&c->rng, 0, a.r1);
    bool flushed = c->index % 8 == 3; /* sums are flushed to zeros of both signs */
    if (flushed) c->values = VALUES_TINY;
    float *terms = tensor_new(c, "a", a.C * a.r1);
    for (int64_t i = 0; flushed && i < a.C * a.r1; i++)
        terms[i] = (float)rng_range(&c->rng, -4, 4) * 0.75f * FLT_MIN;
    a.a = terms;
    shape_set(c, "C:%lld/rows:%lld-%lld", (long long)a.C, (long long)a.r0, (long long)a.r1);
    range_check r = {.call = rows_call, .bound = rows_bound, .arg = &a, .rows = 1, .outputs = 1};
    r.output[0] = (output){.tensor = {"out", {a.C}}, .no_negative_zero = true, .width = a.C};
    ranges_check(c, &r);
}

/* db of conv1d: the derivative of the loss by the bias. */
static void sum_rows_oracle(context *c) {
    conv1d_case k = {0};
    oracle_setup(c, &k);
    tensor t = {"db", {k.call.p.C_out}};
    float *db = output_new(c, "db", k.call.p.C_out);
    c->oracle->sum_rows(k.call.p.C_out, 0, k.r1, k.dy, db);
    finite_exact(c, &t, k.b, db, 1, loss, &k);
    canaries_check(c);
}

const check check_conv1d_fwd = {"conv1d_fwd", fwd_case, fwd_by_hand};
const check check_conv1d_bwd_data = {"conv1d_bwd_data", bwd_data_case, bwd_data_oracle};
const check check_conv1d_bwd_weights = {"conv1d_bwd_weights", bwd_weights_case, bwd_weights_oracle};
const check check_sum_rows = {"sum_rows", sum_rows_case, sum_rows_oracle};

/* ---- the ops ---- */

static weir_status fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const conv1d_case *k = arg;
    return weir_conv1d_fwd(rt, &k->call.p, k->x, k->w, k->b, out[0]);
}

static weir_status bwd_data_op(weir_runtime *rt, void *arg, float *const *out) {
    const conv1d_case *k = arg;
    return weir_conv1d_bwd_data(rt, &k->call.p, k->dy, k->w, out[0]);
}

static weir_status bwd_weights_op(weir_runtime *rt, void *arg, float *const *out) {
    const conv1d_case *k = arg;
    return weir_conv1d_bwd_weights(rt, &k->call.p, k->x, k->dy, out[0], k->db ? out[1] : NULL);
}

static void bwd_weights_op_call(const weir_kernels *k, void *arg, int64_t q0, int64_t q1,
                                float *const *out) {
    const conv1d_case *a = arg;
    bwd_weights_call(k, arg, q0, q1, out);
    if (a->db) k->sum_rows(a->call.p.C_out, a->r0, a->r1, a->dy, out[1]);
}

static void bwd_weights_op_bound(context *c, void *arg, float *const *expected,
                                 double *const *bound) {
    const conv1d_case *k = arg;
    bwd_weights_bound(c, arg, expected, bound);
    if (!k->db) return;
    rows_case rows = {.C = k->call.p.C_out, .r1 = k->r1, .a = k->dy};
    rows_bound(c, &rows, expected + 1, bound + 1);
}

static void op_bwd_weights_run(context *c, conv1d_case *k, op_call_fn *op) {
    const weir_conv1d *p = &k->call.p;
    k->r1 = p->N * k->call.T_out;
    k->call.x = k->x = tensor_new(c, "x", p->N * p->T * p->C_in);
    k->call.dy = k->dy = tensor_new(c, "dy", p->N * k->call.T_out * p->C_out);
    k->db = rng_chance(&c->rng, 75);
    shape_say(c, k);
    range_check r = {.call = bwd_weights_op_call, .bound = bwd_weights_op_bound, .arg = k};
    r.rows = p->K * p->C_in;
    r.outputs = k->db ? 2 : 1;
    r.output[0] = (output){.tensor = {"dw", {p->K, p->C_in, p->C_out}}, .width = p->C_out};
    r.output[1] = (output){.tensor = {"db", {p->C_out}}, .width = p->C_out};
    c->tree = TREE;
    op_check(c, op, &r);
    c->tree = 0;
}

static void op_fwd_run(context *c, conv1d_case *k, op_call_fn *op) {
    weir_conv1d *p = &k->call.p;
    p->activation = (weir_activation)rng_range(&c->rng, 0, WEIR_ACTIVATION_COUNT - 1);
    k->call.x = k->x = tensor_new(c, "x", p->N * p->T * p->C_in);
    k->call.w = k->w = tensor_new(c, "w", p->K * p->C_in * p->C_out);
    if (rng_chance(&c->rng, 75)) k->call.b = k->b = tensor_new(c, "b", p->C_out);
    shape_say(c, k);
    range_check r = {.call = fwd_call, .bound = fwd_bound, .arg = k, .outputs = 1};
    r.rows = p->N * k->call.T_out;
    r.output[0] = (output){.tensor = {"y", {p->N, k->call.T_out, p->C_out}}, .width = p->C_out};
    op_check(c, op, &r);
}

static void op_bwd_data_run(context *c, conv1d_case *k, op_call_fn *op) {
    const weir_conv1d *p = &k->call.p;
    k->call.dy = k->dy = tensor_new(c, "dy", p->N * k->call.T_out * p->C_out);
    k->call.w = k->w = tensor_new(c, "w", p->K * p->C_in * p->C_out);
    shape_say(c, k);
    range_check r = {.call = bwd_data_call, .bound = bwd_data_bound, .arg = k, .outputs = 1};
    r.rows = p->N * p->T;
    r.output[0] = (output){
        .tensor = {"dx", {p->N, p->T, p->C_in}}, .no_negative_zero = true, .width = p->C_in};
    op_check(c, op, &r);
}

static void op_case(context *c, void (*run)(context *, conv1d_case *, op_call_fn *),
                    op_call_fn *op) {
    conv1d_case k = {0};
    shape_draw(c, &k.call, 48, 40);
    run(c, &k, op);
}

static void op_fwd_case(context *c) { op_case(c, op_fwd_run, fwd_op); }
static void op_bwd_data_case(context *c) { op_case(c, op_bwd_data_run, bwd_data_op); }
static void op_bwd_weights_case(context *c) { op_case(c, op_bwd_weights_run, bwd_weights_op); }

const check check_op_conv1d_fwd = {"op_conv1d_fwd", op_fwd_case, NULL};
const check check_op_conv1d_bwd_data = {"op_conv1d_bwd_data", op_bwd_data_case, NULL};
const check check_op_conv1d_bwd_weights = {"op_conv1d_bwd_weights", op_bwd_weights_case, NULL};

/* ---- dense: a convolution with one step ---- */

static weir_dense dense_of(const weir_conv1d *p) {
    return (weir_dense){p->N, p->C_in, p->C_out, p->activation};
}

static weir_status dense_fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const conv1d_case *k = arg;
    weir_dense p = dense_of(&k->call.p);
    return weir_dense_fwd(rt, &p, k->x, k->w, k->b, out[0]);
}

static weir_status dense_bwd_data_op(weir_runtime *rt, void *arg, float *const *out) {
    const conv1d_case *k = arg;
    weir_dense p = dense_of(&k->call.p);
    return weir_dense_bwd_data(rt, &p, k->dy, k->w, out[0]);
}

static weir_status dense_bwd_weights_op(weir_runtime *rt, void *arg, float *const *out) {
    const conv1d_case *k = arg;
    weir_dense p = dense_of(&k->call.p);
    return weir_dense_bwd_weights(rt, &p, k->x, k->dy, out[0], k->db ? out[1] : NULL);
}

static void op_dense_case(context *c) {
    conv1d_case k = {0};
    k.call.p = (weir_conv1d){.N = size_draw(&c->rng, 300), .T = 1, .K = 1, .S = 1, .D = 1};
    k.call.p.C_in = size_draw(&c->rng, 250);
    k.call.p.C_out = size_draw(&c->rng, 60);
    padding_set(&k.call);
    switch (c->index % 3) {
    case 0: op_fwd_run(c, &k, dense_fwd_op); break;
    case 1: op_bwd_data_run(c, &k, dense_bwd_data_op); break;
    default: op_bwd_weights_run(c, &k, dense_bwd_weights_op); break;
    }
}

const check check_op_dense = {"op_dense", op_dense_case, NULL};

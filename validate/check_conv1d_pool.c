/* Checks of conv1d with max pooling. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/conv1d_pool.h"
#include "validate/check.h"

/* Multiply-adds of one case at most, as in check_conv1d.c. */
enum { WORK = 200000, OP_WORK = 2000000 };

typedef struct block_case {
    weir_conv1d_pool_call call;
    float *x, *w, *b, *y, *dy;
    uint8_t *winner;
    int64_t r0, r1; /* bwd_weights: rows of the convolution */
    bool winners, db, dx, finite;
    context *c;
} block_case;

static weir_conv1d_pool params_of(const block_case *k) {
    return (weir_conv1d_pool){k->call.conv.p, k->call.P};
}

/* T_out, P_l and T_p worked out a second time, from the definitions in weir/ops.h. */
static void padding_set(weir_conv1d_pool_call *call) {
    weir_conv1d_call *c = &call->conv;
    const weir_conv1d *p = &c->p;
    int64_t reach = (p->K - 1) * p->D + 1, missing;
    c->T_out = p->padding == WEIR_VALID ? (p->T - reach) / p->S + 1 : (p->T + p->S - 1) / p->S;
    missing = (c->T_out - 1) * p->S + reach - p->T;
    c->P_l = p->padding == WEIR_CAUSAL                ? reach - 1
             : p->padding == WEIR_SAME && missing > 0 ? missing / 2
                                                      : 0;
    call->T_p = c->T_out / call->P;
}

static void sizes_draw(context *c, weir_conv1d_pool_call *call, int64_t C_max, int64_t T_max) {
    rng *r = &c->rng;
    weir_conv1d *p = &call->conv.p;
    p->N = rng_range(r, 1, c->op ? 9 : 4);
    p->C_in = size_draw(r, C_max);
    p->C_out = C_max > 5 && rng_chance(r, 10) ? rng_range(r, 60, 140) : size_draw(r, C_max);
    p->K = rng_chance(r, 20) ? size_draw(r, 16) : rng_range(r, 1, 8);
    p->S = rng_chance(r, 75) ? 1 : rng_range(r, 1, 4);
    p->D = rng_chance(r, 75) ? 1 : rng_range(r, 1, 4);
    p->padding = (weir_padding)rng_range(r, 0, WEIR_PADDING_COUNT - 1);
    p->activation = rng_chance(r, 75) ? WEIR_RELU : WEIR_LINEAR;
    p->T = size_draw(r, T_max);
    if (c->op && c->index % 2 == 0) p->T = rng_range(r, 400, 1500); /* several parts for sure */
    bool wide = C_max > 5 && c->index % 8 == 3; /* one window, more than a piece of the kernels */
    if (wide) {
        p->C_in = rng_range(r, 17, 40);
        p->C_out = rng_range(r, 1, 4);
        p->S = rng_range(r, 2, 4);
        p->T = rng_range(r, 300, 500) * p->S;
    }
    if (p->padding == WEIR_VALID) p->T += (p->K - 1) * p->D;
    call->P = 1;
    padding_set(call);
    int64_t most = call->conv.T_out < 256 ? call->conv.T_out : 256;
    call->P = rng_chance(r, 15) ? rng_range(r, 1, most) : rng_range(r, 1, most < 6 ? most : 6);
    if (wide) call->P = rng_range(r, call->conv.T_out / 2 + 1, most);
    padding_set(call);
}

static void shape_draw(context *c, weir_conv1d_pool_call *call, int64_t C_max, int64_t T_max) {
    const weir_conv1d *p = &call->conv.p;
    do {
        sizes_draw(c, call, C_max, c->op ? 6 * T_max : T_max);
    } while (p->N * call->conv.T_out * p->K * p->C_in * p->C_out > (c->op ? OP_WORK : WORK));
}

static void shape_say(context *c, const block_case *k) {
    const weir_conv1d *p = &k->call.conv.p;
    shape_set(c,
              "N:%lld/T:%lld/Cin:%lld/Cout:%lld/K:%lld/S:%lld/D:%lld/P:%lld/%s/%s/bias:%d/"
              "winners:%d/rows:%lld-%lld",
              (long long)p->N, (long long)p->T, (long long)p->C_in, (long long)p->C_out,
              (long long)p->K, (long long)p->S, (long long)p->D, (long long)k->call.P,
              weir_padding_name(p->padding), weir_activation_name(p->activation), k->b != NULL,
              k->winners, (long long)k->r0, (long long)k->r1);
}

static int64_t windows_of(const weir_conv1d_pool_call *c) { return c->conv.p.N * c->T_p; }

static tensor pooled_shape(const weir_conv1d_pool_call *c, const char *name) {
    return (tensor){name, {c->conv.p.N, c->T_p, c->conv.p.C_out}};
}

static tensor x_shape(const weir_conv1d_pool_call *c, const char *name) {
    return (tensor){name, {c->conv.p.N, c->conv.p.T, c->conv.p.C_in}};
}

static int64_t x_floats(const weir_conv1d_pool_call *c) {
    return c->conv.p.N * c->conv.p.T * c->conv.p.C_in;
}

static int64_t w_floats(const weir_conv1d *p) { return p->K * p->C_in * p->C_out; }

static void tensors_new(context *c, block_case *k) {
    const weir_conv1d *p = &k->call.conv.p;
    k->c = c;
    k->call.conv.x = k->x = tensor_new(c, "x", x_floats(&k->call));
    k->call.conv.w = k->w = tensor_new(c, "w", w_floats(p));
    if (rng_chance(&c->rng, 75)) k->call.conv.b = k->b = tensor_new(c, "b", p->C_out);
    k->call.scratch = scratch_new(c, weir_conv1d_pool_scratch_floats(&k->call));
}

/* What the single kernels give, in turn: the activation of every step of the convolution. */
static float *activation_new(context *c, const block_case *k, const weir_kernels *kernels) {
    weir_conv1d_call conv = k->call.conv;
    int64_t rows = conv.p.N * conv.T_out;
    conv.y = plain_new(c, rows * conv.p.C_out);
    kernels->conv1d_fwd(&conv, 0, rows);
    return conv.y;
}

static weir_pool_call pool_of(const block_case *k) {
    const weir_conv1d_pool_call *c = &k->call;
    return (weir_pool_call){
        .p = {.N = c->conv.p.N, .T = c->conv.T_out, .C = c->conv.p.C_out, .P = c->P, .S = c->P},
        .T_out = c->T_p};
}

/* ---- forward ---- */

static void fwd_call(const weir_kernels *k, void *arg, int64_t v0, int64_t v1, float *const *out) {
    const block_case *a = arg;
    weir_conv1d_pool_call call = a->call;
    call.y = out[0];
    call.winner = a->winners ? (uint8_t *)(void *)out[1] : NULL;
    k->conv1d_pool_fwd(&call, v0, v1);
}

/* The same by the single kernels of the instruction set under test, where the oracle's are asked
 * for. */
static void fwd_or_single(const weir_kernels *k, void *arg, int64_t v0, int64_t v1,
                          float *const *out) {
    const block_case *a = arg;
    if (k != a->c->oracle) {
        fwd_call(k, arg, v0, v1, out);
        return;
    }
    weir_pool_call pool = pool_of(a);
    pool.x = activation_new(a->c, a, a->c->k);
    pool.y = out[0];
    pool.winner = a->winners ? out[1] : NULL;
    a->c->k->pool_max_fwd(&pool, v0, v1);
}

/* A maximum is off by no more than the worst step of its window; each step is a chain of at most
 * K C_in multiply-adds that starts at the bias, as in check_conv1d.c. */
static void fwd_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    block_case k = *(const block_case *)arg;
    const weir_conv1d *p = &k.call.conv.p;
    int64_t C = p->C_out, T_out = k.call.conv.T_out;
    weir_activation activation = p->activation;
    float *y = activation_new(c, &k, c->oracle);
    k.call.conv.p.activation = WEIR_LINEAR;
    float *z = activation_new(c, &k, c->oracle);
    k.call.conv.x = abs_new(c, k.x, x_floats(&k.call));
    k.call.conv.w = abs_new(c, k.w, w_floats(p));
    k.call.conv.b = abs_new(c, k.b, C);
    float *magnitude = activation_new(c, &k, c->oracle);
    (void)expected;
    for (int64_t i = 0; i < windows_of(&k.call) * C; i++) {
        int64_t v = i / C, first = v / k.call.T_p * T_out + v % k.call.T_p * k.call.P;
        for (int64_t row = first; row < first + k.call.P; row++) {
            int64_t j = row * C + i % C;
            double before =
                bound_sum(c, (double)(p->K * p->C_in), (double)magnitude[j], (double)z[j]);
            bound[0][i] = fmax(bound[0][i], bound_activation(activation, before, (double)y[j]));
        }
    }
}

static range_check fwd_check(block_case *k, bool single) {
    range_check r = {.call = single ? fwd_or_single : fwd_call, .arg = k, .outputs = 1};
    r.bound = single ? NULL : fwd_bound;
    if (single && k->winners) r.outputs = 2;
    r.rows = windows_of(&k->call);
    r.output[0] = (output){.tensor = pooled_shape(&k->call, "y"), .width = k->call.conv.p.C_out};
    r.output[1] = (output){
        .tensor = pooled_shape(&k->call, "winner"), .width = k->call.conv.p.C_out, .byte = true};
    return r;
}

/* By turns within the bounds of the oracle, whose winners may be others where two steps are nearly
 * equal, and bit for bit what the single kernels give, with any numbers. */
static void fwd_case(context *c) {
    block_case k = {0};
    shape_draw(c, &k.call, 48, 60);
    tensors_new(c, &k);
    bool single = c->options->hash || c->index % 2 == 1;
    k.winners = single && rng_chance(&c->rng, 75);
    shape_say(c, &k);
    range_check r = fwd_check(&k, single);
    ranges_check(c, &r);
}

/* ---- backward ---- */

/* y and winners as the kernel under test gives them, and dy. */
static void backward_new(context *c, block_case *k) {
    tensor y = pooled_shape(&k->call, "y");
    int64_t n = tensor_size(&y);
    tensors_new(c, k);
    weir_conv1d_pool_call call = k->call;
    call.y = plain_new(c, n);
    call.winner = (uint8_t *)(void *)plain_new(c, n);
    kernels_begin(c);
    c->k->conv1d_pool_fwd(&call, 0, windows_of(&call));
    kernels_end(c);
    k->y = input_new(c, "y", n);
    k->winner = bytes_input_new(c, "winner", n);
    memcpy(k->y, call.y, (size_t)n * sizeof *k->y);
    memcpy(k->winner, call.winner, (size_t)n);
    k->call.y_in = k->y;
    k->call.winner_in = k->winner;
    k->call.dy = k->dy = tensor_new(c, "dy", n);
}

/* Some winners that are no step of their window: their dy reaches nothing. */
static void winners_spoil(context *c, const block_case *k) {
    tensor y = pooled_shape(&k->call, "y");
    for (int64_t i = 0, n = tensor_size(&y); i < n && k->call.P < 256; i++)
        if (rng_chance(&c->rng, 20)) k->winner[i] = (uint8_t)rng_range(&c->rng, k->call.P, 255);
}

/* True when every number that a gradient is made of is finite. Nothing is promised of other
 * gradients but that all instruction sets give the same bits. */
static bool is_finite(const block_case *k) {
    tensor y = pooled_shape(&k->call, "y");
    bool finite = true;
    for (int64_t i = 0, n = tensor_size(&y); i < n; i++)
        finite = finite && isfinite(k->y[i]) && isfinite(k->dy[i]);
    for (int64_t i = 0; i < x_floats(&k->call); i++) finite = finite && isfinite(k->x[i]);
    for (int64_t i = 0; i < w_floats(&k->call.conv.p); i++) finite = finite && isfinite(k->w[i]);
    return finite;
}

/* The gradient before the activation of every step, as pool_max_bwd and activation_bwd give it. */
static float *expanded_new(context *c, const block_case *k, const weir_kernels *kernels) {
    weir_pool_call pool = pool_of(k);
    int64_t rows = k->call.conv.p.N * k->call.conv.T_out, C = k->call.conv.p.C_out;
    float *dy = plain_new(c, rows * C);
    pool.dy = k->dy;
    pool.winner_in = k->winner;
    pool.dx = dy;
    kernels->pool_max_bwd(&pool, 0, rows);
    if (k->call.conv.p.activation == WEIR_LINEAR) return dy;
    float *y = activation_new(c, k, kernels);
    kernels->activation_bwd(k->call.conv.p.activation, 0, rows * C, y, dy, dy);
    return dy;
}

static float *units_new(context *c, const block_case *k) {
    const weir_conv1d *p = &k->call.conv.p;
    float *units = input_new(c, "w_units", weir_conv1d_pool_units_floats(p));
    weir_conv1d_pool_pack(p, k->w, 0, ((p->C_in - 1) / POOL_UNIT + 1) * p->C_out, units);
    return units;
}

static void bwd_data_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                          float *const *out) {
    weir_conv1d_pool_call call = ((block_case *)arg)->call;
    call.conv.dx = out[0];
    k->conv1d_pool_bwd_data(&call, r0, r1);
}

static void bwd_data_or_single(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                               float *const *out) {
    const block_case *a = arg;
    if (k != a->c->oracle || !a->finite) {
        bwd_data_call(k == a->c->oracle ? a->c->k : k, arg, r0, r1, out);
        return;
    }
    const weir_conv1d *p = &a->call.conv.p;
    weir_conv1d_call conv = a->call.conv;
    float *w_t = plain_new(a->c, w_floats(p));
    for (int64_t i = 0; i < w_floats(p); i++) {
        int64_t k_i = i / p->C_out, o = i % p->C_out;
        w_t[((p->K - 1 - k_i / p->C_in) * p->C_out + o) * p->C_in + k_i % p->C_in] = a->w[i];
    }
    conv.w_t = w_t;
    conv.dy = expanded_new(a->c, a, a->c->k);
    conv.dx = out[0];
    a->c->k->conv1d_bwd_data(&conv, r0, r1);
}

/* At most K C_out products into each dx. */
static void bwd_data_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    block_case k = *(const block_case *)arg;
    const weir_conv1d *p = &k.call.conv.p;
    tensor y = pooled_shape(&k.call, "y");
    k.call.conv.w = abs_new(c, k.w, w_floats(p));
    k.call.dy = abs_new(c, k.dy, tensor_size(&y));
    k.call.conv.dx = plain_new(c, x_floats(&k.call));
    c->oracle->conv1d_pool_bwd_data(&k.call, 0, p->N * p->T);
    for (int64_t i = 0; i < x_floats(&k.call); i++)
        bound[0][i] = bound_sum(c, (double)(p->K * p->C_out), (double)k.call.conv.dx[i],
                                (double)expected[0][i]);
}

static range_check bwd_data_check(block_case *k, bool single) {
    const weir_conv1d *p = &k->call.conv.p;
    range_check r = {.call = single ? bwd_data_or_single : bwd_data_call, .arg = k, .outputs = 1};
    r.bound = single ? NULL : bwd_data_bound;
    r.rows = p->N * p->T;
    r.output[0] =
        (output){.tensor = x_shape(&k->call, "dx"), .width = p->C_in, .no_negative_zero = true};
    return r;
}

static void bwd_data_case(context *c) {
    block_case k = {0};
    shape_draw(c, &k.call, 48, 60);
    backward_new(c, &k);
    k.call.w_units = units_new(c, &k);
    if (rng_chance(&c->rng, 20)) winners_spoil(c, &k);
    shape_say(c, &k);
    k.finite = is_finite(&k);
    bool single = c->options->hash || c->index % 2 == 1 || !k.finite;
    range_check r = bwd_data_check(&k, single);
    ranges_check(c, &r);
}

/* Rows q of the range are filters; out[0] and out[1] are dw by filters and db. */
static void bwd_weights_call(const weir_kernels *k, void *arg, int64_t o0, int64_t o1,
                             float *const *out) {
    const block_case *a = arg;
    int64_t Q = a->call.conv.p.K * a->call.conv.p.C_in;
    k->conv1d_pool_bwd_weights(&a->call, a->r0, a->r1, o0, o1, out[0] + o0 * Q,
                               a->db ? out[1] + o0 : NULL);
}

static void bwd_weights_or_single(const weir_kernels *k, void *arg, int64_t o0, int64_t o1,
                                  float *const *out) {
    const block_case *a = arg;
    if (k != a->c->oracle || !a->finite) {
        bwd_weights_call(k == a->c->oracle ? a->c->k : k, arg, o0, o1, out);
        return;
    }
    weir_conv1d_call conv = a->call.conv;
    int64_t Q = conv.p.K * conv.p.C_in, C = conv.p.C_out;
    float *dw = plain_new(a->c, Q * C), *db = plain_new(a->c, C);
    conv.dy = expanded_new(a->c, a, a->c->k);
    a->c->k->conv1d_bwd_weights(&conv, a->r0, a->r1, 0, Q, dw);
    a->c->k->sum_rows(C, a->r0, a->r1, conv.dy, db);
    for (int64_t i = 0; i < Q * C; i++) out[0][i % C * Q + i / C] = dw[i];
    if (a->db) memcpy(out[1], db, (size_t)C * sizeof *db);
}

/* One product for each window into each dw. */
static void bwd_weights_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    block_case k = *(const block_case *)arg;
    const weir_conv1d *p = &k.call.conv.p;
    tensor y = pooled_shape(&k.call, "y");
    int64_t n = w_floats(p);
    float *dw = plain_new(c, n), *db = plain_new(c, p->C_out);
    k.call.conv.x = abs_new(c, k.x, x_floats(&k.call));
    k.call.dy = abs_new(c, k.dy, tensor_size(&y));
    c->oracle->conv1d_pool_bwd_weights(&k.call, k.r0, k.r1, 0, p->C_out, dw, db);
    double roundings = (double)windows_of(&k.call);
    for (int64_t i = 0; i < n; i++)
        bound[0][i] = bound_sum(c, roundings, (double)dw[i], (double)expected[0][i]);
    for (int64_t i = 0; k.db && i < p->C_out; i++)
        bound[1][i] = bound_sum(c, roundings, (double)db[i], (double)expected[1][i]);
}

static range_check bwd_weights_check(block_case *k, bool single) {
    const weir_conv1d *p = &k->call.conv.p;
    range_check r = {.call = single ? bwd_weights_or_single : bwd_weights_call, .arg = k};
    r.bound = single ? NULL : bwd_weights_bound;
    r.rows = p->C_out;
    r.outputs = k->db ? 2 : 1;
    r.output[0] = (output){.tensor = {"dw by filters", {p->C_out, p->K, p->C_in}},
                           .width = p->K * p->C_in,
                           .no_negative_zero = true};
    r.output[1] = (output){.tensor = {"db", {p->C_out}}, .width = 1, .no_negative_zero = true};
    return r;
}

static void bwd_weights_case(context *c) {
    block_case k = {0};
    shape_draw(c, &k.call, 48, 60);
    k.r1 = k.call.conv.p.N * k.call.conv.T_out;
    if (c->index % 4 >= 2) {
        k.r0 = rng_range(&c->rng, 0, k.r1);
        k.r1 = rng_range(&c->rng, k.r0, k.r1);
    }
    backward_new(c, &k);
    if (rng_chance(&c->rng, 20)) winners_spoil(c, &k);
    k.db = rng_chance(&c->rng, 75);
    shape_say(c, &k);
    k.finite = is_finite(&k);
    bool single = c->options->hash || c->index % 2 == 1 || !k.finite;
    range_check r = bwd_weights_check(&k, single);
    ranges_check(c, &r);
}

/* ---- the oracle ---- */

/* x = 1 2 1 3 -1 -2, w = 1 1: the sums 3 3 4 2 -3 in windows of two, the last step dropped; with
 * bias -3 ReLU makes a tie of zeros. */
static void fwd_by_hand(context *c) {
    static const float x[6] = {1, 2, 1, 3, -1, -2}, w[2] = {1, 1}, b[1] = {-3};
    static const float y[2][2] = {{3, 4}, {0, 1}};
    static const uint8_t winner[2] = {0, 0};
    for (int biased = 0; biased < 2; biased++) {
        weir_conv1d_pool_call call = {
            .conv = {.p = {.N = 1, .T = 6, .C_in = 1, .C_out = 1, .K = 2, .S = 1, .D = 1}}, .P = 2};
        call.conv.p.activation = WEIR_RELU;
        padding_set(&call);
        weir_conv1d_pool p = {call.conv.p, call.P};
        compare_scalar(c, "T_p", (double)call.T_p, 2, 0);
        compare_scalar(c, "weir_conv1d_pool_t_out", (double)weir_conv1d_pool_t_out(&p), 2, 0);
        call.conv.x = x;
        call.conv.w = w;
        call.conv.b = biased ? b : NULL;
        call.y = plain_new(c, 2);
        call.winner = (uint8_t *)(void *)plain_new(c, 1);
        c->oracle->conv1d_pool_fwd(&call, 0, 2);
        tensor t = {"y by hand", {2}}, at = {"winner by hand", {2}};
        compare_bits(c, &t, "the hand-computed case", call.y, y[biased]);
        compare_bytes(c, &at, "the hand-computed case", call.winner, winner);
    }
}

/* sum dy of the convolution at the winners that are alive: what the backward pass differentiates,
 * linear in x, w and b. */
static double loss(void *arg) {
    const block_case *k = arg;
    weir_conv1d_call conv = k->call.conv;
    int64_t C = conv.p.C_out;
    double sum = 0;
    conv.p.activation = WEIR_LINEAR;
    weir_kernels_get(WEIR_ISA_SCALAR)->conv1d_fwd(&conv, 0, conv.p.N * conv.T_out);
    for (int64_t i = 0; i < windows_of(&k->call) * C; i++) {
        int64_t n = i / C / k->call.T_p, w = i / C % k->call.T_p;
        int64_t row = n * conv.T_out + w * k->call.P + k->winner[i];
        if (k->call.conv.p.activation == WEIR_RELU && !(k->y[i] > 0)) continue;
        sum += (double)k->dy[i] * (double)conv.y[row * C + i % C];
    }
    return sum;
}

static void oracle_setup(context *c, block_case *k) {
    c->values = VALUES_EXACT;
    shape_draw(c, &k->call, 5, 12);
    backward_new(c, k);
    k->call.conv.y = plain_new(c, k->call.conv.p.N * k->call.conv.T_out * k->call.conv.p.C_out);
    k->r1 = k->call.conv.p.N * k->call.conv.T_out;
    shape_say(c, k);
}

static void bwd_data_oracle(context *c) {
    block_case k = {0};
    oracle_setup(c, &k);
    tensor t = x_shape(&k.call, "dx");
    k.call.conv.dx = output_new(c, "dx", tensor_size(&t));
    c->oracle->conv1d_pool_bwd_data(&k.call, 0, k.call.conv.p.N * k.call.conv.p.T);
    finite_exact(c, &t, k.x, k.call.conv.dx, 1, loss, &k);
    canaries_check(c);
}

static void bwd_weights_oracle(context *c) {
    block_case k = {0};
    oracle_setup(c, &k);
    const weir_conv1d *p = &k.call.conv.p;
    int64_t Q = p->K * p->C_in;
    tensor t = {"dw", {p->K, p->C_in, p->C_out}}, bias = {"db", {p->C_out}};
    float *by_filters = output_new(c, "dw by filters", Q * p->C_out);
    float *dw = plain_new(c, Q * p->C_out), *db = output_new(c, "db", p->C_out);
    c->oracle->conv1d_pool_bwd_weights(&k.call, 0, k.r1, 0, p->C_out, by_filters, db);
    for (int64_t i = 0; i < Q * p->C_out; i++) dw[i] = by_filters[i % p->C_out * Q + i / p->C_out];
    finite_exact(c, &t, k.w, dw, 1, loss, &k);
    if (k.b) finite_exact(c, &bias, k.b, db, 1, loss, &k);
    canaries_check(c);
}

const check check_conv1d_pool_fwd = {"conv1d_pool_fwd", fwd_case, fwd_by_hand};
const check check_conv1d_pool_bwd_data = {"conv1d_pool_bwd_data", bwd_data_case, bwd_data_oracle};
const check check_conv1d_pool_bwd_weights = {"conv1d_pool_bwd_weights", bwd_weights_case,
                                             bwd_weights_oracle};

/* ---- the op: bit for bit the single ops, in a runtime of one thread ---- */

static weir_status block_op(weir_runtime *rt, void *arg, float *const *out) {
    const block_case *k = arg;
    weir_conv1d_pool p = params_of(k);
    uint8_t *winner = (uint8_t *)(void *)out[1];
    weir_status status = weir_conv1d_pool_fwd(rt, &p, k->x, k->w, k->b, out[0], winner);
    if (status != WEIR_OK) return status;
    return weir_conv1d_pool_bwd(rt, &p, k->x, k->dx ? k->w : NULL, out[0], winner, k->dy,
                                k->dx ? out[3] : NULL, out[2], k->db ? out[4] : NULL);
}

static weir_status single_ops(weir_runtime *rt, const block_case *k, float *const *out) {
    const weir_conv1d *p = &k->call.conv.p;
    int64_t rows = p->N * k->call.conv.T_out;
    weir_pool pool = {WEIR_POOL_MAX, p->N,      k->call.conv.T_out, p->C_out,
                      k->call.P,     k->call.P, WEIR_VALID};
    float *y = plain_new(k->c, rows * p->C_out), *dy = plain_new(k->c, rows * p->C_out);
    weir_status status = weir_conv1d_fwd(rt, p, k->x, k->w, k->b, y);
    if (status == WEIR_OK) status = weir_pool_fwd(rt, &pool, y, out[0], out[1]);
    if (status == WEIR_OK) status = weir_pool_bwd(rt, &pool, k->dy, out[1], dy);
    if (status == WEIR_OK)
        status = weir_activation_bwd(rt, p->activation, rows * p->C_out, y, dy, dy);
    if (status == WEIR_OK)
        status = weir_conv1d_bwd_weights(rt, p, k->x, dy, out[2], k->db ? out[4] : NULL);
    if (status == WEIR_OK && k->dx) status = weir_conv1d_bwd_data(rt, p, dy, k->w, out[3]);
    return status;
}

static void single_call(const weir_kernels *kernels, void *arg, int64_t r0, int64_t r1,
                        float *const *out) {
    const block_case *k = arg;
    weir_runtime_options o = weir_runtime_options_default();
    weir_runtime *rt = NULL;
    (void)kernels, (void)r0, (void)r1;
    o.isa = k->c->isa;
    o.threads = 1;
    o.bind = WEIR_BIND_NONE;
    if (weir_runtime_create(&o, &rt) != WEIR_OK || single_ops(rt, k, out) != WEIR_OK)
        fail(k->c, "%s", weir_last_error());
    weir_runtime_destroy(rt);
}

static void op_case(context *c) {
    block_case k = {0};
    do {
        c->values = (values)rng_range(&c->rng, 0, VALUES_COUNT - 1);
    } while (c->values == VALUES_SPECIAL);
    shape_draw(c, &k.call, 48, 40);
    const weir_conv1d *p = &k.call.conv.p;
    tensors_new(c, &k);
    tensor y = pooled_shape(&k.call, "y"), x = x_shape(&k.call, "dx");
    k.dy = tensor_new(c, "dy", tensor_size(&y));
    k.db = rng_chance(&c->rng, 75);
    k.dx = rng_chance(&c->rng, 75);
    shape_say(c, &k);
    range_check r = {.call = single_call, .arg = &k, .rows = 1, .outputs = 5};
    r.output[0] = (output){.tensor = y, .width = tensor_size(&y)};
    r.output[1] =
        (output){.tensor = pooled_shape(&k.call, "winner"), .width = tensor_size(&y), .byte = true};
    r.output[2] = (output){.tensor = {"dw", {p->K, p->C_in, p->C_out}}, .width = w_floats(p)};
    r.output[3] = (output){.tensor = x, .width = tensor_size(&x)};
    r.output[4] = (output){.tensor = {"db", {p->C_out}}, .width = p->C_out};
    op_check(c, block_op, &r);
}

const check check_op_conv1d_pool = {"op_conv1d_pool", op_case, NULL};

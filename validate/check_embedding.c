/* Checks of the embedding. SPDX-License-Identifier: Apache-2.0 */
#include "validate/check.h"

enum { MAX_C = 80, MAX_T = 60, MAX_V = 40, OP_T = 700, OP_V = 3000 };

typedef struct embedding_case {
    weir_embedding p;
    weir_embedding_call call;
    float *table, *dy;
    int64_t cut; /* of the columns, into two calls */
} embedding_case;

/* Some tokens occur often, as words do, and some not at all. */
static const int32_t *tokens_draw(context *c, int64_t n, int64_t V) {
    int32_t *tokens = (int32_t *)(void *)input_new(c, "tokens", n);
    for (int64_t i = 0; i < n; i++)
        tokens[i] = (int32_t)rng_range(&c->rng, 0, rng_range(&c->rng, 0, V - 1));
    return tokens;
}

static void sizes_draw(context *c, embedding_case *k) {
    weir_embedding *p = &k->p;
    p->N = rng_range(&c->rng, 1, 4);
    p->T = size_draw(&c->rng, c->op ? OP_T : MAX_T);
    p->V = size_draw(&c->rng, c->op ? OP_V : MAX_V);
    p->C = size_draw(&c->rng, MAX_C);
    k->call =
        (weir_embedding_call){.N = p->N, .T = p->T, .V = p->V, .C = p->C, .K = 1, .T_out = p->T};
}

static void shape_say(context *c, const embedding_case *k) {
    const weir_embedding_call *a = &k->call;
    shape_set(c, "N:%lld/T:%lld/V:%lld/C:%lld/K:%lld/T_out:%lld/P_r:%lld/cut:%lld/stream:%d",
              (long long)a->N, (long long)a->T, (long long)k->p.V, (long long)a->C, (long long)a->K,
              (long long)a->T_out, (long long)a->P_r, (long long)k->cut, a->stream);
}

/* ---- forward ---- */

static void fwd_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1, float *const *out) {
    weir_embedding_call call = ((embedding_case *)arg)->call;
    call.y = out[0];
    k->embedding_fwd(&call, r0, r1);
}

static range_check fwd_check(context *c, embedding_case *k) {
    sizes_draw(c, k);
    k->call.stream = rng_chance(&c->rng, 50);
    k->call.tokens = tokens_draw(c, k->p.N * k->p.T, k->p.V);
    k->call.table = k->table = tensor_new(c, "table", k->p.V * k->p.C);
    shape_say(c, k);
    range_check r = {.call = fwd_call, .arg = k, .rows = k->p.N * k->p.T, .outputs = 1};
    r.output[0] = (output){.tensor = {"y", {k->p.N, k->p.T, k->p.C}}, .width = k->p.C};
    return r;
}

static void fwd_case(context *c) {
    embedding_case k = {0};
    range_check r = fwd_check(c, &k);
    ranges_check(c, &r);
}

static void fwd_by_hand(context *c) {
    static const int32_t tokens[3] = {2, 0, 2};
    static const float table[6] = {1, 2, 3, 4, 5, 6}, expected[6] = {5, 6, 1, 2, 5, 6};
    float y[6];
    weir_embedding_call call = {.N = 1, .T = 3, .C = 2, .tokens = tokens, .table = table, .y = y};
    c->oracle->embedding_fwd(&call, 0, 3);
    tensor t = {"y by hand", {6}};
    compare_bits(c, &t, "the hand-computed case", y, expected);
}

/* ---- backward ---- */

static void bwd_call(const weir_kernels *k, void *arg, int64_t v0, int64_t v1, float *const *out) {
    const embedding_case *a = arg;
    weir_embedding_call call = a->call;
    call.dtable = out[0];
    k->embedding_bwd(&call, v0, v1, a->cut, call.K * call.C);
    k->embedding_bwd(&call, v0, v1, 0, a->cut);
}

/* As many additions as the token has places. */
static void bwd_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    embedding_case *k = arg;
    int64_t W = k->call.K * k->call.C, floats = k->p.V * W;
    double *places = double_new(c, k->p.V);
    float *magnitude[1] = {plain_new(c, floats)};
    embedding_case absolute = *k;
    absolute.call.dy = abs_new(c, k->dy, k->call.N * k->call.T_out * k->call.C);
    bwd_call(c->oracle, &absolute, 0, k->p.V, magnitude);
    for (int64_t r = 0; r < k->call.N * k->call.T; r++) places[k->call.tokens[r]]++;
    for (int64_t i = 0; i < floats; i++)
        bound[0][i] = bound_sum(c, places[i / W], (double)magnitude[0][i], (double)expected[0][i]);
}

static range_check bwd_check(context *c, embedding_case *k) {
    int64_t W = k->call.K * k->call.C;
    k->call.tokens = tokens_draw(c, k->p.N * k->p.T, k->p.V);
    k->call.dy = k->dy = tensor_new(c, "dy", k->p.N * k->call.T_out * k->p.C);
    shape_say(c, k);
    range_check r = {.call = bwd_call, .bound = bwd_bound, .arg = k, .rows = k->p.V, .outputs = 1};
    r.output[0] = (output){
        .tensor = {"dtable", {k->p.V, k->call.K, k->p.C}}, .no_negative_zero = true, .width = W};
    return r;
}

/* By turns as a convolution's product table needs it, with steps of dy that are not there. */
static void bwd_case(context *c) {
    embedding_case k = {0};
    sizes_draw(c, &k);
    if (c->index % 2) {
        k.call.K = rng_range(&c->rng, 1, 5);
        k.call.P_r = rng_range(&c->rng, 0, k.call.K - 1);
        k.call.T_out = k.p.T + (rng_chance(&c->rng, 50) ? 0 : 1 - k.call.K + 2 * k.call.P_r);
        if (k.call.T_out < 1) k.call.T_out = 1;
    }
    k.cut = rng_range(&c->rng, 0, k.call.K * k.call.C);
    range_check r = bwd_check(c, &k);
    ranges_check(c, &r);
}

/* sum dy y for the scalar forward pass: linear in each number of the table, and exact. */
static double loss(void *arg) {
    embedding_case *k = arg;
    double sum = 0;
    weir_kernels_get(WEIR_ISA_SCALAR)->embedding_fwd(&k->call, 0, k->p.N * k->p.T);
    for (int64_t i = 0; i < k->p.N * k->p.T * k->p.C; i++)
        sum += (double)k->dy[i] * (double)k->call.y[i];
    return sum;
}

static void bwd_oracle(context *c) {
    embedding_case k = {0};
    c->values = VALUES_EXACT;
    sizes_draw(c, &k);
    k.call.tokens = tokens_draw(c, k.p.N * k.p.T, k.p.V);
    k.call.table = k.table = tensor_new(c, "table", k.p.V * k.p.C);
    k.call.dy = k.dy = tensor_new(c, "dy", k.p.N * k.p.T * k.p.C);
    k.call.y = output_new(c, "y", k.p.N * k.p.T * k.p.C);
    shape_say(c, &k);
    float *dtable[1] = {output_new(c, "dtable", k.p.V * k.p.C)};
    bwd_call(c->oracle, &k, 0, k.p.V, dtable);
    tensor t = {"dtable", {k.p.V, k.p.C}};
    finite_exact(c, &t, k.table, dtable[0], 1, loss, &k);
    canaries_check(c);
}

/* ---- a convolution's sums ---- */

static void conv_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1, float *const *out) {
    weir_embedding_call call = ((embedding_case *)arg)->call;
    call.y = out[0];
    k->embedding_conv1d_fwd(&call, r0, r1);
}

/* The bias and K additions, then the activation. */
static void conv_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    const embedding_case *k = arg;
    weir_embedding_call call = k->call;
    int64_t rows = call.N * call.T_out;
    float *magnitude = plain_new(c, rows * call.C), *z = plain_new(c, rows * call.C);
    call.activation = WEIR_LINEAR;
    call.y = z;
    c->oracle->embedding_conv1d_fwd(&call, 0, rows);
    call.table = abs_new(c, k->table, k->p.V * call.K * call.C);
    call.b = abs_new(c, call.b, call.C);
    call.y = magnitude;
    c->oracle->embedding_conv1d_fwd(&call, 0, rows);
    for (int64_t i = 0; i < rows * call.C; i++)
        bound[0][i] = bound_activation(
            k->call.activation, bound_sum(c, (double)call.K, (double)magnitude[i], (double)z[i]),
            (double)expected[0][i]);
}

static void conv_sizes_draw(context *c, embedding_case *k) {
    sizes_draw(c, k);
    k->call.K = rng_range(&c->rng, 1, 5);
    k->call.P_r = rng_range(&c->rng, 0, k->call.K - 1);
    k->call.T_out = k->p.T + (rng_chance(&c->rng, 50) ? 0 : 1 - k->call.K + 2 * k->call.P_r);
    if (k->call.T_out < 1) k->call.T_out = 1;
    k->call.activation = (weir_activation)rng_range(&c->rng, 0, WEIR_ACTIVATION_COUNT - 1);
}

static void conv_case(context *c) {
    embedding_case k = {0};
    conv_sizes_draw(c, &k);
    if (c->index % 8 == 3) k.p.T = k.call.T = k.call.T_out = rng_range(&c->rng, 65, 200);
    k.call.tokens = tokens_draw(c, k.p.N * k.p.T, k.p.V);
    k.call.table = k.table = tensor_new(c, "table", k.p.V * k.call.K * k.p.C);
    if (rng_chance(&c->rng, 75)) k.call.b = tensor_new(c, "b", k.p.C);
    shape_say(c, &k);
    range_check r = {.call = conv_call, .bound = conv_bound, .arg = &k, .outputs = 1};
    r.rows = k.p.N * k.call.T_out;
    r.output[0] = (output){.tensor = {"y", {k.p.N, k.call.T_out, k.p.C}}, .width = k.p.C};
    ranges_check(c, &r);
}

/* Tokens 0, 1, 0 with one step of padding on either side: rows K - 1 first. */
static void conv_by_hand(context *c) {
    static const int32_t tokens[3] = {0, 1, 0};
    static const float table[6] = {300, 20, 1, 3000, 200, 10}, b[1] = {0.5f};
    static const float expected[3] = {3020.5f, 501.5f, 30.5f};
    float y[3];
    weir_embedding_call call = {
        .N = 1, .T = 3, .C = 1, .V = 2, .K = 3, .T_out = 3, .P_r = 1, .tokens = tokens, .b = b};
    call.table = table;
    call.y = y;
    c->oracle->embedding_conv1d_fwd(&call, 0, 3);
    tensor t = {"y by hand", {3}};
    compare_bits(c, &t, "the hand-computed case", y, expected);
}

const check check_embedding_conv1d_fwd = {"embedding_conv1d_fwd", conv_case, conv_by_hand};
const check check_embedding_fwd = {"embedding_fwd", fwd_case, fwd_by_hand};
const check check_embedding_bwd = {"embedding_bwd", bwd_case, bwd_oracle};

/* ---- the ops ---- */

static weir_status fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const embedding_case *k = arg;
    return weir_embedding_fwd(rt, &k->p, k->call.tokens, k->table, out[0]);
}

static weir_status bwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const embedding_case *k = arg;
    return weir_embedding_bwd(rt, &k->p, k->call.tokens, k->dy, out[0]);
}

/* Forward and backward by turns; each row of the gradient is the kernel's own, whoever sums it. */
static void op_embedding_case(context *c) {
    embedding_case k = {0};
    range_check r;
    if (c->index % 2) {
        sizes_draw(c, &k);
        r = bwd_check(c, &k);
        r.bound = NULL;
    } else {
        r = fwd_check(c, &k);
    }
    op_check(c, c->index % 2 ? bwd_op : fwd_op, &r);
}

const check check_op_embedding = {"op_embedding", op_embedding_case, NULL};

/* Checks of the convolution over embedded tokens: against the oracles of the embedding and of conv1d
 * in turn. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>

#include "validate/check.h"

/* Additions of the sum of a gradient's leaves, at most 32. */
enum { TREE = 31 };

typedef struct text_case {
    weir_embedding_conv1d p;
    weir_conv1d_call conv; /* x, y and dx are the embedded sequence's */
    int32_t *tokens;
    float *table, *w, *b, *dy;
    float *x, *dx; /* of the oracle's */
    bool prepared; /* forward: from the product table of all tokens */
    float *product;
} text_case;

static void padding_set(text_case *k) {
    const weir_embedding_conv1d *p = &k->p;
    k->conv.p = (weir_conv1d){.N = p->embedding.N,
                              .T = p->embedding.T,
                              .C_in = p->embedding.C,
                              .C_out = p->C_out,
                              .K = p->K,
                              .S = 1,
                              .D = 1,
                              .activation = p->activation};
    k->conv.T_out = p->embedding.T - (p->padding == WEIR_VALID ? p->K - 1 : 0);
    if (p->padding == WEIR_SAME) k->conv.P_l = (p->K - 1) / 2;
    if (p->padding == WEIR_CAUSAL) k->conv.P_l = p->K - 1;
}

/* Some words are frequent. Of the values NaN, infinity and overflow have no place here: weir/ops.h. */
static void text_draw(context *c, text_case *k) {
    rng *r = &c->rng;
    weir_embedding *e = &k->p.embedding;
    c->values = values_tame(c->values);
    e->N = rng_range(r, 1, 5);
    e->C = size_draw(r, 40);
    e->V = size_draw(r, 500);
    k->p.C_out = size_draw(r, 40);
    k->p.K = rng_range(r, 1, 7);
    k->p.padding = (weir_padding)rng_range(r, 0, WEIR_PADDING_COUNT - 1);
    k->p.activation = (weir_activation)rng_range(r, 0, WEIR_ACTIVATION_COUNT - 1);
    e->T = size_draw(r, 300000 / (e->C * k->p.C_out * k->p.K) + 8) + k->p.K - 1;
    padding_set(k);
    int64_t steps = e->N * e->T;
    k->tokens = (int32_t *)(void *)input_new(c, "tokens", steps);
    for (int64_t i = 0; i < steps; i++)
        k->tokens[i] = (int32_t)rng_range(r, 0, rng_range(r, 0, e->V - 1));
    k->table = tensor_new(c, "table", e->V * e->C);
    k->w = tensor_new(c, "w", k->p.K * e->C * k->p.C_out);
    k->x = plain_new(c, steps * e->C);
    k->dx = plain_new(c, steps * e->C);
    shape_set(c, "N:%lld/T:%lld/V:%lld/C:%lld/Cout:%lld/K:%lld/%s/%s", (long long)e->N,
              (long long)e->T, (long long)e->V, (long long)e->C, (long long)k->p.C_out,
              (long long)k->p.K, weir_padding_name(k->p.padding),
              weir_activation_name(k->p.activation));
}

/* x from this table. */
static void embed(const weir_kernels *k, text_case *a, const float *table) {
    const weir_embedding *e = &a->p.embedding;
    const weir_embedding_call call = {
        .N = e->N, .T = e->T, .V = e->V, .C = e->C, .tokens = a->tokens, .table = table, .y = a->x};
    k->embedding_fwd(&call, 0, e->N * e->T);
    a->conv.x = a->x;
}

/* ---- forward ---- */

static void fwd_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1, float *const *out) {
    text_case *a = arg;
    embed(k, a, a->table);
    a->conv.w = a->w;
    a->conv.b = a->b;
    a->conv.y = out[0];
    k->conv1d_fwd(&a->conv, r0, r1);
}

/* A term passes the C roundings of its product and K + 1 additions. */
static void fwd_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    text_case a = *(text_case *)arg;
    const weir_embedding *e = &a.p.embedding;
    int64_t rows = e->N * a.conv.T_out, n = rows * a.p.C_out;
    float *z[1] = {plain_new(c, n)}, *magnitude[1] = {plain_new(c, n)};
    a.conv.p.activation = WEIR_LINEAR;
    fwd_call(c->oracle, &a, 0, rows, z);
    a.table = abs_new(c, a.table, e->V * e->C);
    a.w = abs_new(c, a.w, a.p.K * e->C * a.p.C_out);
    a.b = abs_new(c, a.b, a.p.C_out);
    fwd_call(c->oracle, &a, 0, rows, magnitude);
    double roundings = (double)(e->C + a.p.K + 1);
    for (int64_t i = 0; i < n; i++) {
        double before = bound_sum(c, roundings, (double)magnitude[0][i], (double)z[0][i]);
        if (c->values != VALUES_EXACT) before += (double)(a.p.K * e->C) * (double)FLT_MIN;
        bound[0][i] = bound_activation(a.p.activation, before, (double)expected[0][i]);
    }
}

static weir_status fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const text_case *a = arg;
    if (!a->prepared)
        return weir_embedding_conv1d_fwd(rt, &a->p, a->tokens, a->table, a->w, a->b, out[0]);
    weir_status status = weir_embedding_conv1d_table(rt, &a->p, a->table, a->w, a->product);
    if (status != WEIR_OK) return status;
    return weir_embedding_conv1d_apply(rt, &a->p, a->tokens, a->product, a->b, out[0]);
}

static void op_fwd_case(context *c) {
    text_case k = {0};
    text_draw(c, &k);
    if (rng_chance(&c->rng, 75)) k.b = tensor_new(c, "b", k.p.C_out);
    k.prepared = c->index % 3 == 0;
    k.product = plain_new(c, k.p.embedding.V * k.p.K * k.p.C_out);
    range_check r = {.call = fwd_call, .bound = fwd_bound, .arg = &k, .outputs = 1};
    r.rows = k.p.embedding.N * k.conv.T_out;
    r.output[0] =
        (output){.tensor = {"y", {k.p.embedding.N, k.conv.T_out, k.p.C_out}}, .width = k.p.C_out};
    op_check(c, fwd_op, &r);
}

/* ---- backward ---- */

static void bwd_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1, float *const *out) {
    text_case *a = arg;
    const weir_embedding *e = &a->p.embedding;
    const weir_conv1d *p = &a->conv.p;
    (void)r0;
    (void)r1;
    embed(k, a, a->table);
    a->conv.w = a->w;
    a->conv.dy = a->dy;
    a->conv.dx = a->dx;
    k->conv1d_bwd_data(&a->conv, 0, p->N * p->T);
    k->conv1d_bwd_weights(&a->conv, 0, p->N * a->conv.T_out, 0, p->K * p->C_in, out[1]);
    k->sum_rows(p->C_out, 0, p->N * a->conv.T_out, a->dy, out[2]);
    weir_embedding_call call = {.N = e->N, .T = e->T, .V = e->V, .C = e->C, .tokens = a->tokens};
    call.K = 1;
    call.T_out = e->T;
    call.dy = a->dx;
    call.dtable = out[0];
    k->embedding_bwd(&call, 0, e->V, 0, e->C);
}

/* The largest element: what a term that was flushed before it is multiplied may lose. */
static double largest(const float *a, int64_t n) {
    double most = 1;
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs((double)a[i]));
    return most;
}

/*
 * places = rows of dy. The sums of dy over the places of a token: places additions. dtable: K C_out
 * products of those; the oracle rounds each place's gradient on the way. dw: a product for each of at
 * most V tokens, and the tree. db: places additions and the tree. A sum that was flushed loses FLT_MIN
 * times what it is multiplied with, in each of the products.
 */
static void bwd_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    text_case a = *(text_case *)arg;
    const weir_embedding *e = &a.p.embedding;
    int64_t table = e->V * e->C, w = a.p.K * e->C * a.p.C_out, rows = e->N * a.conv.T_out;
    const int64_t n[3] = {table, w, a.p.C_out};
    double places = (double)rows + 1, K_C_out = (double)(a.p.K * a.p.C_out);
    double lost = c->values == VALUES_EXACT ? 0 : places * (double)FLT_MIN;
    const double factor[3] = {lost * K_C_out * largest(a.w, w),
                              lost * (double)e->V * largest(a.table, table), 0};
    const double roundings[3] = {places + K_C_out + 1, places + (double)e->V, places};
    float *magnitude[3];
    for (int i = 0; i < 3; i++) magnitude[i] = plain_new(c, n[i]);
    a.table = abs_new(c, a.table, table);
    a.w = abs_new(c, a.w, w);
    a.dy = abs_new(c, a.dy, rows * a.p.C_out);
    bwd_call(c->oracle, &a, 0, 1, magnitude);
    for (int i = 0; i < 3; i++)
        for (int64_t j = 0; j < n[i]; j++)
            bound[i][j] =
                bound_sum(c, roundings[i], (double)magnitude[i][j], (double)expected[i][j]) +
                factor[i];
}

static weir_status bwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const text_case *a = arg;
    return weir_embedding_conv1d_bwd(rt, &a->p, a->tokens, a->table, a->w, a->dy, out[0], out[1],
                                     out[2]);
}

static void op_bwd_case(context *c) {
    text_case k = {0};
    text_draw(c, &k);
    const weir_embedding *e = &k.p.embedding;
    k.dy = tensor_new(c, "dy", e->N * k.conv.T_out * k.p.C_out);
    range_check r = {.call = bwd_call, .bound = bwd_bound, .arg = &k, .rows = 1, .outputs = 3};
    r.output[0] = (output){.tensor = {"dtable", {e->V, e->C}}, .no_negative_zero = true};
    r.output[1] = (output){.tensor = {"dw", {k.p.K, e->C, k.p.C_out}}, .no_negative_zero = true};
    r.output[2] = (output){.tensor = {"db", {k.p.C_out}}, .no_negative_zero = true};
    for (int i = 0; i < 3; i++) r.output[i].width = tensor_size(&r.output[i].tensor);
    c->tree = TREE;
    op_check(c, bwd_op, &r);
    c->tree = 0;
}

const check check_op_embedding_conv1d_fwd = {"op_embedding_conv1d_fwd", op_fwd_case, NULL};
const check check_op_embedding_conv1d_bwd = {"op_embedding_conv1d_bwd", op_bwd_case, NULL};

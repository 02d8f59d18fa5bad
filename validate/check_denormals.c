/* Check that the ops flush denormals, as weir/ops.h promises. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>

#include "runtime/runtime.h"
#include "validate/check.h"

/*
 * The bounds of the other checks forgive FLT_MIN, so they pass whether a denormal is flushed or not.
 * Here each operand or result is a denormal, and the output is exact: 0, or the denormal where it is
 * only copied.
 */
#define TINY 0x1p-130f

enum { SAMPLES = 256 }; /* of dense: more than one leaf of a weight gradient has */

typedef struct flush_case {
    op_call_fn *op;
    int outputs;
    int64_t floats[MAX_OUTPUTS];
    float expected[MAX_OUTPUTS]; /* every element of the output */
    bool nested;                 /* called from inside a parallel loop */
    bool kept_inside;            /* denormals, in the loop after the op */
    bool lost_outside;           /* by the caller, after the op */
    weir_conv1d conv;
    weir_dense dense;
    weir_pool pool;
    weir_gru gru;
    weir_gru_tensors t;
    weir_activation activation;
    int64_t n;
    const float *x, *w, *dy;
    float *reserve, *y;
} flush_case;

static bool denormals_kept(void) {
    volatile float smallest = FLT_MIN;
    volatile float half = smallest * 0.5f;
    return half > 0;
}

typedef struct nest {
    weir_runtime *rt;
    flush_case *f;
    float *const *out;
    weir_status status;
} nest;

/* The last item calls the op: often on a worker's thread. */
static void nested_call(void *arg, int64_t begin, int64_t end, int worker) {
    nest *n = arg;
    (void)begin;
    (void)worker;
    if (end < weir_runtime_threads(n->rt)) return;
    n->status = n->f->op(n->rt, n->f, n->out);
    n->f->kept_inside |= denormals_kept();
}

static weir_status flush_call(weir_runtime *rt, void *arg, float *const *out) {
    flush_case *f = arg;
    nest n = {rt, f, out, WEIR_OK};
    if (f->nested) {
        weir_status status = weir_parallel_for(rt, weir_runtime_threads(rt), 1, nested_call, &n);
        if (status != WEIR_OK) return status;
    } else {
        n.status = f->op(rt, f, out);
    }
    f->lost_outside |= !denormals_kept();
    return n.status;
}

static void expect(const weir_kernels *k, void *arg, int64_t r0, int64_t r1, float *const *out) {
    const flush_case *f = arg;
    (void)k;
    (void)r0;
    (void)r1;
    for (int i = 0; i < f->outputs; i++)
        for (int64_t j = 0; j < f->floats[i]; j++) out[i][j] = f->expected[i];
}

/* Bounds begin as 0. */
static void exact(context *c, void *arg, float *const *expected, double *const *bound) {
    (void)c;
    (void)arg;
    (void)expected;
    (void)bound;
}

static void output_add(range_check *r, flush_case *f, const char *name, int64_t floats,
                       float expected) {
    r->output[r->outputs++] = (output){.tensor = {name, {floats}}, .width = floats};
    f->floats[f->outputs] = floats;
    f->expected[f->outputs++] = expected;
}

static range_check check_of(flush_case *f, op_call_fn *op) {
    f->op = op;
    f->outputs = 0;
    return (range_check){.call = expect, .bound = exact, .arg = f, .rows = 1};
}

static void flush_check(context *c, flush_case *f, const range_check *r) {
    for (int nested = 0; nested < 2 && !c->failures; nested++) {
        f->nested = nested;
        op_check(c, flush_call, r);
        if (f->kept_inside) fail(c, "a parallel loop keeps denormals after an op was called in it");
        if (f->lost_outside) fail(c, "the caller's denormals are flushed after an op");
    }
}

/* Element e is `even` or `odd` as e / stride % count is. */
static float *striped_new(context *c, const char *name, int64_t n, int64_t stride, int64_t count,
                          float even, float odd) {
    float *a = input_new(c, name, n);
    for (int64_t e = 0; e < n; e++) a[e] = e / stride % count % 2 ? odd : even;
    return a;
}

static float *constant_new(context *c, const char *name, int64_t n, float value) {
    return striped_new(c, name, n, n, 1, value, value);
}

/* ---- conv1d, dense: even channels have a denormal product, odd ones a denormal factor ---- */

static weir_status conv1d_fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    return weir_conv1d_fwd(rt, &f->conv, f->x, f->w, NULL, out[0]);
}

static weir_status conv1d_bwd_data_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    return weir_conv1d_bwd_data(rt, &f->conv, f->dy, f->w, out[0]);
}

static weir_status dense_bwd_weights_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    return weir_dense_bwd_weights(rt, &f->dense, f->x, f->dy, out[0], out[1]);
}

static void conv1d_draw(context *c, flush_case *f) {
    rng *r = &c->rng;
    f->conv = (weir_conv1d){.N = rng_range(r, 1, 4), .S = 1, .D = 1, .padding = WEIR_SAME};
    f->conv.T = size_draw(r, 200);
    f->conv.K = rng_range(r, 1, 3);
    f->conv.C_in = 1 + size_draw(r, 20);
    f->conv.C_out = 1 + size_draw(r, 20);
    shape_set(c, "conv1d/N:%lld/T:%lld/Cin:%lld/Cout:%lld/K:%lld", (long long)f->conv.N,
              (long long)f->conv.T, (long long)f->conv.C_in, (long long)f->conv.C_out,
              (long long)f->conv.K);
}

static void conv1d_fwd_case(context *c) {
    flush_case f = {0};
    conv1d_draw(c, &f);
    const weir_conv1d *p = &f.conv;
    int64_t steps = p->N * p->T;
    f.x = striped_new(c, "x", steps * p->C_in, 1, p->C_in, 0x1p-100f, TINY);
    f.w = striped_new(c, "w", p->K * p->C_in * p->C_out, p->C_out, p->C_in, 0x1p-30f, 0x1p20f);
    range_check r = check_of(&f, conv1d_fwd_op);
    output_add(&r, &f, "y", steps * p->C_out, 0);
    flush_check(c, &f, &r);
}

static void conv1d_bwd_data_case(context *c) {
    flush_case f = {0};
    conv1d_draw(c, &f);
    const weir_conv1d *p = &f.conv;
    int64_t steps = p->N * p->T;
    f.dy = striped_new(c, "dy", steps * p->C_out, 1, p->C_out, 0x1p-100f, TINY);
    f.w = striped_new(c, "w", p->K * p->C_in * p->C_out, 1, p->C_out, 0x1p-30f, 0x1p20f);
    range_check r = check_of(&f, conv1d_bwd_data_op);
    output_add(&r, &f, "dx", steps * p->C_in, 0);
    flush_check(c, &f, &r);
}

/* A sum of two rows is denormal: in even columns rows of two leaves, in odd ones of the same leaf. */
static void dense_bwd_weights_case(context *c) {
    flush_case f = {.dense = {.N = SAMPLES, .C_in = size_draw(&c->rng, 20)}};
    int64_t C = f.dense.C_out = c->index % 16 < 8 ? 1 : size_draw(&c->rng, 40);
    shape_set(c, "dense/N:%d/Cin:%lld/Cout:%lld", SAMPLES, (long long)f.dense.C_in, (long long)C);
    f.x = constant_new(c, "x", SAMPLES * f.dense.C_in, 1);
    float *dy = constant_new(c, "dy", SAMPLES * C, 0);
    for (int64_t o = 0; o < C; o++) {
        dy[o] = 1.5f * FLT_MIN;
        dy[(o % 2 ? 1 : 200) * C + o] = -FLT_MIN;
    }
    f.dy = dy;
    range_check r = check_of(&f, dense_bwd_weights_op);
    output_add(&r, &f, "dw", f.dense.C_in * C, 0);
    output_add(&r, &f, "db", C, 0);
    flush_check(c, &f, &r);
}

/* ---- pooling ---- */

static weir_status pool_fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    return weir_pool_fwd(rt, &f->pool, f->x, out[0], NULL);
}

static weir_status pool_bwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    return weir_pool_bwd(rt, &f->pool, f->dy, NULL, out[0]);
}

static void pool_case(context *c) {
    flush_case f = {.pool = {.kind = WEIR_POOL_AVG, .P = 2, .S = 2, .padding = WEIR_VALID}};
    weir_pool *p = &f.pool;
    p->N = rng_range(&c->rng, 1, 4);
    p->T = 2 * size_draw(&c->rng, 200);
    p->C = size_draw(&c->rng, 40);
    int64_t floats = p->N * p->T * p->C;
    shape_set(c, "pool/N:%lld/T:%lld/C:%lld", (long long)p->N, (long long)p->T, (long long)p->C);
    f.x = striped_new(c, "x", floats, p->C, 2, FLT_MIN, 0);
    f.dy = constant_new(c, "dy", floats / 2, FLT_MIN);
    range_check r = check_of(&f, pool_fwd_op);
    output_add(&r, &f, "y (average)", floats / 2, 0);
    flush_check(c, &f, &r);
    r = check_of(&f, pool_bwd_op);
    output_add(&r, &f, "dx (average)", floats, 0);
    flush_check(c, &f, &r);
    p->kind = WEIR_POOL_MAX;
    f.x = constant_new(c, "x", floats, TINY);
    r = check_of(&f, pool_fwd_op);
    output_add(&r, &f, "y (maximum)", floats / 2, TINY);
    flush_check(c, &f, &r);
}

/* ---- GRU ---- */

static weir_status gru_fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    return weir_gru_fwd(rt, &f->gru, &f->t, out[0], NULL);
}

static weir_status gru_bwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    weir_gru_gradients g = {
        .dy = f->dy, .dw = out[0], .du = out[1], .db = out[2], .dx = out[3], .dh0 = out[4]};
    weir_status status = weir_gru_fwd(rt, &f->gru, &f->t, f->y, f->reserve);
    return status != WEIR_OK ? status : weir_gru_bwd(rt, &f->gru, &f->t, f->reserve, &g);
}

static void gru_draw_flush(context *c, flush_case *f) {
    weir_gru *p = &f->gru;
    *p = (weir_gru){.C_in = 1, .recurrent = WEIR_HARD_SIGMOID};
    p->N = size_draw(&c->rng, 60);
    p->T = size_draw(&c->rng, 30);
    p->H = size_draw(&c->rng, 30);
    p->reset_after = rng_chance(&c->rng, 50);
    shape_set(c, "gru/N:%lld/T:%lld/H:%lld/reset_%s", (long long)p->N, (long long)p->T,
              (long long)p->H, p->reset_after ? "after" : "before");
}

/* z = 1/2 and c = FLT_MIN: h = FLT_MIN / 2 */
static void gru_fwd_case(context *c) {
    flush_case f = {0};
    gru_draw_flush(c, &f);
    weir_gru *p = &f.gru;
    p->activation = WEIR_RELU;
    float *w = constant_new(c, "w", 3 * p->H, 0);
    for (int64_t j = 0; j < p->H; j++) w[2 * p->H + j] = FLT_MIN;
    f.t = (weir_gru_tensors){.x = constant_new(c, "x", p->N * p->T, 1), .w = w};
    f.t.u = constant_new(c, "u", 3 * p->H * p->H, 0);
    range_check r = check_of(&f, gru_fwd_op);
    output_add(&r, &f, "y", p->N * p->H, 0);
    flush_check(c, &f, &r);
}

/* x = 0: z = 1/2, c = h = 0, and of dy = FLT_MIN half goes to c and half to the step before. */
static void gru_bwd_case(context *c) {
    flush_case f = {0};
    gru_draw_flush(c, &f);
    weir_gru *p = &f.gru;
    p->activation = WEIR_TANH;
    int64_t biases = (p->reset_after ? 6 : 3) * p->H;
    f.t = (weir_gru_tensors){.x = constant_new(c, "x", p->N * p->T, 0)};
    f.t.w = constant_new(c, "w", 3 * p->H, 1);
    f.t.u = constant_new(c, "u", 3 * p->H * p->H, 1);
    f.t.b = constant_new(c, "b", biases, 0);
    f.dy = constant_new(c, "dy", p->N * p->H, FLT_MIN);
    f.y = plain_new(c, p->N * p->H);
    f.reserve = plain_new(c, weir_gru_reserve_floats(p));
    range_check r = check_of(&f, gru_bwd_op);
    output_add(&r, &f, "dw", 3 * p->H, 0);
    output_add(&r, &f, "du", 3 * p->H * p->H, 0);
    output_add(&r, &f, "db", biases, 0);
    output_add(&r, &f, "dx", p->N * p->T, 0);
    output_add(&r, &f, "dh0", p->N * p->H, 0);
    flush_check(c, &f, &r);
}

/* ---- element by element ---- */

static weir_status activation_fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    return weir_activation_fwd(rt, f->activation, f->n, f->x, out[0]);
}

static weir_status activation_bwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    return weir_activation_bwd(rt, WEIR_SIGMOID, f->n, f->y, f->dy, out[0]);
}

static weir_status loss_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    double loss;
    return weir_loss_eval(rt, WEIR_MSE, f->n, f->x, f->w, &loss, out[0]);
}

static void activation_case(context *c) {
    flush_case f = {.n = 4 + size_draw(&c->rng, 3000), .activation = WEIR_LINEAR};
    shape_set(c, "activations, loss/n:%lld", (long long)f.n);
    f.x = constant_new(c, "x", f.n, TINY);
    range_check r = check_of(&f, activation_fwd_op);
    output_add(&r, &f, "y (linear)", f.n, TINY);
    flush_check(c, &f, &r);
    f.activation = WEIR_TANH;
    r = check_of(&f, activation_fwd_op);
    output_add(&r, &f, "y (tanh)", f.n, 0);
    flush_check(c, &f, &r);
    f.y = constant_new(c, "y", f.n, 0.5f);
    f.dy = constant_new(c, "dy", f.n, FLT_MIN);
    r = check_of(&f, activation_bwd_op);
    output_add(&r, &f, "dx", f.n, 0);
    flush_check(c, &f, &r);
    f.x = f.dy;
    f.w = constant_new(c, "target", f.n, 0);
    r = check_of(&f, loss_op);
    output_add(&r, &f, "dy (mse)", f.n, 0);
    flush_check(c, &f, &r);
}

static weir_status rmsprop_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    const weir_rmsprop o = {.rate = 1e-3f, .rho = 0.9f, .epsilon = 1e-7f};
    return weir_rmsprop_step(rt, &o, f->n, f->dy, out[0], out[1]);
}

static weir_status adam_op(weir_runtime *rt, void *arg, float *const *out) {
    const flush_case *f = arg;
    const weir_adam o = {.rate = 1e-3f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-7f};
    return weir_adam_step(rt, &o, 1, f->n, f->dy, out[0], out[2], out[1]);
}

/* Without a gradient the means decay, from FLT_MIN to a denormal; the parameters stay. */
static void optimizer_case(context *c) {
    flush_case f = {.n = size_draw(&c->rng, 3000)};
    shape_set(c, "optimizers/n:%lld", (long long)f.n);
    f.dy = constant_new(c, "g", f.n, 0);
    const float *mean = constant_new(c, "mean", f.n, FLT_MIN), *p = constant_new(c, "p", f.n, 1);
    for (int i = 0; i < 2; i++) {
        range_check r = check_of(&f, i ? adam_op : rmsprop_op);
        output_add(&r, &f, i ? "m" : "v", f.n, 0);
        output_add(&r, &f, "p", f.n, 1);
        if (i) output_add(&r, &f, "v", f.n, 0);
        for (int j = 0; j < r.outputs; j++) r.output[j].initial = j == 1 ? p : mean;
        flush_check(c, &f, &r);
    }
}

static void denormals_case(context *c) {
    static check_fn *const cases[] = {conv1d_fwd_case, conv1d_bwd_data_case, dense_bwd_weights_case,
                                      pool_case,       gru_fwd_case,         gru_bwd_case,
                                      activation_case, optimizer_case};
    cases[c->index % (int64_t)(sizeof cases / sizeof cases[0])](c);
}

const check check_op_denormals = {"op_denormals", denormals_case, NULL};

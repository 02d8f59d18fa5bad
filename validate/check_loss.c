/* Checks of the losses. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "validate/check.h"

enum { MAX_N = 600, OP_N = 60000 };

typedef double loss_fn(int64_t n, const float *y, const float *target, float *dy);

typedef struct loss_case {
    int64_t n;
    const float *target;
    float *y, *dy;
    weir_loss kind;
    double sum[WEIR_ISA_COUNT];
} loss_case;

static const char *const names[WEIR_LOSS_COUNT] = {"mae", "mse", "bce", "bce_logits"};

static loss_fn *loss_of(const weir_kernels *k, weir_loss kind) {
    switch (kind) {
    case WEIR_MSE: return k->loss_mse;
    case WEIR_BCE: return k->loss_bce;
    case WEIR_BCE_LOGITS: return k->loss_bce_logits;
    default: return k->loss_mae;
    }
}

static bool is_entropy(weir_loss kind) { return kind == WEIR_BCE || kind == WEIR_BCE_LOGITS; }

static void loss_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1, float *const *out) {
    loss_case *a = arg;
    (void)r0;
    (void)r1;
    double sum = loss_of(k, a->kind)(a->n, a->y, a->target, out[0]);
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++)
        if (weir_kernels_get((weir_isa)isa) == k) a->sum[isa] = sum;
}

/* The probability that the oracle and the kernel take the logarithms of. */
static double probability(float y) { return fmin(fmax((double)y, 1e-7), 1 - 0x1p-23); }

/* What is added up for element i, each part by its magnitude. */
static double terms(const loss_case *k, int64_t i) {
    double y = (double)k->y[i], t = (double)k->target[i], p = probability(k->y[i]);
    if (k->kind == WEIR_MAE) return fabs(y - t);
    if (k->kind == WEIR_MSE) return (y - t) * (y - t);
    if (k->kind == WEIR_BCE) return fabs(t * log(p)) + fabs((1 - t) * log(1 - p));
    return fmax(y, 0) + fabs(y * t) + log(2);
}

/* What the derivative is the difference of; not a number where the clip acts and t is none. */
static double parts(const loss_case *k, int64_t i) {
    double t = (double)k->target[i], p = probability(k->y[i]);
    return k->kind == WEIR_BCE ? fabs(t / p) + fabs((1 - t) / (1 - p)) : 1 + fabs(t);
}

/*
 * MAE, MSE: y - t, times 2, times 1 / n: at most 4 roundings with that of 1 / n, each of the value
 * itself. The entropies are differences in double, of at most 8 u of what is subtracted here and in
 * the oracle, whose exp and division have 2 u each; one rounding to float here, one there.
 */
static void loss_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    const loss_case *k = arg;
    for (int64_t i = 0; i < k->n; i++) {
        double dy = (double)expected[0][i];
        bound[0][i] = bound_terms(c, is_entropy(k->kind) ? 1 : 4, fabs(dy), dy);
        if (is_entropy(k->kind) && isfinite(parts(k, i)))
            bound[0][i] += 16 * U64 * parts(k, i) / (double)k->n;
    }
}

/*
 * MAE, MSE: all terms are positive, so the sum is its own magnitude: a float difference and its square
 * make 3 roundings to float at most, the sum n to double. The entropies are in double all along: 16 u
 * of each term's parts, for dmath.h promises 9 and the oracle's have 1 or 2, and the rest is single
 * operations. A denormal y or target may be taken for 0.
 */
static double sum_bound(const loss_case *k, double expected) {
    double n = (double)k->n, magnitude = 0;
    if (!is_entropy(k->kind)) return (bound_gamma(3) + n * U64) * expected + n * (double)FLT_MIN;
    for (int64_t i = 0; i < k->n; i++) magnitude += terms(k, i);
    return (16 + n) * U64 * magnitude + n * 17 * (double)FLT_MIN;
}

static void sums_compare(context *c, const loss_case *k) {
    double expected = k->sum[WEIR_ISA_SCALAR], got = k->sum[c->isa];
    double bound = isfinite(expected) ? sum_bound(k, expected) : 0;
    /* squares leave float */
    if (c->values == VALUES_OVERFLOW && !is_entropy(k->kind)) bound = INFINITY;
    if (!isinf(bound)) compare_scalar(c, "sum", got, expected, bound);
    if (c->generic) compare_scalar(c, "sum (as generic)", got, k->sum[WEIR_ISA_GENERIC], 0);
}

/* Probabilities: half of them as the class of values has them, which the clip takes in, and 1 in 8 at
 * a border of the clip or beside it. */
static void probabilities_draw(context *c, float *y, int64_t n) {
    static const float borders[] = {0, 1e-7f, 1 - 0x1p-23f, 1, 1 - 0x1p-24f, 0x1p-24f};
    for (int64_t i = 0; i < n; i++) {
        if (rng_chance(&c->rng, 50)) y[i] = (float)rng_unit(&c->rng);
        if (rng_chance(&c->rng, 12)) y[i] = borders[rng_range(&c->rng, 0, 5)];
    }
}

/* 0, 1 or between; NaN and infinities stay. */
static void targets_draw(context *c, float *target, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (isfinite(target[i]))
            target[i] = rng_chance(&c->rng, 70) ? (float)rng_range(&c->rng, 0, 1)
                                                : (float)rng_unit(&c->rng);
}

static void loss_draw(context *c, loss_case *k) {
    shape_set(c, "n:%lld/%s", (long long)k->n, names[k->kind]);
    k->y = tensor_new(c, "y", k->n);
    float *target = tensor_new(c, "target", k->n);
    if (k->kind == WEIR_BCE) probabilities_draw(c, k->y, k->n);
    if (is_entropy(k->kind)) targets_draw(c, target, k->n);
    for (int64_t i = 0; i < k->n && !is_entropy(k->kind); i++)
        if (rng_chance(&c->rng, 10)) target[i] = k->y[i];
    k->target = target;
}

static void loss_run(context *c, weir_loss kind) {
    loss_case k = {.n = size_draw(&c->rng, MAX_N), .kind = kind};
    loss_draw(c, &k);
    range_check r = {.call = loss_call, .bound = loss_bound, .arg = &k, .rows = 1, .outputs = 1};
    r.output[0] = (output){.tensor = {"dy", {k.n}}, .width = k.n};
    ranges_check(c, &r);
    if (c->options->hash) {
        hash_words(c, &k.sum[c->isa], 2);
        return;
    }
    sums_compare(c, &k);
    kernels_begin(c);
    double alone = loss_of(c->k, kind)(k.n, k.y, k.target, NULL);
    kernels_end(c);
    compare_scalar(c, "sum without dy", alone, k.sum[c->isa], 0);
}

static void loss_mae_case(context *c) { loss_run(c, WEIR_MAE); }
static void loss_mse_case(context *c) { loss_run(c, WEIR_MSE); }
static void loss_bce_case(context *c) { loss_run(c, WEIR_BCE); }
static void loss_bce_logits_case(context *c) { loss_run(c, WEIR_BCE_LOGITS); }

/* ---- the oracle ---- */

static double loss_mean(void *arg) {
    const loss_case *k = arg;
    return loss_of(weir_kernels_get(WEIR_ISA_SCALAR), k->kind)(k->n, k->y, k->target, NULL) /
           (double)k->n;
}

/* Integers, n a power of two, y apart from the target: linear or quadratic, and exact. */
static void loss_oracle(context *c, weir_loss kind) {
    loss_case k = {.n = 8, .kind = kind};
    c->values = VALUES_EXACT;
    k.y = tensor_new(c, "y", k.n);
    float *target = tensor_new(c, "target", k.n), *dy = output_new(c, "dy", k.n);
    for (int64_t i = 0; i < k.n; i++) target[i] += 0.5f;
    k.target = target;
    loss_of(c->oracle, kind)(k.n, k.y, k.target, dy);
    tensor t = {"dy", {k.n}};
    finite_exact(c, &t, k.y, dy, 0.25f, loss_mean, &k);
    float zero[1] = {2}, d[1] = {1};
    compare_scalar(c, "loss of equals", loss_of(c->oracle, kind)(1, zero, zero, d), 0, 0);
    compare_scalar(c, "derivative of equals", (double)d[0], 0, 0);
    float y[2] = {3, -1}, t2[2] = {1, 1};
    compare_scalar(c, "sum by hand", loss_of(c->oracle, kind)(2, y, t2, NULL),
                   kind == WEIR_MAE ? 4 : 8, 0);
}

static void loss_mae_oracle(context *c) { loss_oracle(c, WEIR_MAE); }
static void loss_mse_oracle(context *c) { loss_oracle(c, WEIR_MSE); }

/* Smooth in the middle of its range; the noise is that of a sum of 8 terms of at most 4 in double. */
static void entropy_oracle(context *c, weir_loss kind) {
    loss_case k = {.n = 8, .kind = kind};
    c->values = VALUES_NORMAL;
    k.y = tensor_new(c, "y", k.n);
    float *target = tensor_new(c, "target", k.n), *dy = output_new(c, "dy", k.n);
    targets_draw(c, target, k.n);
    for (int64_t i = 0; i < k.n; i++)
        k.y[i] = kind == WEIR_BCE ? 0.5f + 0.25f * k.y[i] : 3 * k.y[i];
    k.target = target;
    loss_of(c->oracle, kind)(k.n, k.y, k.target, dy);
    tensor t = {"dy", {k.n}};
    finite_smooth(c, &t, k.y, dy, 64 * U64, loss_mean, &k);
}

/* y = 1 is 1 - 2^-23, y = 0 is 1e-7, both as Keras has them in float32; their slopes are 0. */
static void loss_bce_oracle(context *c) {
    entropy_oracle(c, WEIR_BCE);
    const float y[4] = {0.5f, 1, 0, 0.25f}, target[4] = {1, 0, 1, 0.5f};
    const double sum = log(2) + 23 * log(2) - log((double)1e-7f) - 0.5 * log(0.25 * 0.75);
    float dy[4];
    compare_scalar(c, "sum by hand", c->oracle->loss_bce(4, y, target, dy), sum, 16 * U64 * sum);
    const float slope[4] = {-0.5f, 0, 0, -1.0f / 3};
    for (int i = 0; i < 4; i++)
        compare_scalar(c, "derivative by hand", (double)dy[i], (double)slope[i], U32);
}

/* 100 is far enough for 1 + e^-x to be 1: the loss is x (1 - t), its slope 1 - t. */
static void loss_bce_logits_oracle(context *c) {
    entropy_oracle(c, WEIR_BCE_LOGITS);
    const float y[4] = {0, 100, -100, 100}, target[4] = {1, 0, 1, 0.75f};
    const double sum = log(2) + 100 + 100 + 25;
    float dy[4];
    compare_scalar(c, "sum by hand", c->oracle->loss_bce_logits(4, y, target, dy), sum,
                   16 * U64 * sum);
    const float slope[4] = {-0.125f, 0.25f, -0.25f, 0.0625f};
    for (int i = 0; i < 4; i++)
        compare_scalar(c, "derivative by hand", (double)dy[i], (double)slope[i], U32);
}

const check check_loss_mae = {"loss_mae", loss_mae_case, loss_mae_oracle};
const check check_loss_mse = {"loss_mse", loss_mse_case, loss_mse_oracle};
const check check_loss_bce = {"loss_bce", loss_bce_case, loss_bce_oracle};
const check check_loss_bce_logits = {"loss_bce_logits", loss_bce_logits_case,
                                     loss_bce_logits_oracle};

/* ---- the op ---- */

static weir_status loss_op(weir_runtime *rt, void *arg, float *const *out) {
    loss_case *k = arg;
    double loss = 0;
    weir_status status = weir_loss_eval(rt, k->kind, k->n, k->y, k->target, &loss, out[0]);
    memcpy(out[1], &loss, sizeof loss);
    return status;
}

/* The mean, as two words beside the derivatives. */
static void loss_op_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1,
                         float *const *out) {
    loss_case *a = arg;
    (void)r0;
    (void)r1;
    double loss = loss_of(k, a->kind)(a->n, a->y, a->target, out[0]) / (double)a->n;
    memcpy(out[1], &loss, sizeof loss);
}

static void op_loss_case(context *c) {
    loss_case k = {.n = size_draw(&c->rng, OP_N), .kind = (weir_loss)(c->index % WEIR_LOSS_COUNT)};
    c->values = values_tame(c->values); /* the two words of a NaN could differ */
    loss_draw(c, &k);
    range_check r = {.call = loss_op_call, .arg = &k, .rows = 1, .outputs = 2};
    r.output[0] = (output){.tensor = {"dy", {k.n}}, .width = k.n};
    r.output[1] = (output){.tensor = {"loss", {2}}, .width = 2, .integer = true};
    op_check(c, loss_op, &r);
}

const check check_op_loss = {"op_loss", op_loss_case, NULL};

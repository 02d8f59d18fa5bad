/* Checks of the activations, of add and of the losses. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "validate/check.h"

enum { MAX_N = 600, OP_N = 60000 };

typedef struct elements_case {
    weir_activation activation;
    int64_t n;
    float *x, *y, *dy;
} elements_case;

static range_check elements_check(range_call_fn *call, range_bound_fn *bound, elements_case *k,
                                  const char *name) {
    range_check r = {.call = call, .bound = bound, .arg = k, .rows = k->n, .outputs = 1};
    r.output[0] = (output){.tensor = {name, {k->n}}, .width = 1};
    return r;
}

/* ---- activations ---- */

static void activation_set(context *c, elements_case *k, int activation) {
    k->activation = (weir_activation)activation;
    shape_set(c, "n:%lld/%s", (long long)k->n, weir_activation_name(k->activation));
}

static void activation_draw(context *c, elements_case *k) {
    k->n = size_draw(&c->rng, c->op ? OP_N : MAX_N);
    activation_set(c, k, (int)rng_range(&c->rng, 0, WEIR_ACTIVATION_COUNT - 1));
}

static void activation_fwd_call(const weir_kernels *k, void *arg, int64_t i0, int64_t i1,
                                float *const *out) {
    const elements_case *a = arg;
    k->activation_fwd(a->activation, i0, i1, a->x, out[0]);
}

static void activation_fwd_bound(context *c, void *arg, float *const *expected,
                                 double *const *bound) {
    const elements_case *k = arg;
    (void)c;
    /* A denormal may be flushed, by the kernel or by the oracle, also where nothing is computed
     * (linear, relu). */
    for (int64_t i = 0; i < k->n; i++) {
        bound[0][i] = bound_activation(k->activation, 0, (double)expected[0][i]);
        if (fpclassify(expected[0][i]) == FP_SUBNORMAL || fpclassify(k->x[i]) == FP_SUBNORMAL)
            bound[0][i] += (double)FLT_MIN;
    }
}

static void activation_fwd_case(context *c) {
    elements_case k = {.n = size_draw(&c->rng, MAX_N)};
    k.x = tensor_new(c, "x", k.n);
    for (int64_t i = 0; i < k.n; i++) {
        /* Where tanh and sigmoid bend, and where they and exp saturate. */
        if (c->values == VALUES_WIDE) k.x[i] = (float)(200 * (rng_unit(&c->rng) - 0.5));
        if (c->values == VALUES_SPECIAL && rng_chance(&c->rng, 10)) k.x[i] = NAN;
    }
    for (int a = 0; a < WEIR_ACTIVATION_COUNT; a++) {
        activation_set(c, &k, a);
        range_check r = elements_check(activation_fwd_call, activation_fwd_bound, &k, "y");
        ranges_check(c, &r);
    }
}

static void activation_bwd_call(const weir_kernels *k, void *arg, int64_t i0, int64_t i1,
                                float *const *out) {
    const elements_case *a = arg;
    k->activation_bwd(a->activation, i0, i1, a->y, a->dy, out[0]);
}

/* The derivative is one fused 1 - y y or y - y y, or a rounded constant; then one product: 2
 * roundings. A derivative that is flushed to zero loses FLT_MIN |dy|. */
static void activation_bwd_bound(context *c, void *arg, float *const *expected,
                                 double *const *bound) {
    const elements_case *k = arg;
    (void)c;
    for (int64_t i = 0; i < k->n; i++) {
        double dy = fabs((double)k->dy[i]);
        if (!isfinite(dy)) dy = 0;
        bound[0][i] = bound_gamma(3) * fabs((double)expected[0][i]) + (2 + dy) * (double)FLT_MIN;
        if (!isfinite(expected[0][i])) bound[0][i] = 0;
    }
}

/* y is a value that the activation can have. */
static void activation_bwd_case(context *c) {
    elements_case k = {.n = size_draw(&c->rng, MAX_N)};
    float *y = plain_new(c, k.n);
    values_fill(&c->rng, c->values, y, k.n);
    k.y = input_new(c, "y", k.n);
    k.dy = tensor_new(c, "dy", k.n);
    for (int a = 0; a < WEIR_ACTIVATION_COUNT; a++) {
        bool bounded = a != WEIR_LINEAR && a != WEIR_RELU;
        float low = a == WEIR_TANH ? -1.0f : 0.0f;
        for (int64_t i = 0; i < k.n; i++)
            k.y[i] = bounded && !isnan(y[i]) ? fmaxf(low, fminf(1.0f, y[i])) : y[i];
        activation_set(c, &k, a);
        range_check r = elements_check(activation_bwd_call, activation_bwd_bound, &k, "dx");
        ranges_check(c, &r);
    }
}

static double activation_loss(void *arg) {
    const elements_case *k = arg;
    double sum = 0;
    weir_kernels_get(WEIR_ISA_SCALAR)->activation_fwd(k->activation, 0, k->n, k->x, k->y);
    for (int64_t i = 0; i < k->n; i++) sum += (double)k->dy[i] * (double)k->y[i];
    return sum;
}

/* y is rounded to float: noise u |dy| |y|, |y| below 2; only its own element changes. */
static void activation_bwd_oracle(context *c) {
    elements_case k = {0};
    activation_draw(c, &k);
    k.n = 16;
    c->values = VALUES_NORMAL;
    k.x = tensor_new(c, "x", k.n);
    k.dy = tensor_new(c, "dy", k.n);
    k.y = output_new(c, "y", k.n);
    float *dx = output_new(c, "dx", k.n);
    for (int64_t i = 0; i < k.n; i++) k.x[i] *= 1.5f;
    (void)activation_loss(&k);
    c->oracle->activation_bwd(k.activation, 0, k.n, k.y, k.dy, dx);
    tensor t = {"dx", {k.n}};
    finite_smooth(c, &t, k.x, dx, 2 * U32, activation_loss, &k);
    canaries_check(c);
}

static void activation_fwd_by_hand(context *c) {
    static const float x[6] = {-10, -1, -0.0f, 0.5f, 3, INFINITY};
    static const double y[WEIR_ACTIVATION_COUNT][6] = {
        {-10, -1, -0.0, 0.5, 3, INFINITY},
        {0, 0, 0, 0.5, 3, INFINITY},
        {-0.99999999587769276, -0.76159415595576489, 0, 0.46211715726000976, 0.99505475368673046,
         1},
        {4.5397868702434395e-05, 0.2689414213699951, 0.5, 0.62245933120185459, 0.95257412682243336,
         1},
        {0, 0.3, 0.5, 0.6, 1, 1},
        {0, 0.5 - 1.0 / 6, 0.5, 0.5 + 1.0 / 12, 1, 1}};
    for (int a = 0; a < WEIR_ACTIVATION_COUNT; a++) {
        float got[6];
        c->oracle->activation_fwd((weir_activation)a, 0, 6, x, got);
        for (int i = 0; i < 6; i++)
            compare_scalar(c, weir_activation_name((weir_activation)a), (double)got[i], y[a][i],
                           2 * U32 * fabs(y[a][i]));
    }
}

/* ---- exp ---- */

static void exp_call(const weir_kernels *k, void *arg, int64_t i0, int64_t i1, float *const *out) {
    k->exp(i0, i1, ((const elements_case *)arg)->x, out[0]);
}

/* 2 ULP, as tanh and sigmoid: see bound_activation. */
static void exp_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    const elements_case *k = arg;
    (void)c;
    for (int64_t i = 0; i < k->n; i++) {
        double y = (double)expected[0][i];
        bound[0][i] = isfinite(y) ? 5 * U32 * y + (double)FLT_MIN : 0;
    }
}

static void exp_case(context *c) {
    elements_case k = {.n = size_draw(&c->rng, MAX_N)};
    shape_set(c, "n:%lld", (long long)k.n);
    k.x = tensor_new(c, "x", k.n);
    if (c->values == VALUES_WIDE)
        for (int64_t i = 0; i < k.n; i++) k.x[i] = (float)(200 * (rng_unit(&c->rng) - 0.5));
    range_check r = elements_check(exp_call, exp_bound, &k, "y");
    ranges_check(c, &r);
}

static void exp_by_hand(context *c) {
    static const float x[5] = {-INFINITY, -1, 0, 1, INFINITY};
    static const double y[5] = {0, 0.36787944117144232, 1, 2.7182818284590452, INFINITY};
    float got[5];
    c->oracle->exp(0, 5, x, got);
    for (int i = 0; i < 5; i++) compare_scalar(c, "exp", (double)got[i], y[i], 2 * U32 * y[i]);
}

/* ---- add ---- */

static void add_call(const weir_kernels *k, void *arg, int64_t i0, int64_t i1, float *const *out) {
    k->add(i0, i1, out[0], ((const elements_case *)arg)->y);
}

/* One rounding here, one in the oracle. */
static void add_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    const elements_case *k = arg;
    (void)c;
    for (int64_t i = 0; i < k->n; i++) {
        double y = fabs((double)expected[0][i]);
        bound[0][i] = isfinite(y) ? bound_gamma(2) * y + (double)FLT_MIN : 0;
    }
}

static void add_case(context *c) {
    elements_case k = {.n = size_draw(&c->rng, MAX_N)};
    shape_set(c, "n:%lld", (long long)k.n);
    k.x = tensor_new(c, "a before", k.n);
    k.y = tensor_new(c, "b", k.n);
    range_check r = elements_check(add_call, add_bound, &k, "a");
    r.output[0].initial = k.x;
    ranges_check(c, &r);
}

static void add_by_hand(context *c) {
    static const float b[3] = {0.5f, -3, INFINITY}, sum[3] = {1.5f, -1, INFINITY};
    float a[3] = {1, 2, 3};
    tensor t = {"a by hand", {3}};
    c->oracle->add(0, 3, a, b);
    compare_bits(c, &t, "the hand-computed case", a, sum);
}

/* ---- losses ---- */

typedef double loss_fn(int64_t n, const float *y, const float *target, float *dy);

typedef struct loss_case {
    int64_t n;
    const float *target;
    float *y, *dy;
    weir_loss kind;
    double sum[WEIR_ISA_COUNT];
} loss_case;

static loss_fn *loss_of(const weir_kernels *k, weir_loss kind) {
    return kind == WEIR_MAE ? k->loss_mae : k->loss_mse;
}

static void loss_call(const weir_kernels *k, void *arg, int64_t r0, int64_t r1, float *const *out) {
    loss_case *a = arg;
    (void)r0;
    (void)r1;
    double sum = loss_of(k, a->kind)(a->n, a->y, a->target, out[0]);
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++)
        if (weir_kernels_get((weir_isa)isa) == k) a->sum[isa] = sum;
}

/* y - t, times 2, times 1 / n: at most 4 roundings with that of 1 / n, each of the value itself. */
static void loss_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    const loss_case *k = arg;
    for (int64_t i = 0; i < k->n; i++)
        bound[0][i] = bound_terms(c, 4, fabs((double)expected[0][i]), (double)expected[0][i]);
}

/* All terms are positive, so the sum is its own magnitude: a float difference and its square make 3
 * roundings to float at most, the sum n to double. */
static void loss_run(context *c, weir_loss kind) {
    loss_case k = {.n = size_draw(&c->rng, MAX_N), .kind = kind};
    shape_set(c, "n:%lld", (long long)k.n);
    k.y = tensor_new(c, "y", k.n);
    float *target = tensor_new(c, "target", k.n);
    for (int64_t i = 0; i < k.n; i++)
        if (rng_chance(&c->rng, 10)) target[i] = k.y[i];
    k.target = target;
    range_check r = {.call = loss_call, .bound = loss_bound, .arg = &k, .rows = 1, .outputs = 1};
    r.output[0] = (output){.tensor = {"dy", {k.n}}, .width = k.n};
    ranges_check(c, &r);
    if (c->options->hash) {
        hash_words(c, &k.sum[c->isa], 2);
        return;
    }
    double expected = k.sum[WEIR_ISA_SCALAR], got = k.sum[c->isa];
    double bound = (bound_gamma(3) + (double)k.n * U64) * expected + (double)k.n * (double)FLT_MIN;
    if (!isfinite(expected)) bound = 0;
    if (c->values == VALUES_OVERFLOW) bound = INFINITY; /* squares leave float */
    if (!isinf(bound)) compare_scalar(c, "sum", got, expected, bound);
    if (c->generic) compare_scalar(c, "sum (as generic)", got, k.sum[WEIR_ISA_GENERIC], 0);
    kernels_begin(c);
    double alone = loss_of(c->k, kind)(k.n, k.y, k.target, NULL);
    kernels_end(c);
    compare_scalar(c, "sum without dy", alone, got, 0);
}

static void loss_mae_case(context *c) { loss_run(c, WEIR_MAE); }
static void loss_mse_case(context *c) { loss_run(c, WEIR_MSE); }

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

const check check_activation_fwd = {"activation_fwd", activation_fwd_case, activation_fwd_by_hand};
const check check_activation_bwd = {"activation_bwd", activation_bwd_case, activation_bwd_oracle};
const check check_exp = {"exp", exp_case, exp_by_hand};
const check check_add = {"add", add_case, add_by_hand};
const check check_loss_mae = {"loss_mae", loss_mae_case, loss_mae_oracle};
const check check_loss_mse = {"loss_mse", loss_mse_case, loss_mse_oracle};

/* ---- the ops ---- */

static weir_status activation_fwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const elements_case *k = arg;
    return weir_activation_fwd(rt, k->activation, k->n, k->x, out[0]);
}

static weir_status activation_bwd_op(weir_runtime *rt, void *arg, float *const *out) {
    const elements_case *k = arg;
    return weir_activation_bwd(rt, k->activation, k->n, k->y, k->dy, out[0]);
}

/* Forward and backward by turns. Each element is the kernel's own: the same bits. */
static void op_activation_case(context *c) {
    elements_case k = {0};
    activation_draw(c, &k);
    k.x = k.y = tensor_new(c, "x", k.n);
    k.dy = tensor_new(c, "dy", k.n);
    bool forward = c->index % 2 == 0;
    range_check r = elements_check(forward ? activation_fwd_call : activation_bwd_call, NULL, &k,
                                   forward ? "y" : "dx");
    op_check(c, forward ? activation_fwd_op : activation_bwd_op, &r);
}

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
    loss_case k = {.n = size_draw(&c->rng, OP_N), .kind = (weir_loss)(c->index % 2)};
    c->values = values_tame(c->values); /* the two words of a NaN could differ */
    shape_set(c, "n:%lld/%s", (long long)k.n, k.kind == WEIR_MAE ? "mae" : "mse");
    k.y = tensor_new(c, "y", k.n);
    k.target = tensor_new(c, "target", k.n);
    range_check r = {.call = loss_op_call, .arg = &k, .rows = 1, .outputs = 2};
    r.output[0] = (output){.tensor = {"dy", {k.n}}, .width = k.n};
    r.output[1] = (output){.tensor = {"loss", {2}}, .width = 2, .integer = true};
    op_check(c, loss_op, &r);
}

const check check_op_activation = {"op_activation", op_activation_case, NULL};
const check check_op_loss = {"op_loss", op_loss_case, NULL};

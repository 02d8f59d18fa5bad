/* Checks of the activations, of exp and of add. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>

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

const check check_activation_fwd = {"activation_fwd", activation_fwd_case, activation_fwd_by_hand};
const check check_activation_bwd = {"activation_bwd", activation_bwd_case, activation_bwd_oracle};
const check check_exp = {"exp", exp_case, exp_by_hand};
const check check_add = {"add", add_case, add_by_hand};

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

const check check_op_activation = {"op_activation", op_activation_case, NULL};

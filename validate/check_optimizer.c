/* Checks of the optimizers. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>

#include "validate/check.h"

enum { MAX_N = 600, OP_N = 40000 };

typedef struct optimizer_case {
    weir_rmsprop rmsprop;
    weir_adam adam;
    float rate; /* adam */
    int64_t n, step;
    float *g, *m, *v, *p;
} optimizer_case;

/*
 * A running mean rho v + (1 - rho) a: 1 - rho (rounded for rho below 1/2), a square, its product and
 * the sum make 4 roundings, the oracle's result one more; each of them may be flushed. Where the first
 * product is, its factor g is below FLT_MIN / 2^-24, so that the second makes the loss no larger.
 */
static double mean_error(double magnitude) {
    return bound_gamma(5) * magnitude + 5 * (double)FLT_MIN;
}

/*
 * How far p - rate m / d may be from the oracle's, given the error of m (0 for the gradient itself)
 * and that of the mean square v. The square root is not Lipschitz at 0, so the divisor is followed
 * as an interval: sqrt, sum and division are rounded (3), the products with the rate too (2).
 */
static double step_bound(double rate, double m, double m_error, double v, double v_error,
                         double epsilon, bool inside, double p) {
    double low = fmax(0, v - v_error), high = v + v_error, d[3] = {low, v, high};
    for (int i = 0; i < 3; i++) d[i] = inside ? sqrt(d[i] + epsilon) : sqrt(d[i]) + epsilon;
    d[0] *= 1 - bound_gamma(2);
    d[2] *= 1 + bound_gamma(2);
    if (d[0] <= 0) return INFINITY;
    double q = rate * fabs(m) / d[1];
    double above = rate * (fabs(m) + m_error) / d[0] * (1 + bound_gamma(3)) - q;
    double below = q - rate * fmax(0, fabs(m) - m_error) / d[2] * (1 - bound_gamma(3));
    return fmax(above, below) + 2 * U32 * fabs(p) + (double)FLT_MIN * (3 + (1 + rate) / d[0]);
}

static float fraction_draw(context *c) {
    static const float often[] = {0.9f, 0.99f, 0.999f, 0.5f, 0.0f};
    if (rng_chance(&c->rng, 60)) return often[rng_range(&c->rng, 0, 4)];
    return (float)rng_unit(&c->rng);
}

static void case_draw(context *c, optimizer_case *k) {
    k->n = size_draw(&c->rng, c->op ? OP_N : MAX_N);
    k->g = tensor_new(c, "g", k->n);
    k->m = tensor_new(c, "m before", k->n);
    k->p = tensor_new(c, "p before", k->n);
    k->v = input_new(c, "v before", k->n);
    values_fill(&c->rng, values_tame(c->values), k->v, k->n);
    for (int64_t i = 0; i < k->n; i++) k->v[i] = fabsf(k->v[i]);
    float rate = (float)rng_unit(&c->rng), epsilon = rng_chance(&c->rng, 50) ? 1e-7f : 1e-3f;
    k->rate = rate;
    k->rmsprop = (weir_rmsprop){rate, fraction_draw(c), epsilon, rng_chance(&c->rng, 50)};
    k->adam = (weir_adam){rate, fraction_draw(c), fraction_draw(c), epsilon};
}

static void state_output(output *o, const char *name, const optimizer_case *k,
                         const float *initial) {
    *o = (output){.tensor = {name, {k->n}}, .width = 1, .initial = initial};
}

/* ---- RMSprop ---- */

static void rmsprop_call(const weir_kernels *k, void *arg, int64_t i0, int64_t i1,
                         float *const *out) {
    const optimizer_case *a = arg;
    k->rmsprop(&a->rmsprop, i0, i1, a->g, out[0], out[1]);
}

/* Where NaN or an infinity came in, the result must be the oracle's; where a square leaves float,
 * nothing is promised but the same bits everywhere. */
static double settle(const context *c, double largest, double bound, double expected) {
    if (largest < (double)FLT_MAX / 2) return bound;
    if (c->values != VALUES_SPECIAL) return INFINITY;
    if (isfinite(bound)) return bound;
    return isfinite(expected) ? 8 * U32 * fabs(expected) : 0;
}

static void rmsprop_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    const optimizer_case *k = arg;
    const weir_rmsprop *o = &k->rmsprop;
    double rho = (double)o->rho;
    for (int64_t i = 0; i < k->n; i++) {
        double g = (double)k->g[i], p = (double)expected[1][i];
        double v = rho * (double)k->v[i] + (1 - rho) * g * g;
        bound[0][i] = mean_error(v);
        bound[1][i] = step_bound((double)o->rate, g, 0, v, mean_error(v), (double)o->epsilon,
                                 o->epsilon_inside, p);
        double largest = fmax(fmax(v, g * g), fabs((double)k->p[i]));
        if (isnan(g + (double)k->p[i])) largest = INFINITY;
        for (int j = 0; j < 2; j++)
            bound[j][i] = settle(c, largest, bound[j][i], (double)expected[j][i]);
    }
}

static void rmsprop_case(context *c) {
    optimizer_case k = {0};
    case_draw(c, &k);
    shape_set(c, "n:%lld/rate:%g/rho:%g/epsilon:%g/inside:%d", (long long)k.n,
              (double)k.rmsprop.rate, (double)k.rmsprop.rho, (double)k.rmsprop.epsilon,
              k.rmsprop.epsilon_inside);
    range_check r = {.call = rmsprop_call, .bound = rmsprop_bound, .arg = &k, .rows = k.n};
    r.outputs = 2;
    state_output(&r.output[0], "v", &k, k.v);
    state_output(&r.output[1], "p", &k, k.p);
    ranges_check(c, &r);
}

/* v = 3/4 4 + 1/4 2^2 = 4; outside: p = 1 - 0.625 2 / (2 + 1/2), inside: 1 - 0.75 2 / sqrt(4 + 5). */
static void rmsprop_by_hand(context *c) {
    const float g[1] = {2};
    for (int inside = 0; inside < 2; inside++) {
        weir_rmsprop o = {inside ? 0.75f : 0.625f, 0.75f, inside ? 5.0f : 0.5f, inside};
        float v[1] = {4}, p[1] = {1};
        c->oracle->rmsprop(&o, 0, 1, g, v, p);
        compare_scalar(c, "v by hand", (double)v[0], 4, 0);
        compare_scalar(c, "p by hand", (double)p[0], 0.5, 0);
    }
}

/* ---- Adam ---- */

static void adam_call(const weir_kernels *k, void *arg, int64_t i0, int64_t i1, float *const *out) {
    const optimizer_case *a = arg;
    k->adam(&a->adam, a->rate, i0, i1, a->g, out[0], out[1], out[2]);
}

static void adam_bound(context *c, void *arg, float *const *expected, double *const *bound) {
    const optimizer_case *k = arg;
    const weir_adam *o = &k->adam;
    double beta1 = (double)o->beta1, beta2 = (double)o->beta2;
    for (int64_t i = 0; i < k->n; i++) {
        double g = (double)k->g[i], m0 = (double)k->m[i], p = (double)expected[2][i];
        double m = beta1 * m0 + (1 - beta1) * g;
        double m_error = mean_error(beta1 * fabs(m0) + (1 - beta1) * fabs(g));
        double v = beta2 * (double)k->v[i] + (1 - beta2) * g * g;
        bound[0][i] = m_error + U32 * fabs(m);
        bound[1][i] = mean_error(v);
        bound[2][i] =
            step_bound((double)k->rate, m, m_error, v, mean_error(v), (double)o->epsilon, false, p);
        double largest = fmax(fmax(v, g * g), fmax(fabs((double)k->p[i]), fabs(m0)));
        if (isnan(g + m0 + (double)k->p[i])) largest = INFINITY;
        for (int j = 0; j < 3; j++)
            bound[j][i] = settle(c, largest, bound[j][i], (double)expected[j][i]);
    }
}

static void adam_case(context *c) {
    optimizer_case k = {0};
    case_draw(c, &k);
    shape_set(c, "n:%lld/rate:%g/beta1:%g/beta2:%g/epsilon:%g", (long long)k.n, (double)k.rate,
              (double)k.adam.beta1, (double)k.adam.beta2, (double)k.adam.epsilon);
    range_check r = {.call = adam_call, .bound = adam_bound, .arg = &k, .rows = k.n};
    r.outputs = 3;
    state_output(&r.output[0], "m", &k, k.m);
    state_output(&r.output[1], "v", &k, k.v);
    state_output(&r.output[2], "p", &k, k.p);
    ranges_check(c, &r);
}

/* m = (2 + 4) / 2 = 3, v = 1/4 16 = 4, p = 2 - 1.25 3 / (2 + 1/2). */
static void adam_by_hand(context *c) {
    const weir_adam o = {1.25f, 0.5f, 0.75f, 0.5f};
    const float g[1] = {4};
    float m[1] = {2}, v[1] = {0}, p[1] = {2};
    c->oracle->adam(&o, 1.25f, 0, 1, g, m, v, p);
    compare_scalar(c, "m by hand", (double)m[0], 3, 0);
    compare_scalar(c, "v by hand", (double)v[0], 4, 0);
    compare_scalar(c, "p by hand", (double)p[0], 0.5, 0);
}

const check check_rmsprop = {"rmsprop", rmsprop_case, rmsprop_by_hand};
const check check_adam = {"adam", adam_case, adam_by_hand};

/* ---- the ops ---- */

static weir_status rmsprop_op(weir_runtime *rt, void *arg, float *const *out) {
    const optimizer_case *k = arg;
    return weir_rmsprop_step(rt, &k->rmsprop, k->n, k->g, out[0], out[1]);
}

static void op_rmsprop_case(context *c) {
    optimizer_case k = {0};
    case_draw(c, &k);
    shape_set(c, "n:%lld", (long long)k.n);
    range_check r = {.call = rmsprop_call, .arg = &k, .rows = k.n, .outputs = 2};
    state_output(&r.output[0], "v", &k, k.v);
    state_output(&r.output[1], "p", &k, k.p);
    op_check(c, rmsprop_op, &r);
}

static weir_status adam_op(weir_runtime *rt, void *arg, float *const *out) {
    const optimizer_case *k = arg;
    return weir_adam_step(rt, &k->adam, k->step, k->n, k->g, out[0], out[1], out[2]);
}

/* The rate is corrected for the step in double and rounded once. */
static void op_adam_case(context *c) {
    optimizer_case k = {0};
    case_draw(c, &k);
    k.step = rng_range(&c->rng, 1, 50);
    shape_set(c, "n:%lld/step:%lld", (long long)k.n, (long long)k.step);
    double beta1 = (double)k.adam.beta1, beta2 = (double)k.adam.beta2, step = (double)k.step;
    k.rate = (float)((double)k.adam.rate * sqrt(1 - pow(beta2, step)) / (1 - pow(beta1, step)));
    range_check r = {.call = adam_call, .arg = &k, .rows = k.n, .outputs = 3};
    state_output(&r.output[0], "m", &k, k.m);
    state_output(&r.output[1], "v", &k, k.v);
    state_output(&r.output[2], "p", &k, k.p);
    op_check(c, adam_op, &r);
}

const check check_op_rmsprop = {"op_rmsprop", op_rmsprop_case, NULL};
const check check_op_adam = {"op_adam", op_adam_case, NULL};

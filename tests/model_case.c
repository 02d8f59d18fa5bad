/* What the tests of models share: models, numbers, gradients. SPDX-License-Identifier: Apache-2.0 */
#include "tests/model_case.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "train/model/random.h"

weir_runtime *create_runtime(int threads) {
    weir_runtime_options o = weir_runtime_options_default();
    o.threads = threads;
    o.bind = WEIR_BIND_NONE;
    weir_runtime *rt = NULL;
    assert_int_equal(weir_runtime_create(&o, &rt), WEIR_OK);
    return rt;
}

weir_runtime *runtime;

int set_up(void **state) {
    (void)state;
    runtime = create_runtime(2);
    return 0;
}

int tear_down(void **state) {
    (void)state;
    weir_runtime_destroy(runtime);
    return 0;
}

weir_model_options shape_options(int64_t T, int64_t C_in) {
    weir_model_options o = weir_model_options_default(2);
    o.T = T;
    o.C_in = C_in;
    o.seed = 7;
    return o;
}

weir_model *create_layers(const weir_layer *layers, int count, const weir_model_options *o) {
    weir_model *model = NULL;
    if (weir_model_create_layers(runtime, "test", layers, count, o, &model) != WEIR_OK)
        fail_msg("%s", weir_last_error());
    return model;
}

weir_model *create_builtin(const char *name, const weir_model_options *o) {
    weir_model *model = NULL;
    if (weir_model_create(runtime, name, o, &model) != WEIR_OK) fail_msg("%s", weir_last_error());
    return model;
}

/* Numbers in [-1, 1). */
float *numbers(int64_t n, uint64_t stream) {
    float *values = malloc((size_t)n * sizeof *values);
    for (int64_t i = 0; i < n; i++)
        values[i] = (float)(2 * random_uniform(99, stream, (uint64_t)i) - 1);
    return values;
}

weir_layer conv(int64_t filters, int64_t K, weir_activation activation) {
    weir_layer l = weir_layer_default(WEIR_LAYER_CONV1D);
    l.units = filters;
    l.K = K;
    l.activation = activation;
    return l;
}

weir_layer pool(weir_layer_kind kind, int64_t P) {
    weir_layer l = weir_layer_default(kind);
    l.P = P;
    return l;
}

weir_layer recurrent(weir_layer_kind kind, int64_t H, double dropout, double recurrent_dropout) {
    weir_layer l = weir_layer_default(kind);
    l.units = H;
    l.dropout = dropout;
    l.recurrent_dropout = recurrent_dropout;
    return l;
}

weir_layer gru(int64_t H, double dropout, double recurrent_dropout) {
    return recurrent(WEIR_LAYER_GRU, H, dropout, recurrent_dropout);
}

weir_layer embedding(int64_t V, int64_t C, bool mask_zero) {
    weir_layer l = weir_layer_default(WEIR_LAYER_EMBEDDING);
    l.V = V;
    l.units = C;
    l.mask_zero = mask_zero;
    return l;
}

weir_layer dense(int64_t units, weir_activation activation) {
    weir_layer l = weir_layer_default(WEIR_LAYER_DENSE);
    l.units = units;
    l.activation = activation;
    return l;
}

weir_layer dropout(double rate) {
    weir_layer l = weir_layer_default(WEIR_LAYER_DROPOUT);
    l.dropout = rate;
    return l;
}

void expect_refusal(const weir_layer *layers, int count, const weir_model_options *o,
                    const char *words) {
    weir_model *m = NULL;
    assert_int_equal(weir_model_create_layers(runtime, "test", layers, count, o, &m),
                     WEIR_ERROR_ARGUMENT);
    assert_null(m);
    if (!strstr(weir_last_error(), words))
        fail_msg("'%s' does not say '%s'", weir_last_error(), words);
}

/* ---- gradients by finite differences ---- */

static double loss_at(weir_model *m, int64_t i, double value, int64_t N, const float *x,
                      const float *target, double *moved) {
    const float before = m->values[i];
    m->values[i] = (float)value;
    *moved = (double)m->values[i] - (double)before;
    double loss = 0;
    assert_int_equal(weir_model_gradients(m, N, x, target, &loss), WEIR_OK);
    m->values[i] = before;
    return loss;
}

static double difference(weir_model *m, int64_t i, double h, int64_t N, const float *x,
                         const float *target) {
    const double at = (double)m->values[i];
    double up = 0, down = 0;
    const double high = loss_at(m, i, at + h, N, x, target, &up);
    const double low = loss_at(m, i, at - h, N, x, target, &down);
    return (high - low) / (up - down);
}

/* Samples of tokens: sample n begins with n steps of padding. */
static void fill_tokens(int64_t N, int64_t T, int64_t V, float *x) {
    for (int64_t n = 0; n < N; n++)
        for (int64_t t = 0; t < T; t++)
            x[n * T + t] =
                t < n ? 0 : (float)(1 + random_below(99, 4, (uint64_t)(n * T + t), V - 1));
}

/*
 * Central differences at h and h / 2. The truncation error of the second is near a third of how far
 * the two are apart; all of that is allowed. The loss, of the order of 1, comes from chains of float
 * operations: 16 eps are allowed for it, divided by h. A tolerance of more than 3% of the largest
 * gradient would say nothing and fails.
 */
void check_gradients(const weir_layer *layers, int count, int64_t T, int64_t C_in) {
    enum { N = 3 };
    weir_model_options o = shape_options(T, C_in);
    o.loss = WEIR_MSE;
    weir_model *m = create_layers(layers, count, &o);
    float *x = numbers(N * T * C_in, 1), *target = numbers(N * weir_model_outputs(m), 2);
    if (layers[0].kind == WEIR_LAYER_EMBEDDING) fill_tokens(N, T, layers[0].V, x);
    const int64_t n = m->parameters;
    for (int64_t i = 0; i < n; i++) /* biases too, so that no gate is at a corner */
        m->values[i] += 0.2F * (float)(random_uniform(1, 3, (uint64_t)i) - 0.5);
    double loss = 0, most = 0;
    assert_int_equal(weir_model_gradients(m, N, x, target, &loss), WEIR_OK);
    float *g = malloc((size_t)n * sizeof *g);
    memcpy(g, m->gradients, (size_t)n * sizeof *g);
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs((double)g[i]));
    for (int64_t i = 0; i < n; i++) {
        const double h = 0x1p-7;
        const double coarse = difference(m, i, h, N, x, target);
        const double fine = difference(m, i, h / 2, N, x, target);
        const double tolerance = fabs(coarse - fine) + 16 * (double)FLT_EPSILON * loss / h;
        if (tolerance > 0.03 * most) fail_msg("parameter %d: rough", (int)i);
        if (fabs(fine - (double)g[i]) > tolerance)
            fail_msg("parameter %d: gradient %g, difference quotient %g +- %g", (int)i,
                     (double)g[i], fine, tolerance);
    }
    free(g);
    free(x);
    free(target);
    weir_model_destroy(m);
}

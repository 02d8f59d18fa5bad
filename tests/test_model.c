/* Models: shapes, initial values, gradients, training steps. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/model_case.h"
#include "train/model/initializers.h"
#include "train/model/random.h"

/* ---- the allocations of the library, counted ---- */

static _Atomic long allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
weir_status __real_weir_tensor_alloc(weir_runtime *rt, int64_t floats, float **tensor);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
weir_status __wrap_weir_tensor_alloc(weir_runtime *rt, int64_t floats, float **tensor);

void *__wrap_malloc(size_t size) {
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    allocations++;
    return __real_calloc(n, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    allocations++;
    return __real_aligned_alloc(alignment, size);
}

weir_status __wrap_weir_tensor_alloc(weir_runtime *rt, int64_t floats, float **tensor) {
    allocations++;
    return __real_weir_tensor_alloc(rt, floats, tensor);
}

/* ---- shapes and parameters ---- */

static void test_parameter_counts(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int keras;
        int64_t parameters, recurrent_steps;
    } cases[] = {{"jena-naive", 2, 0, 0},
                 {"jena-dense", 2, 107585, 0},
                 {"jena-conv", 2, 12609, 0},
                 {"jena-gru", 2, 4545, 240},
                 {"jena-gru-dropout", 2, 4545, 240},
                 {"jena-gru-stacked", 2, 23201, 240},
                 {"jena-gru-bidir", 2, 9089, 240},
                 {"jena-gru-reversed", 2, 4545, 240},
                 {"jena-conv-gru", 2, 13697, 74},
                 {"jena-conv-gru-dilated", 2, 13697, 70},
                 {"jena-lstm", 2, 6049, 240},
                 {"imdb-dense", 2, 160305, 0},
                 {"imdb-rnn", 2, 322113, 500},
                 {"imdb-lstm", 2, 328353, 500},
                 {"imdb-gru", 2, 326273, 500},
                 {"imdb-bilstm", 2, 336705, 500},
                 {"imdb-conv", 2, 1315937, 0},
                 {"imdb-conv-book", 2, 1315937, 0},
                 {"imdb-conv-gru", 2, 1322177, 92},
                 {"imdb-conv-lstm", 2, 1324257, 92},
                 {"jena-gru", 3, 4641, 240},
                 {"jena-conv-gru", 3, 13793, 74}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_model_options o = weir_model_options_default(cases[i].keras);
        const weir_builtin *about = NULL;
        assert_int_equal(weir_model_builtin_find(cases[i].name, &about), WEIR_OK);
        o.T = about->T;
        o.C_in = about->text ? 1 : 14;
        weir_model *m = create_builtin(cases[i].name, &o);
        assert_int_equal(weir_model_parameters(m), cases[i].parameters);
        assert_int_equal(weir_model_recurrent_steps(m), cases[i].recurrent_steps);
        assert_int_equal(weir_model_outputs(m), 1);
        int64_t sum = 0;
        for (int t = 0; t < weir_model_tensor_count(m); t++) {
            weir_tensor_info info;
            assert_int_equal(weir_model_tensor(m, t, &info), WEIR_OK);
            assert_int_equal(info.offset, sum);
            sum += info.floats;
        }
        assert_int_equal(sum, cases[i].parameters);
        weir_model_destroy(m);
    }
}

static void test_layers_of_conv_gru(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t T, C, parameters;
    } expected[] = {{"conv1d", 236, 32, 2272},
                    {"max_pooling1d", 78, 32, 0},
                    {"conv1d_1", 74, 32, 5152},
                    {"gru", 0, 32, 6240},
                    {"dense", 0, 1, 33}};
    const weir_model_options o = shape_options(240, 14);
    weir_model *m = create_builtin("jena-conv-gru", &o);
    assert_int_equal(weir_model_layer_count(m), 5);
    for (int i = 0; i < 5; i++) {
        weir_layer_info info;
        assert_int_equal(weir_model_layer(m, i, &info), WEIR_OK);
        assert_string_equal(info.name, expected[i].name);
        assert_int_equal(info.T, expected[i].T);
        assert_int_equal(info.C, expected[i].C);
        assert_int_equal(info.parameters, expected[i].parameters);
        if (info.layer.kind != WEIR_LAYER_GRU) continue;
        assert_true(info.layer.dropout == 0.1 && info.layer.recurrent_dropout == 0.5);
        assert_false(info.layer.shared_masks);
        assert_int_equal(info.layer.recurrent, WEIR_HARD_SIGMOID);
        assert_false(info.layer.reset_after);
    }
    weir_layer_info info;
    assert_int_equal(weir_model_layer(m, 5, &info), WEIR_ERROR_ARGUMENT);
    weir_model_destroy(m);
}

/* What was not created may be destroyed, as the header's example does. */
static void test_nothing_after_an_error(void **state) {
    (void)state;
    const weir_model_options o = weir_model_options_default(2);
    weir_model *m = (weir_model *)runtime;
    float *best = (float *)runtime;
    assert_int_not_equal(weir_model_create(runtime, "none", &o, &m), WEIR_OK);
    assert_null(m);
    m = (weir_model *)runtime;
    assert_int_not_equal(weir_model_create_json(runtime, "{", &o, &m), WEIR_OK);
    assert_null(m);
    m = (weir_model *)runtime;
    assert_int_not_equal(weir_model_load(runtime, "/none", NULL, &m), WEIR_OK);
    assert_null(m);
    m = (weir_model *)runtime;
    assert_int_not_equal(weir_model_load_checkpoint(runtime, "/none", &m, &best), WEIR_OK);
    assert_null(m);
    assert_null(best);
}

static void test_refusals(void **state) {
    (void)state;
    weir_model_options o = shape_options(10, 3);
    weir_layer l = dense(1, WEIR_LINEAR);
    expect_refusal(&l, 0, &o, "0 layers");
    l = dense(0, WEIR_LINEAR);
    expect_refusal(&l, 1, &o, "C_out is 0, accepted: 1 to");
    l = conv(4, 11, WEIR_RELU);
    expect_refusal(&l, 1, &o, "10 time steps are too few for K 11");
    l = pool(WEIR_LAYER_MAX_POOL, 11);
    expect_refusal(&l, 1, &o, "10 time steps are too few for P 11");
    l = gru(4, 1, 0);
    expect_refusal(&l, 1, &o, "dropout is 1, accepted: 0 <= rate < 1");
    l = gru(4, 0, NAN);
    expect_refusal(&l, 1, &o, "recurrent_dropout is nan");
    l = gru(1 << 20, 0, 0);
    expect_refusal(&l, 1, &o, "gru/recurrent_kernel has more than 2^31 floats");
    l = gru(4, 0, 0);
    l.activation = WEIR_SIGMOID;
    expect_refusal(&l, 1, &o, "activation is sigmoid, accepted: tanh, relu");
    l = gru(4, 0, 0);
    l.merge = WEIR_MERGE_SUM;
    l.go_backwards = true;
    expect_refusal(&l, 1, &o, "layer 0 (bidirectional): go_backwards is true, accepted: false");
    l.merge = WEIR_MERGE_COUNT;
    expect_refusal(&l, 1, &o, "merge is 3, accepted: 0 to 2");
    l = weir_layer_default(WEIR_LAYER_DROPOUT);
    l.dropout = -0.1;
    expect_refusal(&l, 1, &o, "layer 0 (dropout): rate is -0.1, accepted: 0 <= rate < 1");
    l = weir_layer_default(WEIR_LAYER_MULTI_HOT);
    l.V = 10;
    expect_refusal(&l, 1, &o,
                   "layer 0 (category_encoding): C_in is 3, accepted: 1, a token number");
    l = weir_layer_default(WEIR_LAYER_LAST_VALUE);
    l.channel = 3;
    expect_refusal(&l, 1, &o, "channel is 3, accepted: 0 to 2");
    const weir_layer twice[] = {gru(4, 0, 0), gru(4, 0, 0)};
    expect_refusal(twice, 2, &o, "layer 1 (gru_1): its input has no time axis");
    l = dense(1, WEIR_LINEAR);
    o.optimizer.rho = 1;
    expect_refusal(&l, 1, &o, "rho is 1");
    o = shape_options(0, 3);
    expect_refusal(&l, 1, &o, "T is 0, accepted: 1 to");
    l = gru(1, 0, 0);
    o = shape_options(1, (1 << 20) + 1);
    expect_refusal(&l, 1, &o, "layer 0 (gru): C_in is 1048577, accepted: 1 to 1048576");
    weir_model *m = NULL;
    assert_int_equal(weir_model_create(runtime, "jena-conv-lstm", &o, &m), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), "jena-conv-lstm"));
    assert_non_null(strstr(weir_last_error(), "jena-conv-gru"));
}

/* The steps are taken in float: what becomes 0, 1 or infinite there is refused at once. */
static void test_optimizer_refusals(void **state) {
    (void)state;
    const weir_layer l = dense(1, WEIR_LINEAR);
    weir_model_options o = shape_options(10, 3);
    o.optimizer.epsilon = 1e-50;
    expect_refusal(&l, 1, &o, "optimizer: epsilon is 1e-50, accepted: 1.17549e-38 to 3.40282e+38");
    o.optimizer.epsilon = 1e39;
    expect_refusal(&l, 1, &o, "optimizer: epsilon is 1e+39");
    o = shape_options(10, 3);
    o.optimizer.rate = 1e39;
    expect_refusal(&l, 1, &o, "optimizer: rate is 1e+39, accepted: 0 to 3.40282e+38");
    o = shape_options(10, 3);
    o.optimizer.kind = WEIR_OPTIMIZER_ADAM;
    o.optimizer.beta2 = 1 - 1e-12;
    expect_refusal(&l, 1, &o,
                   "optimizer: beta2 is 0.999999999999, accepted: 0 <= beta2 < 1 as a float");
}

/* ---- initial values ---- */

static void test_glorot_uniform(void **state) {
    (void)state;
    const parameter p = {.name = "kernel",
                         .rank = 3,
                         .dims = {5, 14, 32},
                         .floats = 2240,
                         .init = INIT_GLOROT_UNIFORM};
    float value[2240];
    assert_int_equal(weir_initialize(&p, 1, 5, value), WEIR_OK);
    const double limit = sqrt(6.0 / (5 * 14 + 5 * 32));
    double sum = 0, most = 0;
    for (int i = 0; i < 2240; i++) {
        sum += value[i];
        most = fmax(most, fabs((double)value[i]));
    }
    assert_true(most <= limit * (1 + FLT_EPSILON));
    /* That none of 2240 comes within 2% of the limit has probability 0.98^2240 < 1e-19; the mean
     * has standard deviation limit / sqrt(3 * 2240), 6 of which are not met by chance. */
    assert_true(most > 0.98 * limit);
    assert_true(fabs(sum / 2240) < 6 * limit / sqrt(3.0 * 2240));
}

static void check_orthonormal(int64_t rows, int64_t columns) {
    const parameter p = {.name = "recurrent_kernel",
                         .rank = 2,
                         .dims = {rows, columns},
                         .floats = rows * columns,
                         .init = INIT_ORTHOGONAL};
    float *value = malloc((size_t)p.floats * sizeof *value);
    assert_int_equal(weir_initialize(&p, 3, 4, value), WEIR_OK);
    const bool wide = rows <= columns;
    const int64_t few = wide ? rows : columns, many = wide ? columns : rows;
    for (int64_t i = 0; i < few; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double dot = 0;
            for (int64_t k = 0; k < many; k++) {
                const float a = wide ? value[i * columns + k] : value[k * columns + i];
                const float b = wide ? value[j * columns + k] : value[k * columns + j];
                dot += (double)a * (double)b;
            }
            /* Each float is half an ulp off: by Cauchy and Schwarz the product of two unit vectors
             * is off by at most 2 (eps / 2) (1 + eps / 4). */
            assert_true(fabs(dot - (i == j)) < 1.01 * (double)FLT_EPSILON);
        }
    }
    free(value);
}

static void test_orthogonal(void **state) {
    (void)state;
    check_orthonormal(32, 96);
    check_orthonormal(1, 3);
    check_orthonormal(40, 40);
    check_orthonormal(20, 7);
}

static void test_uniform_and_forget_ones(void **state) {
    (void)state;
    const parameter table = {
        .name = "embeddings", .rank = 2, .dims = {100, 20}, .floats = 2000, .init = INIT_UNIFORM};
    const parameter bias = {
        .name = "bias", .rank = 1, .dims = {12}, .floats = 12, .init = INIT_FORGET_ONES};
    float value[2000], most = 0;
    assert_int_equal(weir_initialize(&table, 1, 5, value), WEIR_OK);
    for (int i = 0; i < 2000; i++) most = fmaxf(most, fabsf(value[i]));
    /* None of 2000 within 2% of the limit: 0.98^2000 < 1e-17. */
    assert_true(most <= 0.05F && most > 0.049F);
    assert_int_equal(weir_initialize(&bias, 1, 5, value), WEIR_OK);
    for (int i = 0; i < 12; i++) assert_true(value[i] == (i >= 3 && i < 6 ? 1 : 0));
}

static void test_seeds(void **state) {
    (void)state;
    weir_model_options o = shape_options(30, 4);
    weir_model *a = create_builtin("jena-conv-gru", &o), *b = create_builtin("jena-conv-gru", &o);
    o.seed = 8;
    weir_model *c = create_builtin("jena-conv-gru", &o);
    const size_t bytes = (size_t)a->parameters * sizeof(float);
    assert_memory_equal(a->values, b->values, bytes);
    assert_memory_not_equal(a->values, c->values, bytes);
    const layer *owner = NULL;
    for (int i = 0; i < a->tensor_count; i++) {
        const parameter *p = weir_model_parameter(a, i, &owner);
        for (int64_t k = 0; k < p->floats; k++)
            if (strstr(p->name, "bias")) assert_true(a->values[p->offset + k] == 0);
    }
    weir_model_destroy(a);
    weir_model_destroy(b);
    weir_model_destroy(c);
}

/* ---- optimizers and steps ---- */

/* Two steps of a model of one dense layer against the formulas, in double. */
static void check_optimizer(weir_optimizer_kind kind, bool inside) {
    enum { N = 4, C = 6, STEPS = 2 };
    weir_model_options o = shape_options(1, C);
    o.optimizer.kind = kind;
    o.optimizer.rate = 0.01;
    o.optimizer.epsilon = 1e-3;
    o.optimizer.epsilon_inside = inside;
    const weir_layer layers[] = {weir_layer_default(WEIR_LAYER_FLATTEN), dense(1, WEIR_LINEAR)};
    weir_model *m = create_layers(layers, 2, &o);
    float *x = numbers(N * C, 1), *target = numbers(N, 2);
    double p[C + 1], mean[C + 1] = {0}, square[C + 1] = {0};
    for (int i = 0; i <= C; i++) p[i] = (double)m->values[i];
    for (int step = 1; step <= STEPS; step++) {
        assert_int_equal(weir_model_train_step(m, N, x, target, NULL), WEIR_OK);
        for (int i = 0; i <= C; i++) {
            const double g = (double)m->gradients[i], e = 1e-3;
            if (kind == WEIR_OPTIMIZER_RMSPROP) {
                square[i] = 0.9 * square[i] + 0.1 * g * g;
                p[i] -= 0.01 * g / (inside ? sqrt(square[i] + e) : sqrt(square[i]) + e);
            } else {
                mean[i] = 0.9 * mean[i] + 0.1 * g;
                square[i] = 0.999 * square[i] + 0.001 * g * g;
                p[i] -= 0.01 * sqrt(1 - pow(0.999, step)) / (1 - pow(0.9, step)) * mean[i] /
                        (sqrt(square[i]) + e);
            }
            /* An update is at most 0.04; about ten float operations make it, and one adds it to a
             * parameter below 2. beta2 as a float makes 1 - beta2 wrong by 2^-25 / 0.001. */
            assert_true(fabs((double)m->values[i] - p[i]) <
                        step * (2 * (double)FLT_EPSILON + 0.04 * 1e-4));
        }
    }
    free(x);
    free(target);
    weir_model_destroy(m);
}

static void test_optimizers(void **state) {
    (void)state;
    check_optimizer(WEIR_OPTIMIZER_RMSPROP, false);
    check_optimizer(WEIR_OPTIMIZER_RMSPROP, true);
    check_optimizer(WEIR_OPTIMIZER_ADAM, false);
}

static void test_training_learns(void **state) {
    (void)state;
    enum { N = 16, T = 12, C = 3 };
    weir_model_options o = shape_options(T, C);
    o.optimizer.rate = 5e-3;
    const weir_layer layers[] = {conv(8, 3, WEIR_RELU), pool(WEIR_LAYER_MAX_POOL, 2),
                                 gru(8, 0.1, 0.1), dense(1, WEIR_LINEAR)};
    weir_model *m = create_layers(layers, 4, &o);
    float *x = numbers(N * T * C, 1), *target = numbers(N, 2);
    double first = 0, last = 0;
    assert_int_equal(weir_model_train_step(m, N, x, target, &first), WEIR_OK);
    for (int i = 0; i < 300; i++)
        assert_int_equal(weir_model_train_step(m, N, x, target, &last), WEIR_OK);
    assert_true(last < first / 3);
    free(x);
    free(target);
    weir_model_destroy(m);
}

static void test_steps_allocate_nothing(void **state) {
    (void)state;
    enum { N = 16, T = 40, C = 14 };
    const weir_model_options o = shape_options(T, C);
    static const char *const names[] = {"jena-dense", "jena-conv-gru", "jena-gru",
                                        "jena-gru-bidir"};
    float *x = numbers(N * T * C, 1), *target = numbers(N, 2), y[N];
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        weir_model *m = create_builtin(names[k], &o);
        double loss = 0;
        assert_int_equal(weir_model_train_step(m, N, x, target, &loss), WEIR_OK);
        assert_int_equal(weir_model_predict(m, N, x, y), WEIR_OK);
        const long before = allocations;
        for (int i = 0; i < 3; i++) {
            assert_int_equal(weir_model_train_step(m, N, x, target, &loss), WEIR_OK);
            assert_int_equal(weir_model_train_step(m, N - 3, x, target, &loss), WEIR_OK);
            assert_int_equal(weir_model_predict(m, N, x, y), WEIR_OK);
        }
        assert_int_equal(allocations, before);
        weir_model_destroy(m);
    }
    free(x);
    free(target);
}

static void test_smaller_batch(void **state) {
    (void)state;
    enum { N = 9, FEW = 4, T = 21, C = 3 };
    const weir_model_options o = shape_options(T, C);
    weir_model *used = create_builtin("jena-conv-gru", &o);
    weir_model *fresh = create_builtin("jena-conv-gru", &o);
    float *x = numbers(N * T * C, 1), *target = numbers(N, 2);
    double a = 0, b = 0;
    /* Gradients only: the number of the step, and so the masks, stay the same. */
    assert_int_equal(weir_model_gradients(used, N, x, target, &a), WEIR_OK);
    assert_int_equal(weir_model_gradients(used, FEW, x, target, &a), WEIR_OK);
    assert_int_equal(weir_model_gradients(fresh, FEW, x, target, &b), WEIR_OK);
    assert_true(a == b);
    assert_memory_equal(used->gradients, fresh->gradients,
                        (size_t)used->parameters * sizeof(float));
    weir_model_destroy(used);
    weir_model_destroy(fresh);
    free(x);
    free(target);
}

static void test_threads_give_the_same_bits(void **state) {
    (void)state;
    enum { N = 33, T = 40, C = 5, STEPS = 3 };
    weir_runtime *one = create_runtime(1), *two = runtime;
    float *x = numbers(N * T * C, 1), *target = numbers(N, 2);
    const weir_model_options o = shape_options(T, C);
    weir_model *m[2] = {NULL, NULL};
    double losses[2][STEPS];
    for (int k = 0; k < 2; k++) {
        assert_int_equal(weir_model_create(k ? two : one, "jena-conv-gru", &o, &m[k]), WEIR_OK);
        for (int i = 0; i < STEPS; i++)
            assert_int_equal(weir_model_train_step(m[k], N, x, target, &losses[k][i]), WEIR_OK);
    }
    assert_memory_equal(losses[0], losses[1], sizeof losses[0]);
    assert_memory_equal(m[0]->values, m[1]->values, (size_t)m[0]->parameters * sizeof(float));
    weir_model_destroy(m[0]);
    weir_model_destroy(m[1]);
    weir_runtime_destroy(one);
    free(x);
    free(target);
}

/* conv1d and max pooling as one op or as two: the same losses and parameters, to the bit. */
static void test_fused_layers_give_the_same_bits(void **state) {
    (void)state;
    enum { N = 33, T = 50, C = 5, STEPS = 3, LAYERS = 7 };
    weir_layer linear = conv(6, 2, WEIR_LINEAR);
    linear.padding = WEIR_SAME;
    const weir_layer layers[LAYERS] = {conv(8, 3, WEIR_RELU),
                                       pool(WEIR_LAYER_MAX_POOL, 3),
                                       linear,
                                       pool(WEIR_LAYER_MAX_POOL, 2),
                                       conv(5, 2, WEIR_TANH),
                                       pool(WEIR_LAYER_MAX_POOL, 2),
                                       weir_layer_default(WEIR_LAYER_LAST_VALUE)};
    const bool fuse[LAYERS] = {true, false, true, false, false, false, false};
    float *x = numbers(N * T * C, 1), *target = numbers(N, 2);
    const weir_model_options o = shape_options(T, C);
    weir_model *m[2] = {NULL, NULL};
    double losses[2][STEPS];
    for (int k = 0; k < 2; k++) {
        m[k] = create_layers(layers, LAYERS, &o);
        for (int i = 0; i < LAYERS; i++) {
            assert_int_equal(m[k]->layers[i].pair != NULL, fuse[i]);
            if (k == 1) m[k]->layers[i].pair = NULL;
        }
        for (int i = 0; i < STEPS; i++)
            assert_int_equal(weir_model_train_step(m[k], N, x, target, &losses[k][i]), WEIR_OK);
    }
    assert_memory_equal(losses[0], losses[1], sizeof losses[0]);
    assert_memory_equal(m[0]->values, m[1]->values, (size_t)m[0]->parameters * sizeof(float));
    weir_model_destroy(m[0]);
    weir_model_destroy(m[1]);
    free(x);
    free(target);
}

static void test_loss_that_is_no_number(void **state) {
    (void)state;
    enum { N = 2, T = 20, C = 3 };
    const weir_model_options o = shape_options(T, C);
    weir_model *m = create_builtin("jena-gru", &o);
    float *x = numbers(N * T * C, 1), target[N] = {1, NAN};
    float *before = malloc((size_t)m->parameters * sizeof *before);
    /* A good step first, so that there are gradients that could be used again. */
    assert_int_equal(weir_model_train_step(m, 1, x, target, NULL), WEIR_OK);
    weir_model_get_parameters(m, before);
    double loss = 0;
    assert_int_equal(weir_model_train_step(m, N, x, target, &loss), WEIR_OK);
    assert_true(isnan(loss));
    assert_memory_equal(before, m->values, (size_t)m->parameters * sizeof *before);
    free(before);
    free(x);
    weir_model_destroy(m);
}

static void test_no_parameters(void **state) {
    (void)state;
    enum { N = 2, T = 4, C = 3 };
    weir_model_options o = shape_options(T, C);
    o.target = 1;
    weir_model *m = create_builtin("jena-naive", &o);
    float *x = numbers(N * T * C, 1), y[N];
    assert_int_equal(weir_model_predict(m, N, x, y), WEIR_OK);
    assert_true(y[0] == x[(T - 1) * C + 1] && y[1] == x[(2 * T - 1) * C + 1]);
    assert_int_equal(weir_model_train_step(m, N, x, y, NULL), WEIR_ERROR_STATE);
    free(x);
    weir_model_destroy(m);
}

/* A frozen embedding stays as it was, and what is behind it learns. */
static void test_frozen(void **state) {
    (void)state;
    enum { N = 4, T = 5, V = 6 };
    const weir_model_options o = shape_options(T, 1);
    weir_layer layers[] = {embedding(V, 3, false), gru(2, 0, 0), dense(1, WEIR_LINEAR)};
    float x[N * T], target[N] = {1, 0, 1, 0};
    for (int i = 0; i < N * T; i++) x[i] = (float)(i % V);
    for (int frozen = 0; frozen < 2; frozen++) {
        layers[0].frozen = frozen;
        weir_model *m = create_layers(layers, 3, &o);
        float before[V * 3 + 1];
        memcpy(before, m->values, sizeof before);
        for (int i = 0; i < 3; i++)
            assert_int_equal(weir_model_train_step(m, N, x, target, NULL), WEIR_OK);
        const size_t table = sizeof before - sizeof before[0];
        assert_int_equal(memcmp(before, m->values, table) == 0, frozen);
        assert_true(before[V * 3] != m->values[V * 3]);
        weir_model_destroy(m);
    }
    weir_model *m = create_layers(layers, 1, &o);
    assert_int_equal(weir_model_train_step(m, N, x, x, NULL), WEIR_ERROR_STATE);
    weir_model_destroy(m);
}

/* ---- prediction ---- */

static void test_prediction_by_any_batch(void **state) {
    (void)state;
    enum { N = 300, T = 30, C = 4 };
    const weir_model_options o = shape_options(T, C);
    weir_model *m = create_builtin("jena-conv-gru", &o);
    float *x = numbers(N * T * C, 1), y[N], single[N];
    assert_int_equal(weir_model_predict(m, N, x, y), WEIR_OK);
    for (int i = 0; i < N; i++)
        assert_int_equal(weir_model_predict(m, 1, x + i * T * C, &single[i]), WEIR_OK);
    assert_memory_equal(y, single, sizeof y);
    assert_int_equal(weir_model_predict(m, 0, x, y), WEIR_OK);
    assert_int_equal(weir_model_predict(m, -1, x, y), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), "N is -1"));
    free(x);
    weir_model_destroy(m);
}

typedef struct job {
    weir_model *model;
    const float *x;
    float *y;
} job;

enum { JOB_N = 8, JOB_T = 30, JOB_C = 4, JOB_REPEATS = 50 };

static void *predict_often(void *arg) {
    const job *j = arg;
    for (int i = 0; i < JOB_REPEATS; i++)
        if (weir_model_predict(j->model, JOB_N, j->x, j->y + i * JOB_N) != WEIR_OK) return arg;
    return NULL;
}

/* Two threads, one model: calls take turns and none disturbs the other. */
static void test_calls_from_two_threads(void **state) {
    (void)state;
    const weir_model_options o = shape_options(JOB_T, JOB_C);
    weir_model *m = create_builtin("jena-conv-gru", &o);
    pthread_t thread[2];
    float *x[2], *y[2], expected[JOB_N];
    job jobs[2];
    for (int k = 0; k < 2; k++) {
        x[k] = numbers(JOB_N * JOB_T * JOB_C, (uint64_t)k);
        y[k] = calloc(JOB_N * JOB_REPEATS, sizeof(float));
        jobs[k] = (job){m, x[k], y[k]};
        assert_int_equal(pthread_create(&thread[k], NULL, predict_often, &jobs[k]), 0);
    }
    for (int k = 0; k < 2; k++) {
        void *failed = NULL;
        pthread_join(thread[k], &failed);
        assert_null(failed);
    }
    for (int k = 0; k < 2; k++) {
        assert_int_equal(weir_model_predict(m, JOB_N, x[k], expected), WEIR_OK);
        for (int i = 0; i < JOB_REPEATS; i++)
            assert_memory_equal(y[k] + i * JOB_N, expected, sizeof expected);
        free(x[k]);
        free(y[k]);
    }
    weir_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameter_counts),
        cmocka_unit_test(test_layers_of_conv_gru),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_nothing_after_an_error),
        cmocka_unit_test(test_optimizer_refusals),
        cmocka_unit_test(test_glorot_uniform),
        cmocka_unit_test(test_orthogonal),
        cmocka_unit_test(test_uniform_and_forget_ones),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_optimizers),
        cmocka_unit_test(test_training_learns),
        cmocka_unit_test(test_steps_allocate_nothing),
        cmocka_unit_test(test_smaller_batch),
        cmocka_unit_test(test_threads_give_the_same_bits),
        cmocka_unit_test(test_fused_layers_give_the_same_bits),
        cmocka_unit_test(test_loss_that_is_no_number),
        cmocka_unit_test(test_no_parameters),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_prediction_by_any_batch),
        cmocka_unit_test(test_calls_from_two_threads),
    };
    return cmocka_run_group_tests_name("model", tests, set_up, tear_down);
}

/* Layers: masks, directions, tokens, gradients. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/model_case.h"
#include "train/model/dropout.h"
#include "train/model/sequential.h"

/* ---- dropout ---- */

static void test_dropout_mask(void **state) {
    (void)state;
    enum { N = 64, FLOATS = 96 };
    static float mask[N * FLOATS], other[N * FLOATS];
    pass p = {.runtime = runtime, .N = N, .training = true, .seed = 5, .step = 12};
    assert_int_equal(weir_dropout_mask(&p, 3, 0.25, FLOATS, mask), WEIR_OK);
    int zeros = 0;
    for (int i = 0; i < N * FLOATS; i++) {
        assert_true(mask[i] == 0 || mask[i] == (float)(1 / 0.75));
        zeros += mask[i] == 0;
    }
    /* Binomial: 6 standard deviations. */
    assert_true(fabs(zeros - 0.25 * N * FLOATS) < 6 * sqrt(N * FLOATS * 0.25 * 0.75));
    /* The first samples are the same in a smaller batch, on one thread. */
    weir_runtime *one = create_runtime(1);
    pass small = p;
    small.N = 7;
    small.runtime = one;
    assert_int_equal(weir_dropout_mask(&small, 3, 0.25, FLOATS, other), WEIR_OK);
    assert_memory_equal(mask, other, 7 * FLOATS * sizeof(float));
    weir_runtime_destroy(one);
    pass differ[] = {p, p, p};
    differ[0].seed++;
    differ[1].step++;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weir_dropout_mask(&differ[i], i == 2 ? 4 : 3, 0.25, FLOATS, other),
                         WEIR_OK);
        assert_memory_not_equal(mask, other, sizeof mask);
    }
}

/* In training the GRU layer sees masks of its own for input and state, in prediction none. */
static void test_gru_masks(void **state) {
    (void)state;
    enum { N = 5, T = 6, C = 3, H = 4, GATES = 3 };
    const weir_model_options o = shape_options(T, C);
    const weir_layer l = gru(H, 0.5, 0.25);
    weir_model *m = create_layers(&l, 1, &o);
    float *x = numbers(N * T * C, 1), *target = numbers(N * H, 2), y[N * H];
    static float mask_x[N * GATES * C], mask_h[N * GATES * H];
    const pass p = {.runtime = runtime, .N = N, .training = true, .seed = o.seed};
    assert_int_equal(weir_dropout_mask(&p, 0, 0.5, GATES * C, mask_x), WEIR_OK);
    assert_int_equal(weir_dropout_mask(&p, 1, 0.25, GATES * H, mask_h), WEIR_OK);
    weir_gru g = {.N = N,
                  .T = T,
                  .C_in = C,
                  .H = H,
                  .activation = WEIR_TANH,
                  .recurrent = WEIR_HARD_SIGMOID,
                  .mask_gates = GATES};
    weir_gru_tensors t = {.x = x,
                          .w = weir_layer_value(&m->layers[0], 0),
                          .u = weir_layer_value(&m->layers[0], 1),
                          .b = weir_layer_value(&m->layers[0], 2),
                          .mask_x = mask_x,
                          .mask_h = mask_h};
    assert_int_equal(weir_gru_fwd(runtime, &g, &t, y, NULL), WEIR_OK);
    double loss = 0;
    assert_int_equal(weir_model_gradients(m, N, x, target, &loss), WEIR_OK);
    assert_memory_equal(m->layers[0].y, y, sizeof y);
    g.mask_gates = 0;
    t.mask_x = t.mask_h = NULL;
    assert_int_equal(weir_gru_fwd(runtime, &g, &t, y, NULL), WEIR_OK);
    assert_int_equal(weir_model_predict(m, N, x, target), WEIR_OK);
    assert_memory_equal(target, y, sizeof y);
    free(x);
    free(target);
    weir_model_destroy(m);
}

/* A bidirectional layer gives what two layers give, the second of which reads x from its end. */
static void test_bidirectional(void **state) {
    (void)state;
    enum { N = 3, T = 5, C = 2, H = 4, ONE = T * H, BOTH = T * 2 * H };
    weir_model_options o = shape_options(T, C);
    weir_layer l = gru(H, 0, 0);
    l.return_sequences = true;
    weir_model *forward = create_layers(&l, 1, &o);
    l.go_backwards = true;
    weir_model *backward = create_layers(&l, 1, &o);
    l.go_backwards = false;
    l.merge = WEIR_MERGE_CONCAT;
    weir_model *concat = create_layers(&l, 1, &o);
    l.merge = WEIR_MERGE_SUM;
    weir_model *sum = create_layers(&l, 1, &o);
    assert_int_equal(concat->parameters, 2 * forward->parameters);
    weir_model_set_parameters(forward, concat->values);
    weir_model_set_parameters(backward, concat->values + forward->parameters);
    float *x = numbers(N * T * C, 1), f[N * ONE], b[N * ONE], y[N * BOTH], s[N * ONE];
    assert_int_equal(weir_model_predict(forward, N, x, f), WEIR_OK);
    assert_int_equal(weir_model_predict(backward, N, x, b), WEIR_OK);
    assert_int_equal(weir_model_predict(concat, N, x, y), WEIR_OK);
    assert_int_equal(weir_model_predict(sum, N, x, s), WEIR_OK);
    for (int n = 0; n < N; n++) {
        for (int t = 0; t < T; t++) {
            for (int i = 0; i < H; i++) {
                const float from_f = f[n * ONE + t * H + i];
                const float from_b = b[n * ONE + (T - 1 - t) * H + i];
                assert_true(y[n * BOTH + t * 2 * H + i] == from_f);
                assert_true(y[n * BOTH + t * 2 * H + H + i] == from_b);
                assert_true(s[n * ONE + t * H + i] == from_f + from_b);
            }
        }
    }
    free(x);
    weir_model_destroy(forward);
    weir_model_destroy(backward);
    weir_model_destroy(concat);
    weir_model_destroy(sum);
}

/* In training some elements are zero and the others larger, in prediction y is x. */
static void test_dropout_layer(void **state) {
    (void)state;
    enum { N = 3, T = 5, C = 4 };
    const weir_model_options o = shape_options(T, C);
    weir_layer layers[] = {weir_layer_default(WEIR_LAYER_DROPOUT), dense(1, WEIR_LINEAR)};
    layers[0].dropout = 0.5;
    weir_model *m = create_layers(layers, 2, &o);
    float *x = numbers(N * T * C, 1), target[N * T] = {0}, mask[N * T * C], y[N * T];
    const pass p = {.runtime = runtime, .N = N, .training = true, .seed = o.seed};
    assert_int_equal(weir_dropout_mask(&p, 0, 0.5, T * C, mask), WEIR_OK);
    double loss = 0;
    assert_int_equal(weir_model_gradients(m, N, x, target, &loss), WEIR_OK);
    for (int i = 0; i < N * T * C; i++) assert_true(m->layers[0].y[i] == x[i] * mask[i]);
    assert_int_equal(weir_model_predict(m, N, x, y), WEIR_OK);
    assert_memory_equal(m->layers[0].y, x, sizeof mask);
    free(x);
    weir_model_destroy(m);
}

/* ---- tokens ---- */

static void test_multi_hot(void **state) {
    (void)state;
    enum { N = 2, T = 4, V = 6 };
    const weir_model_options o = shape_options(T, 1);
    weir_layer l = weir_layer_default(WEIR_LAYER_MULTI_HOT);
    l.V = V;
    weir_model *m = create_layers(&l, 1, &o);
    float x[N * T] = {5, 1, 5, 2, 0, 0, 0, 3}, y[N * V];
    const float expected[N * V] = {0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0};
    assert_int_equal(weir_model_predict(m, N, x, y), WEIR_OK);
    assert_memory_equal(y, expected, sizeof y);
    static const float wrong[] = {6, -1, 0.5F, NAN, INFINITY, 1e30F};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        x[T + 2] = wrong[i];
        assert_int_equal(weir_model_predict(m, N, x, y), WEIR_ERROR_ARGUMENT);
        assert_non_null(strstr(weir_last_error(), "in sample 1, step 2, accepted: a token, a whole "
                                                  "number from 0 to 5"));
    }
    weir_model_destroy(m);
}

/* Steps that are padding change nothing, whatever is in front: as without them. */
static void test_mask_zero(void **state) {
    (void)state;
    enum { T = 7, PADDED = 3, V = 6 };
    static const weir_layer_kind kinds[] = {WEIR_LAYER_LSTM, WEIR_LAYER_RNN, WEIR_LAYER_GRU};
    const float x[T] = {0, 0, 0, 3, 1, 5, 2};
    for (int i = 0; i < 6; i++) {
        weir_layer first = recurrent(kinds[i % 3], 4, 0, 0), second = first;
        first.return_sequences = true;
        first.merge = second.merge = i < 3 ? WEIR_MERGE_CONCAT : WEIR_MERGE_NONE;
        second.go_backwards = i >= 3;
        const weir_layer layers[] = {embedding(V, 3, true), first, dropout(0.5),
                                     dense(2, WEIR_TANH), second};
        weir_model_options o = shape_options(T, 1);
        weir_model *padded = create_layers(layers, 5, &o);
        o.T = T - PADDED;
        weir_model *plain = create_layers(layers, 5, &o);
        float y[8] = {0}, z[8] = {0};
        assert_int_equal(weir_model_predict(padded, 1, x, y), WEIR_OK);
        assert_int_equal(weir_model_predict(plain, 1, x + PADDED, z), WEIR_OK);
        assert_memory_equal(y, z, sizeof y);
        weir_model_destroy(padded);
        weir_model_destroy(plain);
    }
}

/* Behind a convolution there is no padding. */
static void test_mask_ends(void **state) {
    (void)state;
    const weir_model_options o = shape_options(7, 1);
    weir_layer sequences = recurrent(WEIR_LAYER_LSTM, 3, 0, 0);
    sequences.return_sequences = true;
    const weir_layer layers[] = {embedding(6, 3, true), sequences, conv(2, 2, WEIR_RELU), sequences,
                                 gru(3, 0, 0)};
    weir_model *m = create_layers(layers, 5, &o);
    const bool masked[] = {false, true, true, false, false};
    for (int i = 0; i < 5; i++)
        assert_int_equal(weir_layer_step_mask(&m->layers[i], 1) != NULL, masked[i]);
    weir_model_destroy(m);
}

static void test_token_refusals(void **state) {
    (void)state;
    const weir_model_options o = shape_options(7, 1);
    const weir_layer mean_of_padding[] = {embedding(6, 3, true),
                                          weir_layer_default(WEIR_LAYER_GLOBAL_AVG_POOL)};
    expect_refusal(mean_of_padding, 2, &o,
                   "layer 1 (global_average_pooling1d): a mean over masked steps is not offered");
    weir_layer l = embedding(0, 3, false);
    expect_refusal(&l, 1, &o, "layer 0 (embedding): V is 0, accepted: 1 to 16777216");
    l = embedding(3, 0, false);
    expect_refusal(&l, 1, &o, "layer 0 (embedding): C_out is 0, accepted: 1 to");
    l = embedding(1 << 24, 1 << 10, false);
    expect_refusal(&l, 1, &o, "embedding/embeddings has more than 2^31 floats");
    l = embedding(3, 2, false);
    weir_model *m = create_layers(&l, 1, &o);
    const float x[7] = {0, 1, 2, 3, 0, 0, 0};
    float y[14];
    assert_int_equal(weir_model_predict(m, 1, x, y), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), "layer 0 (embedding): x is 3 in sample 0, step 3"));
    weir_model_destroy(m);
    l = recurrent(WEIR_LAYER_RNN, 2, 0, 0);
    l.activation = WEIR_HARD_SIGMOID;
    expect_refusal(&l, 1, &o, "activation is hard_sigmoid, accepted: linear, tanh, relu, sigmoid");
    l = recurrent(WEIR_LAYER_LSTM, 2, 0, 0);
    l.recurrent = WEIR_RELU;
    expect_refusal(&l, 1, &o, "recurrent activation is relu, accepted: sigmoid");
}

/* ---- gradients by finite differences ---- */

static void test_gradients_conv(void **state) {
    (void)state;
    weir_layer second = conv(3, 2, WEIR_SIGMOID);
    second.padding = WEIR_CAUSAL;
    second.D = 2;
    const weir_layer layers[] = {conv(4, 3, WEIR_TANH),
                                 pool(WEIR_LAYER_AVG_POOL, 2),
                                 second,
                                 weir_layer_default(WEIR_LAYER_FLATTEN),
                                 dense(2, WEIR_TANH),
                                 dense(2, WEIR_LINEAR)};
    check_gradients(layers, 6, 13, 2);
}

static void test_gradients_max(void **state) {
    (void)state;
    const weir_layer layers[] = {
        conv(4, 3, WEIR_LINEAR), pool(WEIR_LAYER_MAX_POOL, 3), conv(3, 2, WEIR_TANH),
        weir_layer_default(WEIR_LAYER_GLOBAL_AVG_POOL), dense(1, WEIR_LINEAR)};
    check_gradients(layers, 5, 14, 2);
}

static void test_gradients_gru(void **state) {
    (void)state;
    weir_layer first = gru(4, 0.25, 0.5), second = gru(3, 0.5, 0);
    first.return_sequences = true;
    first.recurrent = WEIR_SIGMOID;
    second.reset_after = true;
    second.recurrent = WEIR_SIGMOID;
    second.shared_masks = true;
    second.go_backwards = true;
    const weir_layer layers[] = {conv(3, 2, WEIR_TANH), first, second, dense(1, WEIR_LINEAR)};
    check_gradients(layers, 4, 7, 2);
}

static void test_gradients_bidirectional(void **state) {
    (void)state;
    weir_layer first = gru(3, 0.25, 0.5), second = gru(2, 0, 0.25);
    first.return_sequences = true;
    first.merge = WEIR_MERGE_CONCAT;
    first.recurrent = second.recurrent = WEIR_SIGMOID;
    second.merge = WEIR_MERGE_SUM;
    second.return_sequences = true;
    weir_layer third = gru(3, 0, 0);
    third.merge = WEIR_MERGE_CONCAT;
    third.recurrent = WEIR_SIGMOID;
    const weir_layer layers[] = {conv(3, 2, WEIR_TANH), first, dropout(0.25), second, third,
                                 dense(1, WEIR_LINEAR)};
    check_gradients(layers, 6, 6, 2);
}

static void test_gradients_lstm(void **state) {
    (void)state;
    weir_layer first = recurrent(WEIR_LAYER_LSTM, 3, 0.25, 0.5);
    weir_layer second = recurrent(WEIR_LAYER_LSTM, 2, 0, 0.25);
    first.return_sequences = true;
    first.merge = WEIR_MERGE_SUM;
    first.recurrent = second.recurrent = WEIR_SIGMOID;
    second.shared_masks = true;
    second.go_backwards = true;
    const weir_layer layers[] = {dense(2, WEIR_TANH), first, second, dense(1, WEIR_LINEAR)};
    check_gradients(layers, 4, 6, 2);
}

static void test_gradients_rnn(void **state) {
    (void)state;
    weir_layer first = recurrent(WEIR_LAYER_RNN, 3, 0.25, 0.5);
    weir_layer second = recurrent(WEIR_LAYER_RNN, 2, 0, 0);
    first.return_sequences = true;
    second.merge = WEIR_MERGE_CONCAT;
    const weir_layer layers[] = {dense(2, WEIR_TANH), first, second, dense(1, WEIR_LINEAR)};
    check_gradients(layers, 4, 6, 2);
}

/* Tokens, some of them padding: with and without a mask. */
static void test_gradients_embedding(void **state) {
    (void)state;
    static const weir_layer_kind kinds[] = {WEIR_LAYER_LSTM, WEIR_LAYER_RNN, WEIR_LAYER_GRU};
    for (int i = 0; i < 5; i++) {
        weir_layer first = recurrent(kinds[i % 3], 3, 0.25, 0), second = first;
        first.return_sequences = true;
        first.recurrent = second.recurrent = WEIR_SIGMOID;
        second.merge = WEIR_MERGE_CONCAT;
        second.dropout = 0;
        const weir_layer layers[] = {embedding(5, 3, i < 3), first, dropout(0.25), second,
                                     dense(1, WEIR_LINEAR)};
        check_gradients(layers, 5, 6, 1);
    }
}

/* Embedding and convolution are one op, and the pooling behind them is another. */
static void test_gradients_token_conv(void **state) {
    (void)state;
    weir_layer first = conv(4, 3, WEIR_TANH);
    first.padding = WEIR_SAME;
    const weir_layer layers[] = {embedding(6, 3, false), first, pool(WEIR_LAYER_AVG_POOL, 2),
                                 gru(2, 0, 0), dense(1, WEIR_LINEAR)};
    check_gradients(layers, 5, 8, 1);
}

/* The same losses as layer by layer but for the order of sums: 100 eps for three steps. */
static void test_token_conv(void **state) {
    (void)state;
    enum { N = 5, T = 30, V = 9, STEPS = 3 };
    const weir_model_options o = shape_options(T, 1);
    weir_layer layers[] = {embedding(V, 8, false), conv(6, 5, WEIR_RELU),
                           pool(WEIR_LAYER_MAX_POOL, 3), dense(1, WEIR_TANH),
                           weir_layer_default(WEIR_LAYER_LAST_VALUE)};
    float x[N * T], *target = numbers(N, 2);
    for (int i = 0; i < N * T; i++) x[i] = (float)(i * i % V);
    double loss[2][STEPS];
    for (int alone = 0; alone < 2; alone++) {
        weir_model *m = create_layers(layers, 5, &o);
        assert_true(m->layers[0].pair && !m->layers[1].pair);
        if (alone) m->layers[0].pair = NULL;
        for (int i = 0; i < STEPS; i++)
            assert_int_equal(weir_model_train_step(m, N, x, target, &loss[alone][i]), WEIR_OK);
        weir_model_destroy(m);
    }
    for (int i = 0; i < STEPS; i++)
        assert_true(fabs(loss[0][i] - loss[1][i]) < 100 * 0x1p-23 * loss[0][i]);
    assert_true(loss[0][STEPS - 1] != loss[0][0]);
    layers[1].D = 2;
    weir_model *m = create_layers(layers, 5, &o);
    assert_true(!m->layers[0].pair && m->layers[1].pair);
    weir_model_destroy(m);
    free(target);
}

static void expect_fresh_bits(weir_model *m, const weir_layer *layers, const weir_model_options *o,
                              const float *x, float *parameters) {
    float y[3] = {0}, z[3] = {0};
    weir_model *fresh = create_layers(layers, 3, o);
    weir_model_get_parameters(m, parameters);
    weir_model_set_parameters(fresh, parameters);
    assert_int_equal(weir_model_predict(fresh, 1, x, z), WEIR_OK);
    assert_false(fresh->layers[0].products->made);
    /* Until more tokens were seen than there are, and after it. */
    for (int i = 0; i < 6; i++) {
        assert_int_equal(weir_model_predict(m, 1, x, y), WEIR_OK);
        assert_memory_equal(y, z, sizeof y);
    }
    assert_true(m->layers[0].products->made);
    weir_model_destroy(fresh);
}

/* Predictions keep the products of all tokens, until the parameters change. */
static void test_kept_products(void **state) {
    (void)state;
    enum { T = 10, V = 30 };
    const weir_model_options o = shape_options(T, 1);
    const weir_layer layers[] = {embedding(V, 4, false), conv(3, 3, WEIR_RELU),
                                 weir_layer_default(WEIR_LAYER_GLOBAL_MAX_POOL)};
    weir_model *m = create_layers(layers, 3, &o);
    float x[T], target[3] = {1, 2, 3};
    for (int i = 0; i < T; i++) x[i] = (float)(i * 7 % V);
    float *parameters = numbers(weir_model_parameters(m), 3);
    expect_fresh_bits(m, layers, &o, x, parameters);
    assert_int_equal(weir_model_train_step(m, 1, x, target, NULL), WEIR_OK);
    expect_fresh_bits(m, layers, &o, x, parameters);
    for (int64_t i = 0; i < weir_model_parameters(m); i++) parameters[i] *= 2;
    weir_model_set_parameters(m, parameters);
    expect_fresh_bits(m, layers, &o, x, parameters);
    free(parameters);
    weir_model_destroy(m);
}

static void test_gradients_dense_over_time(void **state) {
    (void)state;
    weir_layer sequence = gru(3, 0, 0);
    sequence.return_sequences = true;
    const weir_layer layers[] = {dense(3, WEIR_TANH), sequence, dense(2, WEIR_SIGMOID)};
    check_gradients(layers, 3, 5, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dropout_mask),
        cmocka_unit_test(test_gru_masks),
        cmocka_unit_test(test_bidirectional),
        cmocka_unit_test(test_dropout_layer),
        cmocka_unit_test(test_multi_hot),
        cmocka_unit_test(test_mask_zero),
        cmocka_unit_test(test_mask_ends),
        cmocka_unit_test(test_token_refusals),
        cmocka_unit_test(test_gradients_conv),
        cmocka_unit_test(test_gradients_max),
        cmocka_unit_test(test_gradients_gru),
        cmocka_unit_test(test_gradients_bidirectional),
        cmocka_unit_test(test_gradients_lstm),
        cmocka_unit_test(test_gradients_rnn),
        cmocka_unit_test(test_gradients_embedding),
        cmocka_unit_test(test_gradients_token_conv),
        cmocka_unit_test(test_token_conv),
        cmocka_unit_test(test_kept_products),
        cmocka_unit_test(test_gradients_dense_over_time),
    };
    return cmocka_run_group_tests_name("layers", tests, set_up, tear_down);
}

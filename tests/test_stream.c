/* Streams: row by row what the whole sequence gives. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/model_case.h"

enum { LAYERS_MAX = 8, C_MAX = 64 };

typedef struct stack {
    weir_layer layers[LAYERS_MAX];
    int count;
    int64_t C_in, V; /* V above 0: the input is tokens, padding in front */
} stack;

static weir_stream *create_stream(weir_model *m) {
    weir_stream *s = NULL;
    if (weir_stream_create(m, &s) != WEIR_OK) fail_msg("%s", weir_last_error());
    return s;
}

static bool push(weir_stream *s, const float *row, float *y) {
    bool ready = false;
    if (weir_stream_push(s, row, y, &ready) != WEIR_OK) fail_msg("%s", weir_last_error());
    return ready;
}

/* The stack on T steps with parameters that depend on the layers only, biases among them; NULL: T is too
 * short for it. */
static weir_model *model_of(const stack *k, int64_t T) {
    const weir_model_options o = shape_options(T, k->C_in);
    weir_model *m = NULL;
    if (weir_model_create_layers(runtime, "test", k->layers, k->count, &o, &m) != WEIR_OK)
        return NULL;
    float *values = numbers(weir_model_parameters(m) + 1, 3);
    for (int64_t i = 0; i < weir_model_parameters(m); i++) values[i] *= 0.5f;
    if (m->parameters > 0) weir_model_set_parameters(m, values);
    free(values);
    return m;
}

static float *input_of(const stack *k, int64_t T, uint64_t stream) {
    float *x = numbers(T * k->C_in, stream);
    for (int64_t t = 0; k->V > 0 && t < T; t++)
        x[t] = t < T / 4 ? 0 : floorf((x[t] * 0.5f + 0.5f) * (float)k->V);
    return x;
}

/* What the stack gives for the first n steps: its last output, or nothing. */
static bool whole(const stack *k, int64_t n, const float *x, float *y) {
    weir_model *m = model_of(k, n);
    if (!m) return false;
    const int64_t C = m->layers[m->layer_count - 1].out.C, outputs = weir_model_outputs(m);
    float *all = malloc((size_t)outputs * sizeof *all);
    assert_int_equal(weir_model_predict(m, 1, x, all), WEIR_OK);
    memcpy(y, all + outputs - C, (size_t)C * sizeof *y);
    free(all);
    weir_model_destroy(m);
    return true;
}

/* After every row the bits are those of the sequence so far; so they are after a reset. */
static void check_stack(const stack *k, int64_t T, int64_t stride) {
    weir_model *m = model_of(k, T);
    if (!m) fail_msg("%s", weir_last_error());
    weir_stream *s = create_stream(m);
    const int64_t C = weir_stream_outputs(s);
    assert_in_range(C, 1, C_MAX);
    assert_int_equal(weir_stream_stride(s), stride);
    for (uint64_t again = 0; again < 2; again++) {
        float *x = input_of(k, T, 10 + again), y[C_MAX], expected[C_MAX];
        bool ever = false;
        int64_t last = 0;
        weir_stream_reset(s);
        for (int64_t n = 1; n <= T; n++) {
            const bool ready = push(s, x + (n - 1) * k->C_in, y);
            if (ready && ever) assert_int_equal(n - last, stride);
            if (ready) last = n;
            ever = ever || ready;
            assert_int_equal(weir_stream_rows(s), n);
            assert_true(whole(k, n, x, expected) == ever);
            if (ever) assert_memory_equal(y, expected, (size_t)C * sizeof *y);
        }
        assert_true(ever);
        free(x);
    }
    weir_stream_destroy(s);
    weir_model_destroy(m);
}

static weir_layer strided(weir_layer l, int64_t S, int64_t D, weir_padding padding) {
    l.S = S;
    l.D = D;
    l.padding = padding;
    return l;
}

static weir_layer sequences(weir_layer l) {
    l.return_sequences = true;
    return l;
}

static weir_layer plain(weir_layer_kind kind) { return weir_layer_default(kind); }

static void test_convolutions(void **state) {
    (void)state;
    for (int64_t K = 1; K <= 4; K++)
        for (int64_t S = 1; S <= 3; S++)
            for (int64_t D = 1; D <= 3; D++)
                for (int padding = 0; padding < 2; padding++) {
                    const weir_padding p = padding ? WEIR_CAUSAL : WEIR_VALID;
                    const stack k = {{strided(conv(5, K, WEIR_TANH), S, D, p)}, 1, 3, 0};
                    check_stack(&k, 14, S);
                }
    /* One upon the other, with the strides of both. */
    const stack two = {{strided(conv(17, 3, WEIR_RELU), 2, 1, WEIR_CAUSAL),
                        strided(conv(4, 2, WEIR_LINEAR), 3, 2, WEIR_VALID)},
                       2,
                       2,
                       0};
    check_stack(&two, 40, 6);
}

static void test_pools(void **state) {
    (void)state;
    static const weir_layer_kind kinds[] = {WEIR_LAYER_MAX_POOL, WEIR_LAYER_AVG_POOL};
    for (int i = 0; i < 2; i++)
        for (int64_t P = 1; P <= 4; P++)
            for (int64_t S = 0; S <= 5; S++) {
                const stack k = {{strided(pool(kinds[i], P), S, 1, WEIR_VALID)}, 1, 19, 0};
                check_stack(&k, 16, S > 0 ? S : P);
            }
    const stack max = {{plain(WEIR_LAYER_GLOBAL_MAX_POOL)}, 1, 19, 0};
    const stack avg = {{plain(WEIR_LAYER_GLOBAL_AVG_POOL), dense(3, WEIR_SIGMOID)}, 2, 19, 0};
    check_stack(&max, 30, 1);
    check_stack(&avg, 30, 1);
    /* The block that prediction computes in one. */
    const stack block = {{conv(32, 5, WEIR_RELU), pool(WEIR_LAYER_MAX_POOL, 3)}, 2, 14, 0};
    check_stack(&block, 25, 3);
}

static void test_recurrent_layers(void **state) {
    (void)state;
    static const weir_layer_kind kinds[] = {WEIR_LAYER_GRU, WEIR_LAYER_LSTM, WEIR_LAYER_RNN};
    for (int i = 0; i < 3; i++)
        for (int after = 0; after < 2; after++)
            for (int64_t H = 1; H <= 33; H += 16) {
                weir_layer l = recurrent(kinds[i], H, 0.3, 0.3);
                l.reset_after = after;
                if (after) l.activation = WEIR_RELU;
                const stack last = {{l, dense(2, WEIR_LINEAR)}, 2, 3, 0};
                check_stack(&last, 12, 1);
                const stack each = {{sequences(l), dropout(0.4), sequences(l)}, 3, 3, 0};
                check_stack(&each, 60, 1);
            }
}

static void test_small_layers(void **state) {
    (void)state;
    weir_layer last = plain(WEIR_LAYER_LAST_VALUE);
    last.channel = 2;
    const stack naive = {{last}, 1, 3, 0};
    check_stack(&naive, 5, 1);
    const stack nothing = {{dropout(0.5)}, 1, 3, 0};
    check_stack(&nothing, 5, 1);
    /* Behind the end of time a Flatten does nothing. */
    const stack steps = {
        {dense(7, WEIR_RELU), gru(5, 0, 0), plain(WEIR_LAYER_FLATTEN), dense(2, WEIR_TANH)},
        4,
        3,
        0};
    check_stack(&steps, 9, 1);
}

static void test_tokens(void **state) {
    (void)state;
    enum { V = 9 };
    for (int mask = 0; mask < 2; mask++) {
        const stack gated = {{embedding(V, 6, mask), sequences(gru(5, 0, 0)),
                              recurrent(WEIR_LAYER_LSTM, 4, 0, 0), dense(1, WEIR_SIGMOID)},
                             4,
                             1,
                             V};
        check_stack(&gated, 24, 1);
        const stack simple = {{embedding(V, 6, mask), recurrent(WEIR_LAYER_RNN, 4, 0, 0)}, 2, 1, V};
        check_stack(&simple, 24, 1);
        for (int64_t K = 1; K <= 7; K += 3)
            for (int padding = 0; padding < 2; padding++)
                for (int64_t D = 1; D <= 2; D++) {
                    /* D 1 is one op with the embedding. */
                    const weir_padding p = padding ? WEIR_CAUSAL : WEIR_VALID;
                    const stack k = {{embedding(V, 16, mask),
                                      strided(conv(8, K, WEIR_RELU), 1, D, p),
                                      pool(WEIR_LAYER_MAX_POOL, 2), gru(3, 0, 0)},
                                     4,
                                     1,
                                     V};
                    check_stack(&k, 30, 2);
                }
    }
    weir_layer multi_hot = plain(WEIR_LAYER_MULTI_HOT);
    multi_hot.V = V;
    const stack bag = {{multi_hot, dense(16, WEIR_RELU), dense(1, WEIR_SIGMOID)}, 3, 1, V};
    check_stack(&bag, 24, 1);
}

/* The book's models, on their windows, with threads and tokens that the pool of two shares. */
static void test_builtin(void **state) {
    (void)state;
    static const char *const names[] = {"jena-naive",
                                        "jena-conv",
                                        "jena-gru",
                                        "jena-gru-stacked",
                                        "jena-conv-gru",
                                        "jena-lstm",
                                        "jena-conv-gru-dilated",
                                        "imdb-dense",
                                        "imdb-rnn",
                                        "imdb-lstm",
                                        "imdb-gru",
                                        "imdb-conv",
                                        "imdb-conv-gru",
                                        "imdb-conv-lstm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const weir_builtin *about = NULL;
        assert_int_equal(weir_model_builtin_find(names[i], &about), WEIR_OK);
        weir_model_options o = shape_options(about->T, about->text ? 1 : 14);
        o.V = 500;
        weir_model *m = create_builtin(names[i], &o);
        weir_stream *s = create_stream(m);
        const stack k = {.C_in = o.C_in, .V = about->text ? o.V : 0};
        float *x = input_of(&k, o.T, 5), y = 0, expected = 1;
        for (int64_t t = 0; t < o.T; t++) push(s, x + t * o.C_in, &y);
        assert_int_equal(weir_model_predict(m, 1, x, &expected), WEIR_OK);
        assert_memory_equal(&y, &expected, sizeof y);
        free(x);
        weir_stream_destroy(s);
        weir_model_destroy(m);
    }
}

static void expect_no_stream(const weir_layer *layers, int count, const char *words) {
    const weir_model_options o = shape_options(6, 3);
    weir_model *m = create_layers(layers, count, &o);
    weir_stream *s = NULL;
    assert_int_equal(weir_stream_create(m, &s), WEIR_ERROR_ARGUMENT);
    assert_null(s);
    if (!strstr(weir_last_error(), words)) fail_msg("%s", weir_last_error());
    weir_model_destroy(m);
}

static void test_refusals(void **state) {
    (void)state;
    weir_layer l = strided(conv(4, 3, WEIR_RELU), 1, 1, WEIR_SAME);
    expect_no_stream(&l, 1, "layer 0 (conv1d) can't stream: its padding is same");
    l = strided(pool(WEIR_LAYER_AVG_POOL, 2), 0, 1, WEIR_SAME);
    expect_no_stream(&l, 1, "layer 0 (average_pooling1d) can't stream: its padding is same");
    l = gru(4, 0, 0);
    l.go_backwards = true;
    expect_no_stream(&l, 1, "layer 0 (gru) can't stream: it reads from the sequence's end");
    const weir_layer flat[] = {gru(4, 0, 0), plain(WEIR_LAYER_FLATTEN)};
    const weir_layer early[] = {plain(WEIR_LAYER_FLATTEN), dense(1, WEIR_LINEAR)};
    expect_no_stream(early, 2, "layer 0 (flatten) can't stream: it needs all steps at once");
    weir_layer both[] = {sequences(flat[0]), recurrent(WEIR_LAYER_LSTM, 4, 0, 0)};
    both[1].merge = WEIR_MERGE_SUM;
    expect_no_stream(both, 2, "layer 1 (bidirectional) can't stream: it is bidirectional");
    /* More steps to remember than there is memory for. */
    l = strided(conv(1, 1 << 20, WEIR_LINEAR), 1, 1 << 24, WEIR_CAUSAL);
    weir_model_options o = shape_options(6, 1);
    weir_model *m = create_layers(&l, 1, &o);
    weir_stream *s = NULL;
    assert_int_equal(weir_stream_create(m, &s), WEIR_ERROR_MEMORY);
    assert_non_null(strstr(weir_last_error(), "layer 0 (conv1d) looks at"));
    assert_int_equal(weir_stream_create(NULL, &s), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_stream_create(m, NULL), WEIR_ERROR_ARGUMENT);
    weir_model_destroy(m);
    weir_stream_destroy(NULL);
}

/* A bad row is refused; after a reset the stream is as good as new. */
static void test_bad_rows(void **state) {
    (void)state;
    const stack k = {{embedding(9, 6, false), conv(4, 3, WEIR_RELU), gru(3, 0, 0)}, 3, 1, 9};
    weir_model *m = model_of(&k, 12);
    weir_stream *s = create_stream(m);
    float *x = input_of(&k, 12, 1), y[3], expected[3], wrong[] = {9, -1, 0.5f, NAN};
    bool ready;
    for (int i = 0; i < 4; i++) {
        push(s, x, y);
        assert_int_equal(weir_stream_push(s, &wrong[i], y, &ready), WEIR_ERROR_ARGUMENT);
        assert_non_null(strstr(weir_last_error(), "a token, a whole number from 0 to 8"));
        assert_int_equal(weir_stream_rows(s), i + 1);
    }
    assert_int_equal(weir_stream_push(NULL, x, y, &ready), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_stream_push(s, NULL, y, &ready), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_stream_push(s, x, NULL, &ready), WEIR_ERROR_ARGUMENT);
    weir_stream_reset(s);
    assert_int_equal(weir_stream_rows(s), 0);
    for (int i = 0; i < 12; i++) assert_int_equal(weir_stream_push(s, x + i, y, NULL), WEIR_OK);
    assert_int_equal(weir_model_predict(m, 1, x, expected), WEIR_OK);
    assert_memory_equal(y, expected, sizeof y);
    free(x);
    weir_stream_destroy(s);
    weir_model_destroy(m);
}

/* Numbers so small that a mean or product of them is none: taken for zero, as in the ops, whatever the
 * caller's own mode is. */
static void test_denormals(void **state) {
    (void)state;
    const stack stacks[] = {{{plain(WEIR_LAYER_GLOBAL_AVG_POOL)}, 1, 4, 0},
                            {{plain(WEIR_LAYER_GLOBAL_MAX_POOL)}, 1, 4, 0},
                            {{pool(WEIR_LAYER_AVG_POOL, 3)}, 1, 4, 0},
                            {{gru(4, 0, 0)}, 1, 4, 0}};
    for (size_t i = 0; i < sizeof stacks / sizeof stacks[0]; i++) {
        enum { T = 9 };
        weir_model *m = model_of(&stacks[i], T);
        weir_stream *s = create_stream(m);
        float *x = numbers(T * 4, 8), y[4 * T], expected[4 * T];
        for (int t = 0; t < T * 4; t++) x[t] *= t % 3 ? 4 * FLT_MIN : FLT_MIN / 16;
        for (int t = 0; t < T; t++) push(s, x + 4 * t, y);
        assert_int_equal(weir_model_predict(m, 1, x, expected), WEIR_OK);
        assert_memory_equal(y, expected + weir_model_outputs(m) - 4, 4 * sizeof *y);
        free(x);
        weir_stream_destroy(s);
        weir_model_destroy(m);
    }
}

/* A stream meets the parameters that its model has at the time. */
static void test_parameters_of_now(void **state) {
    (void)state;
    const stack k = {{conv(4, 3, WEIR_RELU), gru(3, 0, 0), dense(1, WEIR_LINEAR)}, 3, 2, 0};
    weir_model *m = model_of(&k, 8);
    weir_stream *s = create_stream(m);
    float *x = input_of(&k, 8, 1), target = 2, y = 0, before = 0, expected = 1;
    for (int t = 0; t < 8; t++) push(s, x + 2 * t, &before);
    assert_int_equal(weir_model_train_step(m, 1, x, &target, NULL), WEIR_OK);
    weir_stream_reset(s);
    for (int t = 0; t < 8; t++) push(s, x + 2 * t, &y);
    assert_int_equal(weir_model_predict(m, 1, x, &expected), WEIR_OK);
    assert_true(y == expected && y != before);
    free(x);
    weir_stream_destroy(s);
    weir_model_destroy(m);
}

/* ---- several threads ---- */

enum { THREADS = 4, ROUNDS = 30, LONG = 40 };

typedef struct streamer {
    weir_model *model;
    const float *x; /* [LONG][3] */
    float y[LONG];
    bool same; /* in all rounds */
} streamer;

static void *stream_rows(void *arg) {
    streamer *t = arg;
    weir_stream *s = NULL;
    t->same = weir_stream_create(t->model, &s) == WEIR_OK;
    for (int round = 0; round < ROUNDS && t->same; round++) {
        float y = 0;
        weir_stream_reset(s);
        for (int i = 0; i < LONG && t->same; i++) {
            t->same = weir_stream_push(s, t->x + 3 * i, &y, NULL) == WEIR_OK &&
                      (round == 0 || y == t->y[i]);
            t->y[i] = y;
        }
    }
    weir_stream_destroy(s);
    return NULL;
}

/* Streams of one model on several threads, with predictions between, give what one gives alone. */
static void test_threads(void **state) {
    (void)state;
    const stack k = {
        {conv(8, 3, WEIR_RELU), pool(WEIR_LAYER_MAX_POOL, 2), gru(5, 0, 0), dense(1, WEIR_LINEAR)},
        4,
        3,
        0};
    weir_model *m = model_of(&k, LONG);
    streamer all[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        all[i] = (streamer){.model = m, .x = input_of(&k, LONG, 20 + (uint64_t)i)};
        assert_int_equal(pthread_create(&threads[i], NULL, stream_rows, &all[i]), 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < THREADS; i++) {
            float y = 0;
            assert_int_equal(weir_model_predict(m, 1, all[i].x, &y), WEIR_OK);
        }
    }
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        float expected = 0;
        assert_true(all[i].same);
        assert_int_equal(weir_model_predict(m, 1, all[i].x, &expected), WEIR_OK);
        assert_true(all[i].y[LONG - 1] == expected);
        free((void *)all[i].x);
    }
    weir_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolutions),     cmocka_unit_test(test_pools),
        cmocka_unit_test(test_recurrent_layers), cmocka_unit_test(test_small_layers),
        cmocka_unit_test(test_tokens),           cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_refusals),         cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_denormals),        cmocka_unit_test(test_parameters_of_now),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

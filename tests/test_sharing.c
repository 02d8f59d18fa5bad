/* Models and several threads: models of their own on one runtime, and one model for all.
 * SPDX-License-Identifier: Apache-2.0 */
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

enum { THREADS = 4, STEPS = 6, N = 40, T = 24, C = 3, PARAMETERS_MAX = 4096 };

typedef struct task {
    int number;
    weir_model *model; /* shared, or NULL: the thread makes one */
    const float *x, *target;
    float y[N], parameters[PARAMETERS_MAX];
    weir_status status;
    char message[256];
} task;

static weir_model *create(uint64_t seed) {
    weir_model_options o = shape_options(T, C);
    const weir_layer layers[] = {conv(8, 3, WEIR_RELU), pool(WEIR_LAYER_MAX_POOL, 2),
                                 gru(8, 0.2, 0.2), dense(1, WEIR_LINEAR)};
    weir_model *m = NULL;
    o.seed = seed;
    return weir_model_create_layers(runtime, "test", layers, 4, &o, &m) == WEIR_OK ? m : NULL;
}

/* A model of the thread's own: made, trained, asked, described. */
static weir_status own_model(task *t) {
    weir_model *m = create((uint64_t)t->number);
    if (!m) return WEIR_ERROR_MEMORY;
    weir_status status = WEIR_OK;
    for (int i = 0; i < STEPS && status == WEIR_OK; i++)
        status = weir_model_train_step(m, N, t->x, t->target, NULL);
    if (status == WEIR_OK) status = weir_model_predict(m, N, t->x, t->y);
    weir_model_get_parameters(m, t->parameters);
    weir_model_destroy(m);
    return status;
}

static void *run_own(void *arg) {
    task *t = arg;
    t->status = own_model(t);
    return NULL;
}

static void run_all(task *tasks, void *(*run)(void *)) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &tasks[i]), 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* Each thread gets, to the bit, what it gets alone. */
static void test_models_of_their_own(void **state) {
    (void)state;
    float *x = numbers(N * T * C, 1), *target = numbers(N, 2);
    task *alone = calloc(THREADS, sizeof *alone), *beside = calloc(THREADS, sizeof *beside);
    for (int i = 0; i < THREADS; i++)
        alone[i] = beside[i] = (task){.number = i, .x = x, .target = target};
    for (int i = 0; i < THREADS; i++) run_own(&alone[i]);
    run_all(beside, run_own);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(beside[i].status, WEIR_OK);
        assert_memory_equal(beside[i].y, alone[i].y, sizeof alone[i].y);
        assert_memory_equal(beside[i].parameters, alone[i].parameters, sizeof alone[i].parameters);
        if (i > 0) assert_memory_not_equal(alone[i].y, alone[0].y, sizeof alone[0].y);
    }
    free(alone);
    free(beside);
    free(x);
    free(target);
}

/* Predictions of one model, with notes being written and errors being made between them. */
static void *run_predictions(void *arg) {
    task *t = arg;
    float y[N];
    char key[16], text[16];
    snprintf(key, sizeof key, "note %d", t->number);
    for (int i = 0; i < STEPS && t->status == WEIR_OK; i++) {
        const int64_t samples = 1 + (t->number + i) % N;
        snprintf(text, sizeof text, "%d", i);
        t->status = weir_model_predict(t->model, samples, t->x, y);
        if (t->status == WEIR_OK && memcmp(y, t->y, (size_t)samples * sizeof *y) != 0)
            t->status = WEIR_ERROR_STATE;
        if (t->status == WEIR_OK) t->status = weir_model_set_metadata(t->model, key, text);
        weir_model_predict(t->model, -1 - t->number, t->x, y);
        snprintf(t->message, sizeof t->message, "%s", weir_last_error());
    }
    return NULL;
}

static void test_predictions(void **state) {
    (void)state;
    float *x = numbers(N * T * C, 1), y[N];
    weir_model *m = create(3);
    assert_non_null(m);
    assert_int_equal(weir_model_predict(m, N, x, y), WEIR_OK);
    task tasks[THREADS];
    for (int i = 0; i < THREADS; i++) {
        tasks[i] = (task){.number = i, .model = m, .x = x};
        memcpy(tasks[i].y, y, sizeof y);
    }
    run_all(tasks, run_predictions);
    for (int i = 0; i < THREADS; i++) {
        char expected[64], key[16];
        assert_int_equal(tasks[i].status, WEIR_OK);
        snprintf(expected, sizeof expected, "N is %d, accepted: 0 or more", -1 - i);
        assert_string_equal(tasks[i].message, expected);
        snprintf(key, sizeof key, "note %d", i);
        assert_string_equal(weir_model_metadata(m, key), "5");
    }
    weir_model_destroy(m);
    free(x);
}

static void *run_steps(void *arg) {
    task *t = arg;
    for (int i = 0; i < STEPS && t->status == WEIR_OK; i++) {
        float y[N];
        t->status = weir_model_train_step(t->model, N, t->x, t->target, NULL);
        if (t->status == WEIR_OK) t->status = weir_model_predict(t->model, N, t->x, y);
    }
    return NULL;
}

/* Training steps on one model take turns: all with the same batch, they come to the same end. */
static void test_training(void **state) {
    (void)state;
    float *x = numbers(N * T * C, 1), *target = numbers(N, 2);
    float after[PARAMETERS_MAX] = {0}, expected[PARAMETERS_MAX] = {0};
    weir_model *shared = create(3), *alone = create(3);
    task tasks[THREADS];
    for (int i = 0; i < THREADS; i++)
        tasks[i] = (task){.number = i, .model = shared, .x = x, .target = target};
    run_all(tasks, run_steps);
    for (int i = 0; i < THREADS; i++) assert_int_equal(tasks[i].status, WEIR_OK);
    for (int i = 0; i < THREADS * STEPS; i++)
        assert_int_equal(weir_model_train_step(alone, N, x, target, NULL), WEIR_OK);
    weir_model_get_parameters(shared, after);
    weir_model_get_parameters(alone, expected);
    assert_memory_equal(after, expected, sizeof after);
    weir_model_destroy(shared);
    weir_model_destroy(alone);
    free(x);
    free(target);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_models_of_their_own),
                                       cmocka_unit_test(test_predictions),
                                       cmocka_unit_test(test_training)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

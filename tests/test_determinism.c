/* The same trained weights, bit for bit, whoever computes them. SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "weir/model.h"

/* Long enough that each loop has more chunks than the most threads. */
enum { N = 64, T = 240, C_IN = 14, STEPS = 6, NEIGHBOURS_MOST = 8 };

static float x[STEPS][N * T * C_IN], target[STEPS][N];

static int make_data(void **state) {
    (void)state;
    uint32_t seed = 1;
    for (int s = 0; s < STEPS; s++) {
        for (int i = 0; i < N * T * C_IN; i++) {
            seed = seed * 1664525 + 1013904223;
            x[s][i] = (float)(int32_t)seed * 0x1p-30F;
        }
        for (int n = 0; n < N; n++) target[s][n] = x[s][n * T * C_IN] * 0.5F;
    }
    return 0;
}

/* Trains jena-conv-gru, with its dropout masks, and returns the weights for the caller to free. */
static float *train(weir_threading threading, int threads, int64_t *floats) {
    weir_runtime_options options = weir_runtime_options_default();
    options.threading = threading;
    options.threads = threads;
    weir_runtime *runtime;
    const weir_status status = weir_runtime_create(&options, &runtime);
    if (status == WEIR_ERROR_UNSUPPORTED) return NULL;
    assert_int_equal(status, WEIR_OK);
    weir_model_options o = weir_model_options_default(2);
    o.T = T;
    o.C_in = C_IN;
    o.seed = 7;
    weir_model *model;
    assert_int_equal(weir_model_create(runtime, "jena-conv-gru", &o, &model), WEIR_OK);
    for (int s = 0; s < STEPS; s++)
        assert_int_equal(weir_model_train_step(model, N, x[s], target[s], NULL), WEIR_OK);
    *floats = weir_model_parameters(model);
    float *weights = malloc((size_t)*floats * sizeof *weights);
    assert_non_null(weights);
    weir_model_get_parameters(model, weights);
    weir_model_destroy(model);
    weir_runtime_destroy(runtime);
    return weights;
}

static void check_all_teams(void) {
    int64_t floats, others;
    float *alone = train(WEIR_THREADING_POOL, 1, &floats);
    static const int threads[] = {1, 2, 3, 5, 8};
    for (int threading = WEIR_THREADING_POOL; threading <= WEIR_THREADING_OPENMP; threading++)
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            float *weights = train((weir_threading)threading, threads[i], &others);
            if (!weights) continue; /* no OpenMP in this build */
            assert_int_equal(others, floats);
            assert_memory_equal(weights, alone, (size_t)floats * sizeof *weights);
            free(weights);
        }
    free(alone);
}

static void test_teams(void **state) {
    (void)state;
    check_all_teams();
}

/* As many busy processes as there are cores: workers lose theirs at any moment, and others take over. */
static void test_busy_neighbours(void **state) {
    (void)state;
    pid_t busy[NEIGHBOURS_MOST];
    int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (cores > NEIGHBOURS_MOST) cores = NEIGHBOURS_MOST;
    for (int i = 0; i < cores; i++) {
        busy[i] = fork();
        assert_true(busy[i] >= 0);
        if (busy[i] > 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (volatile unsigned n = 0;; n++) {}
    }
    check_all_teams();
    for (int i = 0; i < cores; i++) {
        kill(busy[i], SIGKILL);
        waitpid(busy[i], NULL, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_busy_neighbours),
                                       cmocka_unit_test(test_teams)};
    return cmocka_run_group_tests_name("determinism", tests, make_data, NULL);
}

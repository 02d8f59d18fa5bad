/* The steps that a model is said not to see change nothing; the one before them does.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "train/cli/unseen.h"
#include "weir/weir.h"

static weir_runtime *runtime;

static int create_runtime(void **state) {
    (void)state;
    return weir_runtime_create(NULL, &runtime) != WEIR_OK;
}

static int destroy_runtime(void **state) {
    (void)state;
    weir_runtime_destroy(runtime);
    return 0;
}

enum { C = 3, T_MAX = 40 };

static float predict(weir_model *m, const float *x) {
    float y[T_MAX * 4];
    assert_int_equal(weir_model_predict(m, 1, x, y), WEIR_OK);
    float sum = 0;
    for (int64_t i = 0; i < weir_model_outputs(m); i++) sum += y[i];
    return sum;
}

/* x with the steps from `first` on changed. */
static float predict_changed(weir_model *m, const float *x, int64_t first, int64_t T) {
    float changed[T_MAX * C];
    memcpy(changed, x, sizeof changed);
    for (int64_t i = first * C; i < T * C; i++) changed[i] += 1.0f + (float)(i % 5);
    return predict(m, changed);
}

/* Every length; returns how many of them leave steps out. */
static int check(const weir_layer *layers, int count) {
    float x[T_MAX * C];
    int some = 0;
    for (int i = 0; i < T_MAX * C; i++) x[i] = (float)(i * 37 % 101) / 50 - 1;
    for (int64_t T = 20; T <= T_MAX; T++) {
        weir_model_options o = weir_model_options_default(2);
        o.T = T;
        o.C_in = C;
        o.seed = 5;
        weir_model *m = NULL;
        if (weir_model_create_layers(runtime, "m", layers, count, &o, &m) != WEIR_OK)
            fail_msg("%s", weir_last_error());
        const int64_t unseen = unseen_steps(m, T), none = unseen_none(m, T);
        const float y = predict(m, x);
        if (unseen > 0) assert_true(y == predict_changed(m, x, T - unseen, T));
        assert_true(y != predict_changed(m, x, T - unseen - 1, T - unseen));
        assert_int_equal(unseen_steps(m, none), 0);
        assert_true(none <= T && (unseen > 0) == (none < T));
        some += unseen > 0;
        weir_model_destroy(m);
    }
    return some;
}

static weir_layer conv(int64_t K, int64_t S, int64_t D, weir_padding padding) {
    weir_layer l = weir_layer_default(WEIR_LAYER_CONV1D);
    l.units = 4, l.K = K, l.S = S, l.D = D, l.padding = padding;
    return l;
}

static weir_layer mean(int64_t P, int64_t S, weir_padding padding) {
    weir_layer l = weir_layer_default(WEIR_LAYER_AVG_POOL);
    l.P = P, l.S = S, l.padding = padding;
    return l;
}

static void test_windows(void **state) {
    (void)state;
    weir_layer gru = weir_layer_default(WEIR_LAYER_GRU);
    gru.units = 4;
    const weir_layer flat = weir_layer_default(WEIR_LAYER_FLATTEN);
    assert_int_equal(
        check((weir_layer[]){conv(5, 1, 1, WEIR_VALID), mean(3, 0, WEIR_VALID), gru}, 3), 14);
    assert_true(check((weir_layer[]){conv(3, 2, 1, WEIR_VALID), mean(2, 3, WEIR_VALID), flat}, 3) >
                0);
    assert_true(check((weir_layer[]){mean(2, 0, WEIR_VALID), conv(2, 2, 3, WEIR_VALID), flat}, 3) >
                0);
    assert_int_equal(check((weir_layer[]){conv(4, 1, 2, WEIR_VALID), gru}, 2), 0);
    assert_int_equal(
        check((weir_layer[]){conv(3, 1, 1, WEIR_CAUSAL), mean(3, 0, WEIR_SAME), gru}, 3), 0);
    assert_int_equal(check((weir_layer[]){gru}, 1), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_windows)};
    return cmocka_run_group_tests_name("unseen", tests, create_runtime, destroy_runtime);
}

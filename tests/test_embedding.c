/* Ops over tokens by hand-computed cases, their error messages and empty batches.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weir/weir.h"

static weir_runtime *runtimes[WEIR_ISA_COUNT];
static int count;

static int create_runtimes(void **state) {
    (void)state;
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        weir_runtime_options options = weir_runtime_options_default();
        options.isa = (weir_isa)isa;
        options.threads = 5; /* more than one row of a narrow table */
        weir_status status = weir_runtime_create(&options, &runtimes[count]);
        if (status == WEIR_OK)
            count++;
        else if (status != WEIR_ERROR_UNSUPPORTED || isa == WEIR_ISA_SCALAR)
            return -1;
    }
    return 0;
}

static int destroy_runtimes(void **state) {
    (void)state;
    for (int i = 0; i < count; i++) weir_runtime_destroy(runtimes[i]);
    return 0;
}

static void assert_refused(weir_status status, const char *message) {
    assert_int_equal(status, WEIR_ERROR_ARGUMENT);
    assert_string_equal(weir_last_error(), message);
}

static void test_embedding(void **state) {
    (void)state;
    const weir_embedding p = {.N = 2, .T = 3, .V = 4, .C = 2};
    const int32_t tokens[6] = {3, 0, 3, 2, 3, 0};
    const float table[8] = {1, -0.0f, 3, 4, 5, 6, 1e-40f, NAN};
    const float dy[12] = {1, 2, 10, 20, 100, 200, 3, 4, 30, 40, 300, 400};
    const float dtable[8] = {310, 420, 0, 0, 3, 4, 131, 242};
    for (int i = 0; i < count; i++) {
        float y[12], got[8];
        assert_int_equal(weir_embedding_fwd(runtimes[i], &p, tokens, table, y), WEIR_OK);
        for (int r = 0; r < 6; r++)
            assert_memory_equal(y + 2 * r, table + 2 * tokens[r], 2 * sizeof(float));
        assert_int_equal(weir_embedding_bwd(runtimes[i], &p, tokens, dy, got), WEIR_OK);
        assert_memory_equal(got, dtable, sizeof got);
    }
}

/* 2^24 takes up no 1: only in ascending order the ones before it count. The oracle rounds once. */
static void test_order(void **state) {
    (void)state;
    const weir_embedding p = {.N = 2, .T = 4, .V = 1, .C = 1};
    const int32_t tokens[8] = {0};
    const float dy[8] = {1, 1, 1, 1, 0x1p24f, 1, 1, -0x1p24f};
    for (int i = 1; i < count; i++) {
        float got[1];
        assert_int_equal(weir_embedding_bwd(runtimes[i], &p, tokens, dy, got), WEIR_OK);
        assert_true(got[0] == 4);
    }
}

/* table 1 and 10, w 1, 100, 10000: digits say which token met which weight. */
static void test_conv1d(void **state) {
    (void)state;
    static const struct {
        weir_padding padding;
        int t_out;
        float y[4];
    } cases[] = {{WEIR_VALID, 2, {11001, 100110}},
                 {WEIR_SAME, 4, {100100, 11001, 100110, 1001}},
                 {WEIR_CAUSAL, 4, {10000, 100100, 11001, 100110}}};
    const int32_t tokens[4] = {0, 1, 0, 1};
    const float table[3] = {1, 10, NAN}, w[3] = {1, 100, 10000}, b[1] = {0.5f};
    for (int i = 0; i < count; i++)
        for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
            const weir_embedding_conv1d p = {{1, 4, 3, 1}, 1, 3, cases[j].padding, WEIR_LINEAR};
            float y[4], product[9], again[4];
            assert_int_equal(weir_embedding_conv1d_t_out(&p), cases[j].t_out);
            assert_int_equal(weir_embedding_conv1d_fwd(runtimes[i], &p, tokens, table, w, b, y),
                             WEIR_OK);
            for (int t = 0; t < cases[j].t_out; t++) assert_true(y[t] == cases[j].y[t] + 0.5f);
            assert_int_equal(weir_embedding_conv1d_table(runtimes[i], &p, table, w, product),
                             WEIR_OK);
            assert_int_equal(
                weir_embedding_conv1d_apply(runtimes[i], &p, tokens, product, b, again), WEIR_OK);
            assert_memory_equal(y, again, (size_t)cases[j].t_out * sizeof(float));
        }
}

static void test_conv1d_bwd(void **state) {
    (void)state;
    const weir_embedding_conv1d p = {{1, 4, 3, 1}, 1, 3, WEIR_VALID, WEIR_RELU};
    const int32_t tokens[4] = {0, 1, 0, 1};
    const float table[3] = {1, 10, 7}, w[3] = {1, 100, 10000}, dy[2] = {2, 3};
    /* dP[0] = 2, 3 (tokens 0, 1), dP[1] = 3, 2 and dP[2] = 2, 3 */
    const float dtable[3] = {2 + 300 + 20000, 3 + 200 + 30000, 0};
    const float dw[3] = {2 + 30, 3 + 20, 2 + 30};
    for (int i = 0; i < count; i++) {
        float got[3], got_w[3], got_b[1];
        assert_int_equal(
            weir_embedding_conv1d_bwd(runtimes[i], &p, tokens, table, w, dy, got, got_w, got_b),
            WEIR_OK);
        assert_memory_equal(got, dtable, sizeof got);
        assert_memory_equal(got_w, dw, sizeof got_w);
        assert_true(got_b[0] == 5);
        assert_int_equal(
            weir_embedding_conv1d_bwd(runtimes[i], &p, tokens, table, w, dy, got, got_w, NULL),
            WEIR_OK);
    }
}

static void test_empty_batch(void **state) {
    (void)state;
    const weir_embedding p = {.N = 0, .T = 3, .V = 2, .C = 2};
    for (int i = 0; i < count; i++) {
        float dtable[4] = {1, 2, 3, 4};
        assert_int_equal(weir_embedding_fwd(runtimes[i], &p, NULL, NULL, NULL), WEIR_OK);
        assert_int_equal(weir_embedding_bwd(runtimes[i], &p, NULL, NULL, dtable), WEIR_OK);
        for (int j = 0; j < 4; j++) assert_true(dtable[j] == 0);
        const weir_embedding_conv1d q = {p, 1, 2, WEIR_VALID, WEIR_LINEAR};
        float dw[4] = {1, 2, 3, 4}, db[1] = {5};
        dtable[3] = 6;
        assert_int_equal(weir_embedding_conv1d_fwd(runtimes[i], &q, NULL, NULL, NULL, NULL, NULL),
                         WEIR_OK);
        assert_int_equal(
            weir_embedding_conv1d_bwd(runtimes[i], &q, NULL, NULL, NULL, NULL, dtable, dw, db),
            WEIR_OK);
        assert_true(dtable[3] == 0 && dw[0] == 0 && dw[3] == 0 && db[0] == 0);
    }
}

static void test_messages(void **state) {
    (void)state;
    weir_runtime *rt = runtimes[0];
    weir_embedding p = {.N = 2, .T = 2, .V = 3, .C = 1};
    int32_t tokens[4] = {0, 2, 1, 3};
    const float a[4] = {0};
    float y[4] = {7, 7, 7, 7};
    assert_refused(weir_embedding_fwd(rt, &p, tokens, a, y),
                   "embedding_fwd: tokens[1][1] is 3, accepted: 0 to 2");
    tokens[3] = 0, tokens[1] = -1;
    assert_refused(weir_embedding_bwd(rt, &p, tokens, a, y),
                   "embedding_bwd: tokens[0][1] is -1, accepted: 0 to 2");
    assert_true(y[0] == 7 && y[3] == 7);
    tokens[1] = 0;
    assert_refused(weir_embedding_fwd(rt, &p, NULL, a, y),
                   "embedding_fwd: tokens is NULL, accepted: a pointer to it");
    assert_refused(weir_embedding_fwd(rt, &p, tokens, NULL, y),
                   "embedding_fwd: table is NULL, accepted: a pointer to it");
    assert_refused(weir_embedding_bwd(rt, &p, tokens, a, NULL),
                   "embedding_bwd: dtable is NULL, accepted: a pointer to it");
    p.V = 0;
    assert_refused(weir_embedding_fwd(rt, &p, tokens, a, y),
                   "embedding_fwd: V is 0, accepted: 1 or more");
    p.V = 3, p.C = INT64_MAX / 8;
    assert_int_equal(weir_embedding_fwd(rt, &p, tokens, a, y), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), "embedding_fwd: table[V][C] has 3 x "));
}

static void test_conv1d_messages(void **state) {
    (void)state;
    weir_runtime *rt = runtimes[0];
    weir_embedding_conv1d p = {{1, 2, 3, 1}, 1, 3, WEIR_VALID, WEIR_LINEAR};
    const int32_t tokens[2] = {0, 3};
    float a[9] = {0};
    assert_int_equal(weir_embedding_conv1d_t_out(&p), 0);
    assert_refused(
        weir_embedding_conv1d_fwd(rt, &p, tokens, a, a, NULL, a),
        "embedding_conv1d_fwd: T is 2, accepted with padding valid: (K - 1) D + 1 = 3 or "
        "more");
    p.padding = WEIR_CAUSAL;
    assert_refused(weir_embedding_conv1d_fwd(rt, &p, tokens, a, a, NULL, a),
                   "embedding_conv1d_fwd: tokens[0][1] is 3, accepted: 0 to 2");
    assert_refused(weir_embedding_conv1d_bwd(rt, &p, tokens, a, a, a, a, a, NULL),
                   "embedding_conv1d_bwd: tokens[0][1] is 3, accepted: 0 to 2");
    assert_refused(weir_embedding_conv1d_apply(rt, &p, tokens, a, NULL, a),
                   "embedding_conv1d_apply: tokens[0][1] is 3, accepted: 0 to 2");
    assert_refused(weir_embedding_conv1d_table(rt, &p, a, a, NULL),
                   "embedding_conv1d_table: product is NULL, accepted: a pointer to it");
    p.C_out = 0;
    assert_refused(weir_embedding_conv1d_bwd(rt, &p, tokens, a, a, a, a, a, NULL),
                   "embedding_conv1d_bwd: C_out is 0, accepted: 1 or more");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedding),       cmocka_unit_test(test_order),
        cmocka_unit_test(test_empty_batch),     cmocka_unit_test(test_messages),
        cmocka_unit_test(test_conv1d),          cmocka_unit_test(test_conv1d_bwd),
        cmocka_unit_test(test_conv1d_messages),
    };
    return cmocka_run_group_tests_name("embedding", tests, create_runtimes, destroy_runtimes);
}

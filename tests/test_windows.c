/* Splits, normalisation, windows and batches. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "train/data/windows.h"

/* A series whose column c holds 10 row + c, target column 1; the caller frees its values. */
static series counting(int64_t rows, int64_t columns) {
    static char *names[] = {"a", "b", "c"};
    series s = {.rows = rows, .columns = columns, .target = 1, .names = names};
    s.values = malloc((size_t)(rows * columns) * sizeof *s.values);
    assert_non_null(s.values);
    for (int64_t i = 0; i < rows * columns; i++)
        s.values[i] = (float)(10 * (i / columns) + i % columns);
    return s;
}

static void expect_splits(int64_t rows, window_options o, const int64_t expected[6]) {
    series s = counting(rows, 2);
    windows w;
    if (windows_create(&s, &o, NULL, &w) != WEIR_OK) fail_msg("%s", weir_last_error());
    for (int i = 0; i < SPLIT_COUNT; i++) {
        assert_int_equal(w.first[i], expected[2 * i]);
        assert_int_equal(w.end[i], expected[2 * i + 1]);
        assert_int_equal(windows_count(&w, (split)i), expected[2 * i + 1] - expected[2 * i]);
    }
    windows_free(&w);
    windows_free(&w);
    free(s.values);
}

static void test_splits(void **state) {
    (void)state;
    const window_options book = {.lookback = 1440, .step = 6, .delay = 144};
    expect_splits(420551, book,
                  (int64_t[]){1440, 200000, 201441, 300000, 301441, 420551 - 144 - 1});
    /* A shorter file: the same proportions, and no row between the parts. */
    const window_options small = {.lookback = 10, .step = 1, .delay = 2};
    expect_splits(4206, small, (int64_t[]){10, 2000, 2010, 3000, 3010, 4203});
    /* Named numbers of rows; and only one of the two. */
    window_options named = small;
    named.train_rows = 100, named.val_rows = 50;
    expect_splits(4206, named, (int64_t[]){10, 100, 110, 150, 160, 4203});
    named.val_rows = 0;
    expect_splits(4206, named, (int64_t[]){10, 100, 110, 1100, 1110, 4203});
    named = book;
    /* The book's numbers, as a model file names them: the book's parts. */
    named.train_rows = 200000, named.val_rows = 100000;
    expect_splits(420551, named, (int64_t[]){1440, 200000, 201441, 300000, 301441, 420406});
    named.val_rows = 100001;
    expect_splits(420551, named, (int64_t[]){1440, 200000, 201440, 300001, 301441, 420406});
}

static void test_normalisation(void **state) {
    (void)state;
    series s = counting(100, 2);
    windows w;
    const window_options o = {4, 2, 3, 50, 20};
    assert_int_equal(windows_create(&s, &o, NULL, &w), WEIR_OK);
    /* Of 0, 10, .. 490: mean 245, population variance 100 (50^2 - 1) / 12. */
    assert_true(fabs(w.mean[0] - 245) < 1e-12);
    assert_true(fabs(w.mean[1] - 246) < 1e-12);
    assert_true(fabs(w.std[0] - 10 * sqrt((50.0 * 50 - 1) / 12)) < 1e-12);
    for (int64_t i = 0; i < 200; i++)
        assert_float_equal(w.values[i], (float)((s.values[i] - w.mean[i % 2]) / w.std[i % 2]), 0);
    windows_free(&w);

    const double mean_std[] = {1, 2, 4, 8};
    assert_int_equal(windows_create(&s, &o, mean_std, &w), WEIR_OK);
    assert_float_equal(w.values[2], (10 - 1) / 4.0, 0);
    assert_float_equal(w.values[3], (11 - 2) / 8.0, 0);
    windows_free(&w);
    free(s.values);
}

static void test_fill(void **state) {
    (void)state;
    series s = counting(100, 3);
    const double plain[] = {0, 0, 0, 1, 1, 1};
    for (int64_t step = 1; step <= 3; step++) {
        windows w;
        const window_options o = {6 * step, step, 5, 41, 28};
        if (windows_create(&s, &o, plain, &w) != WEIR_OK) fail_msg("%s", weir_last_error());
        assert_int_equal(w.steps, 6);
        const int64_t r[] = {40, 6 * step};
        float x[2][6][3], target[2];
        windows_fill(&w, r, 2, &x[0][0][0], target);
        for (int n = 0; n < 2; n++) {
            assert_true(target[n] == (float)(10 * (r[n] + 5) + 1));
            for (int t = 0; t < 6; t++)
                for (int c = 0; c < 3; c++)
                    assert_true(x[n][t][c] == (float)(10 * (r[n] + (t - 6) * step) + c));
        }
        windows_free(&w);
    }
    free(s.values);
}

static void test_training_rows(void **state) {
    (void)state;
    enum { N = 128, BATCHES = 400 };
    series s = counting(1000, 2);
    windows w;
    const window_options o = {10, 1, 3, 510, 200};
    assert_int_equal(windows_create(&s, &o, NULL, &w), WEIR_OK);
    int64_t r[N], again[N], count[1000] = {0};
    for (int64_t index = 0; index < BATCHES; index++) {
        windows_train_rows(&w, 42, index, N, r);
        for (int i = 0; i < N; i++) {
            assert_in_range(r[i], 10, 509);
            count[r[i]]++;
        }
    }
    /* Uniform: chi-square of 499 degrees of freedom, mean 499, deviation 31.6; 6 deviations. */
    double chi = 0;
    const double expected = (double)N * BATCHES / 500;
    for (int i = 10; i < 510; i++) chi += pow((double)count[i] - expected, 2) / expected;
    assert_true(chi > 499 - 6 * 31.6 && chi < 499 + 6 * 31.6);
    /* A function of seed, batch and position alone. */
    windows_train_rows(&w, 42, BATCHES - 1, 5, again);
    assert_memory_equal(r, again, 5 * sizeof *r);
    windows_train_rows(&w, 42, 3, N, again);
    assert_memory_not_equal(r, again, sizeof r);
    windows_train_rows(&w, 43, BATCHES - 1, N, again);
    assert_memory_not_equal(r, again, sizeof r);
    windows_free(&w);
    free(s.values);
}

static void refused(window_options o, const double *mean_std, const char *message) {
    series s = counting(1000, 2);
    windows w;
    assert_int_equal(windows_create(&s, &o, mean_std, &w), WEIR_ERROR_ARGUMENT);
    if (strstr(weir_last_error(), message) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", weir_last_error(), message);
    assert_null(w.values);
    free(s.values);
}

static void test_bad_options(void **state) {
    (void)state;
    refused((window_options){0, 1, 1, 0, 0}, NULL, "lookback is 0");
    refused((window_options){1000, 1, 1, 0, 0}, NULL, "less than the 1000 rows");
    refused((window_options){INT64_MAX, 1, 1, 0, 0}, NULL, "lookback is 9223372036854775807");
    refused((window_options){10, 0, 1, 0, 0}, NULL, "step is 0, accepted: a divisor of");
    refused((window_options){10, 3, 1, 0, 0}, NULL, "lookback 10");
    refused((window_options){10, 1, -1, 0, 0}, NULL, "delay is -1");
    refused((window_options){10, 1, INT64_MAX, 0, 0}, NULL, "delay is 9223372036854775807");
    refused((window_options){10, 1, 1, -1, 0}, NULL, "-1 and 0, accepted");
    refused((window_options){10, 1, 1, INT64_MAX, INT64_MAX}, NULL, "rows are 9223372036");
    refused((window_options){10, 1, 1, 600, 500}, NULL, "600 training and 500 validation rows");
    refused((window_options){10, 1, 1, 10, 500}, NULL, "no training window fits: 10 of the 1000");
    refused((window_options){10, 1, 1, 500, 10}, NULL, "no validation window fits");
    refused((window_options){10, 1, 20, 500, 469}, NULL,
            "no test window fits: 31 of the 1000 rows are for test, accepted: 32 or more");
    windows w;
    series s = counting(1000, 2);
    assert_int_equal(windows_create(&s, &(window_options){10, 1, 20, 500, 468}, NULL, &w), WEIR_OK);
    assert_int_equal(windows_count(&w, SPLIT_TEST), 1);
    windows_free(&w);
    free(s.values);
}

static void test_columns_that_cannot_be_normalised(void **state) {
    (void)state;
    series s = counting(1000, 2);
    windows w;
    const window_options o = {10, 1, 1, 500, 200};
    for (int64_t row = 0; row < 500; row++) s.values[2 * row] = 0.1f;
    assert_int_equal(windows_create(&s, &o, NULL, &w), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), "column \"a\" is 0.1 in all 500 training rows"));
    free(s.values);
    refused(o, (double[]){0, 0, 1, 0}, "of column \"b\" are 0 and 0");
    refused(o, (double[]){0, NAN, 1, 1}, "of column \"b\" are nan and 1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_normalisation),
        cmocka_unit_test(test_fill),
        cmocka_unit_test(test_training_rows),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_columns_that_cannot_be_normalised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

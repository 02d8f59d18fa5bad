/* Sums of gradients over leaves, on plans of several NUMA nodes. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/driver.h"

enum { MOST_LEAVES = 37, MOST_FLOATS = 5000 };

static float leaf[MOST_LEAVES][MOST_FLOATS], sums[MOST_LEAVES][MOST_FLOATS];

static void fill(void) {
    uint32_t seed = 1;
    for (int l = 0; l < MOST_LEAVES; l++)
        for (int i = 0; i < MOST_FLOATS; i++) {
            seed = seed * 1664525 + 1013904223;
            leaf[l][i] = (float)(int32_t)seed * 0x1p-31F;
        }
}

/* The definition, recursively: the sum of leaves [first, first + count), count a power of two. */
static float expected(int i, int first, int count, int leaves) {
    if (count == 1) return leaf[first][i];
    const float low = expected(i, first, count / 2, leaves);
    const int middle = first + count / 2;
    return middle < leaves ? low + expected(i, middle, count / 2, leaves) : low;
}

static void check(weir_runtime *runtime, int leaves, int floats) {
    float *others = malloc(sizeof sums);
    assert_non_null(others);
    memcpy(sums, leaf, sizeof sums);
    for (int l = 1; l < leaves; l++)
        memcpy(others + (size_t)(l - 1) * (size_t)floats, leaf[l], (size_t)floats * sizeof(float));
    assert_int_equal(weir_tree_sum(runtime, leaves, sums[0], others, floats), WEIR_OK);
    for (int i = 0; i < floats; i++)
        assert_true(sums[0][i] == expected(i, 0, 64, leaves)); /* the same bits: no sum is NaN */
    free(others);
}

static void test_tree(void **state) {
    (void)state;
    static const struct {
        const char *machine;
        int threads, homes;
    } plans[] = {{"node:1 core:8 pu:1", 4, 1},
                 {"node:2 core:4 pu:1", 4, 2},
                 {"node:3 core:1 pu:1", 3, 3},
                 {"node:4 core:2 pu:1", 8, 4},
                 {"node:8 core:1 pu:1", 8, 8}};
    fill();
    for (size_t p = 0; p < sizeof plans / sizeof *plans; p++) {
        setenv("HWLOC_SYNTHETIC", plans[p].machine, 1);
        weir_runtime_options options = weir_runtime_options_default();
        options.threads = plans[p].threads;
        options.bind = WEIR_BIND_SPREAD;
        weir_runtime *runtime;
        assert_int_equal(weir_runtime_create(&options, &runtime), WEIR_OK);
        assert_int_equal(weir_runtime_homes(runtime), plans[p].homes);
        for (int leaves = 1; leaves <= MOST_LEAVES; leaves++) check(runtime, leaves, 67);
        check(runtime, 16, MOST_FLOATS);
        check(runtime, 32, 1);
        weir_runtime_destroy(runtime);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tree)};
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}

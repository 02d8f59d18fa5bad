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

static weir_runtime *create(const char *machine, int threads) {
    setenv("HWLOC_SYNTHETIC", machine, 1);
    weir_runtime_options options = weir_runtime_options_default();
    options.threads = threads;
    options.bind = WEIR_BIND_SPREAD;
    weir_runtime *runtime;
    assert_int_equal(weir_runtime_create(&options, &runtime), WEIR_OK);
    return runtime;
}

/* Subtrees that lie on one node, as "leaves x subtrees" from the first leaf on. */
static void test_subtrees(void **state) {
    (void)state;
    static const struct {
        const char *machine;
        int threads, leaves, subtrees[12]; /* sizes, 0 ends them */
    } cases[] = {{"node:1 core:4 pu:1", 4, 32, {1}},
                 {"node:2 core:4 pu:1", 8, 32, {16, 16}},
                 {"node:2 core:4 pu:1", 8, 31, {16, 16}}, /* the last has 15 leaves */
                 {"node:4 core:2 pu:1", 8, 16, {4, 4, 4, 4}},
                 {"node:4 core:2 pu:1", 8, 4, {1, 1, 1, 1}},
                 {"node:2 core:2 pu:1", 3, 32, {16, 8, 8}}, /* 0-23, 24-31 */
                 {"node:3 core:1 pu:1", 3, 32, {8, 4, 4, 8, 8}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_runtime *runtime = create(cases[i].machine, cases[i].threads);
        int subtree[MOST_LEAVES];
        weir_tree_subtrees(runtime, cases[i].leaves, subtree);
        const int *size = cases[i].subtrees;
        for (int l = 0; l < cases[i].leaves; l += subtree[l]) {
            assert_int_equal(subtree[l], *size);
            if (size[1] != 0) size++;
        }
        weir_runtime_destroy(runtime);
    }
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
        weir_runtime *runtime = create(plans[p].machine, plans[p].threads);
        assert_int_equal(weir_runtime_homes(runtime), plans[p].homes);
        for (int leaves = 1; leaves <= MOST_LEAVES; leaves++) check(runtime, leaves, 67);
        for (int leaves = 28; leaves <= MOST_LEAVES; leaves++) check(runtime, leaves, MOST_FLOATS);
        check(runtime, 32, 1);
        weir_runtime_destroy(runtime);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_subtrees),
                                       cmocka_unit_test(test_tree)};
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}

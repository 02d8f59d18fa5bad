/* GRU: a hand-computed step, gradients by differences, instruction sets against each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/driver.h"
#include "tests/cell_case.h"

/*
 * One unit, one channel: x 1, h0 0.5; z pre 0.5 + 0.5 = 1, so z = 0.7; r pre -1 + 1 + 0.5, r = 0.6.
 * Before: c = 2 + 0.1 + 0.3 = 2.4, h = 0.35 + 0.3 c. After: c = 2 + 0.1 + 0.6 (0.5 + 0.2) = 2.52.
 */
static void test_by_hand(void **state) {
    (void)state;
    const float w[3] = {0.5f, -1, 2}, u[3] = {1, 2, 1}, b[6] = {0, 0.5f, 0.1f, 0, 0, 0.2f};
    const double y[2] = {1.07, 1.106};
    const double dx[2] = {0.38, 0.356}, dh0[2] = {0.56, 0.56}, du[3] = {-0.19, 0.015, 0.09};
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        for (int after = 0; cell_runtimes[isa] && after < 2; after++) {
            cell_case g = cell_new(CELL_GRU,
                                   (weir_gru){.N = 1,
                                              .T = 1,
                                              .C_in = 1,
                                              .H = 1,
                                              .activation = WEIR_RELU,
                                              .recurrent = WEIR_HARD_SIGMOID,
                                              .reset_after = after},
                                   false, 1);
            memcpy(g.v[W], w, sizeof w);
            memcpy(g.v[U], u, sizeof u);
            memcpy(g.v[B], b, (after ? 6 : 3) * sizeof *b);
            g.v[X][0] = 1;
            g.v[H0][0] = 0.5f;
            g.v[DY][0] = 1;
            cell_forward(&g, (weir_isa)isa);
            assert_near(g.v[Y][0], y[after], 4e-7);
            cell_backward(&g, (weir_isa)isa);
            assert_near(g.v[DX][0], dx[after], 4e-7);
            assert_near(g.v[DH0][0], dh0[after], 4e-7);
            for (int i = 0; !after && i < 3; i++) assert_near(g.v[DU][i], du[i], 4e-7);
            cell_free(&g);
        }
    }
}

/* Steps that are passed over, at the beginning, in the middle and at the end, might as well not be
 * there: the same bits, whatever x holds at them. */
static void test_passed_over(void **state) {
    (void)state;
    static const uint8_t steps[5] = {0, 1, 0, 1, 0};
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        for (int after = 0; cell_runtimes[isa] && after < 2; after++) {
            weir_gru p = {.N = 1, .T = 5, .C_in = 1, .H = 3, .activation = WEIR_TANH};
            p.recurrent = WEIR_SIGMOID;
            p.reset_after = after;
            cell_case long_one = cell_new(CELL_GRU, p, true, 7);
            p.T = 2;
            cell_case short_one = cell_new(CELL_GRU, p, false, 7);
            for (int i = 0; i < TENSORS; i++)
                if (i != X && i != RESERVE && i != DX)
                    memcpy(short_one.v[i], long_one.v[i], (size_t)long_one.n[i] * sizeof(float));
            memcpy(long_one.step_mask, steps, sizeof steps);
            for (int t = 0; t < 5; t++) long_one.v[X][t] = steps[t] ? short_one.v[X][t / 2] : NAN;
            cell_forward(&long_one, (weir_isa)isa);
            cell_forward(&short_one, (weir_isa)isa);
            cell_backward(&long_one, (weir_isa)isa);
            cell_backward(&short_one, (weir_isa)isa);
            static const int same[] = {Y, DH0, DW, DU, DB};
            for (int i = 0; i < 5; i++)
                assert_memory_equal(long_one.v[same[i]], short_one.v[same[i]],
                                    (size_t)short_one.n[same[i]] * sizeof(float));
            for (int t = 0; t < 5; t++)
                assert_true(long_one.v[DX][t] == (steps[t] ? short_one.v[DX][t / 2] : 0.0f));
            cell_free(&long_one);
            cell_free(&short_one);
        }
    }
}

/* All options in turn, by the digits of `options`. */
static weir_gru options_gru(int options, int64_t N, int64_t T, int64_t C_in, int64_t H) {
    static const weir_activation recurrent[3] = {WEIR_SIGMOID, WEIR_HARD_SIGMOID,
                                                 WEIR_HARD_SIGMOID6};
    static const int masks[3] = {0, 1, 3};
    return (weir_gru){.N = N,
                      .T = T,
                      .C_in = C_in,
                      .H = H,
                      .reset_after = options & 1,
                      .go_backwards = options & 2,
                      .return_sequences = options & 4,
                      .activation = options & 8 ? WEIR_RELU : WEIR_TANH,
                      .recurrent = recurrent[options / 16 % 3],
                      .mask_gates = masks[options / 48 % 3]};
}

static bool options_steps(int options) { return options / 144 % 2; }

enum { OPTIONS = 288 };

/* Small weights and the candidate's bias keep the hard sigmoids and relu away from their corners,
 * relu on either side. */
static void test_gradients(void **state) {
    (void)state;
    for (int options = 0; options < OPTIONS; options++) {
        cell_case g = cell_new(CELL_GRU, options_gru(options, 2, 3, 2, 3), options_steps(options),
                               (uint32_t)options);
        for (int k = 0; g.p.activation == WEIR_RELU && k < 3; k++)
            g.v[B][6 + k] = k % 2 ? -2.0f : 2.0f;
        for (int64_t k = 0; k < g.n[W]; k++) g.v[W][k] *= 0.25f;
        for (int64_t k = 0; k < g.n[U]; k++) g.v[U][k] *= 0.25f;
        cell_check_gradients(&g);
        cell_free(&g);
    }
}

static void test_instruction_sets(void **state) {
    (void)state;
    static const int64_t shapes[][4] = {{1, 1, 1, 1},   {2, 3, 5, 7},   {7, 5, 14, 32},
                                        {27, 4, 3, 17}, {40, 3, 33, 8}, {13, 140, 2, 5},
                                        {3, 2, 70, 65}};
    for (int options = 0; options < OPTIONS; options++) {
        const int64_t *s = shapes[options % 7];
        cell_check_isas(CELL_GRU, options_gru(options, s[0], s[1], s[2], s[3]),
                        options_steps(options), (uint32_t)options);
    }
    for (int shape = 0; shape < 7; shape++) {
        const int64_t *s = shapes[shape];
        cell_check_isas(CELL_GRU, options_gru(101 + shape, s[0], s[1], s[2], s[3]), false, 5);
        cell_check_isas(CELL_GRU, options_gru(shape * 6, s[0], s[1], s[2], s[3]), true, 6);
    }
}

static void test_arguments(void **state) {
    (void)state;
    cell_case g = cell_new(CELL_GRU, options_gru(0, 2, 3, 4, 5), false, 1), ok = g;
    g.p.T = 0;
    cell_check_refused(&g, "T is 0");
    g.p = ok.p;
    g.p.H = -3;
    cell_check_refused(&g, "H is -3");
    g.p = ok.p;
    g.p.activation = WEIR_SIGMOID;
    cell_check_refused(&g, "activation is 3");
    g.p = ok.p;
    g.p.recurrent = WEIR_RELU;
    cell_check_refused(&g, "recurrent is 1");
    g.p = ok.p;
    g.p.mask_gates = 2;
    cell_check_refused(&g, "mask_gates is 2");
    g.p = ok.p;
    g.p.N = INT64_MAX / 8;
    cell_check_refused(&g, "floats");
    cell_free(&ok);
}

static void test_sums_beyond_memory(void **state) {
    (void)state;
    assert_int_equal(weir_add_floats(1, 2, 3), 7);
    assert_int_equal(weir_add_floats(INT64_C(1) << 61, 1, 1), INT64_MAX);
    assert_int_equal(weir_add_floats(0, INT64_C(1) << 40, INT64_C(1) << 40), INT64_MAX);
}

static void test_scratch_beyond_memory(void **state) {
    (void)state;
    cell_check_memory(CELL_GRU, WEIR_GRU_SIZE_MAX, "gru_bwd: no memory for scratch");
}

static void test_empty_batch(void **state) {
    (void)state;
    cell_check_empty(CELL_GRU, options_gru(1, 2, 3, 4, 5));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_passed_over),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_sums_beyond_memory),
        cmocka_unit_test(test_scratch_beyond_memory),
        cmocka_unit_test(test_empty_batch),
    };
    return cmocka_run_group_tests_name("gru", tests, cell_runtimes_create, cell_runtimes_destroy);
}

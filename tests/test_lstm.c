/* LSTM: a hand-computed step, gradients by differences, instruction sets against each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cell_case.h"

/*
 * One unit, one channel, relu and hard sigmoid; x 1, h0 0.5, c0 2. Before the activations:
 * i 0.5 + 0.5 = 1, so i = 0.7; f -1 + 1 + 0.5 = 0.5, f = 0.6; o -0.5 - 0.5 + 0 = -1, o = 0.3;
 * g = 2 + 0.5 + 0.5 = 3. c = 1.2 + 2.1 = 3.3, h = 0.99.
 * From dy = 1: do = 3.3 0.2 = 0.66, dc = 0.3, di = 0.3 3 0.2 = 0.18, df = 0.3 2 0.2 = 0.12,
 * dg = 0.3 0.7 = 0.21; dc0 = 0.18; dx = 0.18 0.5 - 0.12 + 0.42 - 0.33 = 0.06,
 * dh0 = 0.18 + 0.24 + 0.21 - 0.66 = -0.03.
 */
static void test_by_hand(void **state) {
    (void)state;
    const float w[4] = {0.5f, -1, 2, -0.5f}, u[4] = {1, 2, 1, -1}, b[4] = {0, 0.5f, 0.5f, 0};
    const double d[4] = {0.18, 0.12, 0.21, 0.66};
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        if (!cell_runtimes[isa]) continue;
        cell_case g = cell_new(CELL_LSTM,
                               (weir_gru){.N = 1,
                                          .T = 1,
                                          .C_in = 1,
                                          .H = 1,
                                          .activation = WEIR_RELU,
                                          .recurrent = WEIR_HARD_SIGMOID},
                               false, 1);
        memcpy(g.v[W], w, sizeof w);
        memcpy(g.v[U], u, sizeof u);
        memcpy(g.v[B], b, sizeof b);
        g.v[X][0] = 1;
        g.v[H0][0] = 0.5f;
        g.v[C0][0] = 2;
        g.v[DY][0] = 1;
        cell_forward(&g, (weir_isa)isa);
        assert_near(g.v[Y][0], 0.99, 4e-7);
        assert_near(g.v[C_LAST][0], 3.3, 4e-7);
        cell_backward(&g, (weir_isa)isa);
        assert_near(g.v[DX][0], 0.06, 4e-7);
        assert_near(g.v[DH0][0], -0.03, 4e-7);
        assert_near(g.v[DC0][0], 0.18, 4e-7);
        for (int i = 0; i < 4; i++) {
            assert_near(g.v[DW][i], d[i], 4e-7);
            assert_near(g.v[DU][i], 0.5 * d[i], 4e-7);
            assert_near(g.v[DB][i], d[i], 4e-7);
        }
        cell_free(&g);
    }
}

/* Padding in front, as text has it: the states start at the first word, and a NaN in the padding
 * reaches nothing. */
static void test_padding(void **state) {
    (void)state;
    enum { T = 6, PADDING = 4 };
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        if (!cell_runtimes[isa]) continue;
        weir_gru p = {.N = 1, .T = T, .C_in = 3, .H = 5, .return_sequences = true};
        p.activation = WEIR_TANH, p.recurrent = WEIR_SIGMOID;
        weir_gru p_short = p;
        p_short.T = T - PADDING;
        cell_case g = cell_new(CELL_LSTM, p, true, 1),
                  word = cell_new(CELL_LSTM, p_short, false, 1);
        for (int t = 0; t < T; t++) g.step_mask[t] = t >= PADDING;
        for (int64_t i = 0; i < PADDING * p.C_in; i++) g.v[X][i] = NAN;
        memcpy(word.v[X], g.v[X] + PADDING * p.C_in, (size_t)word.n[X] * sizeof(float));
        memcpy(word.v[DY], g.v[DY] + PADDING * p.H, (size_t)word.n[DY] * sizeof(float));
        for (int i = W; i <= C0; i++) memcpy(word.v[i], g.v[i], (size_t)g.n[i] * sizeof(float));
        memset(g.v[DY], 0, PADDING * (size_t)p.H * sizeof(float));
        cell_forward(&g, (weir_isa)isa);
        cell_forward(&word, (weir_isa)isa);
        for (int t = 0; t < PADDING; t++)
            assert_memory_equal(g.v[Y] + t * p.H, g.v[H0], (size_t)p.H * sizeof(float));
        assert_memory_equal(g.v[Y] + PADDING * p.H, word.v[Y], (size_t)word.n[Y] * sizeof(float));
        cell_backward(&g, (weir_isa)isa);
        cell_backward(&word, (weir_isa)isa);
        for (int64_t i = 0; i < PADDING * p.C_in; i++) assert_true(g.v[DX][i] == 0);
        for (int i = DH0; i <= DB; i++)
            assert_memory_equal(g.v[i], word.v[i], (size_t)g.n[i] * sizeof(float));
        cell_free(&g);
        cell_free(&word);
    }
}

/* All options in turn, by the digits of `options`. */
static weir_gru options_lstm(int options, int64_t N, int64_t T, int64_t C_in, int64_t H) {
    static const weir_activation recurrent[3] = {WEIR_SIGMOID, WEIR_HARD_SIGMOID,
                                                 WEIR_HARD_SIGMOID6};
    static const int masks[3] = {0, 1, 4};
    return (weir_gru){.N = N,
                      .T = T,
                      .C_in = C_in,
                      .H = H,
                      .go_backwards = options & 2,
                      .return_sequences = options & 4,
                      .activation = options & 8 ? WEIR_RELU : WEIR_TANH,
                      .recurrent = recurrent[options / 16 % 3],
                      .mask_gates = masks[options / 48 % 3]};
}

enum { OPTIONS = 144 };

static bool options_steps(int options) { return options & 1; }

/* Small weights, the biases of f and g and a c0 far from 0 keep the hard sigmoids and relu away from
 * their corners. */
static void test_gradients(void **state) {
    (void)state;
    for (int options = 0; options < OPTIONS; options++) {
        cell_case g = cell_new(CELL_LSTM, options_lstm(options, 2, 3, 2, 3), options_steps(options),
                               (uint32_t)options);
        for (int k = 0; g.p.activation == WEIR_RELU && k < 3; k++)
            g.v[B][3 + k] = g.v[B][6 + k] = 1.0f;
        for (int64_t k = 0; g.p.activation == WEIR_RELU && k < g.n[C0]; k++)
            g.v[C0][k] = k % 2 ? -30.0f : 0.5f;
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
        cell_check_isas(CELL_LSTM, options_lstm(options, s[0], s[1], s[2], s[3]),
                        options_steps(options), (uint32_t)options);
    }
    for (int shape = 0; shape < 7; shape++) {
        const int64_t *s = shapes[shape];
        cell_check_isas(CELL_LSTM, options_lstm(101 + shape, s[0], s[1], s[2], s[3]),
                        options_steps(101 + shape), 5);
        cell_check_isas(CELL_LSTM, options_lstm(shape * 6, s[0], s[1], s[2], s[3]), false, 6);
    }
}

static void test_arguments(void **state) {
    (void)state;
    cell_case g = cell_new(CELL_LSTM, options_lstm(0, 2, 3, 4, 5), false, 1), ok = g;
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
    g.p.mask_gates = 3;
    cell_check_refused(&g, "mask_gates is 3");
    g.p = ok.p;
    g.p.N = INT64_MAX / 8;
    cell_check_refused(&g, "floats");
    cell_free(&ok);
}

static void test_scratch_beyond_memory(void **state) {
    (void)state;
    cell_check_memory(CELL_LSTM, WEIR_LSTM_SIZE_MAX, "lstm_bwd: no memory for scratch");
}

static void test_empty_batch(void **state) {
    (void)state;
    cell_check_empty(CELL_LSTM, options_lstm(1, 2, 3, 4, 5));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),     cmocka_unit_test(test_padding),
        cmocka_unit_test(test_gradients),   cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_arguments),   cmocka_unit_test(test_scratch_beyond_memory),
        cmocka_unit_test(test_empty_batch),
    };
    return cmocka_run_group_tests_name("lstm", tests, cell_runtimes_create, cell_runtimes_destroy);
}

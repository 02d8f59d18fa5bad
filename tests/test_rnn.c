/* SimpleRNN: hand-computed steps, gradients by differences, instruction sets against each other.
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
 * One unit, one channel, linear: h = 1/2 x + 1/4 h - 1/4 with x = 1, 3, 5 and h0 = 2, the second
 * step passed over: h = 3/4, 3/4, 39/16. From dy = 1 on the last step: da = 1 there, 0, 1/4;
 * dx = da / 2; dh0 = 1/16; dw = 5 + 1/4; du = 3/4 + 2/4; db = 5/4.
 */
static void test_by_hand(void **state) {
    (void)state;
    static const float x[3] = {1, 3, 5}, dx[3] = {0.125f, 0, 0.5f};
    static const uint8_t steps[3] = {1, 0, 1};
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        if (!cell_runtimes[isa]) continue;
        cell_case g = cell_new(CELL_RNN, (weir_gru){.N = 1, .T = 3, .C_in = 1, .H = 1}, true, 1);
        memcpy(g.v[X], x, sizeof x);
        memcpy(g.step_mask, steps, sizeof steps);
        *g.v[W] = 0.5f, *g.v[U] = 0.25f, *g.v[B] = -0.25f, *g.v[H0] = 2, *g.v[DY] = 1;
        g.v[X][1] = NAN; /* nobody looks at it */
        cell_forward(&g, (weir_isa)isa);
        assert_near(*g.v[Y], 39.0 / 16, 0);
        cell_backward(&g, (weir_isa)isa);
        for (int i = 0; i < 3; i++) assert_near(g.v[DX][i], (double)dx[i], 0);
        assert_near(*g.v[DH0], 1.0 / 16, 0);
        assert_near(*g.v[DW], 5.25, 0);
        assert_near(*g.v[DU], 1.25, 0);
        assert_near(*g.v[DB], 1.25, 0);
        cell_free(&g);
    }
}

/* All options in turn, by the digits of `options`. */
static weir_gru options_rnn(int options, int64_t N, int64_t T, int64_t C_in, int64_t H) {
    static const weir_activation activation[4] = {WEIR_TANH, WEIR_LINEAR, WEIR_RELU, WEIR_SIGMOID};
    return (weir_gru){.N = N,
                      .T = T,
                      .C_in = C_in,
                      .H = H,
                      .go_backwards = options & 1,
                      .return_sequences = options & 2,
                      .mask_gates = options / 4 % 2,
                      .activation = activation[options / 16 % 4]};
}
static bool options_steps(int options) { return options / 8 % 2; }

enum { OPTIONS = 64 };

/* Small weights and the bias keep relu away from its corner, on either side. */
static void test_gradients(void **state) {
    (void)state;
    for (int options = 0; options < OPTIONS; options++) {
        cell_case g = cell_new(CELL_RNN, options_rnn(options, 2, 4, 2, 3), options_steps(options),
                               (uint32_t)options);
        for (int k = 0; g.p.activation == WEIR_RELU && k < 3; k++) g.v[B][k] = k % 2 ? -2.0f : 2.0f;
        for (int64_t k = 0; k < g.n[W]; k++) g.v[W][k] *= 0.25f;
        for (int64_t k = 0; k < g.n[U]; k++) g.v[U][k] *= 0.25f;
        cell_check_gradients(&g);
        cell_free(&g);
    }
}

static void test_instruction_sets(void **state) {
    (void)state;
    static const int64_t shapes[][4] = {{1, 1, 1, 1},   {2, 3, 5, 7},    {7, 5, 14, 32},
                                        {27, 4, 3, 17}, {40, 3, 33, 8},  {13, 140, 2, 5},
                                        {3, 2, 70, 65}, {1, 500, 32, 32}};
    for (int options = 0; options < OPTIONS; options++)
        for (int shape = options % 2; shape < 8; shape += 2) {
            const int64_t *s = shapes[shape];
            cell_check_isas(CELL_RNN, options_rnn(options, s[0], s[1], s[2], s[3]),
                            options_steps(options), (uint32_t)options);
        }
}

static void test_arguments(void **state) {
    (void)state;
    cell_case g = cell_new(CELL_RNN, options_rnn(0, 2, 3, 4, 5), false, 1), ok = g;
    g.p.T = 0;
    cell_check_refused(&g, "T is 0");
    g.p = ok.p;
    g.p.H = -3;
    cell_check_refused(&g, "H is -3");
    g.p = ok.p;
    g.p.activation = WEIR_HARD_SIGMOID;
    cell_check_refused(&g, "activation is 4");
    g.p = ok.p;
    g.p.mask_gates = 3;
    cell_check_refused(&g, "mask_gates is 3");
    g.p = ok.p;
    g.p.N = INT64_MAX / 8;
    cell_check_refused(&g, "floats");
    const weir_rnn p = {.N = 2, .T = 3, .C_in = 4, .H = 5, .activation = WEIR_TANH};
    const weir_rnn_tensors t = {
        .x = ok.v[X], .w = ok.v[W], .u = ok.v[U], .b = ok.v[B], .mask_h = ok.v[H0]};
    assert_int_equal(weir_rnn_fwd(cell_runtimes[0], &p, &t, ok.v[Y], NULL), WEIR_ERROR_ARGUMENT);
    assert_non_null(
        strstr(weir_last_error(), "mask_gates is 0 but a mask is given, accepted: 1 with"));
    cell_free(&ok);
}

static void test_scratch_beyond_memory(void **state) {
    (void)state;
    cell_check_memory(CELL_RNN, WEIR_RNN_SIZE_MAX, "rnn_bwd: no memory for scratch");
}

static void test_empty_batch(void **state) {
    (void)state;
    cell_check_empty(CELL_RNN, options_rnn(1, 2, 3, 4, 5));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_scratch_beyond_memory),
        cmocka_unit_test(test_empty_batch),
    };
    return cmocka_run_group_tests_name("rnn", tests, cell_runtimes_create, cell_runtimes_destroy);
}

/* LSTM: a hand-computed step, gradients by differences, instruction sets against each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/runtime.h"
#include "weir/weir.h"

static weir_runtime *runtimes[WEIR_ISA_COUNT]; /* NULL: not available here */

static int create_runtimes(void **state) {
    (void)state;
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        weir_runtime_options options = weir_runtime_options_default();
        options.isa = (weir_isa)isa;
        options.threads = isa % 2 + 1;
        weir_status status = weir_runtime_create(&options, &runtimes[isa]);
        if (status && status != WEIR_ERROR_UNSUPPORTED) return -1;
    }
    return runtimes[WEIR_ISA_SCALAR] ? 0 : -1;
}

static int destroy_runtimes(void **state) {
    (void)state;
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) weir_runtime_destroy(runtimes[isa]);
    return 0;
}

/* Every tensor of one LSTM, one block each; sizes in floats. */
enum { X, W, U, B, H0, C0, MASK_X, MASK_H, INPUTS };
enum { Y = INPUTS, C_LAST, RESERVE, DY, DX, DH0, DC0, DW, DU, DB, TENSORS };

typedef struct lstm {
    weir_lstm p;
    int64_t n[TENSORS];
    float *v[TENSORS];
    uint8_t *step_mask; /* or NULL */
} lstm;

static uint32_t random_state;

static float uniform(float low, float high) {
    random_state = random_state * 1664525u + 1013904223u;
    return low + (high - low) * (float)(random_state >> 8) * 0x1p-24f;
}

static lstm lstm_new(weir_lstm p, uint32_t seed) {
    int64_t y = p.N * (p.return_sequences ? p.T : 1) * p.H, state = p.N * p.H, b = 4 * p.H;
    int64_t x = p.N * p.T * p.C_in, w = p.C_in * 4 * p.H, u = p.H * 4 * p.H;
    lstm g = {.p = p,
              .n = {x, w, u, b, state, state, p.N * p.mask_gates * p.C_in, p.N * p.mask_gates * p.H,
                    y, state, weir_lstm_reserve_floats(&p), y, x, state, state, w, u, b}};
    random_state = seed;
    for (int i = 0; i < TENSORS; i++) {
        g.v[i] = malloc((size_t)(g.n[i] + 1) * sizeof(float));
        assert_non_null(g.v[i]);
        float scale = i == W || i == U ? 1.0f / sqrtf((float)(p.C_in + p.H)) : 1.0f;
        for (int64_t k = 0; k < g.n[i]; k++) {
            bool mask = i == MASK_X || i == MASK_H;
            g.v[i][k] = mask ? (uniform(0, 1) < 0.4f ? 0.0f : 1.0f / 0.6f) : uniform(-scale, scale);
        }
    }
    return g;
}

/* Passes over a third of the steps. */
static void step_mask_new(lstm *g) {
    g->step_mask = malloc((size_t)(g->p.N * g->p.T + 1));
    assert_non_null(g->step_mask);
    for (int64_t i = 0; i < g->p.N * g->p.T; i++) g->step_mask[i] = uniform(0, 1) < 0.67f;
}

static void lstm_free(lstm *g) {
    free(g->step_mask);
    for (int i = 0; i < TENSORS; i++) free(g->v[i]);
}

static weir_lstm_tensors tensors(const lstm *g) {
    bool masks = g->p.mask_gates > 0;
    return (weir_lstm_tensors){.x = g->v[X],
                               .w = g->v[W],
                               .u = g->v[U],
                               .b = g->v[B],
                               .h0 = g->v[H0],
                               .c0 = g->v[C0],
                               .mask_x = masks ? g->v[MASK_X] : NULL,
                               .mask_h = masks ? g->v[MASK_H] : NULL,
                               .step_mask = g->step_mask};
}

static void forward(const lstm *g, weir_isa isa) {
    weir_lstm_tensors t = tensors(g);
    assert_int_equal(weir_lstm_fwd(runtimes[isa], &g->p, &t, g->v[Y], g->v[C_LAST], g->v[RESERVE]),
                     WEIR_OK);
}

static void backward(const lstm *g, weir_isa isa) {
    weir_lstm_tensors t = tensors(g);
    weir_lstm_gradients d = {.dy = g->v[DY],
                             .dx = g->v[DX],
                             .dh0 = g->v[DH0],
                             .dc0 = g->v[DC0],
                             .dw = g->v[DW],
                             .du = g->v[DU],
                             .db = g->v[DB]};
    assert_int_equal(weir_lstm_bwd(runtimes[isa], &g->p, &t, g->v[RESERVE], &d), WEIR_OK);
}

static void assert_near(float a, double expected, double tolerance) {
    if (fabs(a - expected) <= tolerance) return;
    fail_msg("%.9g, expected %.9g within %.2g", (double)a, expected, tolerance);
}

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
        if (!runtimes[isa]) continue;
        lstm g = lstm_new((weir_lstm){.N = 1,
                                      .T = 1,
                                      .C_in = 1,
                                      .H = 1,
                                      .activation = WEIR_RELU,
                                      .recurrent = WEIR_HARD_SIGMOID},
                          1);
        memcpy(g.v[W], w, sizeof w);
        memcpy(g.v[U], u, sizeof u);
        memcpy(g.v[B], b, sizeof b);
        g.v[X][0] = 1;
        g.v[H0][0] = 0.5f;
        g.v[C0][0] = 2;
        g.v[DY][0] = 1;
        forward(&g, (weir_isa)isa);
        assert_near(g.v[Y][0], 0.99, 4e-7);
        assert_near(g.v[C_LAST][0], 3.3, 4e-7);
        backward(&g, (weir_isa)isa);
        assert_near(g.v[DX][0], 0.06, 4e-7);
        assert_near(g.v[DH0][0], -0.03, 4e-7);
        assert_near(g.v[DC0][0], 0.18, 4e-7);
        for (int i = 0; i < 4; i++) {
            assert_near(g.v[DW][i], d[i], 4e-7);
            assert_near(g.v[DU][i], 0.5 * d[i], 4e-7);
            assert_near(g.v[DB][i], d[i], 4e-7);
        }
        lstm_free(&g);
    }
}

/* Padding in front, as text has it: the states start at the first word, and a NaN in the padding
 * reaches nothing. */
static void test_padding(void **state) {
    (void)state;
    enum { T = 6, PADDING = 4 };
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        if (!runtimes[isa]) continue;
        weir_lstm p = {.N = 1, .T = T, .C_in = 3, .H = 5, .return_sequences = true};
        p.activation = WEIR_TANH, p.recurrent = WEIR_SIGMOID;
        weir_lstm p_short = p;
        p_short.T = T - PADDING;
        lstm g = lstm_new(p, 1), word = lstm_new(p_short, 1);
        step_mask_new(&g);
        for (int t = 0; t < T; t++) g.step_mask[t] = t >= PADDING;
        for (int64_t i = 0; i < PADDING * p.C_in; i++) g.v[X][i] = NAN;
        memcpy(word.v[X], g.v[X] + PADDING * p.C_in, (size_t)word.n[X] * sizeof(float));
        memcpy(word.v[DY], g.v[DY] + PADDING * p.H, (size_t)word.n[DY] * sizeof(float));
        for (int i = W; i <= C0; i++) memcpy(word.v[i], g.v[i], (size_t)g.n[i] * sizeof(float));
        memset(g.v[DY], 0, PADDING * (size_t)p.H * sizeof(float));
        forward(&g, (weir_isa)isa);
        forward(&word, (weir_isa)isa);
        for (int t = 0; t < PADDING; t++)
            assert_memory_equal(g.v[Y] + t * p.H, g.v[H0], (size_t)p.H * sizeof(float));
        assert_memory_equal(g.v[Y] + PADDING * p.H, word.v[Y], (size_t)word.n[Y] * sizeof(float));
        backward(&g, (weir_isa)isa);
        backward(&word, (weir_isa)isa);
        for (int64_t i = 0; i < PADDING * p.C_in; i++) assert_true(g.v[DX][i] == 0);
        for (int i = DH0; i <= DB; i++)
            assert_memory_equal(g.v[i], word.v[i], (size_t)g.n[i] * sizeof(float));
        lstm_free(&g);
        lstm_free(&word);
    }
}

/* Sum of y dy: its derivatives are what backward gives. */
static double objective(const lstm *g) {
    double sum = 0;
    forward(g, WEIR_ISA_SCALAR);
    for (int64_t i = 0; i < g->n[Y]; i++) sum += (double)g->v[Y][i] * g->v[DY][i];
    return sum;
}

static double difference(const lstm *g, float *p, float step) {
    float at = *p;
    *p = at + step;
    double plus = objective(g);
    *p = at - step;
    double minus = objective(g);
    *p = at;
    return (plus - minus) / (2.0 * step);
}

/* Two central differences leave an error of order step^4, about 1e-5 of derivatives near 1; the
 * floats of y leave 24 * 2^-24 / 2^-5 = 5e-5. */
static void check_gradient(const lstm *g, int input, int gradient) {
    for (int64_t i = 0; i < g->n[input]; i++) {
        float *p = &g->v[input][i];
        double fine = difference(g, p, 0x1p-6f), coarse = difference(g, p, 0x1p-5f);
        assert_near(g->v[gradient][i], fine + (fine - coarse) / 3, 2e-4);
    }
}

/* All options in turn, by the digits of `options`. */
static weir_lstm options_lstm(int options, int64_t N, int64_t T, int64_t C_in, int64_t H) {
    static const weir_activation recurrent[3] = {WEIR_SIGMOID, WEIR_HARD_SIGMOID,
                                                 WEIR_HARD_SIGMOID6};
    static const int masks[3] = {0, 1, 4};
    return (weir_lstm){.N = N,
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

/* Bit 0 is that of the steps passed over. */
static lstm options_new(int options, weir_lstm p, uint32_t seed) {
    lstm g = lstm_new(p, seed);
    if (options & 1) step_mask_new(&g);
    return g;
}

/* Small weights, the biases of f and g and a c0 far from 0 keep the hard sigmoids and relu away from
 * their corners. */
static void test_gradients(void **state) {
    (void)state;
    for (int options = 0; options < OPTIONS; options++) {
        lstm g = options_new(options, options_lstm(options, 2, 3, 2, 3), (uint32_t)options);
        for (int k = 0; g.p.activation == WEIR_RELU && k < 3; k++)
            g.v[B][3 + k] = g.v[B][6 + k] = 1.0f;
        for (int64_t k = 0; g.p.activation == WEIR_RELU && k < g.n[C0]; k++)
            g.v[C0][k] = k % 2 ? -30.0f : 0.5f;
        for (int64_t k = 0; k < g.n[W]; k++) g.v[W][k] *= 0.25f;
        for (int64_t k = 0; k < g.n[U]; k++) g.v[U][k] *= 0.25f;
        forward(&g, WEIR_ISA_SCALAR);
        backward(&g, WEIR_ISA_SCALAR);
        check_gradient(&g, X, DX);
        check_gradient(&g, W, DW);
        check_gradient(&g, U, DU);
        check_gradient(&g, B, DB);
        check_gradient(&g, H0, DH0);
        check_gradient(&g, C0, DC0);
        lstm_free(&g);
    }
}

static const int outputs[] = {Y, C_LAST, DX, DH0, DC0, DW, DU, DB};
enum { OUTPUTS = sizeof outputs / sizeof *outputs };

static void run(lstm *g, weir_isa isa) {
    for (int i = 0; i < OUTPUTS; i++)
        for (int64_t k = 0; k < g->n[outputs[i]]; k++) g->v[outputs[i]][k] = NAN;
    forward(g, isa);
    backward(g, isa);
}

/* The same bits with every instruction set. How far the oracle may be is weir-validate's matter, which
 * derives a bound for each element. */
static void compare(int options, weir_lstm p, uint32_t seed) {
    lstm first = options_new(options, p, seed);
    run(&first, WEIR_ISA_GENERIC);
    for (int isa = WEIR_ISA_AVX2; isa < WEIR_ISA_COUNT; isa++) {
        if (!runtimes[isa]) continue;
        lstm g = options_new(options, p, seed);
        run(&g, (weir_isa)isa);
        for (int i = 0; i < OUTPUTS; i++) {
            size_t bytes = (size_t)g.n[outputs[i]] * sizeof(float);
            assert_memory_equal(g.v[outputs[i]], first.v[outputs[i]], bytes);
        }
        lstm_free(&g);
    }
    lstm_free(&first);
}

static void test_instruction_sets(void **state) {
    (void)state;
    static const int64_t shapes[][4] = {{1, 1, 1, 1},   {2, 3, 5, 7},   {7, 5, 14, 32},
                                        {27, 4, 3, 17}, {40, 3, 33, 8}, {13, 140, 2, 5},
                                        {3, 2, 70, 65}};
    for (int options = 0; options < OPTIONS; options++) {
        const int64_t *s = shapes[options % 7];
        compare(options, options_lstm(options, s[0], s[1], s[2], s[3]), (uint32_t)options);
    }
    for (int shape = 0; shape < 7; shape++) {
        const int64_t *s = shapes[shape];
        compare(101 + shape, options_lstm(101 + shape, s[0], s[1], s[2], s[3]), 5);
        compare(shape * 6, options_lstm(shape * 6, s[0], s[1], s[2], s[3]), 6);
    }
}

static void assert_refused(const lstm *g, const char *name) {
    weir_lstm_tensors t = tensors(g);
    assert_int_equal(weir_lstm_fwd(runtimes[0], &g->p, &t, g->v[Y], NULL, NULL),
                     WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), name));
    assert_int_equal(weir_lstm_reserve_floats(&g->p), 0);
}

static void test_arguments(void **state) {
    (void)state;
    lstm g = lstm_new(options_lstm(0, 2, 3, 4, 5), 1), ok = g;
    g.p.T = 0;
    assert_refused(&g, "T is 0");
    g.p = ok.p;
    g.p.H = -3;
    assert_refused(&g, "H is -3");
    g.p = ok.p;
    g.p.activation = WEIR_SIGMOID;
    assert_refused(&g, "activation is 3");
    g.p = ok.p;
    g.p.recurrent = WEIR_RELU;
    assert_refused(&g, "recurrent is 1");
    g.p = ok.p;
    g.p.mask_gates = 3;
    assert_refused(&g, "mask_gates is 3");
    g.p = ok.p;
    g.p.N = INT64_MAX / 8;
    assert_refused(&g, "floats");
    lstm_free(&ok);
}

/* The linker puts this between the library and its scratch: no machine has as much as that. */
void *__real_weir_scratch_get(weir_runtime *rt, int64_t bytes);
void *__wrap_weir_scratch_get(weir_runtime *rt, int64_t bytes);
void *__wrap_weir_scratch_get(weir_runtime *rt, int64_t bytes) {
    return bytes > INT64_C(1) << 45 ? NULL : __real_weir_scratch_get(rt, bytes);
}

/* Both weights of the largest LSTM, packed, and their gradients have 16 x 2^40 floats. */
static void test_scratch_beyond_memory(void **state) {
    (void)state;
    weir_runtime *rt;
    assert_int_equal(weir_runtime_create(NULL, &rt), WEIR_OK);
    lstm g = lstm_new(options_lstm(1, 1, 3, 1, 1), 1);
    g.p.T = 1;
    g.p.C_in = g.p.H = WEIR_LSTM_SIZE_MAX;
    weir_lstm_tensors t = tensors(&g);
    weir_lstm_gradients d = {.dy = g.v[DY], .dw = g.v[DW], .du = g.v[DU]};
    assert_int_equal(weir_lstm_bwd(rt, &g.p, &t, g.v[RESERVE], &d), WEIR_ERROR_MEMORY);
    assert_non_null(strstr(weir_last_error(), "lstm_bwd: no memory for scratch"));
    lstm_free(&g);
    weir_runtime_destroy(rt);
}

/* No samples: nothing to write but zero gradients of the weights. */
static void test_empty_batch(void **state) {
    (void)state;
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        if (!runtimes[isa]) continue;
        lstm g = lstm_new(options_lstm(1, 0, 3, 4, 5), 1);
        run(&g, (weir_isa)isa);
        for (int64_t k = 0; k < g.n[DU]; k++) assert_true(g.v[DU][k] == 0);
        for (int64_t k = 0; k < g.n[DB]; k++) assert_true(g.v[DB][k] == 0);
        lstm_free(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),     cmocka_unit_test(test_padding),
        cmocka_unit_test(test_gradients),   cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_arguments),   cmocka_unit_test(test_scratch_beyond_memory),
        cmocka_unit_test(test_empty_batch),
    };
    return cmocka_run_group_tests_name("lstm", tests, create_runtimes, destroy_runtimes);
}

/* SimpleRNN: hand-computed steps, gradients by differences, instruction sets against each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

/* Every tensor of one SimpleRNN, one block each; sizes in floats. */
enum { X, W, U, B, H0, MASK_X, MASK_H, INPUTS };
enum { Y = INPUTS, RESERVE, DY, DX, DH0, DW, DU, DB, TENSORS };

typedef struct rnn {
    weir_rnn p;
    bool steps; /* some of them are passed over */
    uint8_t *step_mask;
    int64_t n[TENSORS];
    float *v[TENSORS];
} rnn;

static uint32_t random_state;

static float uniform(float low, float high) {
    random_state = random_state * 1664525u + 1013904223u;
    return low + (high - low) * (float)(random_state >> 8) * 0x1p-24f;
}

static rnn rnn_new(weir_rnn p, bool steps, uint32_t seed) {
    int64_t y = p.N * (p.return_sequences ? p.T : 1) * p.H, x = p.N * p.T * p.C_in;
    int64_t w = p.C_in * p.H, u = p.H * p.H, m = p.N * p.mask_gates;
    rnn g = {.p = p,
             .steps = steps,
             .n = {x, w, u, p.H, p.N * p.H, m * p.C_in, m * p.H, y, weir_rnn_reserve_floats(&p), y,
                   x, p.N * p.H, w, u, p.H}};
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
    g.step_mask = malloc((size_t)(p.N * p.T) + 1);
    assert_non_null(g.step_mask);
    for (int64_t i = 0; i < p.N * p.T; i++) g.step_mask[i] = uniform(0, 1) < 0.4f ? 0 : 255;
    return g;
}

static void rnn_free(rnn *g) {
    for (int i = 0; i < TENSORS; i++) free(g->v[i]);
    free(g->step_mask);
}

static weir_rnn_tensors tensors(const rnn *g) {
    bool masks = g->p.mask_gates > 0;
    return (weir_rnn_tensors){.x = g->v[X],
                              .w = g->v[W],
                              .u = g->v[U],
                              .b = g->v[B],
                              .h0 = g->v[H0],
                              .mask_x = masks ? g->v[MASK_X] : NULL,
                              .mask_h = masks ? g->v[MASK_H] : NULL,
                              .step_mask = g->steps ? g->step_mask : NULL};
}

static void forward(const rnn *g, weir_isa isa) {
    weir_rnn_tensors t = tensors(g);
    assert_int_equal(weir_rnn_fwd(runtimes[isa], &g->p, &t, g->v[Y], g->v[RESERVE]), WEIR_OK);
}

static void backward(const rnn *g, weir_isa isa) {
    weir_rnn_tensors t = tensors(g);
    weir_rnn_gradients d = {.dy = g->v[DY],
                            .dx = g->v[DX],
                            .dh0 = g->v[DH0],
                            .dw = g->v[DW],
                            .du = g->v[DU],
                            .db = g->v[DB]};
    assert_int_equal(weir_rnn_bwd(runtimes[isa], &g->p, &t, g->v[RESERVE], &d), WEIR_OK);
}

static void assert_near(float a, double expected, double tolerance) {
    if (fabs((double)a - expected) <= tolerance) return;
    fail_msg("%.9g, expected %.9g within %.2g", (double)a, expected, tolerance);
}

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
        if (!runtimes[isa]) continue;
        rnn g = rnn_new((weir_rnn){.N = 1, .T = 3, .C_in = 1, .H = 1}, true, 1);
        memcpy(g.v[X], x, sizeof x);
        memcpy(g.step_mask, steps, sizeof steps);
        *g.v[W] = 0.5f, *g.v[U] = 0.25f, *g.v[B] = -0.25f, *g.v[H0] = 2, *g.v[DY] = 1;
        g.v[X][1] = NAN; /* nobody looks at it */
        forward(&g, (weir_isa)isa);
        assert_near(*g.v[Y], 39.0 / 16, 0);
        backward(&g, (weir_isa)isa);
        for (int i = 0; i < 3; i++) assert_near(g.v[DX][i], (double)dx[i], 0);
        assert_near(*g.v[DH0], 1.0 / 16, 0);
        assert_near(*g.v[DW], 5.25, 0);
        assert_near(*g.v[DU], 1.25, 0);
        assert_near(*g.v[DB], 1.25, 0);
        rnn_free(&g);
    }
}

/* Sum of y dy: its derivatives are what backward gives. */
static double objective(const rnn *g) {
    double sum = 0;
    forward(g, WEIR_ISA_SCALAR);
    for (int64_t i = 0; i < g->n[Y]; i++) sum += (double)g->v[Y][i] * (double)g->v[DY][i];
    return sum;
}

static double difference(const rnn *g, float *p, float step) {
    float at = *p;
    *p = at + step;
    double plus = objective(g);
    *p = at - step;
    double minus = objective(g);
    *p = at;
    return (plus - minus) / (2.0 * (double)step);
}

/* Two central differences leave an error of order step^4, about 1e-5 of derivatives near 1; the
 * floats of y leave 24 * 2^-24 / 2^-5 = 5e-5. */
static void check_gradient(const rnn *g, int input, int gradient) {
    for (int64_t i = 0; i < g->n[input]; i++) {
        float *p = &g->v[input][i];
        double fine = difference(g, p, 0x1p-6f), coarse = difference(g, p, 0x1p-5f);
        assert_near(g->v[gradient][i], fine + (fine - coarse) / 3, 2e-4);
    }
}

/* All options in turn, by the digits of `options`. */
static weir_rnn options_rnn(int options, int64_t N, int64_t T, int64_t C_in, int64_t H) {
    static const weir_activation activation[4] = {WEIR_TANH, WEIR_LINEAR, WEIR_RELU, WEIR_SIGMOID};
    return (weir_rnn){.N = N,
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
        rnn g =
            rnn_new(options_rnn(options, 2, 4, 2, 3), options_steps(options), (uint32_t)options);
        for (int k = 0; g.p.activation == WEIR_RELU && k < 3; k++) g.v[B][k] = k % 2 ? -2.0f : 2.0f;
        for (int64_t k = 0; k < g.n[W]; k++) g.v[W][k] *= 0.25f;
        for (int64_t k = 0; k < g.n[U]; k++) g.v[U][k] *= 0.25f;
        forward(&g, WEIR_ISA_SCALAR);
        backward(&g, WEIR_ISA_SCALAR);
        check_gradient(&g, X, DX);
        check_gradient(&g, W, DW);
        check_gradient(&g, U, DU);
        check_gradient(&g, B, DB);
        check_gradient(&g, H0, DH0);
        rnn_free(&g);
    }
}

static const int outputs[] = {Y, DX, DH0, DW, DU, DB};

static void run(rnn *g, weir_isa isa) {
    for (int i = 0; i < 6; i++)
        for (int64_t k = 0; k < g->n[outputs[i]]; k++) g->v[outputs[i]][k] = NAN;
    forward(g, isa);
    backward(g, isa);
}

/* The same bits with every instruction set. How far the oracle may be is weir-validate's matter, which
 * derives a bound for each element. */
static void compare(weir_rnn p, bool steps, uint32_t seed) {
    rnn first = rnn_new(p, steps, seed);
    run(&first, WEIR_ISA_GENERIC);
    for (int isa = WEIR_ISA_AVX2; isa < WEIR_ISA_COUNT; isa++) {
        if (!runtimes[isa]) continue;
        rnn g = rnn_new(p, steps, seed);
        run(&g, (weir_isa)isa);
        for (int i = 0; i < 6; i++) {
            size_t bytes = (size_t)g.n[outputs[i]] * sizeof(float);
            assert_memory_equal(g.v[outputs[i]], first.v[outputs[i]], bytes);
        }
        rnn_free(&g);
    }
    rnn_free(&first);
}

static void test_instruction_sets(void **state) {
    (void)state;
    static const int64_t shapes[][4] = {{1, 1, 1, 1},   {2, 3, 5, 7},    {7, 5, 14, 32},
                                        {27, 4, 3, 17}, {40, 3, 33, 8},  {13, 140, 2, 5},
                                        {3, 2, 70, 65}, {1, 500, 32, 32}};
    for (int options = 0; options < OPTIONS; options++)
        for (int shape = options % 2; shape < 8; shape += 2) {
            const int64_t *s = shapes[shape];
            compare(options_rnn(options, s[0], s[1], s[2], s[3]), options_steps(options),
                    (uint32_t)options);
        }
}

static void assert_refused(const rnn *g, const char *name) {
    weir_rnn_tensors t = tensors(g);
    assert_int_equal(weir_rnn_fwd(runtimes[0], &g->p, &t, g->v[Y], NULL), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), name));
    assert_int_equal(weir_rnn_reserve_floats(&g->p), 0);
}

static void test_arguments(void **state) {
    (void)state;
    rnn g = rnn_new(options_rnn(0, 2, 3, 4, 5), false, 1), ok = g;
    g.p.T = 0;
    assert_refused(&g, "T is 0");
    g.p = ok.p;
    g.p.H = -3;
    assert_refused(&g, "H is -3");
    g.p = ok.p;
    g.p.activation = WEIR_HARD_SIGMOID;
    assert_refused(&g, "activation is 4");
    g.p = ok.p;
    g.p.mask_gates = 3;
    assert_refused(&g, "mask_gates is 3");
    g.p = ok.p;
    g.p.N = INT64_MAX / 8;
    assert_refused(&g, "floats");
    weir_rnn_tensors t = tensors(&ok);
    t.mask_h = ok.v[H0];
    assert_int_equal(weir_rnn_fwd(runtimes[0], &ok.p, &t, ok.v[Y], NULL), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), "mask_gates is 0 but a mask is given"));
    rnn_free(&ok);
}

/* No samples: nothing to write but zero gradients of the weights. */
static void test_empty_batch(void **state) {
    (void)state;
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        if (!runtimes[isa]) continue;
        rnn g = rnn_new(options_rnn(1, 0, 3, 4, 5), true, 1);
        run(&g, (weir_isa)isa);
        for (int64_t k = 0; k < g.n[DU]; k++) assert_true(g.v[DU][k] == 0);
        for (int64_t k = 0; k < g.n[DB]; k++) assert_true(g.v[DB][k] == 0);
        rnn_free(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),          cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_instruction_sets), cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_empty_batch),
    };
    return cmocka_run_group_tests_name("rnn", tests, create_runtimes, destroy_runtimes);
}

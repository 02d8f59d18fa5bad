/* GRU: a hand-computed step, gradients by differences, instruction sets against each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernels/driver.h"
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

/* Every tensor of one GRU, one block each; sizes in floats. */
enum { X, W, U, B, H0, MASK_X, MASK_H, INPUTS };
enum { Y = INPUTS, RESERVE, DY, DX, DH0, DW, DU, DB, TENSORS };

typedef struct gru {
    weir_gru p;
    bool steps; /* some of them are passed over */
    uint8_t *step_mask;
    int64_t n[TENSORS];
    float *v[TENSORS];
} gru;

static uint32_t random_state;

static float uniform(float low, float high) {
    random_state = random_state * 1664525u + 1013904223u;
    return low + (high - low) * (float)(random_state >> 8) * 0x1p-24f;
}

static gru gru_new(weir_gru p, uint32_t seed) {
    int64_t y = p.N * (p.return_sequences ? p.T : 1) * p.H, b = (p.reset_after ? 6 : 3) * p.H;
    int64_t x = p.N * p.T * p.C_in, w = p.C_in * 3 * p.H, u = p.H * 3 * p.H;
    gru g = {.p = p,
             .n = {x, w, u, b, p.N * p.H, p.N * p.mask_gates * p.C_in, p.N * p.mask_gates * p.H, y,
                   weir_gru_reserve_floats(&p), y, x, p.N * p.H, w, u, b}};
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

static void gru_free(gru *g) {
    for (int i = 0; i < TENSORS; i++) free(g->v[i]);
    free(g->step_mask);
}

static weir_gru_tensors tensors(const gru *g) {
    bool masks = g->p.mask_gates > 0;
    return (weir_gru_tensors){.x = g->v[X],
                              .w = g->v[W],
                              .u = g->v[U],
                              .b = g->v[B],
                              .h0 = g->v[H0],
                              .mask_x = masks ? g->v[MASK_X] : NULL,
                              .mask_h = masks ? g->v[MASK_H] : NULL,
                              .step_mask = g->steps ? g->step_mask : NULL};
}

static void forward(const gru *g, weir_isa isa) {
    weir_gru_tensors t = tensors(g);
    assert_int_equal(weir_gru_fwd(runtimes[isa], &g->p, &t, g->v[Y], g->v[RESERVE]), WEIR_OK);
}

static void backward(const gru *g, weir_isa isa) {
    weir_gru_tensors t = tensors(g);
    weir_gru_gradients d = {.dy = g->v[DY],
                            .dx = g->v[DX],
                            .dh0 = g->v[DH0],
                            .dw = g->v[DW],
                            .du = g->v[DU],
                            .db = g->v[DB]};
    assert_int_equal(weir_gru_bwd(runtimes[isa], &g->p, &t, g->v[RESERVE], &d), WEIR_OK);
}

static void assert_near(float a, double expected, double tolerance) {
    if (fabs(a - expected) <= tolerance) return;
    fail_msg("%.9g, expected %.9g within %.2g", (double)a, expected, tolerance);
}

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
        for (int after = 0; runtimes[isa] && after < 2; after++) {
            gru g = gru_new((weir_gru){.N = 1,
                                       .T = 1,
                                       .C_in = 1,
                                       .H = 1,
                                       .activation = WEIR_RELU,
                                       .recurrent = WEIR_HARD_SIGMOID,
                                       .reset_after = after},
                            1);
            memcpy(g.v[W], w, sizeof w);
            memcpy(g.v[U], u, sizeof u);
            memcpy(g.v[B], b, (after ? 6 : 3) * sizeof *b);
            g.v[X][0] = 1;
            g.v[H0][0] = 0.5f;
            g.v[DY][0] = 1;
            forward(&g, (weir_isa)isa);
            assert_near(g.v[Y][0], y[after], 4e-7);
            backward(&g, (weir_isa)isa);
            assert_near(g.v[DX][0], dx[after], 4e-7);
            assert_near(g.v[DH0][0], dh0[after], 4e-7);
            for (int i = 0; !after && i < 3; i++) assert_near(g.v[DU][i], du[i], 4e-7);
            gru_free(&g);
        }
    }
}

/* Steps that are passed over, at the beginning, in the middle and at the end, might as well not be
 * there: the same bits, whatever x holds at them. */
static void test_passed_over(void **state) {
    (void)state;
    static const uint8_t steps[5] = {0, 1, 0, 1, 0};
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        for (int after = 0; runtimes[isa] && after < 2; after++) {
            weir_gru p = {.N = 1, .T = 5, .C_in = 1, .H = 3, .activation = WEIR_TANH};
            p.recurrent = WEIR_SIGMOID;
            p.reset_after = after;
            gru long_one = gru_new(p, 7);
            p.T = 2;
            gru short_one = gru_new(p, 7);
            for (int i = 0; i < TENSORS; i++)
                if (i != X && i != RESERVE && i != DX)
                    memcpy(short_one.v[i], long_one.v[i], (size_t)long_one.n[i] * sizeof(float));
            long_one.steps = true;
            memcpy(long_one.step_mask, steps, sizeof steps);
            for (int t = 0; t < 5; t++) long_one.v[X][t] = steps[t] ? short_one.v[X][t / 2] : NAN;
            forward(&long_one, (weir_isa)isa);
            forward(&short_one, (weir_isa)isa);
            backward(&long_one, (weir_isa)isa);
            backward(&short_one, (weir_isa)isa);
            static const int same[] = {Y, DH0, DW, DU, DB};
            for (int i = 0; i < 5; i++)
                assert_memory_equal(long_one.v[same[i]], short_one.v[same[i]],
                                    (size_t)short_one.n[same[i]] * sizeof(float));
            for (int t = 0; t < 5; t++)
                assert_true(long_one.v[DX][t] == (steps[t] ? short_one.v[DX][t / 2] : 0.0f));
            gru_free(&long_one);
            gru_free(&short_one);
        }
    }
}

/* Sum of y dy: its derivatives are what backward gives. */
static double objective(const gru *g) {
    double sum = 0;
    forward(g, WEIR_ISA_SCALAR);
    for (int64_t i = 0; i < g->n[Y]; i++) sum += (double)g->v[Y][i] * g->v[DY][i];
    return sum;
}

static double difference(const gru *g, float *p, float step) {
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
static void check_gradient(const gru *g, int input, int gradient) {
    for (int64_t i = 0; i < g->n[input]; i++) {
        float *p = &g->v[input][i];
        double fine = difference(g, p, 0x1p-6f), coarse = difference(g, p, 0x1p-5f);
        assert_near(g->v[gradient][i], fine + (fine - coarse) / 3, 2e-4);
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
        gru g = gru_new(options_gru(options, 2, 3, 2, 3), (uint32_t)options);
        g.steps = options_steps(options);
        for (int k = 0; g.p.activation == WEIR_RELU && k < 3; k++)
            g.v[B][6 + k] = k % 2 ? -2.0f : 2.0f;
        for (int64_t k = 0; k < g.n[W]; k++) g.v[W][k] *= 0.25f;
        for (int64_t k = 0; k < g.n[U]; k++) g.v[U][k] *= 0.25f;
        forward(&g, WEIR_ISA_SCALAR);
        backward(&g, WEIR_ISA_SCALAR);
        check_gradient(&g, X, DX);
        check_gradient(&g, W, DW);
        check_gradient(&g, U, DU);
        check_gradient(&g, B, DB);
        check_gradient(&g, H0, DH0);
        gru_free(&g);
    }
}

static const int outputs[] = {Y, DX, DH0, DW, DU, DB};

static void run(gru *g, weir_isa isa) {
    for (int i = 0; i < 6; i++)
        for (int64_t k = 0; k < g->n[outputs[i]]; k++) g->v[outputs[i]][k] = NAN;
    forward(g, isa);
    backward(g, isa);
}

/* The same bits with every instruction set. How far the oracle may be is weir-validate's matter, which
 * derives a bound for each element. */
static void compare(weir_gru p, bool steps, uint32_t seed) {
    gru first = gru_new(p, seed);
    first.steps = steps;
    run(&first, WEIR_ISA_GENERIC);
    for (int isa = WEIR_ISA_AVX2; isa < WEIR_ISA_COUNT; isa++) {
        if (!runtimes[isa]) continue;
        gru g = gru_new(p, seed);
        g.steps = steps;
        run(&g, (weir_isa)isa);
        for (int i = 0; i < 6; i++) {
            size_t bytes = (size_t)g.n[outputs[i]] * sizeof(float);
            assert_memory_equal(g.v[outputs[i]], first.v[outputs[i]], bytes);
        }
        gru_free(&g);
    }
    gru_free(&first);
}

static void test_instruction_sets(void **state) {
    (void)state;
    static const int64_t shapes[][4] = {{1, 1, 1, 1},   {2, 3, 5, 7},   {7, 5, 14, 32},
                                        {27, 4, 3, 17}, {40, 3, 33, 8}, {13, 140, 2, 5},
                                        {3, 2, 70, 65}};
    for (int options = 0; options < OPTIONS; options++) {
        const int64_t *s = shapes[options % 7];
        compare(options_gru(options, s[0], s[1], s[2], s[3]), options_steps(options),
                (uint32_t)options);
    }
    for (int shape = 0; shape < 7; shape++) {
        const int64_t *s = shapes[shape];
        compare(options_gru(101 + shape, s[0], s[1], s[2], s[3]), false, 5);
        compare(options_gru(shape * 6, s[0], s[1], s[2], s[3]), true, 6);
    }
}

static void assert_refused(const gru *g, const char *name) {
    weir_gru_tensors t = tensors(g);
    assert_int_equal(weir_gru_fwd(runtimes[0], &g->p, &t, g->v[Y], NULL), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), name));
    assert_int_equal(weir_gru_reserve_floats(&g->p), 0);
}

static void test_arguments(void **state) {
    (void)state;
    gru g = gru_new(options_gru(0, 2, 3, 4, 5), 1), ok = g;
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
    g.p.mask_gates = 2;
    assert_refused(&g, "mask_gates is 2");
    g.p = ok.p;
    g.p.N = INT64_MAX / 8;
    assert_refused(&g, "floats");
    gru_free(&ok);
}

/* The linker puts this between the library and its scratch: no machine has as much as that. */
void *__real_weir_scratch_get(weir_runtime *rt, int64_t bytes);
void *__wrap_weir_scratch_get(weir_runtime *rt, int64_t bytes);
void *__wrap_weir_scratch_get(weir_runtime *rt, int64_t bytes) {
    return bytes > INT64_C(1) << 45 ? NULL : __real_weir_scratch_get(rt, bytes);
}

/* Both weights of the largest GRU, packed, and their gradients have 12 x 2^40 floats; and sums that no
 * number of bytes can count. */
static void test_scratch_beyond_memory(void **state) {
    (void)state;
    weir_runtime *rt;
    assert_int_equal(weir_runtime_create(NULL, &rt), WEIR_OK);
    gru g = gru_new(options_gru(1, 1, 3, 1, 1), 1);
    g.p.T = 1;
    g.p.C_in = g.p.H = WEIR_GRU_SIZE_MAX;
    weir_gru_tensors t = tensors(&g);
    weir_gru_gradients d = {.dy = g.v[DY], .dw = g.v[DW], .du = g.v[DU]};
    assert_int_equal(weir_gru_bwd(rt, &g.p, &t, g.v[RESERVE], &d), WEIR_ERROR_MEMORY);
    assert_non_null(strstr(weir_last_error(), "gru_bwd: no memory for scratch"));
    gru_free(&g);
    weir_runtime_destroy(rt);
    assert_int_equal(weir_add_floats(1, 2, 3), 7);
    assert_int_equal(weir_add_floats(INT64_C(1) << 61, 1, 1), INT64_MAX);
    assert_int_equal(weir_add_floats(0, INT64_C(1) << 40, INT64_C(1) << 40), INT64_MAX);
}

/* No samples: nothing to write but zero gradients of the weights. */
static void test_empty_batch(void **state) {
    (void)state;
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        if (!runtimes[isa]) continue;
        gru g = gru_new(options_gru(1, 0, 3, 4, 5), 1);
        run(&g, (weir_isa)isa);
        for (int64_t k = 0; k < g.n[DU]; k++) assert_true(g.v[DU][k] == 0);
        for (int64_t k = 0; k < g.n[DB]; k++) assert_true(g.v[DB][k] == 0);
        gru_free(&g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),     cmocka_unit_test(test_passed_over),
        cmocka_unit_test(test_gradients),   cmocka_unit_test(test_instruction_sets),
        cmocka_unit_test(test_arguments),   cmocka_unit_test(test_scratch_beyond_memory),
        cmocka_unit_test(test_empty_batch),
    };
    return cmocka_run_group_tests_name("gru", tests, create_runtimes, destroy_runtimes);
}

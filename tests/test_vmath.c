/* exp, tanh, sigmoid: bounds of vmath.h on a sample of all floats, exact values, equal bits.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/runtime.h"
#include "validate/ulp.h"

/* Kernels of an instruction set that this machine has, or NULL. */
static const weir_kernels *kernels_of(int isa) {
    return weir_cpu_has((weir_isa)isa, NULL) ? weir_kernels_get((weir_isa)isa) : NULL;
}

/* The whole range is measured by weir-validate --exhaustive; vmath.h has its results. */
static void test_errors(void **state) {
    (void)state;
    static const double bounds[ULP_FUNCTION_COUNT] = {1.01, 1.34, 1.70};
    for (int isa = WEIR_ISA_GENERIC; isa < WEIR_ISA_COUNT; isa++) {
        const weir_kernels *k = kernels_of(isa);
        int64_t stride = isa == WEIR_ISA_GENERIC ? 100003 : 10007;
        for (int f = 0; k && f < ULP_FUNCTION_COUNT; f++) {
            ulp_result r = ulp_measure(k, (ulp_function)f, 0, ULP_FLOATS, stride);
            if (r.largest > bounds[f] || r.descents || r.wrong)
                fail_msg("%s: %.3f ULP at %a, %d descents, %d wrong", ulp_name((ulp_function)f),
                         r.largest, (double)r.at, (int)r.descents, (int)r.wrong);
            assert_true(r.largest > 0.5);
        }
    }
}

/* Neighbouring floats where the computation changes its way: around 0, tanh's 0.55, multiples of
 * ln 2 / 2, and where exp ends. */
static void test_borders(void **state) {
    (void)state;
    static const float borders[] = {0,  0.55f, 0.34657359f, 1.0397208f,
                                    10, 16.6f, 87.33654f,   88.72284f};
    for (int isa = WEIR_ISA_GENERIC; isa < WEIR_ISA_COUNT; isa++) {
        const weir_kernels *k = kernels_of(isa);
        for (int f = 0; k && f < ULP_FUNCTION_COUNT; f++) {
            for (size_t b = 0; b < 2 * sizeof borders / sizeof *borders; b++) {
                uint32_t bits;
                memcpy(&bits, &borders[b / 2], sizeof bits);
                int64_t at = INT64_C(0x7f800000) + (b % 2 ? -(int64_t)bits : (int64_t)bits);
                ulp_result r = ulp_measure(k, (ulp_function)f, at - 1000, at + 1000, 1);
                assert_true(r.largest <= 2 && r.descents == 0 && r.wrong == 0);
            }
        }
    }
}

static void assert_bits(float a, float expected) {
    if (memcmp(&a, &expected, sizeof a) != 0)
        fail_msg("%a, expected %a", (double)a, (double)expected);
}

static void test_exact_values(void **state) {
    (void)state;
    static const struct {
        float x, exp, tanh, sigmoid;
    } cases[] = {{0, 1, 0, 0.5f},       {-0.0f, 1, -0.0f, 0.5f}, {INFINITY, INFINITY, 1, 1},
                 {-INFINITY, 0, -1, 0}, {-100, 0, -1, 0},        {100, INFINITY, 1, 1}};
    for (int isa = WEIR_ISA_GENERIC; isa < WEIR_ISA_COUNT; isa++) {
        const weir_kernels *k = kernels_of(isa);
        float y, nan = NAN;
        if (!k) continue;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            k->exp(0, 1, &cases[i].x, &y);
            assert_bits(y, cases[i].exp);
            k->activation_fwd(WEIR_TANH, 0, 1, &cases[i].x, &y);
            assert_bits(y, cases[i].tanh);
            k->activation_fwd(WEIR_SIGMOID, 0, 1, &cases[i].x, &y);
            assert_bits(y, cases[i].sigmoid);
        }
        k->exp(0, 1, &nan, &y);
        assert_true(isnan(y));
        for (int a = 0; a < WEIR_ACTIVATION_COUNT; a++) {
            k->activation_fwd((weir_activation)a, 0, 1, &nan, &y);
            assert_true(isnan(y));
        }
    }
}

enum { SAMPLE = 1 << 16 };

static void test_same_bits(void **state) {
    (void)state;
    static float x[SAMPLE], y[SAMPLE], first[SAMPLE];
    for (int64_t i = 0; i < SAMPLE; i++) x[i] = ulp_float(i * (ULP_FLOATS / SAMPLE));
    for (int a = -1; a < WEIR_ACTIVATION_COUNT; a++) {
        for (int isa = WEIR_ISA_GENERIC; isa < WEIR_ISA_COUNT; isa++) {
            const weir_kernels *k = kernels_of(isa);
            if (!k) continue;
            if (a < 0)
                k->exp(0, SAMPLE, x, y);
            else
                k->activation_fwd((weir_activation)a, 0, SAMPLE, x, y);
            if (isa == WEIR_ISA_GENERIC) memcpy(first, y, sizeof y);
            assert_memory_equal(first, y, sizeof y);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_borders),
        cmocka_unit_test(test_exact_values),
        cmocka_unit_test(test_same_bits),
    };
    return cmocka_run_group_tests_name("vmath", tests, NULL, NULL);
}

/* The losses' log, log1p and exp: the bounds of dmath.h, and bits that no machine may change.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/dmath.h"

enum { SAMPLES = 200000 };

static uint64_t state = 1;

/* 0 <= x < 1, by a linear congruential generator (Knuth's MMIX). */
static double unit(void) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(state >> 11) * 0x1p-53;
}

/* Relative to the exact value, in units of 2^-53. */
static void assert_error(const char *name, double x, double got, long double exact,
                         long double most) {
    long double error = exact != 0 ? fabsl((got - exact) / exact) * 0x1p53L : fabsl(got) * 0x1p53L;
    if (!(error <= most))
        fail_msg("%s(%a) is %a, %.3Lf units off, accepted: %.0Lf", name, x, got, error, most);
}

/* Whole range, near 1, beside the powers of two and of sqrt 2, the probabilities of the losses. */
static void test_log(void **unused) {
    (void)unused;
    for (int i = 0; i < SAMPLES; i++) {
        double wide = ldexp(1 + unit(), (int)(2000 * unit()) - 1000);
        double near = 1 + ldexp(unit() - 0.5, -(int)(50 * unit()));
        double root = ldexp(sqrt(0.5) * (1 + ldexp(unit() - 0.5, -40)), (int)(20 * unit()) - 10);
        double loss = 1e-7 + unit() * (1 - 2e-7);
        const double x[4] = {wide, near, root, loss};
        for (int j = 0; j < 4; j++)
            assert_error("log", x[j], dmath_log(x[j]), logl((long double)x[j]), 6);
    }
    assert_true(dmath_log(1) == 0 && !signbit(dmath_log(1)));
    assert_true(isnan(dmath_log((double)NAN)));
}

static void test_exp(void **unused) {
    (void)unused;
    for (int i = 0; i < SAMPLES; i++) {
        const double x[3] = {-708 * unit(), -unit(), -ldexp(unit(), -(int)(60 * unit()))};
        for (int j = 0; j < 3; j++)
            assert_error("exp", x[j], dmath_exp(x[j]), expl((long double)x[j]), 4);
    }
    assert_true(dmath_exp(0) == 1 && dmath_exp(-0.0) == 1);
    assert_true(dmath_exp(-709) == 0 && dmath_exp((double)-INFINITY) == 0);
    assert_true(isnan(dmath_exp((double)NAN)));
}

static void test_log1p(void **unused) {
    (void)unused;
    for (int i = 0; i < SAMPLES; i++) {
        const double e[2] = {unit(), ldexp(unit(), -(int)(70 * unit()))};
        for (int j = 0; j < 2; j++)
            assert_error("log1p", e[j], dmath_log1p(e[j]), log1pl((long double)e[j]), 9);
    }
    assert_true(dmath_log1p(0) == 0 && dmath_log1p(1) == dmath_log(2));
    assert_true(isnan(dmath_log1p((double)NAN)));
}

/* A hash of many results: whoever changes the order of one operation changes it. */
static void test_bits(void **unused) {
    (void)unused;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int i = 1; i < 1000; i++) {
        const double x[3] = {dmath_log(i * 0x1p-10), dmath_exp(i * -0.07),
                             dmath_log1p(i * 0x1p-10)};
        for (int j = 0; j < 3; j++) hash = (hash ^ dmath_bits(x[j])) * UINT64_C(0x100000001b3);
    }
    assert_true(hash == UINT64_C(0xc3255c3f1493f8f3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_exp),
        cmocka_unit_test(test_log1p),
        cmocka_unit_test(test_bits),
    };
    return cmocka_run_group_tests_name("dmath", tests, NULL, NULL);
}

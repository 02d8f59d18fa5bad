/* Errors of exp, tanh and sigmoid, measured over all floats. SPDX-License-Identifier: Apache-2.0 */
#include "validate/ulp.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

const char *ulp_name(ulp_function function) {
    switch (function) {
    case ULP_EXP: return "exp";
    case ULP_TANH: return "tanh";
    case ULP_SIGMOID: return "sigmoid";
    case ULP_FUNCTION_COUNT: break;
    }
    return "unknown";
}

float ulp_float(int64_t index) {
    int64_t i = index - INT64_C(0x7f800000);
    uint32_t bits = i < 0 ? UINT32_C(0x80000000) | (uint32_t)-i : (uint32_t)i;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double exact(ulp_function function, double x) {
    switch (function) {
    case ULP_EXP: return exp(x);
    case ULP_TANH: return tanh(x);
    default: return 1.0 / (1.0 + exp(-x));
    }
}

static void run(const weir_kernels *k, ulp_function function, int64_t n, const float *x, float *y) {
    if (function == ULP_EXP)
        k->exp(0, n, x, y);
    else
        k->activation_fwd(function == ULP_TANH ? WEIR_TANH : WEIR_SIGMOID, 0, n, x, y);
}

/* Distance of neighbouring floats at the exact result r, in its binade; FLT_MIN's below it. */
static double ulp_at(double r) {
    int exponent;
    frexp(fmax(fabs(r), (double)FLT_MIN), &exponent);
    return ldexp(1.0, exponent - FLT_MANT_DIG);
}

/* One result y of the exact r. */
static void judge(ulp_result *result, float x, float y, double r) {
    const double overflow = (double)FLT_MAX + 0.5 * ulp_at((double)FLT_MAX);
    double error = fabs((double)y - r) / ulp_at(r);
    bool tiny = fabs(r) < (double)FLT_MIN && y == 0.0f;
    if (tiny || (r >= overflow && isinf(y) && y > 0)) return;
    if (!isfinite(y) || r >= overflow) {
        if (result->wrong++ == 0) result->wrong_at = x;
    } else if (error > result->largest) {
        result->largest = error;
        result->at = x;
    }
}

enum { BATCH = 1024 };

ulp_result ulp_measure(const weir_kernels *kernels, ulp_function function, int64_t begin,
                       int64_t end, int64_t stride) {
    ulp_result result = {0};
    float x[BATCH], y[BATCH], before = -INFINITY;
    for (int64_t i = begin; i < end;) {
        int64_t n = 0;
        for (; n < BATCH && i < end; i += stride) x[n++] = ulp_float(i);
        run(kernels, function, n, x, y);
        for (int64_t k = 0; k < n; k++) {
            judge(&result, x[k], y[k], exact(function, (double)x[k]));
            if (y[k] < before && result.descents++ == 0) result.descent_at = x[k];
            before = y[k];
        }
    }
    return result;
}

void ulp_merge(ulp_result *into, const ulp_result *from) {
    if (from->largest > into->largest) {
        into->largest = from->largest;
        into->at = from->at;
    }
    if (into->descents == 0) into->descent_at = from->descent_at;
    if (into->wrong == 0) into->wrong_at = from->wrong_at;
    into->descents += from->descents;
    into->wrong += from->wrong;
}

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
    int64_t i = index - INT64_C(0x7f800000), beyond = index - ULP_FLOATS;
    const int64_t nans = 0x7fffff; /* of each sign */
    uint32_t bits = i < 0 ? UINT32_C(0x80000000) | (uint32_t)-i : (uint32_t)i;
    if (beyond == 0) bits = UINT32_C(0x80000000);
    if (beyond > 0) bits = UINT32_C(0x7f800000) + (uint32_t)beyond;
    if (beyond > nans) bits = UINT32_C(0xff800000) + (uint32_t)(beyond - nans);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double exact_one(ulp_function function, double x) {
    switch (function) {
    case ULP_EXP: return exp(x);
    case ULP_TANH: return tanh(x);
    default: return 1.0 / (1.0 + exp(-x));
    }
}

void ulp_run(const weir_kernels *k, ulp_function function, int64_t n, const float *x, float *y) {
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

static bool same_bits(float a, float b) { return memcmp(&a, &b, sizeof a) == 0; }

/* One result y of the exact r. */
static void judge_one(ulp_result *result, float x, float y, double r) {
    const double overflow = (double)FLT_MAX + 0.5 * ulp_at((double)FLT_MAX);
    double error = fabs((double)y - r) / ulp_at(r);
    bool tiny = fabs(r) < (double)FLT_MIN && y == 0.0f;
    bool good = isnan(x) ? isnan(y) : isfinite(y) && r < overflow;
    if (x == 0 || isinf(x)) {
        good = same_bits(y, (float)r);
    } else if (tiny || (r >= overflow && isinf(y) && y > 0)) {
        return;
    }
    if (!good) {
        if (result->wrong++ == 0) result->wrong_at = x;
    } else if (error > result->largest) {
        result->largest = error;
        result->at = x;
    }
}

void ulp_exact(ulp_function function, int64_t n, const float *x, double *exact) {
    for (int64_t i = 0; i < n; i++) exact[i] = exact_one(function, (double)x[i]);
}

void ulp_judge(ulp_result *result, int64_t n, const float *x, const float *y, const double *exact) {
    for (int64_t i = 0; i < n; i++) {
        judge_one(result, x[i], y[i], exact[i]);
        bool ascends = x[i] > result->last_x;
        if (ascends && y[i] < result->last_y && result->descents++ == 0) result->descent_at = x[i];
        result->last_x = x[i];
        result->last_y = y[i];
    }
}

enum { BATCH = 1024 };

ulp_result ulp_measure(const weir_kernels *kernels, ulp_function function, int64_t begin,
                       int64_t end, int64_t stride) {
    ulp_result result = {0};
    float x[BATCH], y[BATCH];
    double exact[BATCH];
    for (int64_t i = begin; i < end;) {
        int64_t n = 0;
        for (; n < BATCH && i < end; i += stride) x[n++] = ulp_float(i);
        ulp_run(kernels, function, n, x, y);
        ulp_exact(function, n, x, exact);
        ulp_judge(&result, n, x, y, exact);
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

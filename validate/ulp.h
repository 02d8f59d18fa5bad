/* Errors of exp, tanh and sigmoid, measured over all floats. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_ULP_H
#define WEIR_ULP_H

#include "kernels/kernels.h"

typedef enum ulp_function { ULP_EXP = 0, ULP_TANH, ULP_SIGMOID, ULP_FUNCTION_COUNT } ulp_function;

const char *ulp_name(ulp_function function);

/* The floats without NaN in ascending order, from -infinity: index 0 to ULP_FLOATS - 1. */
#define ULP_FLOATS (2 * INT64_C(0x7f800000) + 1)
float ulp_float(int64_t index);

typedef struct ulp_result {
    double largest;   /* error in units in the last place of the exact result */
    float at;         /* where it is */
    int64_t descents; /* arguments whose result is below that of the argument before */
    float descent_at; /* the first of them */
    int64_t wrong;    /* results that are not finite, or not 0, where the exact one is */
    float wrong_at;
} ulp_result;

/*
 * Measures every stride-th float of the indices begin <= i < end, and whether the results ascend;
 * let ranges overlap by one stride to see that across their border. The reference is libm in double.
 * Exact results below FLT_MIN may be given as 0.
 */
ulp_result ulp_measure(const weir_kernels *kernels, ulp_function function, int64_t begin,
                       int64_t end, int64_t stride);

/* The larger error, the sum of the counts. */
void ulp_merge(ulp_result *into, const ulp_result *from);

#endif

/* Errors of exp, tanh and sigmoid, measured over all floats. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_ULP_H
#define WEIR_ULP_H

#include "kernels/kernels.h"

typedef enum ulp_function { ULP_EXP = 0, ULP_TANH, ULP_SIGMOID, ULP_FUNCTION_COUNT } ulp_function;

const char *ulp_name(ulp_function function);

/* The floats in ascending order, from -infinity: index 0 to ULP_FLOATS - 1. Then -0 and every NaN:
 * to ULP_ALL - 1. */
#define ULP_FLOATS (2 * INT64_C(0x7f800000) + 1)
#define ULP_ALL (INT64_C(1) << 32)
float ulp_float(int64_t index);

typedef struct ulp_result {
    double largest;   /* error in units in the last place of the exact result */
    float at;         /* where it is */
    int64_t descents; /* arguments whose result is below that of the argument before */
    float descent_at; /* the first of them */
    int64_t wrong;    /* results that are not finite, not 0, or not NaN where the exact one is, and
                         all but the exact one's bits at 0 and the infinities */
    float wrong_at;
    float last_x, last_y; /* of the last result */
} ulp_result;

/* Results y of the function at x[0 .. n - 1]. */
void ulp_run(const weir_kernels *kernels, ulp_function function, int64_t n, const float *x,
             float *y);
/* The exact ones, by libm in double. Denormals must not be flushed. */
void ulp_exact(ulp_function function, int64_t n, const float *x, double *exact);
/* Adds them to *result, which starts as zeros; whether they ascend from call to call too. */
void ulp_judge(ulp_result *result, int64_t n, const float *x, const float *y, const double *exact);

/*
 * Measures every stride-th float of the indices begin <= i < end, and whether the results ascend;
 * let ranges overlap by one stride to see that across their border. Exact results below FLT_MIN may
 * be given as 0.
 */
ulp_result ulp_measure(const weir_kernels *kernels, ulp_function function, int64_t begin,
                       int64_t end, int64_t stride);

/* The larger error, the sum of the counts. */
void ulp_merge(ulp_result *into, const ulp_result *from);

#endif

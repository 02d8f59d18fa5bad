/* The product that conv1d's forward pass and its gradient by x are. Internal.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CONV1D_PRODUCT_H
#define WEIR_CONV1D_PRODUCT_H

#include "kernels/kernels.h"

/*
 * Forward and backward data are one product:
 *
 *   y[row m of a sample] = act(b + sum over k, i of x[from + m step + k dk][i] w[k][i][:])
 *
 * with steps outside x left out. Forward: all rows of y. Backward data: the rows of dx in S phases,
 * t = phase, phase + S, ...; the rows of one phase are reached by the same k. There k counts down, so
 * that the rows of dy come in ascending order, and w_t has its k in that order.
 */
typedef struct product {
    const float *x, *w, *b;
    float *y;
    int64_t T_x, T_y;            /* steps of a sample */
    int64_t C_x, C_y;            /* channels */
    int64_t phase, stride, rows; /* of y: its steps phase + m stride, 0 <= m < rows */
    int64_t from, step, dk;
    int64_t K, wk;          /* wk: floats of w from one k to the next */
    int64_t inner0, inner1; /* rows inner0 <= m < inner1 are inside x for every k */
    weir_activation activation;
    bool gradient; /* sums end with + 0 */
} product;

#endif

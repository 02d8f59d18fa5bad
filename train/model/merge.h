/* The two directions of a bidirectional layer: outputs brought together, gradients taken apart.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_MERGE_H
#define WEIR_TRAIN_MERGE_H

#include "weir/runtime.h"

/* Step t of the forward direction belongs to step T - 1 - t of the other one. */
typedef struct merge {
    int64_t N, T, H;
    bool concat; /* y[N][T][2H], else the sum, y[N][T][H] */
} merge;

/* forward[N][T][H], backward[N][T][H] -> y. */
weir_status weir_merge_fwd(weir_runtime *rt, const merge *m, const float *forward,
                           const float *backward, float *y);
/* dy -> d_forward, d_backward. */
weir_status weir_merge_bwd(weir_runtime *rt, const merge *m, const float *dy, float *d_forward,
                           float *d_backward);
/* sum[i] += x[i]. */
weir_status weir_merge_add(weir_runtime *rt, int64_t floats, const float *x, float *sum);

#endif

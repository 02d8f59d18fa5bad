/* Two layers that one op computes, without what is between them. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_PAIR_H
#define WEIR_TRAIN_PAIR_H

#include "train/model/layer.h"

/* Every function takes the first layer of the two. */
typedef struct layer_pair {
    bool (*fits)(const layer *first, const layer *second);
    /* x -> the output of the second. */
    weir_status (*forward)(const layer *first, const pass *p, const float *x, float *y);
    /* dy by that output, which may be overwritten -> the gradients of the parameters of both, and dx
     * unless it is NULL. */
    weir_status (*backward)(const layer *first, const pass *p, float *dy, float *dx);
} layer_pair;

extern const layer_pair weir_pair_conv_pool, weir_pair_token_conv;

/* The op for these two; NULL: there is none. */
const layer_pair *weir_pair_find(const layer *first, const layer *second);

#endif

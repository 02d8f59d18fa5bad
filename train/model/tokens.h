/* Tokens that come to a model as floats. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_TOKENS_H
#define WEIR_TRAIN_TOKENS_H

#include "train/model/layer.h"

/*
 * x[p->N][l->in.T] -> tokens, for a layer that reads token numbers below l->spec.V. Errors: ARGUMENT
 * (names the first x that is no whole number from 0 to V - 1, and its place).
 */
weir_status weir_layer_read_tokens(const layer *l, const pass *p, const float *x, int32_t *tokens);

/* Where an embedding keeps the tokens of the pass under way. */
int32_t *weir_layer_tokens(const layer *l);

/* For build(): the input is [T][1] and V is in range. */
weir_status weir_layer_check_tokens(const layer *l);

#endif

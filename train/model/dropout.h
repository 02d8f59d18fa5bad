/* Dropout masks. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_DROPOUT_H
#define WEIR_TRAIN_DROPOUT_H

#include "train/model/layer.h"

/*
 * mask[N][floats]: 0 with probability rate, else 1 / (1 - rate). Each element is a pure function of
 * seed and step of the pass, of the mask's number (every mask of a model has its own) and of its
 * place, so threads don't matter.
 */
weir_status weir_dropout_mask(const pass *p, int number, double rate, int64_t floats, float *mask);

/* The number of a layer's mask: which = 0 and 1, for the backward direction 2 and 3. */
int weir_dropout_number(const layer *l, int which);

#endif

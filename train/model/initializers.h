/* Initial values of parameters, as Keras. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_INITIALIZERS_H
#define WEIR_TRAIN_INITIALIZERS_H

#include "train/model/layer.h"

/*
 * Fills value[p->floats] from stream `stream` of the seed. Only operations that IEEE 754 rounds in
 * one way are used, so the values are the same on every machine. Errors: MEMORY.
 */
weir_status weir_initialize(const parameter *p, uint64_t seed, uint64_t stream, float *value);

#endif

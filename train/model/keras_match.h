/* Which parameter of a model a tensor of a Keras file is. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_KERAS_MATCH_H
#define WEIR_TRAIN_KERAS_MATCH_H

#include "train/model/keras_file.h"
#include "train/model/sequential.h"

/*
 * parameters[f->count]: one for each tensor, with its shape. Keras 2 goes by the order of the layers
 * with weights, Keras 3 by names that are made of classes and their order; names that a user has given
 * don't matter. Errors: FORMAT (names the layer, the tensor, and what was expected).
 */
weir_status weir_keras_match(const keras_file *f, const weir_model *m,
                             const parameter **parameters);

enum { KERAS_PLACE = 96 };
/* What Keras 3 calls layer l: "layers/gru_1". Returns place. */
const char *weir_keras_layer(const weir_model *m, const layer *l, char place[KERAS_PLACE]);
/* Where Keras 3 has parameter i of layer l: "layers/bidirectional/forward_layer/cell", and the number
 * behind "/vars/". */
int weir_keras_place(const weir_model *m, const layer *l, int i, char place[KERAS_PLACE]);

#endif

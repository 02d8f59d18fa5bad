/* Models and weights out of the files of Keras, and into them. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_KERAS_MODEL_H
#define WEIR_TRAIN_KERAS_MODEL_H

#include "train/model/sequential.h"

/* As weir_model_load(). */
weir_status weir_keras_load(weir_runtime *runtime, const char *path,
                            const weir_model_options *options, weir_model **model);
/* The file's tensors into values[m->parameters]. Errors: as weir_model_load_weights(). */
weir_status weir_keras_load_values(const char *path, const weir_model *m, float *values);
/* Writes the layout of Keras 3. The caller holds the mutex. */
weir_status weir_keras_save_weights(const weir_model *m, const char *path);

#endif

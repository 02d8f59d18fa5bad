/* Models as safetensors files. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_MODEL_FILE_H
#define WEIR_TRAIN_MODEL_FILE_H

#include "train/model/sequential.h"

/* As weir_model_load(). */
weir_status weir_model_file_load(weir_runtime *runtime, const char *path,
                                 const weir_model_options *options, weir_model **model);
/* The file's tensors into values[m->parameters]. Errors: as weir_model_load_weights(). */
weir_status weir_model_file_load_values(const char *path, const weir_model *m, float *values);

#endif

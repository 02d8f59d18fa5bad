/* The models of the book by name. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_BUILTIN_H
#define WEIR_TRAIN_BUILTIN_H

#include "weir/model.h"

enum { BUILTIN_LAYERS_MAX = 8 };

/* layers[BUILTIN_LAYERS_MAX] of a built-in model as options->keras has them. Errors: ARGUMENT
 * (unknown name: lists the known ones; bad option). */
weir_status weir_builtin_layers(const char *name, const weir_model_options *options,
                                weir_layer *layers, int *count);

#endif

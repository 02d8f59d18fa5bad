/* The models of the book: generated from train/models by tools/embed_models.py.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_BUILTIN_H
#define WEIR_TRAIN_BUILTIN_H

#include "weir/model.h"

extern const weir_builtin weir_builtins[];
extern const int weir_builtin_count;

#endif

/* Model definitions in the JSON form of Keras' Sequential. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_DEFINITION_H
#define WEIR_TRAIN_DEFINITION_H

#include <stddef.h>

#include "train/model/sequential.h"

/* The definition of m as text, for the caller to free(). NULL: no memory. */
char *weir_definition_write(const weir_model *m);

typedef struct definition {
    char name[128];
    int64_t T, C_in;
    weir_layer layers[MODEL_LAYERS_MAX];
    int count;
} definition;

/* Errors: FORMAT (names the path inside the JSON and what is known there). */
weir_status weir_definition_read(const char *text, size_t length, definition *out);

#endif

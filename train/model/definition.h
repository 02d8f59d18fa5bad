/* Model definitions in the JSON form of Keras' Sequential. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_DEFINITION_H
#define WEIR_TRAIN_DEFINITION_H

#include <stddef.h>

#include "train/model/json.h"
#include "train/model/sequential.h"

/* The definition of m as text, for the caller to cJSON_free(). NULL: no memory. */
char *weir_definition_write(const weir_model *m);

typedef struct definition {
    char name[128];
    int keras;       /* 2 or 3: the version whose defaults the text has */
    bool shown;      /* by the text, else the caller's */
    int64_t T, C_in; /* 0: the text leaves them open */
    bool tokens;     /* the input has no axis of channels */
    weir_layer layers[MODEL_LAYERS_MAX];
    int count;
} definition;

/*
 * Reads what Keras 2 and 3 write (model.to_json()) and weir_definition_write() does. `keras` is for a
 * text that does not show its version. Objects beside class_name and config are passed over.
 * Errors: FORMAT (names the path inside the JSON and what is known there).
 */
weir_status weir_definition_read(const char *text, size_t length, int keras, definition *out);
/* The same from JSON that was parsed. */
weir_status weir_definition_read_json(const cJSON *json, int keras, definition *out);

/* Embedding or multi-hot: the model reads tokens. */
bool weir_definition_text(const definition *d);

#endif

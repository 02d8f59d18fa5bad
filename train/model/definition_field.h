/* The options of layers in the JSON form of Keras: one table serves reading and writing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_DEFINITION_FIELD_H
#define WEIR_TRAIN_DEFINITION_FIELD_H

#include "train/model/json.h"
#include "weir/model.h"

typedef struct definition_field definition_field;

/* Option i of layers of this kind as it is written, i = 0, 1, ...; NULL past the last. */
const definition_field *weir_definition_field(weir_layer_kind kind, int i);
/* For reading. NULL: layers of this kind have no such option. */
const definition_field *weir_definition_field_find(weir_layer_kind kind, const char *key);

const char *weir_definition_field_key(const definition_field *f);
/* NULL: no memory. */
cJSON *weir_definition_field_write(const definition_field *f, const weir_layer *l);
/* "units, activation, ...": all of them. Returns text. */
const char *weir_definition_field_keys(weir_layer_kind kind, char *text, size_t size);
/* As Keras 2 or 3 means it. Errors: FORMAT. `path` is where in the JSON the option is. */
weir_status weir_definition_field_read(const definition_field *f, const cJSON *json,
                                       const char *path, int keras, weir_layer *l);

/* "model definition: PATH.KEY must be EXPECTED" as FORMAT; key may be "". */
weir_status weir_definition_wrong(const char *path, const char *key, const char *expected);
/* A whole number, 0 to 2^31. */
bool weir_definition_size(const cJSON *json, int64_t *out);

#endif

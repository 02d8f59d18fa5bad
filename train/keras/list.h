/* The tensors of a Keras file. SPDX-License-Identifier: Apache-2.0
 *
 * Groups and files are int64_t, which is what HDF5 calls hid_t: its own header is only where it is
 * installed. */
#ifndef WEIR_KERAS_LIST_H
#define WEIR_KERAS_LIST_H

#include <stdint.h>

#include "train/keras/stream.h"

typedef struct tensor {
    char *layer, *name;
    int64_t dataset;
    int rank;
    int64_t dims[KERAS_RANK_MAX];
    int64_t floats;
} tensor;

typedef struct tensor_list {
    tensor *items; /* [KERAS_TENSORS_MAX] */
    int count;
    int64_t bytes, limit; /* of their floats */
} tensor_list;

/* Adds the dataset at `path` in `group`; layer and name are copied. Answers an error unless it is an
 * array of floats within the limits. */
void list_add(tensor_list *list, int64_t group, const char *path, const char *layer,
              const char *name);
/* For each layer that layer_names of `group` names, what weight_names of its group names. */
void list_layers(tensor_list *list, int64_t group);
/* Every vars/... below the group `name` of `file`; layers are called "layers/...". */
void list_vars(tensor_list *list, int64_t file, const char *name);

#endif

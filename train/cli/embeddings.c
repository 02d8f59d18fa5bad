/* Word vectors into a model. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/embeddings.h"

#include <stdlib.h>
#include <string.h>

#include "train/data/word_vectors.h"

static bool find_table(const weir_model *model, weir_tensor_info *info) {
    for (int i = 0; i < weir_model_tensor_count(model); i++)
        if (weir_model_tensor(model, i, info) == WEIR_OK &&
            strcmp(info->name, "embedding/embeddings") == 0)
            return true;
    return false;
}

weir_status embeddings_load(const char *path, const imdb *d, weir_model *model, int64_t *found) {
    weir_tensor_info table;
    if (!find_table(model, &table))
        return weir_fail(WEIR_ERROR_ARGUMENT, "--embeddings: %s has no embedding",
                         weir_model_name(model));
    const size_t floats = (size_t)weir_model_parameters(model);
    float *parameters = malloc(floats * sizeof *parameters);
    if (!parameters) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the word vectors");
    weir_model_get_parameters(model, parameters);
    const weir_status status =
        word_vectors_read(path, d, table.dims[0], table.dims[1], parameters + table.offset, found);
    if (status == WEIR_OK) weir_model_set_parameters(model, parameters);
    free(parameters);
    return status;
}

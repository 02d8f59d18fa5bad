/* Word vectors into a model. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_EMBEDDINGS_H
#define WEIR_CLI_EMBEDDINGS_H

#include "train/data/imdb.h"
#include "weir/model.h"

/* Reads a file of word vectors into the embedding of the model. *found: words of the data that have
 * one. Errors: ARGUMENT (the model has no embedding), those of word_vectors.h. */
weir_status embeddings_load(const char *path, const imdb *d, weir_model *model, int64_t *found);

#endif

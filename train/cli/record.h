/* What a model file knows of its data and its training. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_RECORD_H
#define WEIR_CLI_RECORD_H

#include <cjson/cJSON.h>

#include "train/cli/task.h"
#include "train/data/known_words.h"
#include "weir/model.h"

/* {"source", ...}: the metadata "data". NULL: no memory. */
cJSON *record_data(const task *t);

/* Attaches a JSON object to the model as metadata `key`. Errors: MEMORY. */
weir_status record_attach(weir_model *model, const char *key, const cJSON *json);

/* Attaches the words that the model knows, as known_words.h writes them, so that weir predict needs no
 * reviews; more than 8 MB of them are left out. Errors: MEMORY. */
weir_status record_attach_words(weir_model *model, const imdb *d);

/* The metadata of a model, read back. */
typedef struct record {
    bool text;
    weir_loss loss;
    /* the weather */
    int64_t columns;
    char **names;     /* [columns] */
    char *joined;     /* the names with commas between */
    int64_t target;   /* index */
    double *mean_std; /* [2][columns] */
    window_options window;
    double step_seconds; /* between rows */
    /* reviews */
    int64_t max_len, max_features, split_seed;
    double val_fraction;
    char vocabulary[17]; /* checksum of the words */
} record;

/* Errors: FORMAT (names what is missing or wrong), MEMORY. */
weir_status record_read(const weir_model *model, record *out);
void record_free(record *r);
/* The words of a model of reviews whose record is r. Errors: FORMAT (it has none, or others), MEMORY. */
weir_status record_read_words(const weir_model *model, const record *r, known_words *out);

/* The checksum of a vocabulary as text. */
const char *record_vocabulary(const imdb *d, char text[17]);

#endif

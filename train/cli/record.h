/* What a model file knows of its data and its training. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_RECORD_H
#define WEIR_CLI_RECORD_H

#include <cjson/cJSON.h>

#include "train/data/windows.h"
#include "weir/model.h"

/* {"source", "columns", "target", "mean", "std", "lookback", ...}: the metadata "data". NULL: no
 * memory. */
cJSON *record_data(const series *s, const windows *w);

/* Attaches a JSON object to the model as metadata `key`. Errors: MEMORY. */
weir_status record_attach(weir_model *model, const char *key, const cJSON *json);

/* The metadata "data" of a model, read back. */
typedef struct record {
    int64_t columns;
    char **names;     /* [columns] */
    char *joined;     /* the names with commas between */
    int64_t target;   /* index */
    double *mean_std; /* [2][columns] */
    window_options window;
    double step_seconds; /* between rows */
} record;

/* Errors: FORMAT (names what is missing or wrong), MEMORY. */
weir_status record_read(const weir_model *model, record *out);
void record_free(record *r);

#endif

/* A saved model and what it knows of its data. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_TRAINED_H
#define WEIR_CLI_TRAINED_H

#include "train/cli/record.h"

/* Zeroed ones may be freed. */
typedef struct trained {
    const char *file; /* the caller's */
    weir_model *model;
    record record;
} trained;

/* Reads the model and its record, which must fit each other. Errors: those of weir_model_load and
 * record_read, FORMAT. *out is to be freed in any case. */
weir_status trained_load(weir_runtime *runtime, const char *file, trained *out);
void trained_free(trained *t);

/* Columns and target as in training, unless others are given. */
void trained_series_arguments(const trained *t, series_arguments *a);
/* Columns, target and time between rows are the model's. Errors: ARGUMENT. */
weir_status trained_check_series(const trained *t, const series *s);

#endif

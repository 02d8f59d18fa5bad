/* The history of a training run, as CSV or JSON. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_HISTORY_H
#define WEIR_CLI_HISTORY_H

#include <cjson/cJSON.h>

#include "train/cli/trainer.h"

typedef struct history {
    epoch_result *rows; /* [count], owned */
    int64_t count;
    score_form form;
} history;

/* Errors: ARGUMENT unless the name ends with .csv or .json. */
weir_status history_check_path(const char *path);
weir_status history_add(history *h, const epoch_result *r);
/*
 * CSV: epoch,loss,val_loss,val_units,train_seconds,val_seconds, for classes val_accuracy in the place
 * of val_units. JSON: {..., "epochs": [...]} with
 * facts (stays the caller's) in front. By the end of the name. Replaces the file in one step.
 * Errors: SYSTEM, MEMORY.
 */
weir_status history_write(const history *h, const cJSON *facts, const char *path);
/* The rows as a list of objects; the caller's. */
cJSON *history_rows_json(const history *h);
void history_free(history *h);

#endif

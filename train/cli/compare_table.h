/* The results of weir compare: a table, CSV, JSON. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_COMPARE_TABLE_H
#define WEIR_CLI_COMPARE_TABLE_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "weir/status.h"

/* One model trained with one seed. Errors are mean absolute errors, normalised. */
typedef struct compare_row {
    const char *model; /* static */
    int64_t seed, parameters;
    int64_t recurrent_steps;           /* 0: no recurrent layer */
    int64_t lookback, step;            /* of its windows, in rows */
    double train_seconds, val_seconds; /* of an epoch, median */
    double val_mae, test_mae;          /* at the best epoch */
    int64_t best_epoch;                /* 0: nothing to train */
    double permuted_mae;               /* validation with the steps of the windows permuted */
    double std;                        /* of the target: MAE x std is in its unit */
} compare_row;

/* The models' rows (all seeds of one together) as text for people: means over the seeds. */
void compare_print(const compare_row *rows, int count, const char *unit);

/* A line for each row. */
void compare_print_csv(const compare_row *rows, int count);

/* {facts..., "runs": [...]}; facts stays the caller's. Errors: MEMORY. */
weir_status compare_print_json(const compare_row *rows, int count, const cJSON *facts);

/* Middle value; sorts the list. 0 for none. */
double compare_median(double *values, int64_t n);

#endif

/* The results of weir compare: a table, CSV, JSON. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_COMPARE_TABLE_H
#define WEIR_CLI_COMPARE_TABLE_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "train/cli/history.h"
#include "train/cli/score.h"
#include "weir/status.h"

/* One model trained with one seed. */
typedef struct compare_row {
    const char *model; /* of the plan */
    int keras;         /* the version that it is as in */
    int64_t seed, parameters;
    int64_t recurrent_steps;           /* 0: no recurrent layer */
    int64_t T;                         /* steps of a sample */
    int64_t lookback, step;            /* of windows, in rows */
    double train_seconds, val_seconds; /* of an epoch, median */
    score val, test;                   /* at the best epoch */
    int64_t best_epoch;                /* 0: nothing to train */
    score permuted;                    /* validation with the steps of the samples permuted */
    score_form form;
    history epochs; /* owned */
} compare_row;

/* The models' rows (all seeds of one together) as text for people: means over the seeds, and the time
 * beside that of the model `reference`, whose short name heads the column. */
void compare_print(const compare_row *rows, int count, const char *reference,
                   const char *short_name);

/* A line for each row. */
void compare_print_csv(const compare_row *rows, int count);

/* A list with an object for each row, its epochs in it; the caller's. */
cJSON *compare_json(const compare_row *rows, int count);

/* Middle value; sorts the list. 0 for none. */
double compare_median(double *values, int64_t n);

#endif

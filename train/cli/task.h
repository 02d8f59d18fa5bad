/* The forecasting task: options that name data and windows, and what they load.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_TASK_H
#define WEIR_CLI_TASK_H

#include "train/cli/options.h"
#include "train/data/windows.h"

typedef struct data_arguments {
    const char *file;
    bool generated;
    int64_t generated_rows, generated_seed;
    const char *target, *columns;
    double missing_value;
    int missing; /* a missing_policy */
} data_arguments;

/* 0: not given. */
typedef struct window_arguments {
    int64_t lookback, step, delay, batch_size, train_rows, val_rows;
} window_arguments;

data_arguments data_arguments_default(void);

extern const char *const task_missing_policies[];

#define DATA_OPTIONS(d)                                                                            \
    OPTION_GROUP("Data"),                                                                          \
        OPTION_STRING("data", "FILE", &(d)->file,                                                  \
                      "a CSV file: a header, times in the first column, numbers in the others"),   \
        OPTION_FLAG("generated", &(d)->generated, "made-up weather of the Jena file's shape"),     \
        OPTION_INT("generated-rows", "N", &(d)->generated_rows, 1000, SERIES_GENERATE_MAX,         \
                   "rows of it, every 10 minutes"),                                                \
        OPTION_INT("generated-seed", "N", &(d)->generated_seed, 0, 1e15, "which made-up weather"), \
        OPTION_STRING_DEFAULT("target", "NAME", &(d)->target, "the column to predict",             \
                              "T (degC)"),                                                         \
        OPTION_STRING_DEFAULT("columns", "NAMES", &(d)->columns,                                   \
                              "columns to read, separated by commas", "all"),                      \
        OPTION_DOUBLE("missing", "VALUE", &(d)->missing_value, -1e30, 1e30,                        \
                      "stands for a missing value (an empty cell is missing too)"),                \
        OPTION_CHOICE("missing-policy", &(d)->missing, task_missing_policies,                      \
                      "what becomes of a missing value")

#define WINDOW_OPTIONS(w)                                                                          \
    OPTION_GROUP("Windows"),                                                                       \
        OPTION_INT_DEFAULT("lookback", "ROWS", &(w)->lookback, 1, 1e9, "rows that a window spans", \
                           "10 days; jena-conv-gru 5"),                                            \
        OPTION_INT_DEFAULT("step", "ROWS", &(w)->step, 1, 1e9, "rows from one step to the next",   \
                           "1 hour; jena-conv-gru 1/2 without --lookback"),                        \
        OPTION_INT_DEFAULT("delay", "ROWS", &(w)->delay, 1, 1e9,                                   \
                           "rows from the window to its target", "24 hours"),                      \
        OPTION_INT_DEFAULT("batch-size", "N", &(w)->batch_size, 1, 1e6, "samples in a batch",      \
                           "128"),                                                                 \
        SPLIT_OPTIONS(w)
#define SPLIT_OPTIONS(w)                                                                \
    OPTION_INT_DEFAULT("train-rows", "N", &(w)->train_rows, 1, 1e9, "rows to train on", \
                       "200000, or in proportion"),                                     \
        OPTION_INT_DEFAULT("val-rows", "N", &(w)->val_rows, 1, 1e9,                     \
                           "rows after them to validate on", "100000, or in proportion")

/* Reads or generates the series. Errors: those of series.h, ARGUMENT (not exactly one of --data and
 * --generated). */
weir_status task_load(const data_arguments *a, series *out);

/*
 * The window for a model on data with `step_seconds` between rows: what was given, else the book's
 * times in rows, rounded so that the step divides the lookback. With a lookback given, or rows more
 * than half an hour apart, jena-conv-gru has no default of its own, so that all models see the same.
 */
window_options task_window(const char *model, double step_seconds, const window_arguments *a);

/* "degC" of "T (degC)", else "units". Points into buffer[size]. */
const char *task_unit(const char *target, char *buffer, size_t size);

/* Prints where the series is from and what was found in it. */
void task_print_series(const series *s, const data_arguments *a);
/* In rows and in time: rounded defaults show. */
void task_print_windows(const windows *w, double step_seconds);

#endif

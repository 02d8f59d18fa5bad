/* The weather as a task: options that name a series and its windows, and what they load.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_WEATHER_H
#define WEIR_CLI_WEATHER_H

#include "train/cli/data_options.h"
#include "train/data/windows.h"
#include "weir/model.h"

typedef struct series_arguments {
    const char *target, *columns;
    const char *wanted_by; /* as in series_options */
    int64_t generated_rows;
    double missing_value;
    int missing; /* a missing_policy */
} series_arguments;

/* 0: not given. */
typedef struct window_arguments {
    int64_t lookback, step, delay, train_rows, val_rows;
} window_arguments;

series_arguments series_arguments_default(void);

extern const char *const weather_missing_policies[];

#define SERIES_OPTIONS(s)                                                                  \
    OPTION_GROUP("Weather (jena-...)"),                                                    \
        OPTION_INT("generated-rows", "N", &(s)->generated_rows, 1000, SERIES_GENERATE_MAX, \
                   "rows of made-up weather, every 10 minutes"),                           \
        OPTION_STRING_DEFAULT("target", "NAME", &(s)->target, "the column to predict",     \
                              "T (degC)"),                                                 \
        OPTION_STRING_DEFAULT("columns", "NAMES", &(s)->columns,                           \
                              "columns to read, separated by commas", "all"),              \
        OPTION_DOUBLE("missing", "VALUE", &(s)->missing_value, -1e30, 1e30,                \
                      "stands for a missing value (an empty cell is missing too)"),        \
        OPTION_CHOICE("missing-policy", &(s)->missing, weather_missing_policies,           \
                      "what becomes of a missing value")

#define WINDOW_OPTIONS(w)                                                                        \
    OPTION_INT_DEFAULT("lookback", "ROWS", &(w)->lookback, 1, 1e9, "rows that a window spans",   \
                       "10 days; jena-conv-gru 5"),                                              \
        OPTION_INT_DEFAULT("step", "ROWS", &(w)->step, 1, 1e9, "rows from one step to the next", \
                           "1 hour; jena-conv-gru 1/2 without --lookback"),                      \
        OPTION_INT_DEFAULT("delay", "ROWS", &(w)->delay, 1, 1e9,                                 \
                           "rows from the window to its target", "24 hours"),                    \
        SPLIT_OPTIONS(w)
#define SPLIT_OPTIONS(w)                                                                \
    OPTION_INT_DEFAULT("train-rows", "N", &(w)->train_rows, 1, 1e9, "rows to train on", \
                       "200000, or in proportion"),                                     \
        OPTION_INT_DEFAULT("val-rows", "N", &(w)->val_rows, 1, 1e9,                     \
                           "rows after them to validate on", "100000, or in proportion")

/* Reads or generates the series. Errors: those of series.h, ARGUMENT (--target or --columns with
 * generated data). */
weir_status weather_load(const data_arguments *d, const series_arguments *a, series *out);

/*
 * The window for a model on data with `step_seconds` between rows: what was given, else the model's
 * steps and minutes from one to the next, in rows, rounded so that the step divides the lookback. With a
 * lookback given, or rows further apart than its steps, a model of steps below an hour takes an hour, so
 * that all models see the same.
 */
window_options weather_window(const weir_builtin *model, double step_seconds,
                              const window_arguments *a);

/* "degC" of "T (degC)", else "units". Points into buffer[size]. */
const char *weather_unit(const char *target, char *buffer, size_t size);

/* Prints where the series is from and what was found in it. */
void weather_print_series(const series *s, const series_arguments *a);
/* In rows and in time: rounded defaults show. */
void weather_print_windows(const windows *w, double step_seconds);

#endif

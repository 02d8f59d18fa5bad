/* A multivariate time series read from a CSV file or generated. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_SERIES_H
#define WEIR_TRAIN_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "weir/status.h"

/* What to do with a cell that is missing (empty, or equal to the missing value). */
typedef enum missing_policy {
    MISSING_HOLD = 0,    /* the row before (or, in the first rows, the first valid one after) */
    MISSING_INTERPOLATE, /* linear between the valid neighbours */
    MISSING_ERROR,       /* refuse the file */
    MISSING_NONE         /* take the value as it is, as the book did */
} missing_policy;

typedef struct series_options {
    const char *target; /* column name, or "T (degC)" by default when NULL */
    const char
        *columns; /* comma-separated names to use, in this order; NULL: all numeric columns */
    double missing_value; /* default -9999 */
    missing_policy missing;
} series_options;

typedef struct series {
    int64_t rows, columns;
    float *values;  /* [rows][columns], owned */
    char **names;   /* [columns], owned */
    int64_t target; /* index of the target column */
    char *source;   /* file name, or "generated (seed N)", owned */
    bool generated;
    int64_t missing; /* cells that the policy filled (or found, with MISSING_NONE) */
    /* Sampling: seconds between rows (median), and how many steps are longer or not positive. */
    double step_seconds;
    int64_t irregular_steps;
} series;

series_options series_options_default(void);

/*
 * Reads a CSV file: a header line, a first column of times ("dd.mm.yyyy hh:mm:ss" or ISO 8601),
 * numeric columns; CRLF, quotes, a byte-order mark and a missing last newline are fine. Parses with
 * its own exact float parser, no locale. Errors: SYSTEM (can't open or map), FORMAT (file, line and
 * column are named), ARGUMENT (unknown column), MEMORY.
 */
weir_status series_read_csv(const char *path, const series_options *options, series *out);

/*
 * A made-up weather station of the Jena file's shape (14 columns with its names, every 10 minutes
 * from 01.01.2009): seasons, days, weather fronts, noise. The same seed gives the same bits.
 */
weir_status series_generate(int64_t rows, uint64_t seed, series *out);

void series_free(series *s);

#endif

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
    const char *target;  /* column name; NULL: "T (degC)" */
    const char *columns; /* comma-separated names to use, in this order; NULL: all but the first */
    const char
        *wanted_by; /* who wants target and columns, for messages; NULL: --target, --columns */
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
    /* Sampling. Rows are used in the file's order whatever their times are; these say how regular
     * the times are, so that a program can tell its user. */
    int64_t *times;          /* [rows], seconds since 01.01.1970, owned; NULL: one every step */
    int64_t first_time;      /* of the first row */
    double step_seconds;     /* between rows, median; 0 for one row */
    int64_t irregular_steps; /* steps that differ from the median */
    int64_t backward_steps;  /* of them, those that are zero or negative */
} series;

/* Target "T (degC)", all columns, -9999 held from the row before. */
series_options series_options_default(void);

/*
 * Reads a CSV file: a header line, a first column of times ("dd.mm.yyyy hh:mm:ss" or ISO 8601),
 * numeric columns; CRLF, quotes, a byte-order mark and a missing last newline are fine. Parses with
 * its own exact float parser, no locale. options may be NULL (defaults). Errors: SYSTEM (can't open
 * or map), FORMAT (file, line and column are named), ARGUMENT (unknown column; lists the columns),
 * MEMORY.
 */
weir_status series_read_csv(const char *path, const series_options *options, series *out);

/*
 * A made-up weather station of the Jena file's shape (14 columns with its names, every 10 minutes
 * from 01.01.2009): seasons, days, weather fronts, noise. The same seed gives the same bits on every
 * machine. Errors: ARGUMENT (rows outside 1 .. SERIES_GENERATE_MAX), MEMORY.
 */
#define SERIES_GENERATE_MAX INT64_C(100000000)
weir_status series_generate(int64_t rows, uint64_t seed, series *out);

/* Writes the series as a CSV file that series_read_csv reads back to the same bits, if its values
 * have two decimals. The file appears when it is complete: not at all when stopped(), asked before
 * each row, says true; NULL never stops. Errors: SYSTEM, MEMORY, STATE (stopped). */
weir_status series_write_csv(const series *s, const char *path, bool (*stopped)(void));

/* The time `rows` rows after another, at most the end of the year 9999. */
int64_t series_time_ahead(int64_t time, int64_t rows, double step_seconds);
/* Time of a row, 0 <= row; of one behind the last: as many steps after that. */
int64_t series_time(const series *s, int64_t row);

/* Zeroes *s; a zeroed series may be freed again. */
void series_free(series *s);

#endif

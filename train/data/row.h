/* A row of a CSV file: its time and its numbers. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_ROW_H
#define WEIR_TRAIN_ROW_H

#include "train/data/csv.h"
#include "train/data/header.h"
#include "train/data/series.h"

/* Where rows come from, and where their columns go. */
typedef struct row_reader {
    csv_file file;
    header head;
    const series_options *options;
    bool lines;            /* the file is one line of many: its end is not the data's */
    int64_t missing_cells; /* so far */
} row_reader;

/*
 * Reads the next row: values[head.used], NAN for a cell that is missing (with MISSING_NONE, its value).
 * Errors: FORMAT (file, line and column are named: a cell too many, no number, a missing value with
 * MISSING_ERROR, ...).
 */
weir_status row_read(row_reader *r, int64_t *time, float *values);

#endif

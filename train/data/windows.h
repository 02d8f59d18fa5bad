/* Windows over a series: the generator of the book's chapter 6.3. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_WINDOWS_H
#define WEIR_TRAIN_WINDOWS_H

#include "train/data/series.h"

/*
 * The window of row r holds rows r - lookback, r - lookback + step, ... < r: lookback / step steps;
 * its target is the target column at row r + delay.
 */
typedef struct window_options {
    int64_t lookback, step, delay, batch_size;
    int64_t train_rows,
        val_rows; /* 0: 200,000 and 100,000, or in the same proportions when the file
                                     is shorter */
} window_options;

typedef enum split { SPLIT_TRAIN = 0, SPLIT_VAL, SPLIT_TEST, SPLIT_COUNT } split;

/* Normalised rows and what was subtracted and divided. */
typedef struct windows {
    window_options o;
    int64_t steps, rows, columns, target;
    float *values;                                /* [rows][columns] normalised, owned */
    double *mean, *std;                           /* [columns] of the training rows, owned */
    int64_t first[SPLIT_COUNT], end[SPLIT_COUNT]; /* rows r of each split's windows, [first, end) */
} windows;

/* Errors: ARGUMENT (names the option and what is accepted), MEMORY. mean_std may be NULL (then the
 * training rows' are taken) or [2][columns] (those of a model file). */
weir_status windows_create(const series *s, const window_options *o, const double *mean_std,
                           windows *out);
void windows_free(windows *w);

/* Number of windows in a split (each is visited once in validation and test). */
int64_t windows_count(const windows *w, split which);

/* Windows of rows r[0..n): x[n][steps][columns], target[n]. Runs on one thread. */
void windows_fill(const windows *w, const int64_t *r, int64_t n, float *x, float *target);

/* Rows of training batch number `index` (0, 1, ...): uniform with replacement in the training
 * range, a pure function of (seed, index, position in the batch). */
void windows_train_rows(const windows *w, uint64_t seed, int64_t index, int64_t n, int64_t *r);

#endif

/* Windows over a series: the generator of the book's chapter 6.3. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_WINDOWS_H
#define WEIR_TRAIN_WINDOWS_H

#include "train/data/series.h"
#include "train/data/split.h"

/*
 * The window of row r holds rows r - lookback, r - lookback + step, ... < r: lookback / step steps;
 * its target is the target column at row r + delay.
 */
typedef struct window_options {
    int64_t lookback, step, delay;
    /* 0: as in the book, 200,000 and 100,000, when the file has WINDOWS_BOOK_ROWS or more, else in
     * the same proportions. */
    int64_t train_rows, val_rows;
} window_options;

/* With so many rows the test part is no shorter than the validation part. */
enum { WINDOWS_BOOK_ROWS = 400000 };

/* Normalised rows and what was subtracted and divided. */
typedef struct windows {
    window_options o; /* with the numbers of rows that were chosen */
    int64_t steps, rows, columns, target;
    float *values;                                /* [rows][columns] normalised, owned */
    double *mean, *std;                           /* [columns] of the training rows, owned */
    int64_t first[SPLIT_COUNT], end[SPLIT_COUNT]; /* rows r of each split's windows, [first, end) */
} windows;

/*
 * Splits the rows: training [0, train_rows), validation the next val_rows, test the rest (with the
 * book's own numbers validation begins at 200,001 and ends at 300,000, test begins at 300,001). A
 * window lies within its split and only its target may lie after it; every split has a window.
 * mean_std is NULL (mean and standard deviation of the training rows, summed in double) or
 * [2][columns] (those of a model file).
 * Errors: ARGUMENT (names the option, its value and what is accepted), MEMORY.
 */
weir_status windows_create(const series *s, const window_options *o, const double *mean_std,
                           windows *out);
/*
 * The same without splits, to predict from: any row r of [lookback, rows] has a window, that of `rows`
 * ends with the series; the number of rows may be as small as the lookback. Those whose target the series
 * reaches are its test windows. Errors: as windows_create.
 */
weir_status windows_create_whole(const series *s, const window_options *o, const double *mean_std,
                                 windows *out);
/* A value in standard deviations from the mean. */
static inline float windows_scale(float value, double mean, double std) {
    return (float)(((double)value - mean) / std);
}
/* Zeroes *w; zeroed windows may be freed again. */
void windows_free(windows *w);

/* Number of windows in a split (each is visited once in validation and test). */
int64_t windows_count(const windows *w, split which);

/* Windows of rows r[0 .. n): x[n][steps][columns], target[n]. Runs on the calling thread; r may be
 * any rows of [lookback, rows - delay). */
void windows_fill(const windows *w, const int64_t *r, int64_t n, float *x, float *target);
/* Without the targets; r may also be of [rows - delay, rows]. */
void windows_fill_inputs(const windows *w, const int64_t *r, int64_t n, float *x);

/* Rows of training batch number `index` (0, 1, ...): uniform with replacement in the training
 * range, a pure function of (seed, index, position in the batch). */
void windows_train_rows(const windows *w, uint64_t seed, int64_t index, int64_t n, int64_t *r);

#endif

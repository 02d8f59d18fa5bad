/* What a model is trained and evaluated on, whatever it is. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_SOURCE_H
#define WEIR_TRAIN_SOURCE_H

#include "train/data/imdb.h"
#include "train/data/windows.h"

/*
 * Samples have numbers, their rows; split s has the rows first[s] .. end[s] - 1. A source keeps a
 * pointer to its data, which must outlive it. Zeroed sources may be freed.
 */
typedef struct source source;

struct source {
    int64_t T, C; /* x[T][C] of a sample; its target is one number */
    int64_t first[SPLIT_COUNT], end[SPLIT_COUNT];
    bool text;           /* x holds tokens, and those in front that are IMDB_PADDING are no steps */
    const char *samples; /* what they are called: "windows" */
    /* Samples of rows r[0 .. n) -> x[n][T][C], target[n]. Called for disjoint parts of a batch on
     * several threads at once. */
    void (*fill)(const source *s, const int64_t *r, int64_t n, float *x, float *target);
    /* Steps that an epoch of batches of N may have; INT64_MAX: any number. */
    int64_t (*epoch_steps)(const source *s, int64_t N);
    /* Rows of step `step` of an epoch that has `steps` -> r[N]; a pure function of all these numbers.
     * Returns how many there are, 1 to N. */
    int64_t (*train_rows)(source *s, uint64_t seed, int64_t epoch, int64_t steps, int64_t step,
                          int64_t N, int64_t *r);
    const void *data;
    int64_t *order; /* rows of the epoch whose number and seed are below; owned */
    int64_t order_epoch;
    uint64_t order_seed;
};

/* Windows over a series: training rows are drawn at random. */
source source_windows(const windows *w);
/* The last T tokens of reviews: an epoch shows every training review once. Errors: MEMORY. */
weir_status source_reviews(const imdb *d, int64_t T, source *out);
void source_free(source *s);

int64_t source_count(const source *s, split which);

#endif

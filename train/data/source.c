/* Windows and reviews as sources of samples. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/source.h"

#include <stdlib.h>
#include <string.h>

/* ---- windows ---- */

static void fill_windows(const source *s, const int64_t *r, int64_t n, float *x, float *target) {
    windows_fill(s->data, r, n, x, target);
}

static int64_t any_steps(const source *s, int64_t N) {
    (void)s;
    (void)N;
    return INT64_MAX;
}

static int64_t draw_windows(source *s, uint64_t seed, int64_t epoch, int64_t steps, int64_t step,
                            int64_t N, int64_t *r) {
    windows_train_rows(s->data, seed, epoch * steps + step, N, r);
    return N;
}

source source_windows(const windows *w) {
    source s = {.T = w->steps,
                .C = w->columns,
                .samples = "windows",
                .fill = fill_windows,
                .epoch_steps = any_steps,
                .train_rows = draw_windows,
                .data = w};
    memcpy(s.first, w->first, sizeof s.first);
    memcpy(s.end, w->end, sizeof s.end);
    return s;
}

/* ---- reviews ---- */

static void fill_reviews(const source *s, const int64_t *r, int64_t n, float *x, float *target) {
    imdb_fill(s->data, r, n, s->T, x, target);
}

static int64_t review_steps(const source *s, int64_t N) {
    return (source_count(s, SPLIT_TRAIN) - 1) / N + 1;
}

static int64_t shuffled_reviews(source *s, uint64_t seed, int64_t epoch, int64_t steps,
                                int64_t step, int64_t N, int64_t *r) {
    (void)steps;
    if (s->order_epoch != epoch || s->order_seed != seed) {
        imdb_epoch_rows(s->data, seed, epoch, s->order);
        s->order_epoch = epoch;
        s->order_seed = seed;
    }
    const int64_t left = source_count(s, SPLIT_TRAIN) - step * N, n = left < N ? left : N;
    memcpy(r, s->order + step * N, (size_t)n * sizeof *r);
    return n;
}

weir_status source_reviews(const imdb *d, int64_t T, source *out) {
    *out = (source){.T = T,
                    .C = 1,
                    .text = true,
                    .samples = "reviews",
                    .fill = fill_reviews,
                    .epoch_steps = review_steps,
                    .train_rows = shuffled_reviews,
                    .data = d,
                    .order_epoch = -1};
    memcpy(out->first, d->first, sizeof out->first);
    memcpy(out->end, d->end, sizeof out->end);
    out->order = malloc((size_t)source_count(out, SPLIT_TRAIN) * sizeof *out->order);
    if (!out->order) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the order of the reviews");
    return WEIR_OK;
}

void source_free(source *s) {
    free(s->order);
    *s = (source){0};
}

int64_t source_count(const source *s, split which) { return s->end[which] - s->first[which]; }

/* Windows over a series: splits, normalisation, batches. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/windows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/model/random.h"

/* The book's numbers for the Jena file. */
enum { BOOK_ROWS = 420551, BOOK_TRAIN = 200000, BOOK_VAL = 100000 };

static weir_status check_step(const window_options *o) {
    if (o->step >= 1 && o->lookback % o->step == 0) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "step is %lld, accepted: a divisor of lookback %lld",
                     (long long)o->step, (long long)o->lookback);
}

static weir_status check_options(const window_options *o, int64_t rows) {
    if (o->lookback < 1 || o->lookback >= rows)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "lookback is %lld, accepted: 1 or more, and less than the %lld rows",
                         (long long)o->lookback, (long long)rows);
    const weir_status status = check_step(o);
    if (status != WEIR_OK) return status;
    if (o->delay < 0 || o->delay >= rows)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "delay is %lld, accepted: 0 or more, and less than the %lld rows",
                         (long long)o->delay, (long long)rows);
    if (o->train_rows < 0 || o->val_rows < 0 || o->train_rows > rows || o->val_rows > rows)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "training and validation rows are %lld and %lld, accepted: 1 to the "
                         "number of rows, %lld, or 0 for the default",
                         (long long)o->train_rows, (long long)o->val_rows, (long long)rows);
    return WEIR_OK;
}

/* Windows of rows [begin, end) begin at begin + lookback. */
static void set_split(windows *w, split which, int64_t begin, int64_t end) {
    w->first[which] = begin + w->o.lookback;
    w->end[which] = end;
}

static void choose_splits(windows *w) {
    const bool book = w->rows >= WINDOWS_BOOK_ROWS;
    if (w->o.train_rows == 0)
        w->o.train_rows = book ? BOOK_TRAIN : w->rows * BOOK_TRAIN / BOOK_ROWS;
    if (w->o.val_rows == 0) w->o.val_rows = book ? BOOK_VAL : w->rows * BOOK_VAL / BOOK_ROWS;
    /* The book begins its second and third part one row late. A model file names its rows, so the
     * book's numbers mean the book's parts, whether they were named or not. */
    const int64_t gap = book && w->o.train_rows == BOOK_TRAIN && w->o.val_rows == BOOK_VAL;
    const int64_t train = w->o.train_rows, both = train + w->o.val_rows;
    set_split(w, SPLIT_TRAIN, 0, train);
    set_split(w, SPLIT_VAL, train + gap, both);
    set_split(w, SPLIT_TEST, both + gap, w->rows - w->o.delay - 1);
}

static weir_status check_splits(const windows *w) {
    static const char *const names[] = {"training", "validation", "test"};
    const int64_t train = w->o.train_rows, val = w->o.val_rows;
    if (val > w->rows - train)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%lld training and %lld validation rows do not fit into %lld rows",
                         (long long)train, (long long)val, (long long)w->rows);
    const int64_t parts[] = {train, val, w->rows - train - val};
    const int64_t needs[] = {w->o.lookback + 1, w->o.lookback + 1, w->o.lookback + w->o.delay + 2};
    for (int i = 0; i < SPLIT_COUNT; i++) {
        /* A test window's target is in the file, so those of the splits before it are. */
        if (w->first[i] < w->end[i]) continue;
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "no %s window fits: %lld of the %lld rows are for %s, accepted: %lld or "
                         "more with lookback %lld and delay %lld (%lld rows are for training, "
                         "%lld for validation, the rest for the test; --lookback, --train-rows and "
                         "--val-rows say otherwise)",
                         names[i], (long long)parts[i], (long long)w->rows, names[i],
                         (long long)needs[i], (long long)w->o.lookback, (long long)w->o.delay,
                         (long long)train, (long long)val);
    }
    return WEIR_OK;
}

static bool is_constant(const series *s, int64_t column, int64_t rows) {
    for (int64_t row = 1; row < rows; row++)
        if (s->values[row * s->columns + column] != s->values[column]) return false;
    return true;
}

/* Mean and standard deviation (of the population, as numpy's) of the first rows. */
static void measure(const series *s, int64_t rows, double *mean, double *std) {
    const int64_t C = s->columns;
    for (int64_t i = 0; i < C; i++) mean[i] = std[i] = 0;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < C; i++) mean[i] += s->values[row * C + i];
    for (int64_t i = 0; i < C; i++) mean[i] /= (double)rows;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t i = 0; i < C; i++) {
            const double d = s->values[row * C + i] - mean[i];
            std[i] += d * d;
        }
    }
    for (int64_t i = 0; i < C; i++) std[i] = sqrt(std[i] / (double)rows);
}

static weir_status find_scale(const series *s, const double *mean_std, windows *w) {
    const int64_t C = s->columns;
    if (mean_std != NULL) {
        memcpy(w->mean, mean_std, (size_t)C * sizeof *w->mean);
        memcpy(w->std, mean_std + C, (size_t)C * sizeof *w->std);
    } else {
        for (int64_t i = 0; i < C; i++)
            if (is_constant(s, i, w->o.train_rows))
                return weir_fail(WEIR_ERROR_ARGUMENT,
                                 "column \"%s\" is %g in all %lld training rows and can't be "
                                 "normalised: leave it out (--columns)",
                                 s->names[i], (double)s->values[i], (long long)w->o.train_rows);
        measure(s, w->o.train_rows, w->mean, w->std);
    }
    for (int64_t i = 0; i < C; i++)
        if (!(w->std[i] > 0) || !isfinite(w->std[i]) || !isfinite(w->mean[i]))
            return weir_fail(WEIR_ERROR_ARGUMENT,
                             "mean and standard deviation of column \"%s\" are %g and %g, "
                             "accepted: finite, and a deviation above 0",
                             s->names[i], w->mean[i], w->std[i]);
    return WEIR_OK;
}

static weir_status normalise(const series *s, const double *mean_std, windows *w) {
    const int64_t C = s->columns;
    w->values = malloc((size_t)(s->rows * C) * sizeof *w->values);
    w->mean = malloc((size_t)C * sizeof *w->mean);
    w->std = malloc((size_t)C * sizeof *w->std);
    if (w->values == NULL || w->mean == NULL || w->std == NULL)
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for %lld rows of %lld columns",
                         (long long)s->rows, (long long)C);
    const weir_status status = find_scale(s, mean_std, w);
    if (status != WEIR_OK) return status;
    for (int64_t row = 0; row < s->rows; row++)
        for (int64_t i = 0; i < C; i++)
            w->values[row * C + i] = windows_scale(s->values[row * C + i], w->mean[i], w->std[i]);
    return WEIR_OK;
}

weir_status windows_create(const series *s, const window_options *o, const double *mean_std,
                           windows *out) {
    *out = (windows){.o = *o, .rows = s->rows, .columns = s->columns, .target = s->target};
    weir_status status = check_options(o, s->rows);
    if (status != WEIR_OK) return status;
    out->steps = o->lookback / o->step;
    choose_splits(out);
    status = check_splits(out);
    if (status == WEIR_OK) status = normalise(s, mean_std, out);
    if (status != WEIR_OK) windows_free(out);
    return status;
}

weir_status windows_create_whole(const series *s, const window_options *o, const double *mean_std,
                                 windows *out) {
    *out = (windows){.o = *o, .rows = s->rows, .columns = s->columns, .target = s->target};
    if (o->lookback < 1 || o->lookback > s->rows)
        return weir_fail(
            WEIR_ERROR_ARGUMENT,
            "%s has %lld rows, too few for a window of %lld rows: accepted are as many "
            "or more",
            s->source, (long long)s->rows, (long long)o->lookback);
    weir_status status = check_step(o);
    if (status != WEIR_OK) return status;
    out->steps = o->lookback / o->step;
    out->first[SPLIT_TEST] = out->end[SPLIT_TEST] = o->lookback;
    if (s->rows - o->delay > o->lookback) out->end[SPLIT_TEST] = s->rows - o->delay;
    status = normalise(s, mean_std, out);
    if (status != WEIR_OK) windows_free(out);
    return status;
}

void windows_free(windows *w) {
    free(w->values);
    free(w->mean);
    free(w->std);
    *w = (windows){0};
}

int64_t windows_count(const windows *w, split which) { return w->end[which] - w->first[which]; }

void windows_fill_inputs(const windows *w, const int64_t *r, int64_t n, float *x) {
    const int64_t C = w->columns, step = w->o.step;
    const size_t row_bytes = (size_t)C * sizeof *x;
    for (int64_t i = 0; i < n; i++) {
        const float *from = w->values + (r[i] - w->o.lookback) * C;
        if (step == 1) {
            memcpy(x, from, (size_t)w->steps * row_bytes);
            x += w->steps * C;
        } else {
            for (int64_t t = 0; t < w->steps; t++, x += C, from += step * C)
                memcpy(x, from, row_bytes);
        }
    }
}

void windows_fill(const windows *w, const int64_t *r, int64_t n, float *x, float *target) {
    windows_fill_inputs(w, r, n, x);
    for (int64_t i = 0; i < n; i++)
        target[i] = w->values[(r[i] + w->o.delay) * w->columns + w->target];
}

void windows_train_rows(const windows *w, uint64_t seed, int64_t index, int64_t n, int64_t *r) {
    const int64_t first = w->first[SPLIT_TRAIN], count = windows_count(w, SPLIT_TRAIN);
    for (int64_t i = 0; i < n; i++) {
        const uint64_t number = (uint64_t)index << 32 | (uint64_t)i;
        r[i] = first + random_below(seed, RANDOM_TRAIN_ROWS, number, count);
    }
}

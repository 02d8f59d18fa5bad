/* Reading a series from a CSV file. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/data/series.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/data/csv.h"
#include "train/data/header.h"
#include "train/data/missing.h"
#include "train/data/number.h"
#include "train/data/timestamp.h"

/* One reading: the file, where its columns go, and what has been read. */
typedef struct reader {
    csv_file file;
    const series_options *options;
    header head;
    series *s;
} reader;

series_options series_options_default(void) {
    return (series_options){.missing_value = -9999, .missing = MISSING_HOLD};
}

void series_free(series *s) {
    for (int64_t i = 0; s->names != NULL && i < s->columns; i++) free(s->names[i]);
    free(s->names);
    free(s->values);
    free(s->times);
    free(s->source);
    *s = (series){0};
}

static weir_status bad_cell(const reader *r, const csv_cell *cell, int64_t column,
                            const char *what) {
    char text[CSV_SHOWN];
    return csv_fail(&r->file, cell->begin, "\"%s\" in column \"%s\" %s", csv_show(cell, text),
                    r->head.names[column], what);
}

/* A cell that holds no value: NaN marks it until the policy has been applied. */
static weir_status take_missing(reader *r, const csv_cell *cell, int64_t column, float *value) {
    if (r->options->missing == MISSING_ERROR)
        return bad_cell(r, cell, column, "is a missing value, and missing values are refused");
    r->s->missing++;
    *value = NAN;
    return WEIR_OK;
}

static weir_status take_value(reader *r, const csv_cell *cell, int64_t column, float *value) {
    const missing_policy policy = r->options->missing;
    double number;
    if (cell->begin == cell->end) {
        if (policy == MISSING_NONE)
            return bad_cell(r, cell, column, "is empty, and missing values are not filled");
        return take_missing(r, cell, column, value);
    }
    switch (number_parse(cell->begin, cell->end, &number)) {
    case NUMBER_BAD: return bad_cell(r, cell, column, "is not a number");
    case NUMBER_RANGE: return bad_cell(r, cell, column, "is too large or too long a number");
    case NUMBER_OK: break;
    }
    if (number == r->options->missing_value && policy != MISSING_NONE)
        return take_missing(r, cell, column, value);
    if (fabs(number) > FLT_MAX) return bad_cell(r, cell, column, "is too large a number");
    if (number == r->options->missing_value) r->s->missing++;
    *value = (float)number;
    return WEIR_OK;
}

/* The line had `cells` cells when it ended, or more than the header. */
static weir_status wrong_count(reader *r, int64_t cells, csv_cell last) {
    const char *at = last.begin;
    const bool file_ended = r->file.next == r->file.data + r->file.size;
    while (!last.last) {
        const weir_status status = csv_take_cell(&r->file, &last);
        if (status != WEIR_OK) return status;
        cells++;
    }
    const char *hint = "";
    if (cells < r->head.count && file_ended) hint = "; the file ends here, is it complete?";
    if (cells == 1 && last.begin == last.end)
        return csv_fail(&r->file, at, "the line is empty, but rows follow");
    return csv_fail(&r->file, at, "the row has %lld cell%s, the header has %lld%s",
                    (long long)cells, cells == 1 ? "" : "s", (long long)r->head.count, hint);
}

static weir_status read_row(reader *r, int64_t row) {
    float *values = r->s->values + row * r->s->columns;
    csv_cell cell;
    for (int64_t column = 0; column < r->head.count; column++) {
        weir_status status = csv_take_cell(&r->file, &cell);
        if (status != WEIR_OK) return status;
        if (cell.last != (column == r->head.count - 1)) return wrong_count(r, column + 1, cell);
        if (column == 0) {
            if (!timestamp_parse(cell.begin, cell.end, &r->s->times[row]))
                return bad_cell(r, &cell, column, "is not a time, accepted: " TIMESTAMP_ACCEPTED);
            continue;
        }
        const int64_t to = r->head.to[column];
        if (to < 0) continue;
        status = take_value(r, &cell, column, values + to);
        if (status != WEIR_OK) return status;
    }
    return WEIR_OK;
}

static int compare_steps(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static weir_status no_memory(int64_t rows, int64_t columns) {
    return weir_fail(WEIR_ERROR_MEMORY, "no memory for %lld rows of %lld columns", (long long)rows,
                     (long long)columns);
}

static weir_status measure_sampling(series *s) {
    const int64_t count = s->rows - 1;
    s->first_time = s->times[0];
    if (count < 1) return WEIR_OK;
    int64_t *steps = malloc((size_t)count * sizeof *steps);
    if (steps == NULL) return no_memory(s->rows, s->columns);
    for (int64_t i = 0; i < count; i++) {
        steps[i] = s->times[i + 1] - s->times[i];
        if (steps[i] <= 0) s->backward_steps++;
    }
    /* Nearly all are equal, which makes this a pass over sorted runs. */
    qsort(steps, (size_t)count, sizeof *steps, compare_steps);
    const int64_t median = steps[count / 2];
    s->step_seconds = (double)median;
    for (int64_t i = 0; i < count; i++)
        if (steps[i] != median) s->irregular_steps++;
    free(steps);
    return WEIR_OK;
}

int64_t series_time(const series *s, int64_t row) {
    const double end_of_calendar = 253402300799; /* 31.12.9999 23:59:59 */
    if (s->times != NULL && row < s->rows) return s->times[row];
    const int64_t known = s->times != NULL ? s->rows - 1 : 0;
    const double from = (double)(s->times != NULL ? s->times[known] : s->first_time);
    const double time = from + (double)(row - known) * s->step_seconds;
    return (int64_t)(time < end_of_calendar ? time : end_of_calendar);
}

static weir_status read_rows(reader *r) {
    series *s = r->s;
    const int64_t most = csv_lines_left(&r->file);
    s->values = malloc((size_t)most * (size_t)s->columns * sizeof *s->values);
    s->times = malloc((size_t)most * sizeof *s->times);
    if (s->values == NULL || s->times == NULL) return no_memory(most, s->columns);
    for (; !csv_at_end(&r->file); s->rows++) {
        const weir_status status = read_row(r, s->rows);
        if (status != WEIR_OK) return status;
    }
    if (s->rows == 0)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: there is a header but no row", r->file.path);
    const weir_status status = measure_sampling(s);
    return status == WEIR_OK ? missing_fill(s, r->options->missing) : status;
}

static weir_status read_file(reader *r) {
    weir_status status = header_read(&r->file, r->options, &r->head);
    if (status == WEIR_OK) status = header_names(&r->head, r->s);
    if (status != WEIR_OK) return status;
    r->s->source = strdup(r->file.path);
    if (r->s->source == NULL) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a file name");
    return read_rows(r);
}

weir_status series_read_csv(const char *path, const series_options *options, series *out) {
    const series_options defaults = series_options_default();
    reader r = {.options = options != NULL ? options : &defaults, .s = out};
    *out = (series){0};
    weir_status status = csv_open(path, &r.file);
    if (status == WEIR_OK) status = read_file(&r);
    if (status != WEIR_OK) series_free(out);
    header_free(&r.head);
    csv_close(&r.file);
    return status;
}

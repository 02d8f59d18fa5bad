/* Reading a series from a CSV file. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/data/series.h"

#include <stdlib.h>
#include <string.h>

#include "train/data/missing.h"
#include "train/data/row.h"

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

int64_t series_time_ahead(int64_t time, int64_t rows, double step_seconds) {
    const double end_of_calendar = 253402300799; /* 31.12.9999 23:59:59 */
    const double ahead = (double)time + (double)rows * step_seconds;
    return (int64_t)(ahead < end_of_calendar ? ahead : end_of_calendar);
}

int64_t series_time(const series *s, int64_t row) {
    if (s->times == NULL) return series_time_ahead(s->first_time, row, s->step_seconds);
    if (row < s->rows) return s->times[row];
    return series_time_ahead(s->times[s->rows - 1], row - s->rows + 1, s->step_seconds);
}

static weir_status read_rows(row_reader *r, series *s) {
    const int64_t most = csv_lines_left(&r->file);
    s->values = malloc((size_t)most * (size_t)s->columns * sizeof *s->values);
    s->times = malloc((size_t)most * sizeof *s->times);
    if (s->values == NULL || s->times == NULL) return no_memory(most, s->columns);
    for (; !csv_at_end(&r->file); s->rows++) {
        const weir_status status =
            row_read(r, &s->times[s->rows], s->values + s->rows * s->columns);
        if (status != WEIR_OK) return status;
    }
    if (s->rows == 0)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: there is a header but no row", r->file.path);
    s->missing = r->missing_cells;
    const weir_status status = measure_sampling(s);
    return status == WEIR_OK ? missing_fill(s, r->options->missing) : status;
}

static weir_status read_file(row_reader *r, series *s) {
    weir_status status = header_read(&r->file, r->options, &r->head);
    if (status == WEIR_OK) status = header_names(&r->head, s);
    if (status != WEIR_OK) return status;
    s->source = strdup(r->file.path);
    if (s->source == NULL) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a file name");
    return read_rows(r, s);
}

weir_status series_read_csv(const char *path, const series_options *options, series *out) {
    const series_options defaults = series_options_default();
    row_reader r = {.options = options != NULL ? options : &defaults};
    *out = (series){0};
    weir_status status = csv_open(path, &r.file);
    if (status == WEIR_OK) status = read_file(&r, out);
    if (status != WEIR_OK) series_free(out);
    header_free(&r.head);
    csv_close(&r.file);
    return status;
}

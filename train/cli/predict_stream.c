/* weir predict --stream: forecasts while rows come in. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cli/lines.h"
#include "train/cli/predict.h"
#include "train/cli/printable.h"
#include "train/data/row.h"
#include "train/data/timestamp.h"
#include "train/model/json.h"

typedef struct feed {
    const predict_run *run;
    series_arguments a;
    series_options options;
    lines from;
    row_reader reader;
    weir_stream *stream;
    float *values, *held, *x; /* [columns]: of the row, after the missing policy, normalised */
    int64_t rows, waiting;    /* taken; before them, rows without a value in some column */
    int64_t time;             /* of the row */
    int64_t irregular, first_irregular;
    float y; /* the newest output */
} feed;

static weir_status check(const predict_run *run) {
    const predict_arguments *a = run->a;
    const char *other = a->rolling                                 ? "--rolling"
                        : a->last > 0                              ? "--last"
                        : a->data.generated                        ? "--generated"
                        : a->series.missing == MISSING_INTERPOLATE ? "--missing-policy interpolate"
                                                                   : NULL;
    if (!other) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "--stream and %s exclude each other", other);
}

static weir_status start(feed *f) {
    const record *facts = &f->run->trained.record;
    const size_t bytes = (size_t)facts->columns * sizeof(float);
    weir_status status = check(f->run);
    if (status == WEIR_OK) status = weir_stream_create(f->run->trained.model, &f->stream);
    if (status == WEIR_OK) status = lines_open(f->run->a->data.file, &f->from);
    if (status != WEIR_OK) return status;
    f->a = f->run->a->series;
    trained_series_arguments(&f->run->trained, &f->a);
    f->options = (series_options){.columns = f->a.columns,
                                  .target = f->a.target,
                                  .wanted_by = f->a.wanted_by,
                                  .missing_value = f->a.missing_value,
                                  .missing = (missing_policy)f->a.missing};
    f->reader.options = &f->options;
    f->reader.lines = true;
    f->values = malloc(bytes);
    f->held = malloc(bytes);
    f->x = malloc(bytes);
    if (!f->values || !f->held || !f->x)
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for a row of %lld columns",
                         (long long)facts->columns);
    for (int64_t i = 0; i < facts->columns; i++) f->held[i] = NAN;
    return WEIR_OK;
}

/* ---- the first line ---- */

/* Columns in another order, and others beside them, are as good as in a file. */
static weir_status take_header(feed *f) {
    series s = {.step_seconds = f->run->trained.record.step_seconds};
    weir_status status = header_read(&f->reader.file, &f->options, &f->reader.head);
    if (status == WEIR_OK) status = header_names(&f->reader.head, &s);
    if (status == WEIR_OK) status = trained_check_series(&f->run->trained, &s);
    series_free(&s);
    return status;
}

/* A header, or the first row: then the columns are those of the training. */
static weir_status begin(feed *f, bool *is_row) {
    const record *facts = &f->run->trained.record;
    csv_file file = f->reader.file;
    csv_cell cell;
    int64_t time;
    *is_row =
        csv_take_cell(&file, &cell) == WEIR_OK && timestamp_parse(cell.begin, cell.end, &time);
    if (*is_row) return header_make(facts->names, facts->columns, facts->target, &f->reader.head);
    return take_header(f);
}

/* ---- rows ---- */

/* Holds what is missing; false while a column has had no value. */
static bool hold(feed *f) {
    bool whole = true;
    for (int64_t i = 0; i < f->run->trained.record.columns; i++) {
        if (!isnan(f->values[i])) f->held[i] = f->values[i];
        whole = whole && !isnan(f->held[i]);
    }
    return whole;
}

static weir_status print_forecast(const feed *f) {
    const record *facts = &f->run->trained.record;
    const double mean = facts->mean_std[facts->target];
    const double std = facts->mean_std[facts->columns + facts->target];
    const float y = (float)((double)f->y * std + mean);
    weir_status status = predict_check(f->run, &y, 1);
    if (status != WEIR_OK) return status;
    /* As far ahead as in training: the window's last row is `step` rows before the row it is named by. */
    const int64_t rows = facts->window.step + facts->window.delay;
    const int64_t at = series_time_ahead(f->time, rows, facts->step_seconds);
    if (!f->run->a->json) {
        char text[TIMESTAMP_LENGTH + 1] = "";
        timestamp_format(at, text);
        printf("%s,%.7g\n", text, (double)y);
    } else {
        cJSON *json = weir_json_object();
        predict_add_time(json, "row", f->time);
        predict_add_time(json, "time", at);
        weir_json_add(json, "forecast", weir_json_number((double)y));
        status = predict_print(json);
    }
    fflush(stdout);
    return status;
}

/* Every step-th row is a step of the model. A forecast ends where a window of the training would. */
static weir_status forecast(feed *f) {
    const record *facts = &f->run->trained.record;
    const double *mean = facts->mean_std, *std = mean + facts->columns;
    if (f->rows++ % facts->window.step != 0) return WEIR_OK;
    for (int64_t i = 0; i < facts->columns; i++)
        f->x[i] = windows_scale(f->held[i], mean[i], std[i]);
    const weir_status status = weir_stream_push(f->stream, f->x, &f->y, NULL);
    const int64_t beyond = weir_stream_rows(f->stream) - weir_model_T(f->run->trained.model);
    if (status != WEIR_OK || beyond < 0 || beyond % weir_stream_stride(f->stream) != 0)
        return status;
    return print_forecast(f);
}

static weir_status take_row(feed *f) {
    const int64_t before = f->time;
    weir_status status = row_read(&f->reader, &f->time, f->values);
    if (status != WEIR_OK) return status;
    const double passed = (double)(f->time - before);
    const double expected = f->run->trained.record.step_seconds;
    if (f->rows + f->waiting > 0 && fabs(passed - expected) > 1 && f->irregular++ == 0) {
        f->first_irregular = f->from.number;
        /* At once, for the end may never come. */
        fprintf(stderr,
                "weir predict: warning: line %lld is %g min after the row before, not %g; more of "
                "these are counted at the end\n",
                (long long)f->first_irregular, passed / 60, expected / 60);
    }
    if (hold(f)) return forecast(f);
    f->waiting++;
    return WEIR_OK;
}

static weir_status take_lines(feed *f) {
    char *text;
    int64_t bytes;
    bool begun = false, is_row = true;
    while (!ferror(stdout)) {
        weir_status status = lines_next(&f->from, &text, &bytes);
        if (status != WEIR_OK || !text) return status;
        if (bytes == 0) continue;
        f->reader.file = (csv_file){.path = f->from.name,
                                    .data = text,
                                    .size = (size_t)bytes,
                                    .next = text,
                                    .line_begin = text,
                                    .line = f->from.number};
        if (!begun) status = begin(f, &is_row);
        begun = true;
        if (status == WEIR_OK && is_row) status = take_row(f);
        if (status != WEIR_OK) return status;
        is_row = true;
    }
    return WEIR_OK;
}

static void print_remarks(const feed *f) {
    const char *const warning = "weir predict: warning";
    char name[PRINTABLE];
    printable(f->from.name, name);
    if (f->waiting > 0)
        fprintf(stderr, "%s: %s: rows passed over, as a column had no value yet: %lld\n", warning,
                name, (long long)f->waiting);
    if (f->from.cut)
        fprintf(stderr, "%s: %s: line %lld has no end, its last number may be cut off\n", warning,
                name, (long long)f->from.number);
    if (f->irregular > 0)
        fprintf(stderr,
                "%s: %s: rows not %g min after the one before: %lld, the first in line %lld\n",
                warning, name, f->run->trained.record.step_seconds / 60, (long long)f->irregular,
                (long long)f->first_irregular);
}

static weir_status check_enough(const feed *f) {
    const int64_t steps = weir_model_T(f->run->trained.model),
                  step = f->run->trained.record.window.step;
    const int64_t needed = (steps - 1) * step + 1;
    if (f->rows >= needed) return WEIR_OK;
    return weir_fail(
        WEIR_ERROR_FORMAT,
        "%s ended after %lld rows, the first forecast needs %lld: %lld steps, one every "
        "%lld rows",
        f->from.name, (long long)f->rows, (long long)needed, (long long)steps, (long long)step);
}

weir_status predict_stream(const predict_run *run) {
    feed f = {.run = run, .from = {.fd = -1}};
    weir_status status = start(&f);
    if (status == WEIR_OK) {
        if (!run->a->json) puts("time,forecast");
        fflush(stdout);
        status = take_lines(&f);
        print_remarks(&f);
        if (status == WEIR_OK && !ferror(stdout)) status = check_enough(&f);
    }
    header_free(&f.reader.head);
    lines_close(&f.from);
    weir_stream_destroy(f.stream);
    free(f.values);
    free(f.held);
    free(f.x);
    return status;
}

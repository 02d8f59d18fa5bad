/* weir predict: the weather after the end of a series, and along it. SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cli/predict.h"
#include "train/cli/printable.h"
#include "train/data/timestamp.h"
#include "train/model/json.h"

enum { BATCH = 256 }; /* changes no bit of the result */

typedef struct forecast {
    const predict_run *run;
    series s;
    windows w;
    int64_t *rows; /* [BATCH], of the windows */
    float *x, *y;
} forecast;

static weir_status load(const predict_run *run, forecast *f) {
    const predict_arguments *a = run->a;
    const record *facts = &run->trained.record;
    if (a->data.file && a->data.generated)
        return weir_fail(WEIR_ERROR_ARGUMENT, "--data %s and --generated exclude each other",
                         a->data.file);
    if (!a->data.file && !a->data.generated)
        return weir_fail(WEIR_ERROR_ARGUMENT, "no data, accepted: --data FILE or --generated");
    series_arguments columns = a->series;
    if (!a->data.generated) trained_series_arguments(&run->trained, &columns);
    weir_status status = weather_load(&a->data, &columns, &f->s);
    /* First: mean_std has as many numbers as the model has columns. */
    if (status == WEIR_OK) status = trained_check_series(&run->trained, &f->s);
    if (status == WEIR_OK)
        status = windows_create_whole(&f->s, &facts->window, facts->mean_std, &f->w);
    if (status != WEIR_OK) return status;
    f->rows = malloc(BATCH * sizeof *f->rows);
    f->x = malloc((size_t)(BATCH * f->w.steps * f->w.columns) * sizeof *f->x);
    f->y = malloc(BATCH * sizeof *f->y);
    if (!f->rows || !f->x || !f->y)
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for %d windows", BATCH);
    return WEIR_OK;
}

/* Forecasts from the windows of rows first .. first + n - 1 into f->y, in the target's unit. */
static weir_status compute(forecast *f, int64_t first, int64_t n) {
    const int64_t target = f->w.target;
    for (int64_t i = 0; i < n; i++) f->rows[i] = first + i;
    windows_fill_inputs(&f->w, f->rows, n, f->x);
    weir_status status = weir_model_predict(f->run->trained.model, n, f->x, f->y);
    for (int64_t i = 0; i < n; i++)
        f->y[i] = (float)((double)f->y[i] * f->w.std[target] + f->w.mean[target]);
    return status == WEIR_OK ? predict_check(f->run, f->y, n) : status;
}

/* ---- one, after the end ---- */

static weir_status print_one(const forecast *f) {
    const int64_t at = series_time(&f->s, f->s.rows + f->w.o.delay);
    const char *target = f->s.names[f->s.target];
    char time[TIMESTAMP_LENGTH + 1] = "", text[PRINTABLE], unit[32];
    if (!f->run->a->json) {
        timestamp_format(at, time);
        printf("%s at %s: %.7g%s\n", printable(target, text), time, (double)f->y[0],
               f->s.generated ? " (made-up weather)" : "");
        return WEIR_OK;
    }
    cJSON *json = weir_json_object();
    weir_json_add_string(json, "file", f->run->a->file);
    weir_json_add_string(json, "model", weir_model_name(f->run->trained.model));
    weir_json_add_string(json, "data", f->s.source);
    weir_json_add_bool(json, "generated", f->s.generated);
    weir_json_add_string(json, "target", target);
    weir_json_add_string(json, "unit", weather_unit(target, unit, sizeof unit));
    predict_add_time(json, "last_row", series_time(&f->s, f->s.rows - 1));
    predict_add_time(json, "time", at);
    weir_json_add(json, "forecast", weir_json_number((double)f->y[0]));
    return predict_print(json);
}

/* ---- many ---- */

/* What is forecast from row r, and what came, if the series reaches so far. */
static weir_status print_row(const forecast *f, int64_t r, float y) {
    const int64_t at = r + f->w.o.delay, time = series_time(&f->s, at);
    const bool known = at < f->s.rows;
    const double actual = known ? (double)f->s.values[at * f->s.columns + f->s.target] : 0;
    if (!f->run->a->json) {
        char text[TIMESTAMP_LENGTH + 1] = "", came[32] = "";
        timestamp_format(time, text);
        if (known) snprintf(came, sizeof came, "%.7g", actual);
        printf("%s,%.7g,%s\n", text, (double)y, came);
        return WEIR_OK;
    }
    cJSON *json = weir_json_object();
    predict_add_time(json, "time", time);
    weir_json_add(json, "forecast", weir_json_number((double)y));
    weir_json_add(json, "actual", known ? weir_json_number(actual) : weir_json_null());
    return predict_print(json);
}

static weir_status roll(forecast *f) {
    const int64_t all = f->s.rows - f->w.o.lookback + 1, last = f->run->a->last;
    const int64_t count = last > 0 ? last : all;
    if (count > all)
        return weir_fail(
            WEIR_ERROR_ARGUMENT,
            "--last is %lld, accepted: 1 to %lld, the windows of %lld rows in the %lld "
            "rows of %s",
            (long long)count, (long long)all, (long long)f->w.o.lookback, (long long)f->s.rows,
            f->s.source);
    if (!f->run->a->json) puts("time,forecast,actual");
    weir_status status = WEIR_OK;
    for (int64_t r = f->s.rows - count + 1; r <= f->s.rows && status == WEIR_OK; r += BATCH) {
        const int64_t left = f->s.rows - r + 1, n = left < BATCH ? left : BATCH;
        status = compute(f, r, n);
        for (int64_t i = 0; i < n && status == WEIR_OK; i++) status = print_row(f, r + i, f->y[i]);
    }
    return status;
}

weir_status predict_weather(const predict_run *run) {
    forecast f = {.run = run};
    weir_status status = load(run, &f);
    if (status == WEIR_OK && (run->a->rolling || run->a->last > 0)) {
        status = roll(&f);
    } else if (status == WEIR_OK) {
        status = compute(&f, f.s.rows, 1);
        if (status == WEIR_OK) status = print_one(&f);
    }
    free(f.rows);
    free(f.x);
    free(f.y);
    windows_free(&f.w);
    series_free(&f.s);
    return status;
}

/* The weather as a task: options that name a series and its windows, and what they load.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/weather.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/cli/printable.h"

const char *const weather_missing_policies[] = {"hold", "interpolate", "error", "none", NULL};

series_arguments series_arguments_default(void) {
    return (series_arguments){.generated_rows = 120000,
                              .missing_value = series_options_default().missing_value,
                              .missing = MISSING_HOLD};
}

weir_status weather_load(const data_arguments *d, const series_arguments *a, series *out) {
    if (d->generated) {
        if (a->target || a->columns)
            return weir_fail(WEIR_ERROR_ARGUMENT,
                             "--target and --columns need --data: generated data are used whole");
        return series_generate(a->generated_rows,
                               (uint64_t)(d->generated_seed > 0 ? d->generated_seed : 0), out);
    }
    series_options o = series_options_default();
    if (a->target) o.target = a->target;
    o.columns = a->columns;
    o.wanted_by = a->wanted_by;
    o.missing_value = a->missing_value;
    o.missing = (missing_policy)a->missing;
    const weir_status status = series_read_csv(d->file, &o, out);
    if (status != WEIR_OK || out->rows < 2 || out->step_seconds > 0) return status;
    const double step = out->step_seconds;
    series_free(out);
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "%s: most rows are %g s after the one before, accepted: rows in the order of "
                     "their times, each time once",
                     d->file, step);
}

/* At least one. */
static int64_t rows_in(double seconds, double row_seconds) {
    const double rows = round(seconds / row_seconds);
    return rows < 1 ? 1 : (int64_t)rows;
}

window_options weather_window(const weir_builtin *model, double step_seconds,
                              const window_arguments *a) {
    window_options o = {.train_rows = a->train_rows, .val_rows = a->val_rows};
    const double hour = 3600, row = step_seconds > 0 ? step_seconds : 600;
    double step = 60 * model->step_minutes;
    /* Where rows are further apart there is nothing finer to take. */
    if (step < hour && (a->lookback > 0 || row > step)) step = hour;
    const double lookback = step * (double)model->T;
    o.step = rows_in(step, row);
    o.delay = rows_in(24 * hour, row);
    o.lookback = o.step * rows_in(lookback, row * (double)o.step);
    if (a->lookback > 0) o.lookback = a->lookback;
    if (a->step > 0) o.step = a->step;
    if (a->delay > 0) o.delay = a->delay;
    return o;
}

const char *weather_unit(const char *target, char *buffer, size_t size) {
    const char *open = strrchr(target, '('), *close = open ? strchr(open, ')') : NULL;
    if (!close || close == open + 1) return "units";
    char unit[PRINTABLE];
    snprintf(buffer, size, "%.*s", (int)(close - open - 1), open + 1);
    snprintf(buffer, size, "%s", printable(buffer, unit));
    return buffer;
}

void weather_print_series(const series *s, const series_arguments *a) {
    char target[PRINTABLE];
    printf("data     %s%s: %lld rows every %g min, %lld columns, target %s\n", s->source,
           s->generated ? " (made-up weather, not a measurement)" : "", (long long)s->rows,
           s->step_seconds / 60, (long long)s->columns, printable(s->names[s->target], target));
    if (s->missing > 0)
        printf("missing  %lld cells (%g), policy %s\n", (long long)s->missing, a->missing_value,
               weather_missing_policies[a->missing]);
    if (s->irregular_steps > 0)
        printf("times    %lld steps are not %g min long, %lld of them zero or negative\n",
               (long long)s->irregular_steps, s->step_seconds / 60, (long long)s->backward_steps);
}

void weather_print_windows(const windows *w, double step_seconds) {
    const double minutes = step_seconds / 60;
    printf("windows  lookback %lld rows (%g days), step %lld (%g min), delay %lld (%g h)\n",
           (long long)w->o.lookback, (double)w->o.lookback * minutes / 1440, (long long)w->o.step,
           (double)w->o.step * minutes, (long long)w->o.delay, (double)w->o.delay * minutes / 60);
    printf("         %lld steps; train %lld, validation %lld, test %lld\n", (long long)w->steps,
           (long long)windows_count(w, SPLIT_TRAIN), (long long)windows_count(w, SPLIT_VAL),
           (long long)windows_count(w, SPLIT_TEST));
}

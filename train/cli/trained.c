/* A saved model and what it knows of its data. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/trained.h"

#include <math.h>
#include <string.h>

static weir_status check_shapes(const trained *t) {
    const record *r = &t->record;
    const window_options *w = &r->window;
    const int64_t T = r->text ? r->max_len : w->step > 0 ? w->lookback / w->step : 0;
    const int64_t C = r->text ? 1 : r->columns;
    if (weir_model_T(t->model) == T && weir_model_C_in(t->model) == C &&
        weir_model_outputs(t->model) == 1)
        return WEIR_OK;
    return weir_fail(WEIR_ERROR_FORMAT,
                     "%s: its layers take %lld x %lld and give %lld, its metadata \"data\" say "
                     "%lld x %lld and 1",
                     t->file, (long long)weir_model_T(t->model),
                     (long long)weir_model_C_in(t->model), (long long)weir_model_outputs(t->model),
                     (long long)T, (long long)C);
}

weir_status trained_load(weir_runtime *runtime, const char *file, trained *out) {
    *out = (trained){.file = file};
    weir_status status = weir_model_load(runtime, file, NULL, &out->model);
    if (status == WEIR_OK) status = record_read(out->model, &out->record);
    return status == WEIR_OK ? check_shapes(out) : status;
}

void trained_free(trained *t) {
    record_free(&t->record);
    weir_model_destroy(t->model);
    *t = (trained){0};
}

/* False when a name has a comma, or a blank at an end: the columns must then be all of the file's. */
static bool can_be_listed(const record *r) {
    for (int64_t i = 0; i < r->columns; i++) {
        const char *name = r->names[i];
        const size_t n = strlen(name);
        if (strchr(name, ',') || name[0] == ' ' || (n > 0 && name[n - 1] == ' ')) return false;
    }
    return true;
}

void trained_series_arguments(const trained *t, series_arguments *a) {
    const record *r = &t->record;
    if (!a->columns && !a->target) a->wanted_by = t->file;
    if (!a->columns && can_be_listed(r)) a->columns = r->joined;
    if (!a->target) a->target = r->names[r->target];
}

static weir_status column_mismatch(const trained *t, const char *what, const char *name) {
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "%s does not fit the data: %s \"%s\"; it was trained on %s", t->file, what,
                     name, t->record.joined);
}

weir_status trained_check_series(const trained *t, const series *s) {
    const record *r = &t->record;
    for (int64_t i = 0; i < r->columns; i++) {
        if (i >= s->columns) return column_mismatch(t, "the data have no column", r->names[i]);
        if (strcmp(s->names[i], r->names[i]) != 0)
            return column_mismatch(t, "the data have instead the column", s->names[i]);
    }
    if (s->columns > r->columns)
        return column_mismatch(t, "the data also have the column", s->names[r->columns]);
    if (s->target != r->target)
        return column_mismatch(t, "the target of the data is", s->names[s->target]);
    if (fabs(s->step_seconds - r->step_seconds) > 1)
        return weir_fail(
            WEIR_ERROR_ARGUMENT,
            "%s does not fit the data: they have a row every %g min, it was trained on "
            "a row every %g min",
            t->file, s->step_seconds / 60, r->step_seconds / 60);
    return WEIR_OK;
}

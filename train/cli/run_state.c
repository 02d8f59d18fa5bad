/* What a checkpoint of weir train knows beside the model. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/run_state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/cli/names.h"
#include "train/model/json.h"
#include "train/model/safetensors.h"

static weir_status wrong(const char *path, const char *what) {
    return weir_fail(WEIR_ERROR_FORMAT, "%s: no checkpoint of weir train: %s", path, what);
}

/* ---- opening ---- */

static cJSON *parse(const cJSON *metadata, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(metadata, key));
    return text ? weir_json_parse(text, strlen(text), NULL) : NULL;
}

weir_status run_state_open(const char *path, cJSON **state, cJSON **data) {
    safetensors s;
    *state = *data = NULL;
    weir_status status = weir_safetensors_open(path, &s);
    if (status != WEIR_OK) return status;
    *state = parse(s.metadata, "checkpoint");
    *data = parse(s.metadata, "data");
    weir_safetensors_close(&s);
    if (*state && *data) return WEIR_OK;
    cJSON_Delete(*state);
    cJSON_Delete(*data);
    *state = *data = NULL;
    return wrong(path, "\"checkpoint\" or \"data\" is missing in its __metadata__");
}

/* ---- numbers ---- */

/* null stands for NAN. */
static cJSON *write_score(const score *s) {
    cJSON *json = weir_json_object();
    weir_json_add(json, "loss", weir_json_number(s->loss));
    weir_json_add(json, "accuracy", weir_json_number(s->accuracy));
    weir_json_add(json, "rounded", weir_json_number(s->rounded));
    return json;
}

static bool read_number(const cJSON *json, const char *key, double *out) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    *out = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    return cJSON_IsNumber(item) || cJSON_IsNull(item);
}

static bool read_score(const cJSON *json, const char *key, score *out) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    return read_number(item, "loss", &out->loss) && read_number(item, "accuracy", &out->accuracy) &&
           read_number(item, "rounded", &out->rounded);
}

static bool read_count(const cJSON *json, const char *key, int64_t *out) {
    double value = 0;
    if (!read_number(json, key, &value) || !(value >= 0 && value <= 1e15)) return false;
    *out = (int64_t)value;
    return floor(value) == value;
}

/* ---- the epochs ---- */

static cJSON *write_epoch(const epoch_result *r) {
    cJSON *json = weir_json_object();
    weir_json_add(json, "epoch", weir_json_number((double)r->epoch));
    weir_json_add(json, "steps", weir_json_number((double)r->steps));
    weir_json_add(json, "loss", weir_json_number(r->loss));
    weir_json_add(json, "val", write_score(&r->val));
    weir_json_add(json, "train_seconds", weir_json_number(r->train_seconds));
    weir_json_add(json, "val_seconds", weir_json_number(r->val_seconds));
    weir_json_add_bool(json, "improved", r->improved);
    return json;
}

static bool read_epoch(const cJSON *json, epoch_result *r) {
    *r = (epoch_result){.complete = true};
    r->improved = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "improved"));
    return read_count(json, "epoch", &r->epoch) && read_count(json, "steps", &r->steps) &&
           read_number(json, "loss", &r->loss) && read_score(json, "val", &r->val) &&
           read_number(json, "train_seconds", &r->train_seconds) &&
           read_number(json, "val_seconds", &r->val_seconds);
}

void run_state_write(const trainer *t, const history *h, cJSON *json) {
    weir_json_add(json, "epoch", weir_json_number((double)t->epoch));
    weir_json_add(json, "best_epoch", weir_json_number((double)t->best_epoch));
    weir_json_add(json, "best", write_score(&t->best));
    cJSON *rows = weir_json_add_array(json, "history");
    for (int64_t i = 0; i < h->count; i++) weir_json_append(rows, write_epoch(&h->rows[i]));
}

weir_status run_state_read(const cJSON *json, const float *best, trainer *t, history *h) {
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(json, "history"), *row;
    if (!read_count(json, "epoch", &t->epoch) || !read_count(json, "best_epoch", &t->best_epoch) ||
        !read_score(json, "best", &t->best) || t->best_epoch > t->epoch)
        return weir_fail(WEIR_ERROR_FORMAT, "epoch, best_epoch or best is missing or wrong");
    cJSON_ArrayForEach(row, rows) {
        epoch_result r;
        if (!read_epoch(row, &r))
            return weir_fail(WEIR_ERROR_FORMAT, "history[%lld] is wrong", (long long)h->count);
        weir_status status = history_add(h, &r);
        if (status != WEIR_OK) return status;
    }
    if (h->count != t->epoch || (t->best_epoch > 0 && !best))
        return weir_fail(WEIR_ERROR_FORMAT,
                         "an epoch of the history or the best weights are missing");
    if (t->best_epoch > 0)
        memcpy(t->best_parameters, best,
               (size_t)weir_model_parameters(t->model) * sizeof *t->best_parameters);
    return WEIR_OK;
}

/* ---- comparing ---- */

/* As it is after it was in a file: numbers are numbers and not text any more. NULL: no memory. */
static cJSON *as_read(const cJSON *json) {
    char *text = weir_json_print(json);
    cJSON *read = text ? cJSON_Parse(text) : NULL;
    cJSON_free(text);
    return read;
}

/* A value for a message, cut off where it is long. */
static const char *value_text(const cJSON *json, char text[64]) {
    char *all = json && !cJSON_IsNull(json) ? weir_json_print(json) : NULL;
    snprintf(text, 64, "%.60s", all ? all : "not given");
    cJSON_free(all);
    return text;
}

/* The first member of now, but for those listed, that stored has not; NULL: none. */
static const cJSON *difference(const cJSON *now, const cJSON *stored,
                               const char *const *free_ones) {
    const cJSON *item;
    cJSON_ArrayForEach(item, now) {
        const cJSON *other = cJSON_GetObjectItemCaseSensitive(stored, item->string);
        if (!name_listed(item->string, free_ones) && !(other && cJSON_Compare(item, other, 1)))
            return item;
    }
    return NULL;
}

static weir_status compare(const char *path, const cJSON *stored, const cJSON *json,
                           const char *const *free_ones, const char *what) {
    cJSON *now = as_read(json);
    if (!now) return weir_fail(WEIR_ERROR_MEMORY, "no memory to compare with %s", path);
    char here[64], there[64];
    const cJSON *item = difference(now, stored, free_ones);
    weir_status status = WEIR_OK;
    if (item)
        status =
            weir_fail(WEIR_ERROR_ARGUMENT, "%s%s is %s, in the checkpoint %s it is %s", what,
                      item->string, value_text(item, here), path,
                      value_text(cJSON_GetObjectItemCaseSensitive(stored, item->string), there));
    cJSON_Delete(now);
    return status;
}

weir_status run_state_compare_data(const char *path, const cJSON *stored, const cJSON *now) {
    static const char *const free_ones[] = {"source", NULL}; /* the same data may lie elsewhere */
    return compare(path, stored, now, free_ones, "these are other data: their ");
}

weir_status run_state_compare_options(const char *path, const cJSON *stored, const cJSON *now,
                                      const char *const *free_ones) {
    return compare(path, stored, now, free_ones, "--");
}

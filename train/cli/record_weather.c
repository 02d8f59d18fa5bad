/* The weather in a model file. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/record_weather.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "train/model/json.h"

typedef struct window_field {
    const char *key;
    size_t offset;
} window_field;

static const window_field window_fields[] = {
    {"lookback", offsetof(window_options, lookback)},
    {"step", offsetof(window_options, step)},
    {"delay", offsetof(window_options, delay)},
    {"train_rows", offsetof(window_options, train_rows)},
    {"val_rows", offsetof(window_options, val_rows)},
};
enum { WINDOW_FIELDS = sizeof window_fields / sizeof window_fields[0] };

/* ---- writing ---- */

static void add_numbers(cJSON *json, const char *key, const double *values, int64_t n) {
    cJSON *list = weir_json_add_array(json, key);
    for (int64_t i = 0; i < n; i++) weir_json_append(list, weir_json_number(values[i]));
}

void record_weather_write(const series *s, const windows *w, cJSON *json) {
    weir_json_add(json, "rows", weir_json_number((double)s->rows));
    weir_json_add(json, "step_seconds", weir_json_number(s->step_seconds));
    cJSON *names = weir_json_add_array(json, "columns");
    for (int64_t i = 0; i < s->columns; i++) weir_json_append(names, weir_json_string(s->names[i]));
    weir_json_add_string(json, "target", s->names[s->target]);
    add_numbers(json, "mean", w->mean, w->columns);
    add_numbers(json, "std", w->std, w->columns);
    for (int i = 0; i < WINDOW_FIELDS; i++) {
        const int64_t *value = (const void *)((const char *)&w->o + window_fields[i].offset);
        weir_json_add(json, window_fields[i].key, weir_json_number((double)*value));
    }
}

/* ---- reading ---- */

weir_status record_wrong(const char *key, const char *expected) {
    return weir_fail(WEIR_ERROR_FORMAT, "the model file's metadata: data.%s must be %s", key,
                     expected);
}

static weir_status read_windows(const cJSON *json, record *out) {
    for (int i = 0; i < WINDOW_FIELDS; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, window_fields[i].key);
        const double value = cJSON_IsNumber(item) ? item->valuedouble : -1;
        if (!(value >= 0 && value <= 1e15) || floor(value) != value)
            return record_wrong(window_fields[i].key, "a whole number");
        *(int64_t *)(void *)((char *)&out->window + window_fields[i].offset) = (int64_t)value;
    }
    const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(json, "step_seconds");
    if (!cJSON_IsNumber(seconds) || !(seconds->valuedouble > 0 && seconds->valuedouble <= 1e9))
        return record_wrong("step_seconds", "a number above 0, at most 1e9");
    out->step_seconds = seconds->valuedouble;
    return WEIR_OK;
}

static weir_status read_names(const cJSON *json, record *out) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "columns"), *item;
    out->columns = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (out->columns < 1) return record_wrong("columns", "a list of names");
    out->names = calloc((size_t)out->columns, sizeof *out->names);
    if (!out->names) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the columns");
    size_t bytes = 1;
    int64_t i = 0;
    cJSON_ArrayForEach(item, list) {
        if (!cJSON_IsString(item)) return record_wrong("columns", "a list of names");
        const size_t size = strlen(item->valuestring) + 1;
        out->names[i] = malloc(size);
        if (!out->names[i]) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the columns");
        memcpy(out->names[i++], item->valuestring, size);
        bytes += size;
    }
    out->joined = calloc(bytes, 1);
    if (!out->joined) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the columns");
    char *at = out->joined;
    for (i = 0; i < out->columns; i++) {
        if (i > 0) *at++ = ',';
        memcpy(at, out->names[i], strlen(out->names[i]));
        at += strlen(out->names[i]);
    }
    return WEIR_OK;
}

static weir_status read_target(const cJSON *json, record *out) {
    const char *target = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "target"));
    for (out->target = 0; target && out->target < out->columns; out->target++)
        if (strcmp(out->names[out->target], target) == 0) return WEIR_OK;
    return record_wrong("target", "one of data.columns");
}

static weir_status read_numbers(const cJSON *json, const char *key, int64_t n, double *out) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, key), *item;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != n)
        return record_wrong(key, "a list with a number for each column");
    cJSON_ArrayForEach(item, list) {
        if (!cJSON_IsNumber(item)) return record_wrong(key, "a list with a number for each column");
        *out++ = item->valuedouble;
    }
    return WEIR_OK;
}

weir_status record_weather_read(const cJSON *json, record *out) {
    weir_status status = read_windows(json, out);
    if (status == WEIR_OK) status = read_names(json, out);
    if (status == WEIR_OK) status = read_target(json, out);
    if (status != WEIR_OK) return status;
    out->mean_std = malloc(2 * (size_t)out->columns * sizeof *out->mean_std);
    if (!out->mean_std) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the columns");
    status = read_numbers(json, "mean", out->columns, out->mean_std);
    if (status != WEIR_OK) return status;
    return read_numbers(json, "std", out->columns, out->mean_std + out->columns);
}

/* The options of a command as JSON, to keep and to compare. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/options_json.h"

#include <math.h>
#include <string.h>

#include "train/cli/names.h"
#include "train/model/json.h"

static cJSON *write_text(const char *text) {
    return text ? weir_json_string(text) : weir_json_null();
}

static cJSON *write_value(const option *o) {
    switch (o->type) {
    case OPTION_IS_FLAG: return weir_json_bool(*(const bool *)o->value);
    case OPTION_IS_INT: return weir_json_number((double)*(const int64_t *)o->value);
    case OPTION_IS_DOUBLE: return weir_json_number(*(const double *)o->value);
    case OPTION_IS_STRING: return write_text(*(const char *const *)o->value);
    case OPTION_IS_CHOICE: {
        const int i = *(const int *)o->value;
        return write_text(i >= 0 ? o->choices[i] : NULL);
    }
    case OPTION_IS_GROUP:
    case OPTION_IS_END: break;
    }
    return NULL;
}

cJSON *options_write(const option *table, const char *const *left_out) {
    cJSON *json = weir_json_object();
    for (const option *o = table; o->type != OPTION_IS_END; o++)
        if (o->type != OPTION_IS_GROUP && !name_listed(o->name, left_out))
            weir_json_add(json, o->name, write_value(o));
    return json;
}

static bool read_choice(const option *o, const cJSON *json) {
    *(int *)o->value = -1;
    for (int i = 0; cJSON_IsString(json) && o->choices[i]; i++)
        if (strcmp(o->choices[i], json->valuestring) == 0) *(int *)o->value = i;
    return *(int *)o->value >= 0;
}

/* In the option's range, or the default, which may stand for "not given". */
static bool read_number(const option *o, const cJSON *json, double preset, double *out) {
    *out = cJSON_IsNumber(json) ? json->valuedouble : NAN;
    return *out == preset || (*out >= o->min && *out <= o->max);
}

static bool read_value(const option *o, const cJSON *json) {
    double number = 0;
    switch (o->type) {
    case OPTION_IS_FLAG: *(bool *)o->value = cJSON_IsTrue(json); return cJSON_IsBool(json);
    case OPTION_IS_INT:
        if (!read_number(o, json, (double)*(const int64_t *)o->value, &number)) return false;
        *(int64_t *)o->value = (int64_t)number;
        return true;
    case OPTION_IS_DOUBLE:
        if (!read_number(o, json, *(const double *)o->value, &number)) return false;
        *(double *)o->value = number;
        return true;
    case OPTION_IS_STRING:
        *(const char **)o->value = cJSON_GetStringValue(json);
        return cJSON_IsString(json) || cJSON_IsNull(json);
    case OPTION_IS_CHOICE: return read_choice(o, json);
    case OPTION_IS_GROUP:
    case OPTION_IS_END: break;
    }
    return false;
}

weir_status options_read(const option *table, const cJSON *json) {
    const cJSON *item;
    if (!cJSON_IsObject(json))
        return weir_fail(WEIR_ERROR_FORMAT, "options is missing, or no object");
    cJSON_ArrayForEach(item, json) {
        const option *o = table;
        while (o->type != OPTION_IS_END &&
               (o->type == OPTION_IS_GROUP || strcmp(o->name, item->string) != 0))
            o++;
        if (!read_value(o, item))
            return weir_fail(WEIR_ERROR_FORMAT, "options.%.60s is not known, or has another value",
                             item->string);
    }
    return WEIR_OK;
}

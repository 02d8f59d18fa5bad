/* What cJSON leaves to its user. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/model/json.h"

/* ---- values, and whether they could be made ---- */

static _Thread_local bool failed; /* since the last print */

static cJSON *made(cJSON *item) {
    if (!item) failed = true;
    return item;
}

cJSON *weir_json_object(void) { return made(cJSON_CreateObject()); }
cJSON *weir_json_array(void) { return made(cJSON_CreateArray()); }
cJSON *weir_json_bool(bool value) { return made(cJSON_CreateBool(value)); }
cJSON *weir_json_null(void) { return made(cJSON_CreateNull()); }
cJSON *weir_json_string(const char *text) { return made(cJSON_CreateString(text)); }
cJSON *weir_json_copy(const cJSON *json) { return made(cJSON_Duplicate(json, 1)); }

void weir_json_add(cJSON *object, const char *key, cJSON *item) {
    if (cJSON_AddItemToObject(object, key, item)) return;
    cJSON_Delete(item);
    failed = true;
}

void weir_json_append(cJSON *array, cJSON *item) {
    if (cJSON_AddItemToArray(array, item)) return;
    cJSON_Delete(item);
    failed = true;
}

void weir_json_add_string(cJSON *object, const char *key, const char *text) {
    weir_json_add(object, key, weir_json_string(text));
}
void weir_json_add_bool(cJSON *object, const char *key, bool value) {
    weir_json_add(object, key, weir_json_bool(value));
}
void weir_json_add_null(cJSON *object, const char *key) {
    weir_json_add(object, key, weir_json_null());
}
void weir_json_add_number(cJSON *object, const char *key, double value) {
    weir_json_add(object, key, made(cJSON_CreateNumber(value)));
}
cJSON *weir_json_add_object(cJSON *object, const char *key) {
    return made(cJSON_AddObjectToObject(object, key));
}
cJSON *weir_json_add_array(cJSON *object, const char *key) {
    return made(cJSON_AddArrayToObject(object, key));
}

static bool take_failure(void) {
    const bool before = failed;
    failed = false;
    return before;
}

char *weir_json_print(const cJSON *json) {
    return take_failure() ? NULL : cJSON_PrintUnformatted(json);
}
char *weir_json_print_lines(const cJSON *json) { return take_failure() ? NULL : cJSON_Print(json); }

/* ---- numbers and parsing ---- */

cJSON *weir_json_number(double value) {
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    /* Only digits, sign, exponent and the locale's decimal mark can be in it. */
    char *mark = text + strspn(text, "-0123456789e+");
    if (*mark != '\0' && value - value == 0) {
        const size_t width = strcspn(mark, "0123456789");
        *mark = '.';
        memmove(mark + 1, mark + width, strlen(mark + width) + 1);
    }
    return made(value - value == 0 ? cJSON_CreateRaw(text) : cJSON_CreateNull());
}

cJSON *weir_json_parse(const char *text, size_t length, size_t *at) {
    const char *end = text;
    cJSON *json = cJSON_ParseWithLengthOpts(text, length, &end, 0);
    if (json) {
        while (end < text + length && strchr(" \t\r\n", *end) && *end != '\0') end++;
        if (end == text + length) return json;
        cJSON_Delete(json);
    }
    if (at) *at = (size_t)(end - text);
    return NULL;
}

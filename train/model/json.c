/* What cJSON leaves to its user. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/model/json.h"

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
    return value - value == 0 ? cJSON_CreateRaw(text) : cJSON_CreateNull();
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

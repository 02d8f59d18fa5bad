/* Model definitions as JSON: reading. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/model/definition.h"
#include "train/model/definition_field.h"

static weir_status wrong(const char *path, const char *key, const char *expected) {
    return weir_definition_wrong(path, key, expected);
}

enum { PATH_SIZE = 64 }; /* "config.layers[255].config.layer.config" */

/* Without a C_in: tokens, which are one number each. */
static weir_status read_input(const cJSON *json, const char *path, definition *out) {
    const int size = cJSON_IsArray(json) ? cJSON_GetArraySize(json) : 0;
    out->C_in = 1;
    if ((size == 2 || size == 3) && weir_definition_size(cJSON_GetArrayItem(json, 1), &out->T) &&
        (size == 2 || weir_definition_size(cJSON_GetArrayItem(json, 2), &out->C_in)))
        return WEIR_OK;
    return wrong(path, "batch_input_shape", "[null, T, C_in] or [null, T]");
}

static weir_status unknown_option(const char *path, const char *key) {
    return weir_fail(WEIR_ERROR_FORMAT, "model definition: %s.%.60s is not an option of this layer",
                     path, key);
}

/* True when the item is one that every layer may have; *status then says how it went. */
static bool read_common(const cJSON *item, const char *path, bool first, definition *out,
                        weir_status *status) {
    *status = WEIR_OK;
    if (strcmp(item->string, "name") == 0) return true;
    if (!first || strcmp(item->string, "batch_input_shape") != 0) return false;
    *status = read_input(item, path, out);
    return true;
}

static weir_status read_config(const cJSON *config, const char *path, bool first, definition *out,
                               weir_layer *l) {
    for (const cJSON *item = config->child; item; item = item->next) {
        weir_status status = WEIR_OK;
        if (!read_common(item, path, first, out, &status)) {
            const definition_field *f = weir_definition_field_find(l->kind, item->string);
            if (!f) return unknown_option(path, item->string);
            status = weir_definition_field_read(f, item, path, l);
        }
        if (status != WEIR_OK) return status;
    }
    return WEIR_OK;
}

static bool read_kind(const cJSON *class_name, weir_layer_kind *kind) {
    for (int k = 0; cJSON_IsString(class_name) && k < WEIR_LAYER_KIND_COUNT; k++) {
        if (strcmp(class_name->valuestring, weir_layer_type_get((weir_layer_kind)k)->name) != 0)
            continue;
        *kind = (weir_layer_kind)k;
        return true;
    }
    return false;
}

/* Every class that is known, for a message. */
static const char *known_classes(char *text, size_t size) {
    size_t used = 0;
    for (int k = 0; k < WEIR_LAYER_KIND_COUNT && used < size; k++)
        used += (size_t)snprintf(text + used, size - used, "%s, ",
                                 weir_layer_type_get((weir_layer_kind)k)->name);
    if (used < size) snprintf(text + used, size - used, "or Bidirectional");
    return text;
}

/* {"class_name": ..., "config": {...}} but Bidirectional. */
static weir_status read_plain(const cJSON *json, const char *path, bool first, definition *out,
                              weir_layer *l) {
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    weir_layer_kind kind = WEIR_LAYER_CONV1D;
    char known[400];
    if (!read_kind(cJSON_GetObjectItemCaseSensitive(json, "class_name"), &kind))
        return wrong(path, "class_name", known_classes(known, sizeof known));
    if (!cJSON_IsObject(config)) return wrong(path, "config", "an object");
    char inside[PATH_SIZE];
    snprintf(inside, sizeof inside, "%.50s.config", path);
    *l = weir_layer_default(kind);
    return read_config(config, inside, first, out, l);
}

static bool read_merge(const cJSON *json, weir_merge *out) {
    for (int m = WEIR_MERGE_CONCAT; cJSON_IsString(json) && m < WEIR_MERGE_COUNT; m++) {
        if (strcmp(json->valuestring, weir_merge_name((weir_merge)m)) != 0) continue;
        *out = (weir_merge)m;
        return true;
    }
    return false;
}

static weir_status read_bidirectional(const cJSON *json, const char *path, bool first,
                                      definition *out, weir_layer *l) {
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    if (!cJSON_IsObject(config)) return wrong(path, "config", "an object");
    char inside[PATH_SIZE], inner[PATH_SIZE];
    snprintf(inside, sizeof inside, "%.50s.config", path);
    snprintf(inner, sizeof inner, "%.50s.layer", inside);
    weir_merge merge = WEIR_MERGE_CONCAT;
    weir_status status =
        read_plain(cJSON_GetObjectItemCaseSensitive(config, "layer"), inner, false, out, l);
    for (const cJSON *item = config->child; item && status == WEIR_OK; item = item->next) {
        if (strcmp(item->string, "layer") == 0) continue;
        if (read_common(item, inside, first, out, &status)) continue;
        if (strcmp(item->string, "merge_mode") != 0)
            status = unknown_option(inside, item->string);
        else if (!read_merge(item, &merge))
            status = wrong(inside, "merge_mode", "concat or sum");
    }
    if (status == WEIR_OK && !weir_layer_type_get(l->kind)->cell)
        return wrong(inner, "class_name", "a recurrent layer");
    l->merge = merge;
    return status;
}

static weir_status read_layer(const cJSON *json, definition *out) {
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "config.layers[%d]", out->count);
    const char *class_name =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "class_name"));
    const bool first = out->count == 0;
    weir_layer *l = &out->layers[out->count++];
    if (class_name && strcmp(class_name, "Bidirectional") == 0)
        return read_bidirectional(json, path, first, out, l);
    return read_plain(json, path, first, out, l);
}

static weir_status read_sequential(const cJSON *json, definition *out) {
    const cJSON *class_name = cJSON_GetObjectItemCaseSensitive(json, "class_name");
    if (!cJSON_IsString(class_name) || strcmp(class_name->valuestring, "Sequential") != 0)
        return wrong("class_name", "", "\"Sequential\"");
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(config, "name");
    if (!cJSON_IsString(name) || strlen(name->valuestring) >= sizeof out->name)
        return wrong("config.name", "", "a text of at most 127 bytes");
    strcpy(out->name, name->valuestring);
    const cJSON *layers = cJSON_GetObjectItemCaseSensitive(config, "layers");
    const int count = cJSON_IsArray(layers) ? cJSON_GetArraySize(layers) : 0;
    if (count < 1 || count > MODEL_LAYERS_MAX)
        return wrong("config.layers", "", "a list of 1 to 256 layers");
    const cJSON *item;
    cJSON_ArrayForEach(item, layers) {
        weir_status status = read_layer(item, out);
        if (status != WEIR_OK) return status;
    }
    if (out->T == 0 || out->C_in == 0)
        return wrong("config.layers[0].config.batch_input_shape", "", "there, with T and C_in");
    return WEIR_OK;
}

weir_status weir_definition_read(const char *text, size_t length, definition *out) {
    size_t at = 0;
    cJSON *json = weir_json_parse(text, length, &at);
    if (!json)
        return weir_fail(WEIR_ERROR_FORMAT, "model definition: not JSON from byte %zu on", at);
    out->T = out->C_in = 0;
    out->count = 0;
    weir_status status = read_sequential(json, out);
    cJSON_Delete(json);
    return status;
}

/* Model definitions as JSON: one table of fields serves reading and writing.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/model/definition.h"
#include "train/model/json.h"

typedef enum field_type {
    FIELD_SIZE,      /* int64_t */
    FIELD_SIZE_LIST, /* int64_t, in JSON a list of one */
    FIELD_RATE,      /* double */
    FIELD_BOOL,
    FIELD_ACTIVATION,
    FIELD_PADDING,
    FIELD_MASKS /* int mask_gates, in JSON "gate" or "shared" */
} field_type;

typedef struct field {
    unsigned kinds; /* bit k: layers of kind k have it */
    const char *key;
    field_type type;
    size_t offset;
} field;

#define BIT(kind) (1u << (kind))
#define POOLS (BIT(WEIR_LAYER_MAX_POOL) | BIT(WEIR_LAYER_AVG_POOL))
#define CONV BIT(WEIR_LAYER_CONV1D)
#define DENSE BIT(WEIR_LAYER_DENSE)
#define GRU BIT(WEIR_LAYER_GRU)

static const field fields[] = {
    {CONV, "filters", FIELD_SIZE, offsetof(weir_layer, units)},
    {CONV, "kernel_size", FIELD_SIZE_LIST, offsetof(weir_layer, K)},
    {DENSE | GRU, "units", FIELD_SIZE, offsetof(weir_layer, units)},
    {POOLS, "pool_size", FIELD_SIZE_LIST, offsetof(weir_layer, P)},
    {CONV | POOLS, "strides", FIELD_SIZE_LIST, offsetof(weir_layer, S)},
    {CONV | POOLS, "padding", FIELD_PADDING, offsetof(weir_layer, padding)},
    {CONV, "dilation_rate", FIELD_SIZE_LIST, offsetof(weir_layer, D)},
    {CONV | DENSE | GRU, "activation", FIELD_ACTIVATION, offsetof(weir_layer, activation)},
    {GRU, "recurrent_activation", FIELD_ACTIVATION, offsetof(weir_layer, recurrent)},
    {GRU, "reset_after", FIELD_BOOL, offsetof(weir_layer, reset_after)},
    {GRU, "return_sequences", FIELD_BOOL, offsetof(weir_layer, return_sequences)},
    {GRU, "go_backwards", FIELD_BOOL, offsetof(weir_layer, go_backwards)},
    {GRU, "dropout", FIELD_RATE, offsetof(weir_layer, dropout)},
    {GRU, "recurrent_dropout", FIELD_RATE, offsetof(weir_layer, recurrent_dropout)},
    {GRU, "dropout_masks", FIELD_MASKS, offsetof(weir_layer, mask_gates)},
    {BIT(WEIR_LAYER_LAST_VALUE), "channel", FIELD_SIZE, offsetof(weir_layer, channel)},
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

/* ---- writing ---- */

static cJSON *field_write(const field *f, const weir_layer *l) {
    const void *at = (const char *)l + f->offset;
    switch (f->type) {
    case FIELD_SIZE: return weir_json_number((double)*(const int64_t *)at);
    case FIELD_SIZE_LIST: {
        /* Keras writes the stride of a pool that follows its window as that window. */
        const int64_t size = *(const int64_t *)at;
        cJSON *list = cJSON_CreateArray();
        cJSON_AddItemToArray(list, weir_json_number((double)(size > 0 ? size : l->P)));
        return list;
    }
    case FIELD_RATE: return weir_json_number(*(const double *)at);
    case FIELD_BOOL: return cJSON_CreateBool(*(const bool *)at);
    case FIELD_ACTIVATION:
        return cJSON_CreateString(weir_activation_name(*(const weir_activation *)at));
    case FIELD_PADDING: return cJSON_CreateString(weir_padding_name(*(const weir_padding *)at));
    case FIELD_MASKS: return cJSON_CreateString(*(const int *)at == 1 ? "shared" : "gate");
    }
    return NULL;
}

static cJSON *layer_write(const weir_model *m, const layer *l) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "class_name", l->type->name);
    cJSON *config = cJSON_AddObjectToObject(json, "config");
    cJSON_AddStringToObject(config, "name", l->name);
    if (l->index == 0) {
        cJSON *input = cJSON_AddArrayToObject(config, "batch_input_shape");
        cJSON_AddItemToArray(input, cJSON_CreateNull());
        cJSON_AddItemToArray(input, weir_json_number((double)m->options.T));
        cJSON_AddItemToArray(input, weir_json_number((double)m->options.C_in));
    }
    for (int i = 0; i < FIELD_COUNT; i++)
        if (fields[i].kinds & BIT(l->spec.kind))
            cJSON_AddItemToObject(config, fields[i].key, field_write(&fields[i], &l->spec));
    return json;
}

char *weir_definition_write(const weir_model *m) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "class_name", "Sequential");
    cJSON *config = cJSON_AddObjectToObject(json, "config");
    cJSON_AddStringToObject(config, "name", m->name);
    cJSON *layers = cJSON_AddArrayToObject(config, "layers");
    for (int i = 0; i < m->layer_count; i++)
        cJSON_AddItemToArray(layers, layer_write(m, &m->layers[i]));
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

/* ---- reading ---- */

static weir_status wrong(const char *path, const char *key, const char *expected) {
    return weir_fail(WEIR_ERROR_FORMAT, "model definition: %s%s%s must be %s", path,
                     key[0] ? "." : "", key, expected);
}

static bool read_size(const cJSON *json, int64_t *out) {
    if (!cJSON_IsNumber(json)) return false;
    const double value = json->valuedouble;
    if (!(value >= 0 && value <= 0x1p31) || floor(value) != value) return false;
    *out = (int64_t)value;
    return true;
}

static bool read_activation(const cJSON *json, weir_activation *out) {
    for (int a = 0; cJSON_IsString(json) && a < WEIR_ACTIVATION_COUNT; a++) {
        if (strcmp(json->valuestring, weir_activation_name((weir_activation)a)) != 0) continue;
        *out = (weir_activation)a;
        return true;
    }
    return false;
}

static bool read_padding(const cJSON *json, weir_padding *out) {
    for (int p = 0; cJSON_IsString(json) && p < WEIR_PADDING_COUNT; p++) {
        if (strcmp(json->valuestring, weir_padding_name((weir_padding)p)) != 0) continue;
        *out = (weir_padding)p;
        return true;
    }
    return false;
}

static weir_status field_read(const field *f, const cJSON *json, const char *path, weir_layer *l) {
    void *at = (char *)l + f->offset;
    switch (f->type) {
    case FIELD_SIZE:
        if (read_size(json, at)) return WEIR_OK;
        return wrong(path, f->key, "a whole number, 0 or more");
    case FIELD_SIZE_LIST:
        if (cJSON_IsArray(json) && cJSON_GetArraySize(json) == 1) json = json->child;
        if (read_size(json, at)) return WEIR_OK;
        return wrong(path, f->key, "a whole number or a list of one");
    case FIELD_RATE:
        if (!cJSON_IsNumber(json)) return wrong(path, f->key, "a number");
        *(double *)at = json->valuedouble;
        return WEIR_OK;
    case FIELD_BOOL:
        if (!cJSON_IsBool(json)) return wrong(path, f->key, "true or false");
        *(bool *)at = cJSON_IsTrue(json);
        return WEIR_OK;
    case FIELD_ACTIVATION:
        if (read_activation(json, at)) return WEIR_OK;
        return wrong(path, f->key, "linear, relu, tanh, sigmoid, hard_sigmoid or hard_sigmoid6");
    case FIELD_PADDING:
        if (read_padding(json, at)) return WEIR_OK;
        return wrong(path, f->key, "valid, same or causal");
    case FIELD_MASKS: {
        const char *text = cJSON_IsString(json) ? json->valuestring : "";
        *(int *)at = strcmp(text, "shared") == 0 ? 1 : 3;
        if (*(int *)at == 1 || strcmp(text, "gate") == 0) return WEIR_OK;
        return wrong(path, f->key, "gate or shared");
    }
    }
    return WEIR_OK;
}

static weir_status read_input(const cJSON *json, const char *path, definition *out) {
    if (cJSON_IsArray(json) && cJSON_GetArraySize(json) == 3 &&
        read_size(cJSON_GetArrayItem(json, 1), &out->T) &&
        read_size(cJSON_GetArrayItem(json, 2), &out->C_in))
        return WEIR_OK;
    return wrong(path, "batch_input_shape", "[null, T, C_in]");
}

static weir_status config_read(const cJSON *config, const char *path, bool first, definition *out,
                               weir_layer *l) {
    for (const cJSON *item = config->child; item; item = item->next) {
        if (strcmp(item->string, "name") == 0) continue;
        if (first && strcmp(item->string, "batch_input_shape") == 0) {
            weir_status status = read_input(item, path, out);
            if (status != WEIR_OK) return status;
            continue;
        }
        const field *found = NULL;
        for (int i = 0; i < FIELD_COUNT; i++)
            if (fields[i].kinds & BIT(l->kind) && strcmp(fields[i].key, item->string) == 0)
                found = &fields[i];
        if (!found)
            return weir_fail(WEIR_ERROR_FORMAT,
                             "model definition: %s.%.60s is not an option of this layer", path,
                             item->string);
        weir_status status = field_read(found, item, path, l);
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

static weir_status layer_read(const cJSON *json, definition *out) {
    char path[64];
    snprintf(path, sizeof path, "config.layers[%d]", out->count);
    const cJSON *class_name = cJSON_GetObjectItemCaseSensitive(json, "class_name");
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    weir_layer_kind kind = WEIR_LAYER_CONV1D;
    if (!read_kind(class_name, &kind))
        return wrong(path, "class_name",
                     "Conv1D, MaxPooling1D, AveragePooling1D, GlobalMaxPooling1D, "
                     "GlobalAveragePooling1D, Flatten, Dense, GRU or LastValue");
    if (!cJSON_IsObject(config)) return wrong(path, "config", "an object");
    snprintf(path, sizeof path, "config.layers[%d].config", out->count);
    weir_layer *l = &out->layers[out->count];
    *l = weir_layer_default(kind);
    weir_status status = config_read(config, path, out->count == 0, out, l);
    out->count++;
    return status;
}

static weir_status sequential_read(const cJSON *json, definition *out) {
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
        weir_status status = layer_read(item, out);
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
    weir_status status = sequential_read(json, out);
    cJSON_Delete(json);
    return status;
}

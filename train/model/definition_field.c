/* The options of layers in the JSON form of Keras: one table serves reading and writing.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "train/model/definition_field.h"

#include "train/model/json.h"

typedef enum field_type {
    FIELD_SIZE,      /* int64_t */
    FIELD_SIZE_LIST, /* int64_t, in JSON a list of one */
    FIELD_RATE,      /* double */
    FIELD_BOOL,
    FIELD_NOT, /* bool, in JSON the opposite */
    FIELD_ACTIVATION,
    FIELD_PADDING,
    FIELD_MULTI_HOT,     /* always "multi_hot" */
    FIELD_MASKS,         /* bool shared_masks, in JSON "gate" or "shared" */
    FIELD_IMPLEMENTATION /* as Keras 2: 0, 1 a mask for each gate, 2 shared; only read */
} field_type;

struct definition_field {
    unsigned kinds; /* bit k: layers of kind k have it */
    const char *key;
    field_type type;
    size_t offset;
};

#define BIT(kind) (1u << (kind))
#define POOLS (BIT(WEIR_LAYER_MAX_POOL) | BIT(WEIR_LAYER_AVG_POOL))
#define CONV BIT(WEIR_LAYER_CONV1D)
#define DENSE BIT(WEIR_LAYER_DENSE)
#define GRU BIT(WEIR_LAYER_GRU)
#define GATED (GRU | BIT(WEIR_LAYER_LSTM))
#define RECURRENT (GATED | BIT(WEIR_LAYER_RNN))
#define EMBEDDING BIT(WEIR_LAYER_EMBEDDING)
#define MULTI_HOT BIT(WEIR_LAYER_MULTI_HOT)

static const definition_field fields[] = {
    {CONV, "filters", FIELD_SIZE, offsetof(weir_layer, units)},
    {CONV, "kernel_size", FIELD_SIZE_LIST, offsetof(weir_layer, K)},
    {DENSE | RECURRENT, "units", FIELD_SIZE, offsetof(weir_layer, units)},
    {POOLS, "pool_size", FIELD_SIZE_LIST, offsetof(weir_layer, P)},
    {CONV | POOLS, "strides", FIELD_SIZE_LIST, offsetof(weir_layer, S)},
    {CONV | POOLS, "padding", FIELD_PADDING, offsetof(weir_layer, padding)},
    {CONV, "dilation_rate", FIELD_SIZE_LIST, offsetof(weir_layer, D)},
    {CONV | DENSE | RECURRENT, "activation", FIELD_ACTIVATION, offsetof(weir_layer, activation)},
    {GATED, "recurrent_activation", FIELD_ACTIVATION, offsetof(weir_layer, recurrent)},
    {GRU, "reset_after", FIELD_BOOL, offsetof(weir_layer, reset_after)},
    {RECURRENT, "return_sequences", FIELD_BOOL, offsetof(weir_layer, return_sequences)},
    {RECURRENT, "go_backwards", FIELD_BOOL, offsetof(weir_layer, go_backwards)},
    {RECURRENT, "dropout", FIELD_RATE, offsetof(weir_layer, dropout)},
    {RECURRENT, "recurrent_dropout", FIELD_RATE, offsetof(weir_layer, recurrent_dropout)},
    {GATED, "dropout_masks", FIELD_MASKS, offsetof(weir_layer, shared_masks)},
    {GATED, "implementation", FIELD_IMPLEMENTATION, offsetof(weir_layer, shared_masks)},
    {BIT(WEIR_LAYER_DROPOUT), "rate", FIELD_RATE, offsetof(weir_layer, dropout)},
    {EMBEDDING, "input_dim", FIELD_SIZE, offsetof(weir_layer, V)},
    {EMBEDDING, "output_dim", FIELD_SIZE, offsetof(weir_layer, units)},
    {EMBEDDING, "mask_zero", FIELD_BOOL, offsetof(weir_layer, mask_zero)},
    {EMBEDDING, "trainable", FIELD_NOT, offsetof(weir_layer, frozen)},
    {MULTI_HOT, "num_tokens", FIELD_SIZE, offsetof(weir_layer, V)},
    {MULTI_HOT, "output_mode", FIELD_MULTI_HOT, 0},
    {BIT(WEIR_LAYER_LAST_VALUE), "channel", FIELD_SIZE, offsetof(weir_layer, channel)},
};
enum { FIELD_COUNT = sizeof fields / sizeof fields[0] };

const definition_field *weir_definition_field(weir_layer_kind kind, int i) {
    for (int k = 0; k < FIELD_COUNT; k++) {
        if (!(fields[k].kinds & BIT(kind)) || fields[k].type == FIELD_IMPLEMENTATION) continue;
        if (i-- == 0) return &fields[k];
    }
    return NULL;
}

const definition_field *weir_definition_field_find(weir_layer_kind kind, const char *key) {
    for (int k = 0; k < FIELD_COUNT; k++)
        if (fields[k].kinds & BIT(kind) && strcmp(fields[k].key, key) == 0) return &fields[k];
    return NULL;
}

const char *weir_definition_field_keys(weir_layer_kind kind, char *text, size_t size) {
    const definition_field *f;
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; (f = weir_definition_field(kind, i)) && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i > 0 ? ", " : "", f->key);
    return text;
}

const char *weir_definition_field_key(const definition_field *f) { return f->key; }

/* ---- writing ---- */

cJSON *weir_definition_field_write(const definition_field *f, const weir_layer *l) {
    const void *at = (const char *)l + f->offset;
    switch (f->type) {
    case FIELD_SIZE: return weir_json_number((double)*(const int64_t *)at);
    case FIELD_SIZE_LIST: {
        /* Keras writes the stride of a pool that follows its window as that window. */
        const int64_t size = *(const int64_t *)at;
        cJSON *list = weir_json_array();
        weir_json_append(list, weir_json_number((double)(size > 0 ? size : l->P)));
        return list;
    }
    case FIELD_RATE: return weir_json_number(*(const double *)at);
    case FIELD_BOOL: return weir_json_bool(*(const bool *)at);
    case FIELD_NOT: return weir_json_bool(!*(const bool *)at);
    case FIELD_ACTIVATION:
        return weir_json_string(weir_activation_name(*(const weir_activation *)at));
    case FIELD_PADDING: return weir_json_string(weir_padding_name(*(const weir_padding *)at));
    case FIELD_MULTI_HOT: return weir_json_string("multi_hot");
    case FIELD_MASKS: return weir_json_string(*(const bool *)at ? "shared" : "gate");
    case FIELD_IMPLEMENTATION: break;
    }
    return NULL;
}

/* ---- reading ---- */

weir_status weir_definition_wrong(const char *path, const char *key, const char *expected) {
    return weir_fail(WEIR_ERROR_FORMAT, "model definition: %s%s%s must be %s", path,
                     key[0] ? "." : "", key, expected);
}

bool weir_definition_size(const cJSON *json, int64_t *out) {
    if (!cJSON_IsNumber(json)) return false;
    const double value = json->valuedouble;
    if (!(value >= 0 && value <= 0x1p31) || floor(value) != value) return false;
    *out = (int64_t)value;
    return true;
}

static bool read_activation(const cJSON *json, int keras, weir_activation *out) {
    for (int a = 0; cJSON_IsString(json) && a < WEIR_ACTIVATION_COUNT; a++) {
        if (strcmp(json->valuestring, weir_activation_name((weir_activation)a)) != 0) continue;
        *out = (weir_activation)a;
        /* Keras 3 gave the name another slope. */
        if (keras == 3 && *out == WEIR_HARD_SIGMOID) *out = WEIR_HARD_SIGMOID6;
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

weir_status weir_definition_field_read(const definition_field *f, const cJSON *json,
                                       const char *path, int keras, weir_layer *l) {
    void *at = (char *)l + f->offset;
    switch (f->type) {
    case FIELD_SIZE:
        if (weir_definition_size(json, at)) return WEIR_OK;
        return weir_definition_wrong(path, f->key, "a whole number, 0 or more");
    case FIELD_SIZE_LIST:
        if (cJSON_IsArray(json) && cJSON_GetArraySize(json) == 1) json = json->child;
        if (weir_definition_size(json, at)) return WEIR_OK;
        return weir_definition_wrong(path, f->key, "a whole number or a list of one");
    case FIELD_RATE:
        if (!cJSON_IsNumber(json)) return weir_definition_wrong(path, f->key, "a number");
        *(double *)at = json->valuedouble;
        return WEIR_OK;
    case FIELD_BOOL:
    case FIELD_NOT:
        if (!cJSON_IsBool(json)) return weir_definition_wrong(path, f->key, "true or false");
        *(bool *)at = cJSON_IsTrue(json) == (f->type == FIELD_BOOL);
        return WEIR_OK;
    case FIELD_ACTIVATION:
        if (read_activation(json, keras, at)) return WEIR_OK;
        return weir_definition_wrong(path, f->key,
                                     "linear, relu, tanh, sigmoid, hard_sigmoid or hard_sigmoid6");
    case FIELD_PADDING:
        if (read_padding(json, at)) return WEIR_OK;
        return weir_definition_wrong(path, f->key, "valid, same or causal");
    case FIELD_MULTI_HOT:
        if (cJSON_IsString(json) && strcmp(json->valuestring, "multi_hot") == 0) return WEIR_OK;
        return weir_definition_wrong(path, f->key, "multi_hot");
    case FIELD_MASKS: {
        const char *text = cJSON_IsString(json) ? json->valuestring : "";
        *(bool *)at = strcmp(text, "shared") == 0;
        if (*(bool *)at || strcmp(text, "gate") == 0) return WEIR_OK;
        return weir_definition_wrong(path, f->key, "gate or shared");
    }
    case FIELD_IMPLEMENTATION: {
        int64_t number = 0;
        if (!weir_definition_size(json, &number) || number < 0 || number > 2)
            return weir_definition_wrong(path, f->key, "0, 1 or 2");
        *(bool *)at = number == 2;
        return WEIR_OK;
    }
    }
    return WEIR_OK;
}

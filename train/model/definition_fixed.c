/* Options that Keras writes and that Weir has in one form only. SPDX-License-Identifier: Apache-2.0
 *
 * What changes nothing here (names, seeds of initializers, how Keras cuts the work) is passed over; what
 * would make another model is refused.
 */
#include <string.h>

#include "train/model/definition_field.h"
#include "train/model/definition_fixed.h"

typedef enum fixed_value {
    FIXED_ANY, /* changes nothing */
    FIXED_NULL,
    FIXED_TRUE,
    FIXED_FALSE,
    FIXED_ONE,
    FIXED_CHANNELS_LAST,
    FIXED_FLOAT32,
    FIXED_GLOROT,
    FIXED_ORTHOGONAL,
    FIXED_ZEROS,
    FIXED_UNIFORM
} fixed_value;

static const char *const accepted[] = {
    [FIXED_ANY] = "",
    [FIXED_NULL] = "null: Weir has none",
    [FIXED_TRUE] = "true",
    [FIXED_FALSE] = "false",
    [FIXED_ONE] = "1",
    [FIXED_CHANNELS_LAST] = "channels_last",
    [FIXED_FLOAT32] = "float32",
    [FIXED_GLOROT] = "GlorotUniform",
    [FIXED_ORTHOGONAL] = "Orthogonal with gain 1",
    [FIXED_ZEROS] = "Zeros",
    [FIXED_UNIFORM] = "RandomUniform from -0.05 to 0.05",
};

typedef struct fixed_option {
    unsigned kinds; /* bit k: layers of kind k have it */
    const char *key;
    fixed_value value;
} fixed_option;

#define BIT(kind) (1u << (kind))
#define EVERY ~0u
#define CONV BIT(WEIR_LAYER_CONV1D)
#define DENSE BIT(WEIR_LAYER_DENSE)
#define GLOBALS (BIT(WEIR_LAYER_GLOBAL_MAX_POOL) | BIT(WEIR_LAYER_GLOBAL_AVG_POOL))
#define SPATIAL \
    (CONV | BIT(WEIR_LAYER_MAX_POOL) | BIT(WEIR_LAYER_AVG_POOL) | GLOBALS | BIT(WEIR_LAYER_FLATTEN))
#define LSTM BIT(WEIR_LAYER_LSTM)
#define RECURRENT (LSTM | BIT(WEIR_LAYER_GRU) | BIT(WEIR_LAYER_RNN))
#define EMBEDDING BIT(WEIR_LAYER_EMBEDDING)
#define MULTI_HOT BIT(WEIR_LAYER_MULTI_HOT)
#define DROPOUT BIT(WEIR_LAYER_DROPOUT)
#define WEIGHTED (CONV | DENSE | RECURRENT)

static const fixed_option options[] = {
    {EVERY, "name", FIXED_ANY},
    {EVERY, "trainable", FIXED_TRUE},
    {EVERY, "dtype", FIXED_FLOAT32},
    {EVERY, "activity_regularizer", FIXED_NULL},
    {SPATIAL, "data_format", FIXED_CHANNELS_LAST},
    {GLOBALS, "keepdims", FIXED_FALSE},
    {CONV, "groups", FIXED_ONE},
    {WEIGHTED, "use_bias", FIXED_TRUE},
    {WEIGHTED, "kernel_initializer", FIXED_GLOROT},
    {WEIGHTED, "bias_initializer", FIXED_ZEROS},
    {WEIGHTED, "kernel_regularizer", FIXED_NULL},
    {WEIGHTED, "bias_regularizer", FIXED_NULL},
    {WEIGHTED, "kernel_constraint", FIXED_NULL},
    {WEIGHTED, "bias_constraint", FIXED_NULL},
    {RECURRENT, "recurrent_initializer", FIXED_ORTHOGONAL},
    {RECURRENT, "recurrent_regularizer", FIXED_NULL},
    {RECURRENT, "recurrent_constraint", FIXED_NULL},
    {LSTM, "unit_forget_bias", FIXED_TRUE},
    {RECURRENT, "return_state", FIXED_FALSE},
    {RECURRENT, "stateful", FIXED_FALSE},
    {RECURRENT, "time_major", FIXED_FALSE},
    {RECURRENT, "unroll", FIXED_ANY},
    {RECURRENT, "use_cudnn", FIXED_ANY},
    {BIT(WEIR_LAYER_RNN), "implementation", FIXED_ANY},
    {RECURRENT | DROPOUT, "seed", FIXED_ANY},
    /* Of masked steps that are put out: definition_read.c looks at where they go. */
    {RECURRENT, "zero_output_for_mask", FIXED_ANY},
    {DROPOUT, "noise_shape", FIXED_NULL},
    {EMBEDDING, "embeddings_initializer", FIXED_UNIFORM},
    {EMBEDDING, "embeddings_regularizer", FIXED_NULL},
    {EMBEDDING, "embeddings_constraint", FIXED_NULL},
    {EMBEDDING, "input_length", FIXED_ANY}, /* batch_input_shape has it too */
    {EMBEDDING | MULTI_HOT, "sparse", FIXED_FALSE},
    {DENSE | EMBEDDING, "quantization_config", FIXED_NULL},
};
enum { OPTION_COUNT = sizeof options / sizeof options[0] };

/* A value that is not there is the class's default, which is the one wanted. */
static bool number_is(const cJSON *config, const char *key, double value) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(config, key);
    return !item || (cJSON_IsNumber(item) && item->valuedouble == value);
}

static bool text_is(const cJSON *json, const char *text) {
    return cJSON_IsString(json) && strcmp(json->valuestring, text) == 0;
}

/* Objects of Keras: a name alone, or {"class_name": ..., "config": {...}}. */
static const cJSON *class_of(const cJSON *json) {
    return cJSON_IsObject(json) ? cJSON_GetObjectItemCaseSensitive(json, "class_name") : json;
}

/* Keras 2 writes GlorotUniform as what it is made of. */
static bool is_glorot(const cJSON *name, const cJSON *config) {
    if (text_is(name, "VarianceScaling"))
        return number_is(config, "scale", 1) &&
               text_is(cJSON_GetObjectItemCaseSensitive(config, "mode"), "fan_avg") &&
               text_is(cJSON_GetObjectItemCaseSensitive(config, "distribution"), "uniform");
    return text_is(name, "GlorotUniform") || text_is(name, "glorot_uniform");
}

static bool is_initializer(fixed_value value, const cJSON *json) {
    const cJSON *name = class_of(json);
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    switch (value) {
    case FIXED_GLOROT: return is_glorot(name, config);
    case FIXED_ORTHOGONAL:
        return (text_is(name, "Orthogonal") || text_is(name, "orthogonal") ||
                text_is(name, "OrthogonalInitializer") /* Keras 3.0 */) &&
               number_is(config, "gain", 1);
    case FIXED_ZEROS: return text_is(name, "Zeros") || text_is(name, "zeros");
    case FIXED_UNIFORM:
        return (text_is(name, "RandomUniform") || text_is(name, "random_uniform") ||
                text_is(name, "uniform")) &&
               number_is(config, "minval", -0.05) && number_is(config, "maxval", 0.05);
    default: return false;
    }
}

/* "float32", or a policy of that name. */
static bool is_float32(const cJSON *json) {
    if (cJSON_IsObject(json))
        json = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "config"),
                                                "name");
    return text_is(json, "float32");
}

static bool has_value(fixed_value value, const cJSON *json) {
    switch (value) {
    case FIXED_ANY: return true;
    case FIXED_NULL: return cJSON_IsNull(json);
    case FIXED_TRUE: return cJSON_IsTrue(json);
    case FIXED_FALSE: return cJSON_IsFalse(json);
    case FIXED_ONE: return cJSON_IsNumber(json) && json->valuedouble == 1;
    case FIXED_CHANNELS_LAST: return text_is(json, "channels_last");
    case FIXED_FLOAT32: return is_float32(json);
    case FIXED_GLOROT:
    case FIXED_ORTHOGONAL:
    case FIXED_ZEROS:
    case FIXED_UNIFORM: return is_initializer(value, json);
    }
    return false;
}

bool weir_definition_fixed(weir_layer_kind kind, const cJSON *json, const char *path,
                           weir_status *status) {
    for (int i = 0; i < OPTION_COUNT; i++) {
        const fixed_option *o = &options[i];
        if (!(o->kinds & BIT(kind)) || strcmp(o->key, json->string) != 0) continue;
        *status = has_value(o->value, json)
                      ? WEIR_OK
                      : weir_definition_wrong(path, o->key, accepted[o->value]);
        return true;
    }
    return false;
}

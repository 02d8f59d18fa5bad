/* Model definitions as JSON: writing. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/definition.h"
#include "train/model/definition_field.h"

static cJSON *new_layer(const char *class_name, const char *name, cJSON **config) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "class_name", class_name);
    *config = cJSON_AddObjectToObject(json, "config");
    cJSON_AddStringToObject(*config, "name", name);
    return json;
}

static void add_input(const weir_model *m, cJSON *config) {
    cJSON *input = cJSON_AddArrayToObject(config, "batch_input_shape");
    cJSON_AddItemToArray(input, cJSON_CreateNull());
    cJSON_AddItemToArray(input, weir_json_number((double)m->options.T));
    /* Tokens have no channels in Keras. */
    const weir_layer_kind first = m->layers[0].spec.kind;
    if (first != WEIR_LAYER_EMBEDDING && first != WEIR_LAYER_MULTI_HOT)
        cJSON_AddItemToArray(input, weir_json_number((double)m->options.C_in));
}

static void add_fields(const layer *l, cJSON *config) {
    const definition_field *f;
    for (int i = 0; (f = weir_definition_field(l->spec.kind, i)); i++)
        cJSON_AddItemToObject(config, weir_definition_field_key(f),
                              weir_definition_field_write(f, &l->spec));
}

static cJSON *layer_write(const weir_model *m, const layer *l) {
    cJSON *config, *inner;
    if (!weir_layer_bidirectional(l)) {
        cJSON *json = new_layer(l->type->name, l->name, &config);
        if (l->index == 0) add_input(m, config);
        add_fields(l, config);
        return json;
    }
    cJSON *json = new_layer("Bidirectional", l->name, &config);
    if (l->index == 0) add_input(m, config);
    cJSON_AddItemToObject(config, "layer", new_layer(l->type->name, l->inner_name, &inner));
    add_fields(l, inner);
    cJSON_AddStringToObject(config, "merge_mode", weir_merge_name(l->spec.merge));
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

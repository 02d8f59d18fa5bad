/* Model definitions as JSON: writing. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/definition.h"
#include "train/model/definition_field.h"
#include "train/model/json.h"

static cJSON *new_layer(const char *class_name, const char *name, cJSON **config) {
    cJSON *json = weir_json_object();
    weir_json_add_string(json, "class_name", class_name);
    *config = weir_json_add_object(json, "config");
    weir_json_add_string(*config, "name", name);
    return json;
}

static void add_input(const weir_model *m, cJSON *config) {
    cJSON *input = weir_json_add_array(config, "batch_input_shape");
    weir_json_append(input, weir_json_null());
    weir_json_append(input, weir_json_number((double)m->options.T));
    /* Tokens have no channels in Keras. */
    const weir_layer_kind first = m->layers[0].spec.kind;
    if (first != WEIR_LAYER_EMBEDDING && first != WEIR_LAYER_MULTI_HOT)
        weir_json_append(input, weir_json_number((double)m->options.C_in));
}

static void add_fields(const layer *l, cJSON *config) {
    const definition_field *f;
    for (int i = 0; (f = weir_definition_field(l->spec.kind, i)); i++)
        weir_json_add(config, weir_definition_field_key(f),
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
    weir_json_add(config, "layer", new_layer(l->type->name, l->inner_name, &inner));
    add_fields(l, inner);
    weir_json_add_string(config, "merge_mode", weir_merge_name(l->spec.merge));
    return json;
}

char *weir_definition_write(const weir_model *m) {
    cJSON *json = weir_json_object();
    weir_json_add_string(json, "class_name", "Sequential");
    cJSON *config = weir_json_add_object(json, "config");
    weir_json_add_string(config, "name", m->name);
    cJSON *layers = weir_json_add_array(config, "layers");
    for (int i = 0; i < m->layer_count; i++)
        weir_json_append(layers, layer_write(m, &m->layers[i]));
    char *text = weir_json_print(json);
    cJSON_Delete(json);
    return text;
}

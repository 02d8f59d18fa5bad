/* Model definitions as JSON: reading. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/model/definition.h"
#include "train/model/definition_field.h"
#include "train/model/definition_fixed.h"

static weir_status wrong(const char *path, const char *key, const char *expected) {
    return weir_definition_wrong(path, key, expected);
}

enum { PATH_SIZE = 72 }; /* "config.layers[255].config.backward_layer.config" */

static const char *class_name(const cJSON *json) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "class_name"));
}

/* ---- the shape of the input ---- */

/* A size, or null for one that is left open, or to what was said before: Keras 2 writes an input's
 * shape, and behind it an embedding's of nulls. */
static bool read_open_size(const cJSON *json, int64_t *out) {
    return cJSON_IsNull(json) || (weir_definition_size(json, out) && *out > 0);
}

/* Without a C_in: tokens, which are one number each. */
static weir_status read_input(const cJSON *json, const char *path, definition *out) {
    const int size = cJSON_IsArray(json) ? cJSON_GetArraySize(json) : 0;
    out->tokens = size == 2;
    if (out->tokens) out->C_in = 1;
    if ((size == 2 || size == 3) && read_open_size(cJSON_GetArrayItem(json, 1), &out->T) &&
        (size == 2 || read_open_size(cJSON_GetArrayItem(json, 2), &out->C_in)))
        return WEIR_OK;
    return wrong(path, json->string, "[null, T, C_in], or [null, T] of tokens; null: left open");
}

static bool is_input_shape(const char *key) {
    return strcmp(key, "batch_input_shape") == 0 || strcmp(key, "batch_shape") == 0;
}

/* Keras has a layer for the shape alone. */
static weir_status read_input_layer(const cJSON *json, const char *path, definition *out) {
    const cJSON *item, *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    /* The members of a list have no names. */
    for (item = cJSON_IsObject(config) ? config->child : NULL; item; item = item->next) {
        if (!is_input_shape(item->string)) continue;
        char inside[PATH_SIZE];
        snprintf(inside, sizeof inside, "%.50s.config", path);
        return read_input(item, inside, out);
    }
    return wrong(path, "config", "an object with batch_input_shape or batch_shape");
}

/* ---- layers ---- */

static weir_status unknown_option(const char *path, const char *key, const char *known) {
    return weir_fail(WEIR_ERROR_FORMAT,
                     "model definition: %s.%.60s is not an option of this layer, known: %s", path,
                     key, known[0] != '\0' ? known : "none");
}

/* True when the item is one that says nothing about the layer itself; *status then says how it went.
 * The shape of the input is that of the first layer. */
static bool read_common(const cJSON *item, weir_layer_kind kind, const char *path, definition *out,
                        weir_status *status) {
    *status = WEIR_OK;
    if (is_input_shape(item->string)) {
        if (out->count == 1) *status = read_input(item, path, out);
        return true;
    }
    return weir_definition_fixed(kind, item, path, status);
}

static weir_status read_config(const cJSON *config, const char *path, definition *out,
                               weir_layer *l) {
    /* Weir's own texts have the names of Keras 2. */
    const int names = out->shown ? out->keras : 2;
    for (const cJSON *item = config->child; item; item = item->next) {
        weir_status status = WEIR_OK;
        const definition_field *f = weir_definition_field_find(l->kind, item->string);
        char known[300];
        if (f)
            status = weir_definition_field_read(f, item, path, names, l);
        else if (!read_common(item, l->kind, path, out, &status))
            status = unknown_option(path, item->string,
                                    weir_definition_field_keys(l->kind, known, sizeof known));
        if (status != WEIR_OK) return status;
    }
    return WEIR_OK;
}

static bool read_kind(const char *name, weir_layer_kind *kind) {
    for (int k = 0; name && k < WEIR_LAYER_KIND_COUNT; k++) {
        if (strcmp(name, weir_layer_type_get((weir_layer_kind)k)->name) != 0) continue;
        *kind = (weir_layer_kind)k;
        return true;
    }
    return false;
}

static weir_status unknown_class(const cJSON *json, const char *path) {
    char known[400];
    size_t used = 0;
    for (int k = 0; k < WEIR_LAYER_KIND_COUNT && used < sizeof known; k++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s, ",
                                 weir_layer_type_get((weir_layer_kind)k)->name);
    const char *name = class_name(json);
    return weir_fail(
        WEIR_ERROR_FORMAT,
        "model definition: %s.class_name is %.60s, known: %sBidirectional, and InputLayer "
        "in front",
        path, name ? name : "missing", known);
}

/* What a layer has before its options are read: the defaults of the Keras version. */
static weir_layer default_layer(weir_layer_kind kind, int keras) {
    weir_layer l = weir_layer_default(kind);
    if (keras == 3) {
        l.reset_after = l.shared_masks = true;
        l.recurrent = WEIR_SIGMOID;
    }
    return l;
}

/* {"class_name": ..., "config": {...}} but Bidirectional. */
static weir_status read_plain(const cJSON *json, const char *path, definition *out, weir_layer *l) {
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    weir_layer_kind kind = WEIR_LAYER_CONV1D;
    if (!read_kind(class_name(json), &kind)) return unknown_class(json, path);
    if (!cJSON_IsObject(config)) return wrong(path, "config", "an object");
    char inside[PATH_SIZE];
    snprintf(inside, sizeof inside, "%.55s.config", path);
    *l = default_layer(kind, out->keras);
    return read_config(config, inside, out, l);
}

static bool read_merge(const cJSON *json, weir_merge *out) {
    for (int m = WEIR_MERGE_CONCAT; cJSON_IsString(json) && m < WEIR_MERGE_COUNT; m++) {
        if (strcmp(json->valuestring, weir_merge_name((weir_merge)m)) != 0) continue;
        *out = (weir_merge)m;
        return true;
    }
    return false;
}

/* Keras 3 also writes the copy that reads backward: it must be one. */
static weir_status check_backward(const cJSON *json, const char *path, definition *out,
                                  const weir_layer *forward) {
    if (cJSON_IsNull(json)) return WEIR_OK;
    char inner[PATH_SIZE];
    snprintf(inner, sizeof inner, "%.40s.backward_layer", path);
    weir_layer l;
    weir_status status = read_plain(json, inner, out, &l);
    if (status != WEIR_OK) return status;
    const bool same = l.kind == forward->kind && l.units == forward->units &&
                      l.activation == forward->activation && l.recurrent == forward->recurrent &&
                      l.reset_after == forward->reset_after && l.dropout == forward->dropout &&
                      l.recurrent_dropout == forward->recurrent_dropout &&
                      l.return_sequences == forward->return_sequences &&
                      l.go_backwards != forward->go_backwards;
    return same ? WEIR_OK
                : wrong(path, "backward_layer", "a copy of layer but for go_backwards, or null");
}

static weir_status read_bidirectional(const cJSON *json, const char *path, definition *out,
                                      weir_layer *l) {
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    if (!cJSON_IsObject(config)) return wrong(path, "config", "an object");
    char inside[PATH_SIZE], inner[PATH_SIZE];
    snprintf(inside, sizeof inside, "%.50s.config", path);
    snprintf(inner, sizeof inner, "%.50s.layer", inside);
    weir_merge merge = WEIR_MERGE_CONCAT;
    weir_status status =
        read_plain(cJSON_GetObjectItemCaseSensitive(config, "layer"), inner, out, l);
    for (const cJSON *item = config->child; item && status == WEIR_OK; item = item->next) {
        if (strcmp(item->string, "layer") == 0) continue;
        if (read_common(item, DEFINITION_WRAPPER, inside, out, &status)) continue;
        if (strcmp(item->string, "backward_layer") == 0)
            status = check_backward(item, inside, out, l);
        else if (strcmp(item->string, "merge_mode") != 0)
            status = unknown_option(inside, item->string, "layer, merge_mode");
        else if (!read_merge(item, &merge))
            status = wrong(inside, "merge_mode", "concat or sum");
    }
    if (status == WEIR_OK && !weir_layer_type_get(l->kind)->cell)
        return wrong(inner, "class_name", "a recurrent layer");
    l->merge = merge;
    return status;
}

static weir_status read_layer(const cJSON *json, const char *path, definition *out) {
    const char *name = class_name(json);
    if (out->count == 0 && name && strcmp(name, "InputLayer") == 0)
        return read_input_layer(json, path, out);
    if (out->count == MODEL_LAYERS_MAX) return wrong("config", "", "a list of 1 to 256 layers");
    weir_layer *l = &out->layers[out->count++];
    if (name && strcmp(name, "Bidirectional") == 0) return read_bidirectional(json, path, out, l);
    return read_plain(json, path, out, l);
}

/* ---- the model ---- */

/* Whether the first layer reads tokens. */
bool weir_definition_text(const definition *d) {
    return d->layers[0].kind == WEIR_LAYER_EMBEDDING || d->layers[0].kind == WEIR_LAYER_MULTI_HOT;
}

/* Keras 2 says its version; Keras 3 does not, but says where its classes are. */
static void read_version(const cJSON *json, int keras, definition *out) {
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "keras_version");
    const char *text = cJSON_GetStringValue(version);
    const bool module = cJSON_GetObjectItemCaseSensitive(json, "module") != NULL;
    out->shown = text || module;
    out->keras = text ? (text[0] == '3' ? 3 : 2) : module ? 3 : keras;
}

static weir_status read_name(const cJSON *config, definition *out) {
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(config, "name");
    /* Until Keras 2.2.2 config was the list of layers. */
    if (cJSON_IsArray(config)) {
        strcpy(out->name, "sequential");
        return WEIR_OK;
    }
    if (!cJSON_IsString(name) || strlen(name->valuestring) >= sizeof out->name)
        return wrong("config.name", "", "a text of at most 127 bytes");
    strcpy(out->name, name->valuestring);
    return WEIR_OK;
}

/* Whether a recurrent layer puts out 0 at steps that a mask passes over, and not the state before them:
 * where it says so, and as a Bidirectional of Keras 3. */
static bool zero_at_masked(const cJSON *json, const definition *d, const weir_layer *l) {
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(config, "layer");
    if (inner) config = cJSON_GetObjectItemCaseSensitive(inner, "config");
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(config, "zero_output_for_mask")) ||
           (l->merge != WEIR_MERGE_NONE && d->keras == 3);
}

/* Weir has no such zeros: they may reach recurrent layers alone, which pass over the same steps. */
static weir_status check_masked(const cJSON *layers, const definition *d) {
    const cJSON *item = layers->child;
    if (cJSON_GetArraySize(layers) > d->count) item = item->next; /* the InputLayer */
    bool masked = false, zeros = false;
    for (int i = 0; i < d->count && !zeros; i++, item = item->next) {
        const weir_layer *l = &d->layers[i];
        const bool recurrent = weir_layer_type_get(l->kind)->cell;
        if (l->kind == WEIR_LAYER_DROPOUT) continue;
        if (l->kind == WEIR_LAYER_EMBEDDING)
            masked = l->mask_zero;
        else
            masked = masked && recurrent && l->return_sequences;
        int next = i + 1;
        while (next < d->count && d->layers[next].kind == WEIR_LAYER_DROPOUT) next++;
        const bool to_recurrent =
            next < d->count && weir_layer_type_get(d->layers[next].kind)->cell;
        zeros = masked && recurrent && !to_recurrent && zero_at_masked(item, d, l);
    }
    if (!zeros) return WEIR_OK;
    return wrong("config.layers", "",
                 "without zero_output_for_mask (a Bidirectional of Keras 3 has it) where steps are "
                 "masked, unless the next layer is recurrent");
}

static weir_status read_layers(const cJSON *layers, const char *path, definition *out) {
    const cJSON *item;
    int i = 0;
    cJSON_ArrayForEach(item, layers) {
        char here[PATH_SIZE];
        snprintf(here, sizeof here, "%s[%d]", path, i++);
        weir_status status = read_layer(item, here, out);
        if (status != WEIR_OK) return status;
    }
    if (out->count == 0) return wrong(path, "", "a list of 1 to 256 layers");
    if (!out->tokens || weir_definition_text(out)) return check_masked(layers, out);
    return wrong("batch_input_shape", "",
                 "[null, T, C_in] unless the first layer is Embedding or CategoryEncoding");
}

weir_status weir_definition_read_json(const cJSON *json, int keras, definition *out) {
    const char *name = class_name(json);
    if (!name || strcmp(name, "Sequential") != 0) return wrong("class_name", "", "Sequential");
    const cJSON *config = cJSON_GetObjectItemCaseSensitive(json, "config");
    out->T = out->C_in = 0;
    out->tokens = false;
    out->count = 0;
    read_version(json, keras, out);
    weir_status status = read_name(config, out);
    if (status != WEIR_OK) return status;
    if (cJSON_IsArray(config)) return read_layers(config, "config", out);
    const cJSON *built = cJSON_GetObjectItemCaseSensitive(config, "build_input_shape");
    if (cJSON_IsArray(built)) status = read_input(built, "config", out);
    if (status == WEIR_OK)
        status =
            read_layers(cJSON_GetObjectItemCaseSensitive(config, "layers"), "config.layers", out);
    return status;
}

weir_status weir_definition_read(const char *text, size_t length, int keras, definition *out) {
    size_t at = 0;
    cJSON *json = weir_json_parse(text, length, &at);
    if (!json)
        return weir_fail(WEIR_ERROR_FORMAT, "model definition: not JSON from byte %zu on", at);
    weir_status status = weir_definition_read_json(json, keras, out);
    cJSON_Delete(json);
    return status;
}

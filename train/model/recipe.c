/* How a definition is trained: the object "weir" in its JSON. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/recipe.h"

#include <math.h>
#include <string.h>

#include "train/model/definition_field.h"
#include "train/model/json.h"

const char *const weir_recipe_tasks[] = {"jena", "imdb", NULL};

static weir_status wrong(const char *key, const char *expected) {
    return weir_definition_wrong("weir", key, expected);
}

static weir_status read_task(const cJSON *item, weir_builtin *out) {
    for (int i = 0; cJSON_IsString(item) && weir_recipe_tasks[i]; i++) {
        if (strcmp(weir_recipe_tasks[i], item->valuestring) != 0) continue;
        out->text = i == 1;
        return WEIR_OK;
    }
    return wrong(item->string, "jena or imdb");
}

static weir_status read_loss(const cJSON *item, weir_builtin *out) {
    for (int i = 0; cJSON_IsString(item) && i < WEIR_LOSS_COUNT; i++) {
        if (strcmp(weir_loss_name((weir_loss)i), item->valuestring) != 0) continue;
        out->loss = (weir_loss)i;
        return WEIR_OK;
    }
    return wrong(item->string, "mae, mse, binary_crossentropy or binary_crossentropy_from_logits");
}

static weir_status read_words(const cJSON *item, weir_builtin *out) {
    out->layers = cJSON_GetStringValue(item);
    return out->layers ? WEIR_OK : wrong(item->string, "a text");
}

static weir_status read_count(const cJSON *item, int64_t *out) {
    if (weir_definition_size(item, out) && *out >= 1 && *out <= 1000000) return WEIR_OK;
    return wrong(item->string, "a whole number, 1 to 1000000");
}

static weir_status read_number(const cJSON *item, double least, double *out) {
    *out = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (*out >= least && isfinite(*out)) return WEIR_OK;
    return wrong(item->string, least > 0 ? "a number, 1 or more" : "a number, 0 or more");
}

static weir_status read_item(const cJSON *item, weir_builtin *out) {
    const char *key = item->string;
    if (strcmp(key, "task") == 0) return read_task(item, out);
    if (strcmp(key, "layers") == 0) return read_words(item, out);
    if (strcmp(key, "loss") == 0) return read_loss(item, out);
    if (strcmp(key, "rate") == 0) return read_number(item, 0, &out->rate);
    if (strcmp(key, "batch_size") == 0) return read_count(item, &out->batch_size);
    if (strcmp(key, "epochs") == 0) return read_count(item, &out->epochs);
    if (strcmp(key, "step_minutes") == 0) return read_number(item, 1, &out->step_minutes);
    return weir_fail(WEIR_ERROR_FORMAT,
                     "model definition: weir.%.60s is not known, known: task, layers, loss, rate, "
                     "batch_size, epochs, step_minutes",
                     key);
}

weir_loss weir_recipe_loss(bool text, weir_activation last) {
    if (!text) return WEIR_MAE;
    return last == WEIR_LINEAR ? WEIR_BCE_LOGITS : WEIR_BCE;
}

static weir_activation last_activation(const definition *d) {
    const weir_layer *l = &d->layers[d->count - 1];
    return l->kind == WEIR_LAYER_DENSE || l->kind == WEIR_LAYER_CONV1D ? l->activation
                                                                       : WEIR_LINEAR;
}

weir_status weir_recipe_read_object(const cJSON *weir, weir_builtin *out) {
    const cJSON *item;
    if (!cJSON_IsObject(weir)) return wrong("", "an object");
    cJSON_ArrayForEach(item, weir) {
        const weir_status status = read_item(item, out);
        if (status != WEIR_OK) return status;
    }
    return WEIR_OK;
}

weir_status weir_recipe_read(const cJSON *json, const definition *d, weir_builtin *out) {
    const cJSON *weir = cJSON_GetObjectItemCaseSensitive(json, "weir");
    const cJSON *task = cJSON_GetObjectItemCaseSensitive(weir, "task");
    *out = (weir_builtin){.name = d->name,
                          .layers = "",
                          .text = weir_definition_text(d),
                          .batch_size = 128,
                          .rate = 1e-3,
                          .step_minutes = 60};
    /* Before the others: their defaults are the task's. */
    weir_status status = task ? read_task(task, out) : WEIR_OK;
    if (status != WEIR_OK) return status;
    out->T = d->T > 0 ? d->T : out->text ? 500 : 240;
    out->epochs = out->text ? 10 : 20;
    out->loss = weir_recipe_loss(out->text, last_activation(d));
    return weir ? weir_recipe_read_object(weir, out) : WEIR_OK;
}

cJSON *weir_recipe_write(const weir_builtin *b) {
    cJSON *json = weir_json_object();
    weir_json_add_string(json, "task", weir_recipe_tasks[b->text]);
    weir_json_add_string(json, "layers", b->layers);
    weir_json_add_string(json, "loss", weir_loss_name(b->loss));
    weir_json_add(json, "rate", weir_json_number(b->rate));
    weir_json_add(json, "batch_size", weir_json_number((double)b->batch_size));
    weir_json_add(json, "epochs", weir_json_number((double)b->epochs));
    weir_json_add(json, "step_minutes", weir_json_number(b->step_minutes));
    return json;
}

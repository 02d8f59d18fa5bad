/* Models from their definitions: the built-in ones and those of a caller. SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

#include "train/model/builtin.h"
#include "train/model/definition.h"

static weir_status create_and_free(weir_runtime *runtime, definition *d,
                                   const weir_model_options *options, weir_status status,
                                   weir_model **model) {
    if (status == WEIR_OK)
        status = weir_model_create_layers(runtime, d->name, d->layers, d->count, options, model);
    free(d);
    return status;
}

static weir_status no_memory(void) {
    return weir_fail(WEIR_ERROR_MEMORY, "no memory for a model definition");
}

static weir_status check_keras(int keras) {
    if (keras == 2 || keras == 3) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "keras is %d, accepted: 2, 3", keras);
}

/* ---- built-in models ---- */

/* What the options decide in the place of the definition. */
static void apply_options(const weir_model_options *o, definition *d) {
    for (int i = 0; i < d->count; i++) {
        weir_layer *l = &d->layers[i];
        l->reset_after = o->keras == 3;
        l->recurrent = o->keras == 3 ? WEIR_SIGMOID : WEIR_HARD_SIGMOID;
        l->shared_masks = o->shared_masks;
        l->channel = o->target;
        l->V = o->V;
        l->mask_zero = o->mask_zero;
        l->frozen = o->frozen;
    }
}

weir_status weir_model_create(weir_runtime *runtime, const char *name,
                              const weir_model_options *options, weir_model **model) {
    if (!runtime || !name || !options || !model)
        return weir_fail(WEIR_ERROR_ARGUMENT, "runtime, name, options and model must not be NULL");
    *model = NULL;
    const weir_builtin *about = NULL;
    weir_status status = check_keras(options->keras);
    if (status == WEIR_OK) status = weir_model_builtin_find(name, &about);
    if (status != WEIR_OK) return status;
    definition *d = malloc(sizeof *d);
    if (!d) return no_memory();
    status = weir_definition_read(about->json, strlen(about->json), 2, d);
    if (status == WEIR_OK) apply_options(options, d);
    return create_and_free(runtime, d, options, status, model);
}

/* ---- definitions of a caller ---- */

static weir_status take_size(const char *what, int64_t defined, int64_t *given) {
    if (*given == 0 && defined == 0)
        return weir_fail(
            WEIR_ERROR_ARGUMENT,
            "the model definition leaves %s open (null in batch_input_shape), accepted: "
            "a size in it",
            what);
    if (*given == 0) *given = defined;
    if (*given == defined || defined == 0) return WEIR_OK;
    return weir_fail(
        WEIR_ERROR_ARGUMENT,
        "the model definition's %s is %lld, what it is to read has %lld, accepted: the "
        "same, or null in batch_input_shape",
        what, (long long)defined, (long long)*given);
}

static weir_status complete(definition *d, weir_model_options *o) {
    weir_status status = take_size("T", d->T, &o->T);
    if (status == WEIR_OK) status = take_size("C_in", d->C_in, &o->C_in);
    for (int i = 0; i < d->count; i++) {
        weir_layer *l = &d->layers[i];
        l->mask_zero = l->mask_zero || o->mask_zero;
        l->frozen = l->frozen || o->frozen;
    }
    return status;
}

weir_status weir_model_create_json(weir_runtime *runtime, const char *json,
                                   const weir_model_options *options, weir_model **model) {
    if (!runtime || !json || !options || !model)
        return weir_fail(WEIR_ERROR_ARGUMENT, "runtime, json, options and model must not be NULL");
    *model = NULL;
    weir_status status = check_keras(options->keras);
    if (status != WEIR_OK) return status;
    definition *d = malloc(sizeof *d);
    if (!d) return no_memory();
    weir_model_options o = *options;
    status = weir_definition_read(json, strlen(json), o.keras, d);
    if (status == WEIR_OK) status = complete(d, &o);
    return create_and_free(runtime, d, &o, status, model);
}

weir_status weir_model_json(const weir_model *model, char **json) {
    if (!model || !json) return weir_fail(WEIR_ERROR_ARGUMENT, "model and json must not be NULL");
    char *text = weir_definition_write(model);
    *json = text ? malloc(strlen(text) + 1) : NULL;
    if (*json) strcpy(*json, text);
    cJSON_free(text);
    return *json ? WEIR_OK : no_memory();
}

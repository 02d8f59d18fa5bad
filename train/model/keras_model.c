/* Models and weights out of the files of Keras. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/keras_model.h"

#include <stdlib.h>
#include <string.h>

#include "train/model/definition.h"
#include "train/model/failed_in.h"
#include "train/model/json.h"
#include "train/model/keras_match.h"

static weir_status no_memory(const keras_file *f) {
    return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", f->process.path);
}

/* The file knows its version even where the definition in it does not. */
static weir_status read_definition(const keras_file *f, definition *d) {
    size_t at = 0;
    cJSON *json = weir_json_parse(f->config, strlen(f->config), &at);
    if (!json)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: its model definition is not JSON from byte %zu on",
                         f->process.path, at);
    if (f->keras != 0 && !cJSON_HasObjectItem(json, "keras_version"))
        weir_json_add_string(json, "keras_version", f->keras == 2 ? "2" : "3");
    weir_status status = weir_definition_read_json(json, 2, d);
    cJSON_Delete(json);
    if (status == WEIR_OK && (d->T == 0 || d->C_in == 0))
        status = weir_fail(WEIR_ERROR_FORMAT,
                           "model definition: the input's T or C_in is null, accepted: sizes");
    return status == WEIR_OK ? WEIR_OK : weir_failed_in_file(f->process.path, status);
}

static weir_status plan_from(const keras_file *f, weir_runtime *rt,
                             const weir_model_options *options, weir_model **model) {
    if (f->config[0] == '\0')
        return weir_fail(WEIR_ERROR_FORMAT,
                         "%s: it holds weights only, not the layers: give the model's definition "
                         "(JSON) with it (weir convert --model FILE)",
                         f->process.path);
    definition *d = malloc(sizeof *d);
    if (!d) return no_memory(f);
    weir_status status = read_definition(f, d);
    if (status == WEIR_OK) {
        weir_model_options o = options ? *options : weir_model_options_default(d->keras);
        o.T = d->T;
        o.C_in = d->C_in;
        status = weir_model_plan(rt, d->name, d->layers, d->count, &o, model);
        if (status != WEIR_OK) status = weir_failed_in_file(f->process.path, status);
    }
    free(d);
    return status;
}

static weir_status read_values(keras_file *f, const parameter **parameters, float *values) {
    for (int i = 0; i < f->count; i++) {
        weir_status status = weir_keras_read(f, &f->tensors[i], values + parameters[i]->offset);
        if (status != WEIR_OK) return status;
    }
    return WEIR_OK;
}

weir_status weir_keras_load(weir_runtime *runtime, const char *path,
                            const weir_model_options *options, weir_model **model) {
    keras_file f;
    weir_status status = weir_keras_open(path, &f);
    if (status != WEIR_OK) return status;
    weir_model *m = NULL;
    const parameter **parameters = malloc(((size_t)f.count + 1) * sizeof *parameters);
    if (!parameters) status = no_memory(&f);
    if (status == WEIR_OK) status = plan_from(&f, runtime, options, &m);
    /* Before memory is taken: a file has as many floats as it claims. */
    if (status == WEIR_OK) status = weir_keras_match(&f, m, parameters);
    if (status == WEIR_OK) status = weir_model_allocate(m);
    if (status == WEIR_OK) status = read_values(&f, parameters, m->values);
    free(parameters);
    weir_keras_close(&f);
    if (status != WEIR_OK)
        weir_model_destroy(m);
    else
        *model = m;
    return status;
}

weir_status weir_keras_load_values(const char *path, const weir_model *m, float *values) {
    keras_file f;
    weir_status status = weir_keras_open(path, &f);
    if (status != WEIR_OK) return status;
    const parameter **parameters = malloc(((size_t)f.count + 1) * sizeof *parameters);
    if (!parameters) status = no_memory(&f);
    if (status == WEIR_OK) status = weir_keras_match(&f, m, parameters);
    if (status == WEIR_OK) status = read_values(&f, parameters, values);
    free(parameters);
    weir_keras_close(&f);
    return status;
}

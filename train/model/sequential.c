/* Creating and describing sequential models. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/model/initializers.h"
#include "train/model/pair.h"
#include "train/model/sequential.h"
#include "train/model/streams.h"
#include "train/model/utf8.h"

weir_model_options weir_model_options_default(int keras) {
    return (weir_model_options){.keras = keras == 3 ? 3 : 2,
                                .V = 10000,
                                .shared_masks = keras == 3,
                                .optimizer = {.kind = WEIR_OPTIMIZER_RMSPROP,
                                              .rate = 1e-3,
                                              .rho = 0.9,
                                              .beta1 = 0.9,
                                              .beta2 = 0.999,
                                              .epsilon = 1e-7,
                                              .epsilon_inside = keras == 3},
                                .loss = WEIR_MAE};
}

static weir_status check_options(const weir_model_options *o) {
    const int64_t max = INT64_C(1) << 24;
    if (o->T < 1 || o->T > max)
        return weir_fail(WEIR_ERROR_ARGUMENT, "T is %lld, accepted: 1 to %lld", (long long)o->T,
                         (long long)max);
    if (o->C_in < 1 || o->C_in > max)
        return weir_fail(WEIR_ERROR_ARGUMENT, "C_in is %lld, accepted: 1 to %lld",
                         (long long)o->C_in, (long long)max);
    if (o->loss < 0 || o->loss >= WEIR_LOSS_COUNT)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "loss is %d, accepted: 0 (MAE), 1 (MSE), 2 (BCE), 3 (BCE_LOGITS)",
                         (int)o->loss);
    return weir_optimizer_check(&o->optimizer);
}

static const char bidirectional[] = "bidirectional";

/* "conv1d" for the first, then "conv1d_1", ... */
static void number_name(char *name, size_t size, const char *prefix, int before) {
    if (before == 0)
        snprintf(name, size, "%s", prefix);
    else
        snprintf(name, size, "%s_%d", prefix, before);
}

/* As Keras: a bidirectional layer has a name of its own, and the layer inside it counts as one of
 * its type. */
static void name_layer(weir_model *m, layer *l) {
    int same = 0, wrapped = 0;
    for (int i = 0; i < l->index; i++) {
        same += m->layers[i].type == l->type;
        wrapped += weir_layer_bidirectional(&m->layers[i]);
    }
    number_name(l->inner_name, sizeof l->inner_name, l->type->prefix, same);
    if (weir_layer_bidirectional(l))
        number_name(l->name, sizeof l->name, bidirectional, wrapped);
    else
        memcpy(l->name, l->inner_name, sizeof l->name);
}

static weir_status build_layer(weir_model *m, int i, shape in) {
    layer *l = &m->layers[i];
    l->index = i;
    l->in = in;
    l->type = weir_layer_type_get(l->spec.kind);
    if (!l->type)
        return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d: kind is %d, accepted: 0 to %d", i,
                         (int)l->spec.kind, WEIR_LAYER_KIND_COUNT - 1);
    name_layer(m, l);
    l->steps_in = l->steps_out = i > 0 ? m->layers[i - 1].steps_out : NULL;
    weir_status status = l->type->build(l);
    if (status != WEIR_OK) return status;
    if (weir_shape_floats(l->out) < 0)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "layer %d (%s): an output of %lld x %lld has more than 2^31 floats", i,
                         l->name, (long long)l->out.T, (long long)l->out.C);
    for (int k = 0; k < l->parameter_count; k++) {
        l->parameters[k].offset = m->parameters;
        m->parameters += l->parameters[k].floats;
    }
    m->tensor_count += l->parameter_count;
    l->frozen = l->spec.kind == WEIR_LAYER_EMBEDDING && l->spec.frozen;
    if (l->parameter_count > 0 && !l->frozen && m->first_trained == m->layer_count)
        m->first_trained = i;
    return WEIR_OK;
}

static weir_status build_layers(weir_model *m) {
    shape in = {m->options.T, m->options.C_in};
    if (weir_shape_floats(in) < 0)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "an input of T %lld x C_in %lld has more than 2^31 floats",
                         (long long)in.T, (long long)in.C);
    for (int i = 0; i < m->layer_count; i++) {
        weir_status status = build_layer(m, i, in);
        if (status != WEIR_OK) return status;
        in = m->layers[i].out;
        if (i > 0 && !(i > 1 && m->layers[i - 2].pair))
            m->layers[i - 1].pair = weir_pair_find(&m->layers[i - 1], &m->layers[i]);
        if (i > 0 && m->layers[i - 1].pair == &weir_pair_token_conv) {
            m->layers[i - 1].products = calloc(1, sizeof *m->layers[i - 1].products);
            if (!m->layers[i - 1].products)
                return weir_fail(WEIR_ERROR_MEMORY, "no memory for a model");
        }
    }
    return WEIR_OK;
}

/* What a file can hold. */
static weir_status check_name(const char *name) {
    const size_t length = strlen(name);
    if (length <= MODEL_NAME_MAX && weir_utf8_valid(name)) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "the model's name has %zu bytes, accepted: UTF-8 of at most %d bytes", length,
                     MODEL_NAME_MAX);
}

weir_status weir_model_plan(weir_runtime *rt, const char *name, const weir_layer *layers, int count,
                            const weir_model_options *options, weir_model **model) {
    if (count < 1 || count > MODEL_LAYERS_MAX)
        return weir_fail(WEIR_ERROR_ARGUMENT, "the model has %d layers, accepted: 1 to %d", count,
                         MODEL_LAYERS_MAX);
    weir_status status = check_options(options);
    if (status == WEIR_OK) status = check_name(name);
    if (status != WEIR_OK) return status;
    weir_model *m = calloc(1, sizeof *m);
    if (!m) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a model");
    if (pthread_mutex_init(&m->mutex, NULL) != 0) {
        free(m);
        return weir_fail(WEIR_ERROR_SYSTEM, "a mutex could not be made");
    }
    m->runtime = rt;
    m->options = *options;
    m->layer_count = m->first_trained = count;
    m->name = malloc(strlen(name) + 1);
    m->layers = calloc((size_t)count, sizeof *m->layers);
    if (!m->name || !m->layers) {
        weir_model_destroy(m);
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for a model of %d layers", count);
    }
    strcpy(m->name, name);
    for (int i = 0; i < count; i++) m->layers[i].spec = layers[i];
    status = build_layers(m);
    if (status != WEIR_OK)
        weir_model_destroy(m);
    else
        *model = m;
    return status;
}

weir_status weir_model_allocate(weir_model *m) {
    if (m->parameters == 0) return WEIR_OK;
    weir_status status = weir_tensor_alloc(m->runtime, m->parameters, &m->values);
    if (status == WEIR_OK) status = weir_tensor_alloc(m->runtime, m->parameters, &m->gradients);
    if (status == WEIR_OK)
        status =
            weir_optimizer_create(m->runtime, &m->options.optimizer, m->parameters, &m->optimizer);
    if (status != WEIR_OK) return status;
    for (int i = 0; i < m->layer_count; i++) {
        layer *l = &m->layers[i];
        if (l->parameter_count == 0) continue;
        l->value = m->values + l->parameters[0].offset;
        l->gradient = m->gradients + l->parameters[0].offset;
    }
    return WEIR_OK;
}

static weir_status initialize_model(weir_model *m) {
    uint64_t stream = STREAM_INITIAL;
    for (int i = 0; i < m->layer_count; i++) {
        const layer *l = &m->layers[i];
        for (int k = 0; k < l->parameter_count; k++) {
            weir_status status = weir_initialize(&l->parameters[k], m->options.seed, stream++,
                                                 weir_layer_value(l, k));
            if (status != WEIR_OK) return status;
        }
    }
    return WEIR_OK;
}

weir_status weir_model_create_layers(weir_runtime *runtime, const char *name,
                                     const weir_layer *layers, int count,
                                     const weir_model_options *options, weir_model **model) {
    if (!runtime || !name || !layers || !options || !model)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "runtime, name, layers, options and model must not be NULL");
    *model = NULL;
    weir_model *m = NULL;
    weir_status status = weir_model_plan(runtime, name, layers, count, options, &m);
    if (status != WEIR_OK) return status;
    status = weir_model_allocate(m);
    if (status == WEIR_OK) status = initialize_model(m);
    if (status != WEIR_OK)
        weir_model_destroy(m);
    else
        *model = m;
    return status;
}

void weir_model_destroy(weir_model *model) {
    if (!model) return;
    weir_runtime *rt = model->runtime;
    for (int i = 0; model->layers && i < model->layer_count; i++) {
        weir_tensor_free(rt, model->layers[i].y);
        weir_tensor_free(rt, model->layers[i].keep);
        weir_tensor_free(rt, model->layers[i].work);
        if (model->layers[i].products) weir_tensor_free(rt, model->layers[i].products->floats);
        free(model->layers[i].products);
    }
    weir_tensor_free(rt, model->delta[0]);
    weir_tensor_free(rt, model->delta[1]);
    weir_tensor_free(rt, model->values);
    weir_tensor_free(rt, model->gradients);
    weir_optimizer_free(rt, &model->optimizer);
    weir_metadata_free(model->notes);
    free(model->layers);
    free(model->name);
    pthread_mutex_destroy(&model->mutex);
    free(model);
}

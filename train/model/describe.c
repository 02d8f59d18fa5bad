/* What a model is: shapes, layers, parameters. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/model/sequential.h"

const char *weir_model_name(const weir_model *model) { return model->name; }

int64_t weir_model_T(const weir_model *model) { return model->options.T; }

int64_t weir_model_C_in(const weir_model *model) { return model->options.C_in; }

int64_t weir_model_outputs(const weir_model *model) {
    return weir_shape_floats(model->layers[model->layer_count - 1].out);
}

int64_t weir_model_parameters(const weir_model *model) { return model->parameters; }

int64_t weir_model_recurrent_steps(const weir_model *model) {
    for (int i = 0; i < model->layer_count; i++)
        if (model->layers[i].type->cell) return model->layers[i].in.T;
    return 0;
}

int weir_model_layer_count(const weir_model *model) { return model->layer_count; }

weir_status weir_model_layer(const weir_model *model, int i, weir_layer_info *info) {
    if (i < 0 || i >= model->layer_count)
        return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d, accepted: 0 to %d", i,
                         model->layer_count - 1);
    const layer *l = &model->layers[i];
    *info = (weir_layer_info){.layer = l->spec,
                              .name = l->name,
                              .type = weir_layer_bidirectional(l) ? "Bidirectional" : l->type->name,
                              .T = l->out.T,
                              .C = l->out.C};
    info->parameters = weir_layer_floats(l);
    return WEIR_OK;
}

int weir_model_tensor_count(const weir_model *model) { return model->tensor_count; }

const parameter *weir_model_parameter(const weir_model *m, int i, const layer **owner) {
    for (int k = 0; k < m->layer_count; k++) {
        const layer *l = &m->layers[k];
        if (i < l->parameter_count) {
            if (owner) *owner = l;
            return &l->parameters[i];
        }
        i -= l->parameter_count;
    }
    return NULL;
}

weir_status weir_model_tensor(const weir_model *model, int i, weir_tensor_info *info) {
    const parameter *p = i < 0 ? NULL : weir_model_parameter(model, i, NULL);
    if (!p)
        return weir_fail(WEIR_ERROR_ARGUMENT, "tensor %d, the model has %d", i,
                         model->tensor_count);
    *info = (weir_tensor_info){
        .name = p->name, .rank = p->rank, .offset = p->offset, .floats = p->floats};
    memcpy(info->dims, p->dims, sizeof info->dims);
    return WEIR_OK;
}

void weir_model_get_parameters(weir_model *model, float *parameters) {
    if (model->parameters == 0) return;
    pthread_mutex_lock(&model->mutex);
    memcpy(parameters, model->values, (size_t)model->parameters * sizeof *parameters);
    pthread_mutex_unlock(&model->mutex);
}

void weir_model_set_parameters(weir_model *model, const float *parameters) {
    if (model->parameters == 0) return;
    pthread_mutex_lock(&model->mutex);
    memcpy(model->values, parameters, (size_t)model->parameters * sizeof *parameters);
    model->state++;
    pthread_mutex_unlock(&model->mutex);
}

int64_t weir_model_train_steps(weir_model *model) {
    pthread_mutex_lock(&model->mutex);
    const int64_t steps = model->optimizer.steps;
    pthread_mutex_unlock(&model->mutex);
    return steps;
}

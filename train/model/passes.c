/* Forward, backward and the training step of a sequential model. SPDX-License-Identifier: Apache-2.0
 */
#include <math.h>
#include <string.h>

#include "train/model/pair.h"
#include "train/model/sequential.h"

/* Samples that a prediction works on at a time: bounds its memory, changes no bit. */
enum { PREDICT_BATCH = 256 };

static weir_status replace(weir_runtime *rt, float **tensor, int64_t floats) {
    weir_tensor_free(rt, *tensor);
    *tensor = NULL;
    return floats > 0 ? weir_tensor_alloc(rt, floats, tensor) : WEIR_OK;
}

/* The largest gradient with respect to a layer's input or output. */
static int64_t delta_floats(const weir_model *m) {
    int64_t most = 0;
    for (int i = m->first_trained; i < m->layer_count; i++) {
        const int64_t floats = weir_shape_floats(m->layers[i].out);
        if (!m->layers[i].pair && floats > most) most = floats;
    }
    return most;
}

static weir_status reserve_outputs(weir_model *m, int64_t N) {
    if (N <= m->capacity) return WEIR_OK;
    m->capacity = 0; /* until all is there */
    for (int i = 0; i < m->layer_count; i++) {
        layer *l = &m->layers[i];
        weir_status status = WEIR_OK;
        if (l->type->work_floats)
            status = replace(m->runtime, &l->work, l->type->work_floats(l, N));
        if (status == WEIR_OK && l->type->forward && !l->pair)
            status = replace(m->runtime, &l->y, N * weir_shape_floats(l->out));
        if (status != WEIR_OK) return status;
    }
    m->capacity = N;
    return WEIR_OK;
}

static weir_status reserve_training(weir_model *m, int64_t N) {
    if (N <= m->training_capacity) return WEIR_OK;
    m->training_capacity = 0;
    weir_status status = WEIR_OK;
    for (int i = 0; i < m->layer_count && status == WEIR_OK; i++) {
        layer *l = &m->layers[i];
        if (l->type->keep_floats)
            status = replace(m->runtime, &l->keep, l->type->keep_floats(l, N));
    }
    for (int i = 0; i < 2 && status == WEIR_OK; i++)
        status = replace(m->runtime, &m->delta[i], N * delta_floats(m));
    if (status == WEIR_OK) m->training_capacity = N;
    return status;
}

static weir_status forward(weir_model *m, const pass *p, const float *x, const float **y) {
    for (int i = 0; i < m->layer_count; i++) {
        layer *l = &m->layers[i];
        l->x = x;
        if (!l->type->forward) continue;
        float *out = l->pair ? m->layers[++i].y : l->y;
        weir_status status =
            l->pair ? l->pair->forward(l, p, x, out) : l->type->forward(l, p, x, out);
        if (status != WEIR_OK) return status;
        x = out;
    }
    *y = x;
    return WEIR_OK;
}

/* From dy of the last layer, in m->delta[0], down to the first layer that has parameters. */
static weir_status backward(weir_model *m, const pass *p) {
    int now = 0;
    for (int i = m->layer_count - 1; i >= m->first_trained; i--) {
        const layer *l = &m->layers[i];
        if (!l->type->backward) continue;
        const layer_pair *pair = i > 0 ? m->layers[i - 1].pair : NULL;
        if (pair) l = &m->layers[--i];
        float *dx = i > m->first_trained ? m->delta[1 - now] : NULL;
        weir_status status = pair ? pair->backward(l, p, m->delta[now], dx)
                                  : l->type->backward(l, p, l->x, l->y, m->delta[now], dx);
        if (status != WEIR_OK) return status;
        now = 1 - now;
    }
    return WEIR_OK;
}

weir_status weir_model_gradients(weir_model *m, int64_t N, const float *x, const float *target,
                                 double *loss) {
    weir_status status = reserve_outputs(m, N);
    if (status == WEIR_OK) status = reserve_training(m, N);
    if (status != WEIR_OK) return status;
    const pass p = {.runtime = m->runtime,
                    .N = N,
                    .training = true,
                    .seed = m->options.seed,
                    .step = m->optimizer.steps};
    const float *y = NULL;
    status = forward(m, &p, x, &y);
    if (status == WEIR_OK)
        status = weir_loss_eval(m->runtime, m->options.loss, N * weir_model_outputs(m), y, target,
                                loss, m->delta[0]);
    if (status == WEIR_OK && isfinite(*loss)) status = backward(m, &p);
    return status;
}

/* The parameters of layers that follow each other in one call; frozen ones are left out. */
static weir_status update(weir_model *m) {
    m->state++;
    weir_optimizer_begin(&m->optimizer);
    int64_t first = 0, end = 0;
    weir_status status = WEIR_OK;
    for (int i = 0; i <= m->layer_count && status == WEIR_OK; i++) {
        const layer *l = i < m->layer_count ? &m->layers[i] : NULL;
        if (l && l->parameter_count == 0) continue;
        if ((!l || l->frozen) && end > first)
            status = weir_optimizer_update(m->runtime, &m->optimizer, first, end - first,
                                           m->gradients, m->values);
        if (l) end += weir_layer_floats(l);
        if (l && l->frozen) first = end;
    }
    return status;
}

weir_status weir_model_train_step(weir_model *model, int64_t N, const float *x, const float *target,
                                  double *loss) {
    if (!model || !x || !target)
        return weir_fail(WEIR_ERROR_ARGUMENT, "model, x and target must not be NULL");
    if (N < 1)
        return weir_fail(WEIR_ERROR_ARGUMENT, "N is %lld, accepted: 1 or more", (long long)N);
    if (model->first_trained == model->layer_count)
        return weir_fail(WEIR_ERROR_STATE, "%s has no parameters to train", model->name);
    pthread_mutex_lock(&model->mutex);
    double value = 0;
    weir_status status = weir_model_gradients(model, N, x, target, &value);
    if (status == WEIR_OK && isfinite(value)) status = update(model);
    pthread_mutex_unlock(&model->mutex);
    if (status == WEIR_OK && loss) *loss = value;
    return status;
}

static weir_status predict(weir_model *m, int64_t N, const float *x, float *out) {
    weir_status status = reserve_outputs(m, N < PREDICT_BATCH ? N : PREDICT_BATCH);
    const int64_t in = m->options.T * m->options.C_in, outputs = weir_model_outputs(m);
    for (int64_t n = 0; n < N && status == WEIR_OK; n += PREDICT_BATCH) {
        const int64_t batch = N - n < PREDICT_BATCH ? N - n : PREDICT_BATCH;
        const pass p = {.runtime = m->runtime, .N = batch, .state = m->state};
        const float *y = NULL;
        status = forward(m, &p, x + n * in, &y);
        if (status == WEIR_OK)
            memcpy(out + n * outputs, y, (size_t)(batch * outputs) * sizeof *out);
    }
    return status;
}

weir_status weir_model_predict(weir_model *model, int64_t N, const float *x, float *y) {
    if (!model || !x || !y)
        return weir_fail(WEIR_ERROR_ARGUMENT, "model, x and y must not be NULL");
    if (N < 0)
        return weir_fail(WEIR_ERROR_ARGUMENT, "N is %lld, accepted: 0 or more", (long long)N);
    if (N == 0) return WEIR_OK;
    pthread_mutex_lock(&model->mutex);
    weir_status status = predict(model, N, x, y);
    pthread_mutex_unlock(&model->mutex);
    return status;
}

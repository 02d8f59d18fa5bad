/* The sequential model: its parts, for the files of train/model and the tests.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_SEQUENTIAL_H
#define WEIR_TRAIN_SEQUENTIAL_H

#include <pthread.h>

#include "train/model/layer.h"
#include "train/model/metadata.h"
#include "train/model/optimizer.h"

enum { MODEL_LAYERS_MAX = 256, MODEL_NAME_MAX = 127 };

struct weir_model {
    weir_runtime *runtime;
    pthread_mutex_t mutex; /* held by every call that computes or moves parameters */
    char *name;
    weir_model_options options;
    layer *layers;
    int layer_count, tensor_count;
    int first_trained;  /* the first layer with parameters; layer_count: none */
    int64_t parameters; /* floats of each slab */
    float *values, *gradients;
    int64_t state; /* goes up when values change */
    optimizer optimizer;
    int64_t capacity, training_capacity; /* the largest N that the buffers have room for */
    float *delta[2];                     /* dy and dx by turns */
    metadata *notes;
};

/*
 * The model without memory for its parameters: checks the layers and works out shapes, so that the
 * number of parameters is known before anything large is allocated.
 */
weir_status weir_model_plan(weir_runtime *rt, const char *name, const weir_layer *layers, int count,
                            const weir_model_options *options, weir_model **model);
/* Allocates slabs and optimizer state, zeroed. */
weir_status weir_model_allocate(weir_model *m);

/* Parameter tensor i of the model and the layer it belongs to. */
const parameter *weir_model_parameter(const weir_model *m, int i, const layer **owner);

/* Forward in training mode, loss and backward: fills m->gradients (unless the loss is not finite).
 * The caller holds the mutex. */
weir_status weir_model_gradients(weir_model *m, int64_t N, const float *x, const float *target,
                                 double *loss);

#endif

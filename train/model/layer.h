/* A layer inside a model: its type, shapes, parameters and buffers. SPDX-License-Identifier: Apache-2.0
 */
#ifndef WEIR_TRAIN_LAYER_H
#define WEIR_TRAIN_LAYER_H

#include "weir/model.h"

/* What a sample looks like between two layers. T = 0: no time axis. */
typedef struct shape {
    int64_t T, C;
} shape;

typedef enum initializer {
    INIT_ZEROS = 0,
    INIT_GLOROT_UNIFORM,
    INIT_ORTHOGONAL,
    INIT_UNIFORM,    /* +-0.05 */
    INIT_FORGET_ONES /* an LSTM's bias: zeros, but ones for the second quarter */
} initializer;

typedef struct parameter {
    char name[64]; /* "conv1d_1/kernel" */
    int rank;
    int64_t dims[3];
    int64_t floats;
    int64_t offset; /* in the model's slabs */
    initializer init;
} parameter;

/* One walk through the layers. */
typedef struct pass {
    weir_runtime *runtime;
    int64_t N;
    bool training; /* dropout is on, and what the backward pass needs is kept */
    uint64_t seed; /* of the dropout masks, */
    int64_t step;  /* with the number of the training step, from 0 */
    int64_t state; /* of the parameters: another number when they have changed */
} pass;

enum { LAYER_PARAMETERS_MAX = 6 };

typedef struct layer layer;

typedef struct layer_type {
    const char *name;   /* as Keras calls the class */
    const char *prefix; /* of the layer's own name */
    /* Checks spec against the input shape; sets out and declares the parameters. */
    weir_status (*build)(layer *l);
    const struct cell *cell; /* of a recurrent layer, else NULL */
    /* Floats in `keep` and in `work` for a batch of N; NULL: none. */
    int64_t (*keep_floats)(const layer *l, int64_t N);
    int64_t (*work_floats)(const layer *l, int64_t N);
    /* x -> y. NULL: y is x. */
    weir_status (*forward)(const layer *l, const pass *p, const float *x, float *y);
    /*
     * dy -> gradients of the parameters, and dx unless it is NULL. dy may be overwritten. NULL:
     * dx is dy.
     */
    weir_status (*backward)(const layer *l, const pass *p, const float *x, const float *y,
                            float *dy, float *dx);
} layer_type;

/* What predictions keep of a convolution over tokens: the products of all of them, for one state of
 * the parameters. */
typedef struct token_products {
    float *floats;  /* [V][K][C_out]; NULL: not made yet */
    int64_t state;  /* of which products and tokens are */
    bool made;      /* floats are of this state */
    int64_t tokens; /* that were predicted for without */
} token_products;

struct layer {
    const layer_type *type;
    weir_layer spec;
    int index;           /* in the model */
    char name[32];       /* "gru_1", "bidirectional" */
    char inner_name[32]; /* of a recurrent layer: "gru_1" */
    shape in, out;
    /* The embedding that knows which steps of the input and of the output are padding; NULL: none is.
     * From the layer below, until build() says otherwise. */
    const layer *steps_in, *steps_out;
    parameter parameters[LAYER_PARAMETERS_MAX];
    int parameter_count;
    float *value, *gradient; /* the model's slabs, from this layer's first parameter on */
    const float *x;          /* input of the pass under way */
    float *y;                /* output, unless the type has no forward */
    float *keep;             /* what backward needs beside x and y */
    float *work;             /* what every pass needs beside y */
    bool frozen;             /* its parameters stay as they are */
    /* One op with the next layer: no y, and no gradient with respect to it; NULL: none. */
    const struct layer_pair *pair;
    token_products *products; /* of the first layer of such a pair; owned */
};

extern const layer_type weir_layer_conv1d, weir_layer_max_pool, weir_layer_avg_pool,
    weir_layer_global_max_pool, weir_layer_global_avg_pool, weir_layer_flatten, weir_layer_dense,
    weir_layer_gru, weir_layer_last_value, weir_layer_dropout, weir_layer_lstm, weir_layer_rnn,
    weir_layer_embedding, weir_layer_multi_hot;

const layer_type *weir_layer_type_get(weir_layer_kind kind); /* NULL: unknown */

/* [N][T], 0 for steps of the input that are padding; NULL: none is. */
const uint8_t *weir_layer_step_mask(const layer *l, int64_t N);

/* A recurrent layer with a merge. */
bool weir_layer_bidirectional(const layer *l);

/* Floats of a sample of this shape; -1 when there are more than 2^31. */
int64_t weir_shape_floats(shape s);

/* For build(): a parameter of this layer. Sizes above 2^31 floats make it fail. */
weir_status weir_layer_add_parameter(layer *l, const char *name, initializer init, int rank,
                                     const int64_t *dims);
/* Floats of all its parameters. */
int64_t weir_layer_floats(const layer *l);
float *weir_layer_value(const layer *l, int i);
float *weir_layer_gradient(const layer *l, int i);

weir_conv1d weir_layer_conv1d_params(const layer *l, int64_t N);
/* "layer 3 (gru): units is 0, accepted: 1 to 16777216" as ARGUMENT unless min <= value <= 2^24. */
weir_status weir_layer_check_size(const layer *l, const char *what, int64_t value, int64_t min);
/* ARGUMENT when the input has no time axis. */
weir_status weir_layer_need_time(const layer *l);
/* ARGUMENT unless 0 <= rate < 1. */
weir_status weir_layer_check_rate(const layer *l, const char *what, double rate);

#endif

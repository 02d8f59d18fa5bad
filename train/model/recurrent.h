/* What the recurrent layers share: dropout masks, directions, parameters. A cell is the op behind one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_RECURRENT_H
#define WEIR_TRAIN_RECURRENT_H

#include "train/model/layer.h"

/* One call of a cell's op: the tensors of one direction. */
typedef struct cell_call {
    const layer *l;
    weir_runtime *runtime;
    int64_t N, T;
    bool backwards;
    int mask_gates; /* 0: no masks */
    const float *x, *w, *u, *b, *mask_x, *mask_h;
    const uint8_t *step_mask; /* NULL: no step is passed over */
    /* For streams: the states [N][H] before the first step, NULL: zero, and where c of an LSTM goes. */
    const float *h0, *c0;
    float *c_last;
} cell_call;

typedef struct cell {
    int gates;
    bool has_c;       /* a state c beside h */
    int64_t size_max; /* of C_in and of H */
    /* Checks activation and recurrent activation; adds the bias. */
    weir_status (*check)(const layer *l);
    weir_status (*add_bias)(layer *l, const char *name);
    int64_t (*reserve_floats)(const cell_call *c);
    weir_status (*forward)(const cell_call *c, float *y, float *reserve);
    weir_status (*backward)(const cell_call *c, const float *reserve, const float *dy, float *dx,
                            float *dw, float *du, float *db);
} cell;

/* For check(): ARGUMENT unless the activation is tanh or relu; unless that of the gates is one of the
 * sigmoids. */
weir_status weir_recurrent_check_activation(const layer *l);
weir_status weir_recurrent_check_gates(const layer *l);

/* For the layer_type of a recurrent layer. */
weir_status weir_recurrent_build(layer *l);
int64_t weir_recurrent_keep_floats(const layer *l, int64_t N);
int64_t weir_recurrent_work_floats(const layer *l, int64_t N);
weir_status weir_recurrent_forward(const layer *l, const pass *p, const float *x, float *y);
weir_status weir_recurrent_backward(const layer *l, const pass *p, const float *x, const float *y,
                                    float *dy, float *dx);

#define RECURRENT_LAYER(type_name, own_name, own_cell)                                          \
    {                                                                                           \
        .name = type_name, .prefix = own_name, .cell = own_cell, .build = weir_recurrent_build, \
        .keep_floats = weir_recurrent_keep_floats, .work_floats = weir_recurrent_work_floats,   \
        .forward = weir_recurrent_forward, .backward = weir_recurrent_backward                  \
    }

#endif

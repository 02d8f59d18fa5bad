/* The SimpleRNN layer. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/recurrent.h"

static weir_rnn params(const cell_call *c) {
    const weir_layer *s = &c->l->spec;
    return (weir_rnn){.N = c->N,
                      .T = c->T,
                      .C_in = c->l->in.C,
                      .H = s->units,
                      .activation = s->activation,
                      .go_backwards = c->backwards,
                      .return_sequences = s->return_sequences,
                      .mask_gates = c->mask_gates};
}

static weir_rnn_tensors tensors(const cell_call *c) {
    return (weir_rnn_tensors){.x = c->x,
                              .w = c->w,
                              .u = c->u,
                              .b = c->b,
                              .h0 = c->h0,
                              .mask_x = c->mask_x,
                              .mask_h = c->mask_h,
                              .step_mask = c->step_mask};
}

static weir_status check(const layer *l) {
    const weir_activation a = l->spec.activation;
    if (a == WEIR_LINEAR || a == WEIR_TANH || a == WEIR_RELU || a == WEIR_SIGMOID) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "layer %d (%s): activation is %s, accepted: linear, tanh, relu, sigmoid",
                     l->index, l->name, weir_activation_name(a));
}

static weir_status add_bias(layer *l, const char *name) {
    return weir_layer_add_parameter(l, name, INIT_ZEROS, 1, (int64_t[]){l->spec.units});
}

static int64_t reserve_floats(const cell_call *c) {
    const weir_rnn p = params(c);
    return weir_rnn_reserve_floats(&p);
}

static weir_status forward(const cell_call *c, float *y, float *reserve) {
    const weir_rnn p = params(c);
    const weir_rnn_tensors t = tensors(c);
    return weir_rnn_fwd(c->runtime, &p, &t, y, reserve);
}

static weir_status backward(const cell_call *c, const float *reserve, const float *dy, float *dx,
                            float *dw, float *du, float *db) {
    const weir_rnn p = params(c);
    const weir_rnn_tensors t = tensors(c);
    const weir_rnn_gradients g = {.dy = dy, .dx = dx, .dw = dw, .du = du, .db = db};
    return weir_rnn_bwd(c->runtime, &p, &t, reserve, &g);
}

static const cell rnn = {.gates = 1,
                         .size_max = WEIR_RNN_SIZE_MAX,
                         .check = check,
                         .add_bias = add_bias,
                         .reserve_floats = reserve_floats,
                         .forward = forward,
                         .backward = backward};

const layer_type weir_layer_rnn = RECURRENT_LAYER("SimpleRNN", "simple_rnn", &rnn);

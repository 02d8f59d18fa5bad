/* The LSTM layer. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/recurrent.h"

static weir_lstm params(const cell_call *c) {
    const weir_layer *s = &c->l->spec;
    return (weir_lstm){.N = c->N,
                       .T = c->T,
                       .C_in = c->l->in.C,
                       .H = s->units,
                       .activation = s->activation,
                       .recurrent = s->recurrent,
                       .go_backwards = c->backwards,
                       .return_sequences = s->return_sequences,
                       .mask_gates = c->mask_gates};
}

static weir_lstm_tensors tensors(const cell_call *c) {
    return (weir_lstm_tensors){.x = c->x,
                               .w = c->w,
                               .u = c->u,
                               .b = c->b,
                               .h0 = c->h0,
                               .c0 = c->c0,
                               .mask_x = c->mask_x,
                               .mask_h = c->mask_h,
                               .step_mask = c->step_mask};
}

static weir_status check(const layer *l) {
    weir_status status = weir_recurrent_check_activation(l);
    return status == WEIR_OK ? weir_recurrent_check_gates(l) : status;
}

static weir_status add_bias(layer *l, const char *name) {
    return weir_layer_add_parameter(l, name, INIT_FORGET_ONES, 1, (int64_t[]){4 * l->spec.units});
}

static int64_t reserve_floats(const cell_call *c) {
    const weir_lstm p = params(c);
    return weir_lstm_reserve_floats(&p);
}

static weir_status forward(const cell_call *c, float *y, float *reserve) {
    const weir_lstm p = params(c);
    const weir_lstm_tensors t = tensors(c);
    return weir_lstm_fwd(c->runtime, &p, &t, y, c->c_last, reserve);
}

static weir_status backward(const cell_call *c, const float *reserve, const float *dy, float *dx,
                            float *dw, float *du, float *db) {
    const weir_lstm p = params(c);
    const weir_lstm_tensors t = tensors(c);
    const weir_lstm_gradients g = {.dy = dy, .dx = dx, .dw = dw, .du = du, .db = db};
    return weir_lstm_bwd(c->runtime, &p, &t, reserve, &g);
}

static const cell lstm = {.gates = 4,
                          .has_c = true,
                          .size_max = WEIR_LSTM_SIZE_MAX,
                          .check = check,
                          .add_bias = add_bias,
                          .reserve_floats = reserve_floats,
                          .forward = forward,
                          .backward = backward};

const layer_type weir_layer_lstm = RECURRENT_LAYER("LSTM", "lstm", &lstm);

/* The conv1d layer. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/layer.h"

weir_conv1d weir_layer_conv1d_params(const layer *l, int64_t N) {
    return (weir_conv1d){.N = N,
                         .T = l->in.T,
                         .C_in = l->in.C,
                         .C_out = l->spec.units,
                         .K = l->spec.K,
                         .S = l->spec.S,
                         .D = l->spec.D,
                         .padding = l->spec.padding,
                         .activation = l->spec.activation};
}

static weir_status build(layer *l) {
    const weir_layer *s = &l->spec;
    weir_status status = weir_layer_need_time(l);
    if (status == WEIR_OK) status = weir_layer_check_size(l, "C_out", s->units, 1);
    if (status == WEIR_OK) status = weir_layer_check_size(l, "K", s->K, 1);
    if (status == WEIR_OK) status = weir_layer_check_size(l, "S", s->S, 1);
    if (status == WEIR_OK) status = weir_layer_check_size(l, "D", s->D, 1);
    if (status != WEIR_OK) return status;
    const weir_conv1d p = weir_layer_conv1d_params(l, 1);
    l->steps_out = NULL;
    l->out = (shape){weir_conv1d_t_out(&p), s->units};
    if (l->out.T < 1)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "layer %d (%s): %lld time steps are too few for K %lld, S %lld, D %lld "
                         "(padding %s, activation %s)",
                         l->index, l->name, (long long)l->in.T, (long long)s->K, (long long)s->S,
                         (long long)s->D, weir_padding_name(s->padding),
                         weir_activation_name(s->activation));
    status = weir_layer_add_parameter(l, "kernel", INIT_GLOROT_UNIFORM, 3,
                                      (int64_t[]){s->K, l->in.C, s->units});
    if (status != WEIR_OK) return status;
    return weir_layer_add_parameter(l, "bias", INIT_ZEROS, 1, (int64_t[]){s->units});
}

static weir_status forward(const layer *l, const pass *p, const float *x, float *y) {
    const weir_conv1d c = weir_layer_conv1d_params(l, p->N);
    return weir_conv1d_fwd(p->runtime, &c, x, weir_layer_value(l, 0), weir_layer_value(l, 1), y);
}

static weir_status backward(const layer *l, const pass *p, const float *x, const float *y,
                            float *dy, float *dx) {
    const weir_conv1d c = weir_layer_conv1d_params(l, p->N);
    weir_status status = WEIR_OK;
    if (c.activation != WEIR_LINEAR)
        status =
            weir_activation_bwd(p->runtime, c.activation, p->N * l->out.T * l->out.C, y, dy, dy);
    if (status == WEIR_OK)
        status = weir_conv1d_bwd_weights(p->runtime, &c, x, dy, weir_layer_gradient(l, 0),
                                         weir_layer_gradient(l, 1));
    if (status == WEIR_OK && dx)
        status = weir_conv1d_bwd_data(p->runtime, &c, dy, weir_layer_value(l, 0), dx);
    return status;
}

const layer_type weir_layer_conv1d = {
    .name = "Conv1D", .prefix = "conv1d", .build = build, .forward = forward, .backward = backward};

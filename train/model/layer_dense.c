/* The dense layer; over a time axis it works on every step. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/layer.h"

static weir_dense params(const layer *l, int64_t N) {
    return (weir_dense){.N = N * (l->in.T > 0 ? l->in.T : 1),
                        .C_in = l->in.C,
                        .C_out = l->spec.units,
                        .activation = l->spec.activation};
}

static weir_status build(layer *l) {
    weir_status status = weir_layer_check_size(l, "C_out", l->spec.units, 1);
    if (status != WEIR_OK) return status;
    if (l->spec.activation < 0 || l->spec.activation >= WEIR_ACTIVATION_COUNT)
        return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s): activation is %d, accepted: 0 to %d",
                         l->index, l->name, (int)l->spec.activation, WEIR_ACTIVATION_COUNT - 1);
    l->out = (shape){l->in.T, l->spec.units};
    status = weir_layer_add_parameter(l, "kernel", INIT_GLOROT_UNIFORM, 2,
                                      (int64_t[]){l->in.C, l->spec.units});
    if (status != WEIR_OK) return status;
    return weir_layer_add_parameter(l, "bias", INIT_ZEROS, 1, (int64_t[]){l->spec.units});
}

static weir_status forward(const layer *l, const pass *p, const float *x, float *y) {
    const weir_dense c = params(l, p->N);
    return weir_dense_fwd(p->runtime, &c, x, weir_layer_value(l, 0), weir_layer_value(l, 1), y);
}

static weir_status backward(const layer *l, const pass *p, const float *x, const float *y,
                            float *dy, float *dx) {
    const weir_dense c = params(l, p->N);
    weir_status status = WEIR_OK;
    if (c.activation != WEIR_LINEAR)
        status = weir_activation_bwd(p->runtime, c.activation, c.N * c.C_out, y, dy, dy);
    if (status == WEIR_OK)
        status = weir_dense_bwd_weights(p->runtime, &c, x, dy, weir_layer_gradient(l, 0),
                                        weir_layer_gradient(l, 1));
    if (status == WEIR_OK && dx)
        status = weir_dense_bwd_data(p->runtime, &c, dy, weir_layer_value(l, 0), dx);
    return status;
}

const layer_type weir_layer_dense = {
    .name = "Dense", .prefix = "dense", .build = build, .forward = forward, .backward = backward};

/* The GRU layer, with dropout masks held for the whole sequence.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/model/dropout.h"
#include "train/model/layer.h"

static bool has_dropout(const layer *l) {
    return l->spec.dropout > 0 || l->spec.recurrent_dropout > 0;
}

static weir_gru params(const layer *l, int64_t N, bool training) {
    const weir_layer *s = &l->spec;
    return (weir_gru){.N = N,
                      .T = l->in.T,
                      .C_in = l->in.C,
                      .H = s->units,
                      .activation = s->activation,
                      .recurrent = s->recurrent,
                      .reset_after = s->reset_after,
                      .go_backwards = s->go_backwards,
                      .return_sequences = s->return_sequences,
                      .mask_gates = training && has_dropout(l) ? s->mask_gates : 0};
}

static weir_status check_rate(const layer *l, const char *what, double rate) {
    if (rate >= 0 && rate < 1) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s): %s is %g, accepted: 0 <= rate < 1",
                     l->index, l->name, what, rate);
}

static weir_status check_functions(const layer *l) {
    const weir_layer *s = &l->spec;
    if (s->activation != WEIR_TANH && s->activation != WEIR_RELU)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "layer %d (%s): activation is %s, accepted: tanh, relu", l->index, l->name,
                         weir_activation_name(s->activation));
    if (s->recurrent != WEIR_SIGMOID && s->recurrent != WEIR_HARD_SIGMOID &&
        s->recurrent != WEIR_HARD_SIGMOID6)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "layer %d (%s): recurrent activation is %s, accepted: sigmoid, "
                         "hard_sigmoid, hard_sigmoid6",
                         l->index, l->name, weir_activation_name(s->recurrent));
    if (s->mask_gates != 1 && s->mask_gates != 3)
        return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s): mask_gates is %d, accepted: 1, 3",
                         l->index, l->name, s->mask_gates);
    return WEIR_OK;
}

/* weir_gru_fwd's limits. */
static weir_status check_size(const layer *l, const char *what, int64_t value) {
    if (value >= 1 && value <= WEIR_GRU_SIZE_MAX) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s): %s is %lld, accepted: 1 to %d", l->index,
                     l->name, what, (long long)value, WEIR_GRU_SIZE_MAX);
}

static weir_status build(layer *l) {
    const int64_t H = l->spec.units;
    weir_status status = weir_layer_need_time(l);
    if (status == WEIR_OK) status = check_size(l, "C_in", l->in.C);
    if (status == WEIR_OK) status = check_size(l, "H", H);
    if (status == WEIR_OK) status = check_rate(l, "dropout", l->spec.dropout);
    if (status == WEIR_OK) status = check_rate(l, "recurrent_dropout", l->spec.recurrent_dropout);
    if (status == WEIR_OK) status = check_functions(l);
    if (status != WEIR_OK) return status;
    l->out = (shape){l->spec.return_sequences ? l->in.T : 0, H};
    status =
        weir_layer_add_parameter(l, "kernel", INIT_GLOROT_UNIFORM, 2, (int64_t[]){l->in.C, 3 * H});
    if (status == WEIR_OK)
        status = weir_layer_add_parameter(l, "recurrent_kernel", INIT_ORTHOGONAL, 2,
                                          (int64_t[]){H, 3 * H});
    if (status != WEIR_OK) return status;
    if (l->spec.reset_after)
        return weir_layer_add_parameter(l, "bias", INIT_ZEROS, 2, (int64_t[]){2, 3 * H});
    return weir_layer_add_parameter(l, "bias", INIT_ZEROS, 1, (int64_t[]){3 * H});
}

/* keep: the op's reserve, then the masks of the input, then those of the state. */
static int64_t reserve_floats(const layer *l, int64_t N) {
    const weir_gru c = params(l, N, true);
    return (weir_gru_reserve_floats(&c) + 15) / 16 * 16;
}

static int64_t mask_x_floats(const layer *l, int64_t N) {
    return l->spec.dropout > 0 ? N * l->spec.mask_gates * l->in.C : 0;
}

static int64_t mask_h_floats(const layer *l, int64_t N) {
    return l->spec.recurrent_dropout > 0 ? N * l->spec.mask_gates * l->spec.units : 0;
}

static int64_t keep_floats(const layer *l, int64_t N) {
    return reserve_floats(l, N) + mask_x_floats(l, N) + mask_h_floats(l, N);
}

static weir_gru_tensors tensors(const layer *l, const pass *p, const float *x) {
    weir_gru_tensors t = {.x = x,
                          .w = weir_layer_value(l, 0),
                          .u = weir_layer_value(l, 1),
                          .b = weir_layer_value(l, 2)};
    if (p->training) {
        const float *masks = l->keep + reserve_floats(l, p->N);
        if (l->spec.dropout > 0) t.mask_x = masks;
        if (l->spec.recurrent_dropout > 0) t.mask_h = masks + mask_x_floats(l, p->N);
    }
    return t;
}

static weir_status draw_masks(const layer *l, const pass *p) {
    float *masks = l->keep + reserve_floats(l, p->N);
    const int64_t gates = l->spec.mask_gates;
    weir_status status = WEIR_OK;
    if (l->spec.dropout > 0)
        status = weir_dropout_mask(p, 2 * l->index, l->spec.dropout, gates * l->in.C, masks);
    if (status == WEIR_OK && l->spec.recurrent_dropout > 0)
        status = weir_dropout_mask(p, 2 * l->index + 1, l->spec.recurrent_dropout,
                                   gates * l->spec.units, masks + mask_x_floats(l, p->N));
    return status;
}

static weir_status forward(const layer *l, const pass *p, const float *x, float *y) {
    if (p->training) {
        weir_status status = draw_masks(l, p);
        if (status != WEIR_OK) return status;
    }
    const weir_gru c = params(l, p->N, p->training);
    const weir_gru_tensors t = tensors(l, p, x);
    return weir_gru_fwd(p->runtime, &c, &t, y, p->training ? l->keep : NULL);
}

static weir_status backward(const layer *l, const pass *p, const float *x, const float *y,
                            float *dy, float *dx) {
    (void)y;
    const weir_gru c = params(l, p->N, true);
    const weir_gru_tensors t = tensors(l, p, x);
    const weir_gru_gradients g = {.dy = dy,
                                  .dx = dx,
                                  .dw = weir_layer_gradient(l, 0),
                                  .du = weir_layer_gradient(l, 1),
                                  .db = weir_layer_gradient(l, 2)};
    return weir_gru_bwd(p->runtime, &c, &t, l->keep, &g);
}

const layer_type weir_layer_gru = {.name = "GRU",
                                   .prefix = "gru",
                                   .build = build,
                                   .keep_floats = keep_floats,
                                   .forward = forward,
                                   .backward = backward};

/* Layers that compute nothing new: flatten, and the last value of a channel.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/model/layer.h"

static weir_status build_flatten(layer *l) {
    l->steps_out = NULL;
    l->out = (shape){0, weir_shape_floats(l->in)};
    return WEIR_OK;
}

static weir_status build_last_value(layer *l) {
    weir_status status = weir_layer_need_time(l);
    if (status != WEIR_OK) return status;
    if (l->spec.channel < 0 || l->spec.channel >= l->in.C)
        return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s): channel is %lld, accepted: 0 to %lld",
                         l->index, l->name, (long long)l->spec.channel, (long long)l->in.C - 1);
    l->steps_out = NULL;
    l->out = (shape){0, 1};
    return WEIR_OK;
}

static weir_status forward_last_value(const layer *l, const pass *p, const float *x, float *y) {
    const int64_t sample = l->in.T * l->in.C;
    for (int64_t n = 0; n < p->N; n++)
        y[n] = x[n * sample + (l->in.T - 1) * l->in.C + l->spec.channel];
    return WEIR_OK;
}

static weir_status backward_last_value(const layer *l, const pass *p, const float *x,
                                       const float *y, float *dy, float *dx) {
    (void)x;
    (void)y;
    if (!dx) return WEIR_OK;
    const int64_t sample = l->in.T * l->in.C;
    for (int64_t i = 0; i < p->N * sample; i++) dx[i] = 0;
    for (int64_t n = 0; n < p->N; n++)
        dx[n * sample + (l->in.T - 1) * l->in.C + l->spec.channel] = dy[n];
    return WEIR_OK;
}

/* Channels-last data lie as the flattened layer wants them. */
const layer_type weir_layer_flatten = {
    .name = "Flatten", .prefix = "flatten", .build = build_flatten};
const layer_type weir_layer_last_value = {.name = "LastValue",
                                          .prefix = "last_value",
                                          .build = build_last_value,
                                          .forward = forward_last_value,
                                          .backward = backward_last_value};

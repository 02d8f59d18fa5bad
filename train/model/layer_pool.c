/* The pooling layers: maximum and average, over windows and global.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/model/layer.h"

static bool is_global(const layer *l) {
    return l->type == &weir_layer_global_max_pool || l->type == &weir_layer_global_avg_pool;
}

static bool is_max(const layer *l) {
    return l->type == &weir_layer_max_pool || l->type == &weir_layer_global_max_pool;
}

static weir_pool params(const layer *l, int64_t N) {
    weir_pool p = {.kind = is_max(l) ? WEIR_POOL_MAX : WEIR_POOL_AVG,
                   .N = N,
                   .T = l->in.T,
                   .C = l->in.C,
                   .P = l->spec.P,
                   .S = l->spec.S > 0 ? l->spec.S : l->spec.P,
                   .padding = l->spec.padding};
    if (is_global(l)) {
        p.P = p.S = l->in.T;
        p.padding = WEIR_VALID;
    }
    return p;
}

static weir_status build(layer *l) {
    weir_status status = weir_layer_need_time(l);
    if (status == WEIR_OK && l->type == &weir_layer_global_avg_pool && l->steps_in)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "layer %d (%s): a mean over masked steps is not offered, accepted: "
                         "mask_zero false, or a recurrent layer without return_sequences before it",
                         l->index, l->name);
    l->steps_out = NULL;
    if (status != WEIR_OK) return status;
    if (is_global(l)) {
        l->out = (shape){0, l->in.C};
        return WEIR_OK;
    }
    status = weir_layer_check_size(l, "P", l->spec.P, 1);
    if (status == WEIR_OK) status = weir_layer_check_size(l, "S", l->spec.S, 0);
    if (status != WEIR_OK) return status;
    const weir_pool p = params(l, 1);
    l->out = (shape){weir_pool_t_out(&p), l->in.C};
    if (l->out.T < 1)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "layer %d (%s): %lld time steps are too few for P %lld, S %lld "
                         "(padding %s)",
                         l->index, l->name, (long long)p.T, (long long)p.P, (long long)p.S,
                         weir_padding_name(p.padding));
    return WEIR_OK;
}

/* The winners of the maximum in the place of floats. */
static int64_t keep_floats(const layer *l, int64_t N) {
    const weir_pool p = params(l, N);
    return (weir_pool_winner_bytes(&p) + (int64_t)sizeof(float) - 1) / (int64_t)sizeof(float);
}

static void *winner(const layer *l) { return is_max(l) ? l->keep : NULL; }

static weir_status forward(const layer *l, const pass *p, const float *x, float *y) {
    const weir_pool c = params(l, p->N);
    return weir_pool_fwd(p->runtime, &c, x, y, p->training ? winner(l) : NULL);
}

static weir_status backward(const layer *l, const pass *p, const float *x, const float *y,
                            float *dy, float *dx) {
    (void)x;
    (void)y;
    if (!dx) return WEIR_OK;
    const weir_pool c = params(l, p->N);
    return weir_pool_bwd(p->runtime, &c, dy, winner(l), dx);
}

#define POOL_LAYER(type_name, own_name)                                                    \
    {                                                                                      \
        .name = type_name, .prefix = own_name, .build = build, .keep_floats = keep_floats, \
        .forward = forward, .backward = backward                                           \
    }
const layer_type weir_layer_max_pool = POOL_LAYER("MaxPooling1D", "max_pooling1d");
const layer_type weir_layer_avg_pool = POOL_LAYER("AveragePooling1D", "average_pooling1d");
const layer_type weir_layer_global_max_pool =
    POOL_LAYER("GlobalMaxPooling1D", "global_max_pooling1d");
const layer_type weir_layer_global_avg_pool =
    POOL_LAYER("GlobalAveragePooling1D", "global_average_pooling1d");

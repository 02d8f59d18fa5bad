/* What the layer types share: the table of types, checks, parameters.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "train/model/layer.h"

enum { SIZE_MAX_ACCEPTED = 1 << 24 };
static const int64_t floats_max = INT64_C(1) << 31;

const layer_type *weir_layer_type_get(weir_layer_kind kind) {
    switch (kind) {
    case WEIR_LAYER_CONV1D: return &weir_layer_conv1d;
    case WEIR_LAYER_MAX_POOL: return &weir_layer_max_pool;
    case WEIR_LAYER_AVG_POOL: return &weir_layer_avg_pool;
    case WEIR_LAYER_GLOBAL_MAX_POOL: return &weir_layer_global_max_pool;
    case WEIR_LAYER_GLOBAL_AVG_POOL: return &weir_layer_global_avg_pool;
    case WEIR_LAYER_FLATTEN: return &weir_layer_flatten;
    case WEIR_LAYER_DENSE: return &weir_layer_dense;
    case WEIR_LAYER_GRU: return &weir_layer_gru;
    case WEIR_LAYER_LAST_VALUE: return &weir_layer_last_value;
    case WEIR_LAYER_DROPOUT: return &weir_layer_dropout;
    case WEIR_LAYER_LSTM: return &weir_layer_lstm;
    case WEIR_LAYER_RNN: return &weir_layer_rnn;
    case WEIR_LAYER_EMBEDDING: return &weir_layer_embedding;
    case WEIR_LAYER_MULTI_HOT: return &weir_layer_multi_hot;
    case WEIR_LAYER_KIND_COUNT: break;
    }
    return NULL;
}

weir_layer weir_layer_default(weir_layer_kind kind) {
    const bool pool = kind == WEIR_LAYER_MAX_POOL || kind == WEIR_LAYER_AVG_POOL;
    const layer_type *type = weir_layer_type_get(kind);
    return (weir_layer){.kind = kind,
                        .D = 1,
                        .S = pool ? 0 : 1,
                        .activation = type && type->cell ? WEIR_TANH : WEIR_LINEAR,
                        .recurrent = WEIR_HARD_SIGMOID};
}

const char *weir_merge_name(weir_merge merge) {
    switch (merge) {
    case WEIR_MERGE_CONCAT: return "concat";
    case WEIR_MERGE_SUM: return "sum";
    case WEIR_MERGE_NONE:
    case WEIR_MERGE_COUNT: break;
    }
    return "";
}

bool weir_layer_bidirectional(const layer *l) {
    return l->type->cell && l->spec.merge != WEIR_MERGE_NONE;
}

int64_t weir_shape_floats(shape s) {
    int64_t floats;
    if (__builtin_mul_overflow(s.T > 0 ? s.T : 1, s.C, &floats) || floats > floats_max) return -1;
    return floats;
}

weir_status weir_layer_add_parameter(layer *l, const char *name, initializer init, int rank,
                                     const int64_t *dims) {
    parameter *p = &l->parameters[l->parameter_count++];
    snprintf(p->name, sizeof p->name, "%s/%s", l->name, name);
    p->init = init;
    p->rank = rank;
    p->floats = 1;
    for (int i = 0; i < rank; i++) {
        p->dims[i] = dims[i];
        if (__builtin_mul_overflow(p->floats, dims[i], &p->floats) || p->floats > floats_max)
            return weir_fail(WEIR_ERROR_ARGUMENT, "%s has more than 2^31 floats", p->name);
    }
    return WEIR_OK;
}

static int64_t offset_of(const layer *l, int i) {
    return l->parameters[i].offset - l->parameters[0].offset;
}

int64_t weir_layer_floats(const layer *l) {
    int64_t floats = 0;
    for (int i = 0; i < l->parameter_count; i++) floats += l->parameters[i].floats;
    return floats;
}

float *weir_layer_value(const layer *l, int i) { return l->value + offset_of(l, i); }

float *weir_layer_gradient(const layer *l, int i) { return l->gradient + offset_of(l, i); }

weir_status weir_layer_check_size(const layer *l, const char *what, int64_t value, int64_t min) {
    if (value >= min && value <= SIZE_MAX_ACCEPTED) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s): %s is %lld, accepted: %lld to %d",
                     l->index, l->name, what, (long long)value, (long long)min, SIZE_MAX_ACCEPTED);
}

weir_status weir_layer_need_time(const layer *l) {
    if (l->in.T > 0) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "layer %d (%s): its input has no time axis, but the layer needs one", l->index,
                     l->name);
}

weir_status weir_layer_check_rate(const layer *l, const char *what, double rate) {
    if (rate >= 0 && rate < 1) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s): %s is %g, accepted: 0 <= rate < 1",
                     l->index, l->name, what, rate);
}

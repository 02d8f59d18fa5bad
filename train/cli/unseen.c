/* The last steps of a sample that convolution and pooling do not look at. SPDX-License-Identifier: Apache-2.0
 */
#include "train/cli/unseen.h"

/* A window of a layer, on its input. */
typedef struct window {
    int64_t span, stride;
    bool all; /* padded: it sees every step */
} window;

/* False behind the layers that go through time in windows. */
static bool window_of(const weir_layer *l, window *w) {
    *w = (window){.span = 1, .stride = 1};
    switch (l->kind) {
    case WEIR_LAYER_CONV1D:
        *w = (window){(l->K - 1) * l->D + 1, l->S, l->padding != WEIR_VALID};
        return true;
    case WEIR_LAYER_MAX_POOL:
    case WEIR_LAYER_AVG_POOL:
        *w = (window){l->P, l->S > 0 ? l->S : l->P, l->padding != WEIR_VALID};
        return true;
    case WEIR_LAYER_DENSE:
    case WEIR_LAYER_DROPOUT:
    case WEIR_LAYER_EMBEDDING: return true;
    default: return false;
    }
}

int64_t unseen_steps(const weir_model *model, int64_t T) {
    int64_t unseen = 0, scale = 1; /* steps of the sample from one of the layer to the next */
    weir_layer_info info;
    window w;
    for (int i = 0; weir_model_layer(model, i, &info) == WEIR_OK && window_of(&info.layer, &w);
         i++) {
        if (!w.all && T < w.span) return 0;
        if (!w.all) unseen += (T - w.span) % w.stride * scale;
        T = w.all ? (T - 1) / w.stride + 1 : (T - w.span) / w.stride + 1;
        scale *= w.stride;
    }
    return unseen;
}

int64_t unseen_none(const weir_model *model, int64_t T) {
    while (T > 1 && unseen_steps(model, T) > 0) T--;
    return T;
}

/* The embedding layer: a row of the table for each token, and which steps are padding.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/model/tokens.h"

static weir_embedding params(const layer *l, int64_t N) {
    return (weir_embedding){.N = N, .T = l->in.T, .V = l->spec.V, .C = l->spec.units};
}

static weir_status build(layer *l) {
    weir_status status = weir_layer_check_tokens(l);
    if (status == WEIR_OK) status = weir_layer_check_size(l, "C_out", l->spec.units, 1);
    if (status != WEIR_OK) return status;
    l->out = (shape){l->in.T, l->spec.units};
    l->steps_out = l->spec.mask_zero ? l : NULL;
    return weir_layer_add_parameter(l, "embeddings", INIT_UNIFORM, 2,
                                    (int64_t[]){l->spec.V, l->spec.units});
}

/* The tokens, int32_t in the place of floats, and behind them a byte for each. */
static int64_t work_floats(const layer *l, int64_t N) {
    const int64_t tokens = N * l->in.T;
    return l->spec.mask_zero ? tokens + (tokens + 3) / 4 : tokens;
}

int32_t *weir_layer_tokens(const layer *l) { return (int32_t *)(void *)l->work; }

static uint8_t *mask_of(const layer *l, int64_t N) {
    return (uint8_t *)(void *)(l->work + N * l->in.T);
}

const uint8_t *weir_layer_step_mask(const layer *l, int64_t N) {
    return l->steps_in ? mask_of(l->steps_in, N) : NULL;
}

static weir_status forward(const layer *l, const pass *p, const float *x, float *y) {
    int32_t *tokens = weir_layer_tokens(l);
    weir_status status = weir_layer_read_tokens(l, p, x, tokens);
    if (status != WEIR_OK) return status;
    if (l->spec.mask_zero) {
        uint8_t *mask = mask_of(l, p->N);
        for (int64_t i = 0; i < p->N * l->in.T; i++) mask[i] = tokens[i] != 0;
    }
    const weir_embedding e = params(l, p->N);
    return weir_embedding_fwd(p->runtime, &e, tokens, weir_layer_value(l, 0), y);
}

static weir_status backward(const layer *l, const pass *p, const float *x, const float *y,
                            float *dy, float *dx) {
    (void)x;
    (void)y;
    /* Tokens have no gradient. */
    if (dx) memset(dx, 0, (size_t)(p->N * l->in.T) * sizeof *dx);
    const weir_embedding e = params(l, p->N);
    return weir_embedding_bwd(p->runtime, &e, weir_layer_tokens(l), dy, weir_layer_gradient(l, 0));
}

const layer_type weir_layer_embedding = {.name = "Embedding",
                                         .prefix = "embedding",
                                         .build = build,
                                         .work_floats = work_floats,
                                         .forward = forward,
                                         .backward = backward};

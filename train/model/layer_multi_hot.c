/* The multi-hot layer: which tokens of the vocabulary occur in a sample, whatever their number and
 * order. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/model/tokens.h"

static weir_status build(layer *l) {
    l->out = (shape){0, l->spec.V};
    return weir_layer_check_tokens(l);
}

/* The tokens, int32_t in the place of floats. */
static int64_t work_floats(const layer *l, int64_t N) { return N * l->in.T; }

typedef struct mark_call {
    const int32_t *tokens;
    int64_t T, V;
    float *y;
} mark_call;

static void mark(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const mark_call *c = arg;
    memset(c->y + begin * c->V, 0, (size_t)((end - begin) * c->V) * sizeof *c->y);
    for (int64_t n = begin; n < end; n++)
        for (int64_t t = 0; t < c->T; t++) c->y[n * c->V + c->tokens[n * c->T + t]] = 1;
}

static weir_status forward(const layer *l, const pass *p, const float *x, float *y) {
    int32_t *tokens = (int32_t *)(void *)l->work;
    weir_status status = weir_layer_read_tokens(l, p, x, tokens);
    if (status != WEIR_OK) return status;
    mark_call c = {.tokens = tokens, .T = l->in.T, .V = l->spec.V, .y = y};
    return weir_parallel_for(p->runtime, p->N, 1, mark, &c);
}

/* Tokens have no gradient. */
static weir_status backward(const layer *l, const pass *p, const float *x, const float *y,
                            float *dy, float *dx) {
    (void)x;
    (void)y;
    (void)dy;
    if (dx) memset(dx, 0, (size_t)(p->N * l->in.T) * sizeof *dx);
    return WEIR_OK;
}

const layer_type weir_layer_multi_hot = {.name = "CategoryEncoding",
                                         .prefix = "category_encoding",
                                         .build = build,
                                         .work_floats = work_floats,
                                         .forward = forward,
                                         .backward = backward};

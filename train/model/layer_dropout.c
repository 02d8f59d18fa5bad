/* The dropout layer: an element of its own mask for each element of x.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/model/dropout.h"

enum { GRAIN = 8192 };

static weir_status build(layer *l) {
    l->out = l->in;
    return weir_layer_check_rate(l, "rate", l->spec.dropout);
}

static int64_t keep_floats(const layer *l, int64_t N) { return N * weir_shape_floats(l->in); }

typedef struct product {
    const float *x, *mask;
    float *y;
} product;

static void multiply(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const product *c = arg;
    for (int64_t i = begin; i < end; i++) c->y[i] = c->x[i] * c->mask[i];
}

static weir_status forward(const layer *l, const pass *p, const float *x, float *y) {
    const int64_t floats = weir_shape_floats(l->in);
    if (!p->training) {
        memcpy(y, x, (size_t)(p->N * floats) * sizeof *y);
        return WEIR_OK;
    }
    weir_status status =
        weir_dropout_mask(p, weir_dropout_number(l, 0), l->spec.dropout, floats, l->keep);
    if (status != WEIR_OK) return status;
    product c = {.x = x, .mask = l->keep, .y = y};
    return weir_parallel_for(p->runtime, p->N * floats, GRAIN, multiply, &c);
}

static weir_status backward(const layer *l, const pass *p, const float *x, const float *y,
                            float *dy, float *dx) {
    (void)x;
    (void)y;
    if (!dx) return WEIR_OK;
    product c = {.x = dy, .mask = l->keep, .y = dx};
    return weir_parallel_for(p->runtime, p->N * weir_shape_floats(l->in), GRAIN, multiply, &c);
}

const layer_type weir_layer_dropout = {.name = "Dropout",
                                       .prefix = "dropout",
                                       .build = build,
                                       .keep_floats = keep_floats,
                                       .forward = forward,
                                       .backward = backward};

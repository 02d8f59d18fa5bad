/* conv1d and the max pooling that follows it as one op: the same bits, without the activation between
 * them. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/pair.h"

static bool fits(const layer *conv, const layer *pool) {
    const weir_layer *c = &conv->spec, *p = &pool->spec;
    return conv->type == &weir_layer_conv1d && pool->type == &weir_layer_max_pool &&
           (c->activation == WEIR_LINEAR || c->activation == WEIR_RELU) && p->P <= 256 &&
           (p->S == 0 || p->S == p->P) && p->padding == WEIR_VALID;
}

static weir_conv1d_pool params(const layer *conv, int64_t N) {
    return (weir_conv1d_pool){weir_layer_conv1d_params(conv, N), (conv + 1)->spec.P};
}

/* As weir_layer_pool has it: no more than a byte for each float. */
static uint8_t *winner(const layer *pool) { return (uint8_t *)(void *)pool->keep; }

static weir_status forward(const layer *conv, const pass *p, const float *x, float *y) {
    const weir_conv1d_pool c = params(conv, p->N);
    return weir_conv1d_pool_fwd(p->runtime, &c, x, weir_layer_value(conv, 0),
                                weir_layer_value(conv, 1), y,
                                p->training ? winner(conv + 1) : NULL);
}

static weir_status backward(const layer *conv, const pass *p, float *dy, float *dx) {
    const weir_conv1d_pool c = params(conv, p->N);
    const layer *pool = conv + 1;
    return weir_conv1d_pool_bwd(p->runtime, &c, conv->x, weir_layer_value(conv, 0), pool->y,
                                winner(pool), dy, dx, weir_layer_gradient(conv, 0),
                                weir_layer_gradient(conv, 1));
}

const layer_pair weir_pair_conv_pool = {.fits = fits, .forward = forward, .backward = backward};

/* The embedding and the conv1d that follows it as one op, without the embedded sequence.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/model/pair.h"
#include "train/model/tokens.h"

static bool fits(const layer *embedding, const layer *conv) {
    return embedding->type == &weir_layer_embedding && conv->type == &weir_layer_conv1d &&
           conv->spec.S == 1 && conv->spec.D == 1;
}

static weir_embedding_conv1d params(const layer *embedding, int64_t N) {
    const weir_layer *c = &(embedding + 1)->spec;
    return (weir_embedding_conv1d){.embedding = {.N = N,
                                                 .T = embedding->in.T,
                                                 .V = embedding->spec.V,
                                                 .C = embedding->spec.units},
                                   .C_out = c->units,
                                   .K = c->K,
                                   .padding = c->padding,
                                   .activation = c->activation};
}

static weir_status forward(const layer *embedding, const pass *p, const float *x, float *y) {
    const layer *conv = embedding + 1;
    int32_t *tokens = weir_layer_tokens(embedding);
    weir_status status = weir_layer_read_tokens(embedding, p, x, tokens);
    if (status != WEIR_OK) return status;
    const weir_embedding_conv1d c = params(embedding, p->N);
    return weir_embedding_conv1d_fwd(p->runtime, &c, tokens, weir_layer_value(embedding, 0),
                                     weir_layer_value(conv, 0), weir_layer_value(conv, 1), y);
}

static weir_status backward(const layer *embedding, const pass *p, float *dy, float *dx) {
    (void)dx; /* tokens have no gradient, and below an embedding nothing can be trained */
    const layer *conv = embedding + 1;
    const weir_embedding_conv1d c = params(embedding, p->N);
    weir_status status = WEIR_OK;
    if (c.activation != WEIR_LINEAR)
        status = weir_activation_bwd(p->runtime, c.activation, p->N * conv->out.T * conv->out.C,
                                     conv->y, dy, dy);
    if (status != WEIR_OK) return status;
    return weir_embedding_conv1d_bwd(p->runtime, &c, weir_layer_tokens(embedding),
                                     weir_layer_value(embedding, 0), weir_layer_value(conv, 0), dy,
                                     weir_layer_gradient(embedding, 0),
                                     weir_layer_gradient(conv, 0), weir_layer_gradient(conv, 1));
}

const layer_pair weir_pair_token_conv = {.fits = fits, .forward = forward, .backward = backward};

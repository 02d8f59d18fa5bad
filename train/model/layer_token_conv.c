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

enum { PRODUCTS_MAX = 1 << 24 }; /* floats that are kept: 64 MiB */

/* Whether to predict with the products of all tokens, which are made when they are not there: once
 * as many tokens as the vocabulary has were multiplied one by one. *out is NULL: not yet. */
static weir_status find_products(const layer *embedding, const pass *p,
                                 const weir_embedding_conv1d *c, const float **out) {
    token_products *k = embedding->products;
    const int64_t V = c->embedding.V, width = c->K * c->C_out;
    *out = NULL;
    if (k->state != p->state) *k = (token_products){.floats = k->floats, .state = p->state};
    if (k->made) *out = k->floats;
    if (k->made || V > PRODUCTS_MAX / width) return WEIR_OK;
    if (k->tokens < V) {
        k->tokens += p->N * c->embedding.T;
        return WEIR_OK;
    }
    weir_status status = WEIR_OK;
    if (!k->floats) status = weir_tensor_alloc(p->runtime, V * width, &k->floats);
    if (status == WEIR_OK)
        status = weir_embedding_conv1d_table(p->runtime, c, weir_layer_value(embedding, 0),
                                             weir_layer_value(embedding + 1, 0), k->floats);
    /* Without the memory for them it goes as before. */
    if (status == WEIR_ERROR_MEMORY) return WEIR_OK;
    k->made = status == WEIR_OK;
    if (k->made) *out = k->floats;
    return status;
}

static weir_status predict(const layer *embedding, const pass *p, const weir_embedding_conv1d *c,
                           const int32_t *tokens, float *y) {
    const layer *conv = embedding + 1;
    const float *products = NULL;
    weir_status status = find_products(embedding, p, c, &products);
    if (status != WEIR_OK) return status;
    if (products)
        return weir_embedding_conv1d_apply(p->runtime, c, tokens, products,
                                           weir_layer_value(conv, 1), y);
    return weir_embedding_conv1d_fwd(p->runtime, c, tokens, weir_layer_value(embedding, 0),
                                     weir_layer_value(conv, 0), weir_layer_value(conv, 1), y);
}

static weir_status forward(const layer *embedding, const pass *p, const float *x, float *y) {
    const layer *conv = embedding + 1;
    int32_t *tokens = weir_layer_tokens(embedding);
    weir_status status = weir_layer_read_tokens(embedding, p, x, tokens);
    if (status != WEIR_OK) return status;
    const weir_embedding_conv1d c = params(embedding, p->N);
    if (!p->training) return predict(embedding, p, &c, tokens, y);
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

/* Tokens that come to a model as floats. SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>

#include "train/model/tokens.h"

/* Floats hold every whole number up to here. */
enum { VOCABULARY_MAX = 1 << 24 };

weir_status weir_layer_check_tokens(const layer *l) {
    weir_status status = weir_layer_need_time(l);
    if (status != WEIR_OK) return status;
    if (l->in.C != 1)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "layer %d (%s): C_in is %lld, accepted: 1, a token number for each step",
                         l->index, l->name, (long long)l->in.C);
    if (l->spec.V >= 1 && l->spec.V <= VOCABULARY_MAX) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "layer %d (%s): V is %lld, accepted: 1 to %d", l->index,
                     l->name, (long long)l->spec.V, VOCABULARY_MAX);
}

typedef struct token_call {
    const float *x;
    int32_t *tokens;
    int64_t T;
    float V;
    _Atomic int64_t wrong; /* the first place that holds no token; INT64_MAX: none */
} token_call;

static void read_range(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    token_call *c = arg;
    for (int64_t i = begin * c->T; i < end * c->T; i++) {
        const float x = c->x[i];
        if (x >= 0 && x < c->V && x == (float)(int32_t)x) {
            c->tokens[i] = (int32_t)x;
            continue;
        }
        int64_t first = atomic_load(&c->wrong);
        while (i < first && !atomic_compare_exchange_weak(&c->wrong, &first, i)) continue;
        return;
    }
}

weir_status weir_layer_read_tokens(const layer *l, const pass *p, const float *x, int32_t *tokens) {
    token_call c = {.x = x, .tokens = tokens, .T = l->in.T, .V = (float)l->spec.V};
    atomic_init(&c.wrong, INT64_MAX);
    weir_status status = weir_parallel_for(p->runtime, p->N, 8, read_range, &c);
    const int64_t wrong = atomic_load(&c.wrong);
    if (status != WEIR_OK || wrong == INT64_MAX) return status;
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "layer %d (%s): x is %g in sample %lld, step %lld, accepted: a token, a whole "
                     "number from 0 to %lld",
                     l->index, l->name, (double)x[wrong], (long long)(wrong / l->in.T),
                     (long long)(wrong % l->in.T), (long long)l->spec.V - 1);
}

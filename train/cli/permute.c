/* The order test: the steps of every sample in one shuffled order. SPDX-License-Identifier: Apache-2.0
 */
#include "train/cli/permute.h"

#include <stdlib.h>
#include <string.h>

#include "train/model/random.h"

/* One and the same order for every sample and in every run. */
enum { ORDER_SEED = 1, ORDER_STREAM = RANDOM_MODEL };

/* Fisher and Yates. */
static void shuffle(int64_t *order, int64_t n) {
    for (int64_t i = 0; i < n; i++) order[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t k = random_below(ORDER_SEED, ORDER_STREAM, (uint64_t)i, i + 1);
        const int64_t other = order[k];
        order[k] = order[i];
        order[i] = other;
    }
}

weir_status permute_create(const source *s, permutation *out) {
    *out = (permutation){.order = malloc((size_t)s->T * sizeof *out->order),
                         .spare = malloc((size_t)(s->T * s->C) * sizeof *out->spare)};
    if (!out->order || !out->spare) {
        permute_free(out);
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for the order test");
    }
    shuffle(out->order, s->T);
    return WEIR_OK;
}

void permute_free(permutation *p) {
    free(p->order);
    free(p->spare);
    *p = (permutation){0};
}

static int64_t padded_steps(const source *s, const float *x) {
    int64_t t = 0;
    while (s->text && t < s->T && x[t] == IMDB_PADDING) t++;
    return t;
}

void permute_steps(const permutation *p, const source *s, int64_t N, float *x) {
    const int64_t T = s->T, C = s->C;
    const size_t step = (size_t)C * sizeof *x;
    for (int64_t n = 0; n < N; n++, x += T * C) {
        const int64_t first = padded_steps(s, x);
        float *to = x + first * C;
        memcpy(p->spare, x, (size_t)T * step);
        for (int64_t i = 0; i < T; i++) {
            if (p->order[i] < first) continue;
            memcpy(to, p->spare + p->order[i] * C, step);
            to += C;
        }
    }
}

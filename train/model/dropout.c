/* Dropout masks from counter-based random numbers. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/dropout.h"
#include "train/model/random.h"
#include "train/model/sequential.h"
#include "train/model/streams.h"

typedef struct mask_call {
    uint64_t seed, stream, first; /* random number of element 0 */
    int64_t floats;               /* of a sample */
    double rate;
    float *mask;
} mask_call;

static void draw(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const mask_call *c = arg;
    const float keep = (float)(1 / (1 - c->rate));
    for (int64_t i = begin * c->floats; i < end * c->floats; i++)
        c->mask[i] =
            random_uniform(c->seed, c->stream, c->first + (uint64_t)i) < c->rate ? 0 : keep;
}

weir_status weir_dropout_mask(const pass *p, int number, double rate, int64_t floats, float *mask) {
    /* 2^32 numbers for each step: a mask is smaller. */
    mask_call call = {.seed = p->seed,
                      .stream = STREAM_DROPOUT + (uint64_t)number,
                      .first = (uint64_t)p->step << 32,
                      .floats = floats,
                      .rate = rate,
                      .mask = mask};
    return weir_parallel_for(p->runtime, p->N, 8, draw, &call);
}

int weir_dropout_number(const layer *l, int which) {
    return 2 * (which / 2 * MODEL_LAYERS_MAX + l->index) + which % 2;
}

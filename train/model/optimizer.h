/* Optimizers over a flat slab of parameters. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_OPTIMIZER_H
#define WEIR_TRAIN_OPTIMIZER_H

#include "weir/model.h"

typedef struct optimizer {
    weir_optimizer o;
    int64_t steps;    /* taken so far */
    int64_t floats;   /* of each slab */
    float *states[2]; /* RMSprop: v; Adam: m, v */
} optimizer;

/* State slabs that the optimizer needs, each as large as the parameters. */
int weir_optimizer_state_count(weir_optimizer_kind kind);

/* Names the option that is out of range. */
weir_status weir_optimizer_check(const weir_optimizer *o);

/* Errors: MEMORY. */
weir_status weir_optimizer_create(weir_runtime *rt, const weir_optimizer *o, int64_t floats,
                                  optimizer *out);
void weir_optimizer_free(weir_runtime *rt, optimizer *o);

/* Begins the next step: call it once, then update each part of the slabs once at most. */
void weir_optimizer_begin(optimizer *o);
/* parameters[first .. first + floats) -= what gradients and states say there. */
weir_status weir_optimizer_update(weir_runtime *rt, optimizer *o, int64_t first, int64_t floats,
                                  const float *gradients, float *parameters);

#endif

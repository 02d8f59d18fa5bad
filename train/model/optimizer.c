/* Optimizers over a flat slab of parameters. SPDX-License-Identifier: Apache-2.0 */
#include <float.h>

#include "train/model/optimizer.h"

int weir_optimizer_state_count(weir_optimizer_kind kind) {
    return kind == WEIR_OPTIMIZER_ADAM ? 2 : 1;
}

/* A step is taken in float, so it is what the options become there that counts. */
static weir_status check_decay(const char *what, double value) {
    if (value >= 0 && value < 1 && (float)value < 1) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "optimizer: %s is %.15g, accepted: 0 <= %s < 1 as a float", what, value, what);
}

weir_status weir_optimizer_check(const weir_optimizer *o) {
    const double smallest = (double)FLT_MIN, largest = (double)FLT_MAX;
    if (!(o->rate >= 0 && o->rate <= largest))
        return weir_fail(WEIR_ERROR_ARGUMENT, "optimizer: rate is %g, accepted: 0 to %g", o->rate,
                         largest);
    if (!(o->epsilon >= smallest && o->epsilon <= largest))
        return weir_fail(WEIR_ERROR_ARGUMENT, "optimizer: epsilon is %g, accepted: %g to %g",
                         o->epsilon, smallest, largest);
    weir_status status = WEIR_OK;
    switch (o->kind) {
    case WEIR_OPTIMIZER_RMSPROP: return check_decay("rho", o->rho);
    case WEIR_OPTIMIZER_ADAM:
        status = check_decay("beta1", o->beta1);
        return status != WEIR_OK ? status : check_decay("beta2", o->beta2);
    case WEIR_OPTIMIZER_KIND_COUNT: break;
    }
    return weir_fail(WEIR_ERROR_ARGUMENT, "optimizer: kind is %d, accepted: 0 (RMSprop), 1 (Adam)",
                     (int)o->kind);
}

weir_status weir_optimizer_create(weir_runtime *rt, const weir_optimizer *o, int64_t floats,
                                  optimizer *out) {
    *out = (optimizer){.o = *o, .floats = floats};
    for (int i = 0; i < weir_optimizer_state_count(o->kind); i++) {
        weir_status status = weir_tensor_alloc(rt, floats, &out->states[i]);
        if (status != WEIR_OK) return status;
    }
    return WEIR_OK;
}

void weir_optimizer_free(weir_runtime *rt, optimizer *o) {
    for (int i = 0; i < 2; i++)
        if (o->states[i]) weir_tensor_free(rt, o->states[i]);
}

void weir_optimizer_begin(optimizer *o) { o->steps++; }

weir_status weir_optimizer_update(weir_runtime *rt, optimizer *o, int64_t first, int64_t floats,
                                  const float *gradients, float *parameters) {
    float *v = o->states[0] + first;
    if (o->o.kind == WEIR_OPTIMIZER_ADAM) {
        const weir_adam a = {.rate = (float)o->o.rate,
                             .beta1 = (float)o->o.beta1,
                             .beta2 = (float)o->o.beta2,
                             .epsilon = (float)o->o.epsilon};
        return weir_adam_step(rt, &a, o->steps, floats, gradients + first, v, o->states[1] + first,
                              parameters + first);
    }
    const weir_rmsprop r = {.rate = (float)o->o.rate,
                            .rho = (float)o->o.rho,
                            .epsilon = (float)o->o.epsilon,
                            .epsilon_inside = o->o.epsilon_inside};
    return weir_rmsprop_step(rt, &r, floats, gradients + first, v, parameters + first);
}

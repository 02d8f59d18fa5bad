/* The options that decide how a built-in model is made and trained. SPDX-License-Identifier: Apache-2.0
 */
#include "train/cli/model_options.h"

const char *const model_keras_choices[] = {"2", "3", NULL};
const char *const model_mask_choices[] = {"auto", "gate", "shared", NULL};

model_arguments model_arguments_default(void) {
    return (model_arguments){.rate = weir_model_options_default(2).optimizer.rate};
}

int model_keras(const model_arguments *a) { return a->keras == 1 ? 3 : 2; }

weir_model_options model_options(const model_arguments *a, uint64_t seed) {
    weir_model_options o = weir_model_options_default(model_keras(a));
    if (a->masks > 0) o.mask_gates = a->masks == 1 ? 3 : 1;
    o.optimizer.rate = a->rate;
    o.seed = seed;
    return o;
}

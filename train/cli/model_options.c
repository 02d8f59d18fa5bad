/* The options that decide how a built-in model is made and trained. SPDX-License-Identifier: Apache-2.0
 */
#include "train/cli/model_options.h"

#include <stdio.h>

const char *const model_keras_choices[] = {"2", "3", NULL};
const char *const model_mask_choices[] = {"auto", "gate", "shared", NULL};

model_arguments model_arguments_default(void) { return (model_arguments){.keras = -1, .rate = -1}; }

int model_keras(const model_arguments *a) { return a->keras == 1 ? 3 : 2; }

weir_model_options model_options(const model_arguments *a, const weir_builtin *builtin,
                                 uint64_t seed) {
    weir_model_options o = weir_model_options_default(model_keras(a));
    if (a->masks > 0) o.shared_masks = a->masks == 2;
    o.optimizer.rate = a->rate >= 0 ? a->rate : builtin->rate;
    o.loss = builtin->loss;
    o.seed = seed;
    return o;
}

const char *model_names(void) {
    static char names[512];
    const weir_builtin *b;
    size_t used = 0;
    for (int i = 0; (b = weir_model_builtin(i)) && used < sizeof names; i++)
        used +=
            (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", b->name);
    return names;
}

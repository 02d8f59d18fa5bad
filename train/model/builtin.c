/* The models of the book by name: Chollet, Deep Learning with Python, chapters 6.3 and 6.4.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/model/builtin.h"

#define CONV(filters, width)                                                     \
    {                                                                            \
        .kind = WEIR_LAYER_CONV1D, .units = filters, .K = width, .S = 1, .D = 1, \
        .activation = WEIR_RELU                                                  \
    }
#define MAX_POOL(window) \
    { .kind = WEIR_LAYER_MAX_POOL, .P = window }
#define GLOBAL_MAX_POOL \
    { .kind = WEIR_LAYER_GLOBAL_MAX_POOL }
#define FLATTEN \
    { .kind = WEIR_LAYER_FLATTEN }
#define DENSE(outputs, act) \
    { .kind = WEIR_LAYER_DENSE, .units = outputs, .activation = act }
/* The Keras version decides the rest of a GRU: see weir_builtin_layers. */
#define GRU(H, rate_x, rate_h)                                                          \
    {                                                                                   \
        .kind = WEIR_LAYER_GRU, .units = H, .activation = WEIR_TANH, .dropout = rate_x, \
        .recurrent_dropout = rate_h                                                     \
    }
#define LAST_VALUE \
    { .kind = WEIR_LAYER_LAST_VALUE }

typedef struct builtin {
    const char *name;
    int count;
    weir_layer layers[BUILTIN_LAYERS_MAX];
} builtin;

static const builtin builtins[] = {
    {"jena-naive", 1, {LAST_VALUE}},
    {"jena-dense", 3, {FLATTEN, DENSE(32, WEIR_RELU), DENSE(1, WEIR_LINEAR)}},
    {"jena-conv",
     7,
     {CONV(32, 5), MAX_POOL(3), CONV(32, 5), MAX_POOL(3), CONV(32, 5), GLOBAL_MAX_POOL,
      DENSE(1, WEIR_LINEAR)}},
    {"jena-gru", 2, {GRU(32, 0, 0), DENSE(1, WEIR_LINEAR)}},
    {"jena-conv-gru",
     5,
     {CONV(32, 5), MAX_POOL(3), CONV(32, 5), GRU(32, 0.1, 0.5), DENSE(1, WEIR_LINEAR)}},
};
enum { BUILTIN_COUNT = sizeof builtins / sizeof builtins[0] };

const char *weir_model_builtin_name(int i) {
    return i >= 0 && i < BUILTIN_COUNT ? builtins[i].name : NULL;
}

static weir_status unknown_name(const char *name) {
    char known[256] = "";
    for (int i = 0; i < BUILTIN_COUNT; i++) {
        if (i > 0) strcat(known, ", ");
        strcat(known, builtins[i].name);
    }
    return weir_fail(WEIR_ERROR_ARGUMENT, "model '%s' is not known, accepted: %s", name, known);
}

weir_status weir_builtin_layers(const char *name, const weir_model_options *options,
                                weir_layer *layers, int *count) {
    if (options->keras != 2 && options->keras != 3)
        return weir_fail(WEIR_ERROR_ARGUMENT, "keras is %d, accepted: 2, 3", options->keras);
    const builtin *found = NULL;
    for (int i = 0; i < BUILTIN_COUNT; i++)
        if (strcmp(builtins[i].name, name) == 0) found = &builtins[i];
    if (!found) return unknown_name(name);
    *count = found->count;
    for (int i = 0; i < found->count; i++) {
        weir_layer *l = &layers[i];
        *l = found->layers[i];
        l->reset_after = options->keras == 3;
        l->recurrent = options->keras == 3 ? WEIR_SIGMOID : WEIR_HARD_SIGMOID;
        l->mask_gates = options->mask_gates;
        l->channel = options->target;
    }
    return WEIR_OK;
}

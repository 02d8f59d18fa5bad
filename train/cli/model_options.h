/* The options that decide how a built-in model is made and trained. SPDX-License-Identifier: Apache-2.0
 */
#ifndef WEIR_CLI_MODEL_OPTIONS_H
#define WEIR_CLI_MODEL_OPTIONS_H

#include "train/cli/options.h"
#include "weir/model.h"

typedef struct model_arguments {
    int keras;   /* index into model_keras_choices; below 0: not given */
    int masks;   /* index into model_mask_choices */
    double rate; /* below 0: the model's own */
} model_arguments;

extern const char *const model_keras_choices[], *const model_mask_choices[];

#define MODEL_OPTIONS(m)                                                                     \
    OPTION_GROUP("Model"),                                                                   \
        OPTION_CHOICE_DEFAULT("keras", &(m)->keras, model_keras_choices,                     \
                              "whose GRU, LSTM and RMSprop: 2 the book's, 3 today's", "2"),  \
        OPTION_CHOICE_DEFAULT("dropout-masks", &(m)->masks, model_mask_choices,              \
                              "a mask for each gate or one that the gates share",            \
                              "gate; shared with --keras 3"),                                \
        OPTION_DOUBLE_DEFAULT("lr", "RATE", &(m)->rate, 0, 1e30, "learning rate of RMSprop", \
                              "1e-3; imdb-conv, imdb-conv-book 1e-4")

model_arguments model_arguments_default(void);

/* Input shape and target are left to the caller. */
weir_model_options model_options(const model_arguments *a, const weir_builtin *builtin,
                                 uint64_t seed);
int model_keras(const model_arguments *a); /* 2 or 3 */

/* The names of all built-in models, for --help. Static storage. */
const char *model_names(void);

#endif

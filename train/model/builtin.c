/* The models of the book by name: Chollet, Deep Learning with Python, chapters 6.3 and 6.4.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/model/builtin.h"

#define CONV_DILATED(filters, width, dilation)                                          \
    {                                                                                   \
        .kind = WEIR_LAYER_CONV1D, .units = filters, .K = width, .S = 1, .D = dilation, \
        .activation = WEIR_RELU                                                         \
    }
#define CONV(filters, width) CONV_DILATED(filters, width, 1)
#define MAX_POOL(window) \
    { .kind = WEIR_LAYER_MAX_POOL, .P = window }
#define GLOBAL_MAX_POOL \
    { .kind = WEIR_LAYER_GLOBAL_MAX_POOL }
#define FLATTEN \
    { .kind = WEIR_LAYER_FLATTEN }
#define DENSE(outputs, act) \
    { .kind = WEIR_LAYER_DENSE, .units = outputs, .activation = act }
/* What the Keras version decides comes later: see weir_builtin_layers. */
#define RECURRENT(type, H, act, ...) \
    { .kind = type, .units = H, .activation = act, __VA_ARGS__ }
#define RATES(rate_x, rate_h) .dropout = rate_x, .recurrent_dropout = rate_h
#define GRU(H, ...) RECURRENT(WEIR_LAYER_GRU, H, WEIR_TANH, __VA_ARGS__)
#define LSTM(H, ...) RECURRENT(WEIR_LAYER_LSTM, H, WEIR_TANH, __VA_ARGS__)
#define RNN(H) RECURRENT(WEIR_LAYER_RNN, H, WEIR_TANH, RATES(0, 0))
#define EMBEDDING(C) \
    { .kind = WEIR_LAYER_EMBEDDING, .units = C }
#define MULTI_HOT \
    { .kind = WEIR_LAYER_MULTI_HOT }
#define LAST_VALUE \
    { .kind = WEIR_LAYER_LAST_VALUE }
#define OUTPUT DENSE(1, WEIR_LINEAR)

typedef struct builtin {
    weir_builtin about;
    int count;
    weir_layer layers[BUILTIN_LAYERS_MAX];
} builtin;

#define JENA(own_name, words, own_epochs)                                                     \
    {                                                                                         \
        .name = own_name, .layers = words, .T = 240, .batch_size = 128, .epochs = own_epochs, \
        .rate = 1e-3, .loss = WEIR_MAE                                                        \
    }

#define IMDB(own_name, words, batch, own_rate, own_loss)                                \
    {                                                                                   \
        .name = own_name, .layers = words, .text = true, .T = 500, .batch_size = batch, \
        .epochs = 10, .rate = own_rate, .loss = own_loss                                \
    }
#define TEXT_CONV "Embedding 128, Conv 32x7 relu, MaxPool 5, Conv 32x7 relu"
#define TEXT_CONV_LAYERS EMBEDDING(128), CONV(32, 7), MAX_POOL(5), CONV(32, 7)
#define PROBABILITY DENSE(1, WEIR_SIGMOID)

static const builtin builtins[] = {
    {JENA("jena-naive", "the temperature in 24 hours is the one now", 20), 1, {LAST_VALUE}},
    {JENA("jena-dense", "Flatten, Dense 32 relu, Dense 1", 20),
     3,
     {FLATTEN, DENSE(32, WEIR_RELU), OUTPUT}},
    {JENA("jena-conv",
          "Conv 32x5 relu, MaxPool 3, Conv 32x5 relu, MaxPool 3, Conv 32x5 relu, GlobalMaxPool, "
          "Dense 1",
          20),
     7,
     {CONV(32, 5), MAX_POOL(3), CONV(32, 5), MAX_POOL(3), CONV(32, 5), GLOBAL_MAX_POOL, OUTPUT}},
    {JENA("jena-gru", "GRU 32, Dense 1", 20), 2, {GRU(32, RATES(0, 0)), OUTPUT}},
    {JENA("jena-gru-dropout", "GRU 32 (dropout 0.2, recurrent 0.2), Dense 1", 40),
     2,
     {GRU(32, RATES(0.2, 0.2)), OUTPUT}},
    {JENA("jena-gru-stacked", "GRU 32 (0.1, 0.5, sequences), GRU 64 relu (0.1, 0.5), Dense 1", 40),
     3,
     {GRU(32, RATES(0.1, 0.5), .return_sequences = true),
      RECURRENT(WEIR_LAYER_GRU, 64, WEIR_RELU, RATES(0.1, 0.5)), OUTPUT}},
    {JENA("jena-gru-bidir", "Bidirectional GRU 32, Dense 1", 40),
     2,
     {GRU(32, .merge = WEIR_MERGE_CONCAT), OUTPUT}},
    {JENA("jena-gru-reversed", "GRU 32 on the reversed window, Dense 1", 20),
     2,
     {GRU(32, .go_backwards = true), OUTPUT}},
    {JENA("jena-lstm", "LSTM 32, Dense 1", 20), 2, {LSTM(32, RATES(0, 0)), OUTPUT}},
    {JENA("jena-conv-gru",
          "Conv 32x5 relu, MaxPool 3, Conv 32x5 relu, GRU 32 (dropout 0.1, recurrent 0.5), "
          "Dense 1",
          20),
     5,
     {CONV(32, 5), MAX_POOL(3), CONV(32, 5), GRU(32, RATES(0.1, 0.5)), OUTPUT}},
    {JENA("jena-conv-gru-dilated", "as jena-conv-gru, the second convolution with dilation 2", 20),
     5,
     {CONV(32, 5), MAX_POOL(3), CONV_DILATED(32, 5, 2), GRU(32, RATES(0.1, 0.5)), OUTPUT}},
    {IMDB("imdb-dense", "multi-hot 10,000, Dense 16 relu, Dense 16 relu, Dense 1 sigmoid", 512,
          1e-3, WEIR_BCE),
     4,
     {MULTI_HOT, DENSE(16, WEIR_RELU), DENSE(16, WEIR_RELU), PROBABILITY}},
    {IMDB("imdb-rnn", "Embedding 32, SimpleRNN 32, Dense 1 sigmoid", 128, 1e-3, WEIR_BCE),
     3,
     {EMBEDDING(32), RNN(32), PROBABILITY}},
    {IMDB("imdb-lstm", "Embedding 32, LSTM 32, Dense 1 sigmoid", 128, 1e-3, WEIR_BCE),
     3,
     {EMBEDDING(32), LSTM(32, RATES(0, 0)), PROBABILITY}},
    {IMDB("imdb-gru", "Embedding 32, GRU 32, Dense 1 sigmoid", 128, 1e-3, WEIR_BCE),
     3,
     {EMBEDDING(32), GRU(32, RATES(0, 0)), PROBABILITY}},
    {IMDB("imdb-bilstm", "Embedding 32, Bidirectional LSTM 32, Dense 1 sigmoid", 128, 1e-3,
          WEIR_BCE),
     3,
     {EMBEDDING(32), LSTM(32, .merge = WEIR_MERGE_CONCAT), PROBABILITY}},
    {IMDB("imdb-conv", TEXT_CONV ", GlobalMaxPool, Dense 1, loss on logits", 128, 1e-4,
          WEIR_BCE_LOGITS),
     6,
     {TEXT_CONV_LAYERS, GLOBAL_MAX_POOL, OUTPUT}},
    /* The book feeds a linear output to cross-entropy on probabilities. */
    {IMDB("imdb-conv-book", TEXT_CONV ", GlobalMaxPool, Dense 1, the book's loss", 128, 1e-4,
          WEIR_BCE),
     6,
     {TEXT_CONV_LAYERS, GLOBAL_MAX_POOL, OUTPUT}},
    {IMDB("imdb-conv-gru", TEXT_CONV ", GRU 32, Dense 1 sigmoid", 128, 1e-3, WEIR_BCE),
     6,
     {TEXT_CONV_LAYERS, GRU(32, RATES(0, 0)), PROBABILITY}},
    {IMDB("imdb-conv-lstm", TEXT_CONV ", LSTM 32, Dense 1 sigmoid", 128, 1e-3, WEIR_BCE),
     6,
     {TEXT_CONV_LAYERS, LSTM(32, RATES(0, 0)), PROBABILITY}},
};
enum { BUILTIN_COUNT = sizeof builtins / sizeof builtins[0] };

const weir_builtin *weir_model_builtin(int i) {
    return i >= 0 && i < BUILTIN_COUNT ? &builtins[i].about : NULL;
}

/* NULL, with the error set: unknown. */
static const builtin *find(const char *name) {
    char known[512] = "";
    size_t used = 0;
    for (int i = 0; i < BUILTIN_COUNT; i++) {
        if (strcmp(builtins[i].about.name, name) == 0) return &builtins[i];
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
                                 builtins[i].about.name);
    }
    weir_fail(WEIR_ERROR_ARGUMENT, "model '%.40s' is not known, accepted: %s", name, known);
    return NULL;
}

weir_status weir_model_builtin_find(const char *name, const weir_builtin **out) {
    if (!name || !out) return weir_fail(WEIR_ERROR_ARGUMENT, "name and builtin must not be NULL");
    const builtin *found = find(name);
    if (!found) return WEIR_ERROR_ARGUMENT;
    *out = &found->about;
    return WEIR_OK;
}

weir_status weir_builtin_layers(const char *name, const weir_model_options *options,
                                weir_layer *layers, int *count) {
    if (options->keras != 2 && options->keras != 3)
        return weir_fail(WEIR_ERROR_ARGUMENT, "keras is %d, accepted: 2, 3", options->keras);
    const builtin *found = find(name);
    if (!found) return WEIR_ERROR_ARGUMENT;
    *count = found->count;
    for (int i = 0; i < found->count; i++) {
        weir_layer *l = &layers[i];
        *l = found->layers[i];
        l->reset_after = options->keras == 3;
        l->recurrent = options->keras == 3 ? WEIR_SIGMOID : WEIR_HARD_SIGMOID;
        l->shared_masks = options->shared_masks;
        l->channel = options->target;
        l->V = options->V;
        l->mask_zero = options->mask_zero;
        l->frozen = options->frozen;
    }
    return WEIR_OK;
}

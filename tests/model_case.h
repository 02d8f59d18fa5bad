/* What the tests of models share: models, numbers, gradients. A call that fails is a failed test.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TESTS_MODEL_CASE_H
#define WEIR_TESTS_MODEL_CASE_H

#include "train/model/sequential.h"

/* Two threads, between set_up and tear_down of the group of tests. */
extern weir_runtime *runtime;

weir_runtime *create_runtime(int threads);
int set_up(void **state);
int tear_down(void **state);

/* Defaults of Keras 2 with these sizes and seed 7. */
weir_model_options shape_options(int64_t T, int64_t C_in);
weir_model *create_layers(const weir_layer *layers, int count, const weir_model_options *o);
weir_model *create_builtin(const char *name, const weir_model_options *o);
/* In [-1, 1), to be freed. */
float *numbers(int64_t n, uint64_t stream);

weir_layer conv(int64_t filters, int64_t K, weir_activation activation);
weir_layer pool(weir_layer_kind kind, int64_t P);
weir_layer recurrent(weir_layer_kind kind, int64_t H, double dropout, double recurrent_dropout);
weir_layer gru(int64_t H, double dropout, double recurrent_dropout);
weir_layer dense(int64_t units, weir_activation activation);
weir_layer dropout(double rate);
weir_layer embedding(int64_t V, int64_t C, bool mask_zero);

/* The layers are refused as ARGUMENT, and the message has these words. */
void expect_refusal(const weir_layer *layers, int count, const weir_model_options *o,
                    const char *words);

/* Gradients of all parameters beside difference quotients. With a V the input is tokens 0 to V - 1,
 * with padding in front. */
void check_gradients(const weir_layer *layers, int count, int64_t T, int64_t C_in);

#endif

/* Results of a few ops and of training steps, as hashes. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "validate/emulator/numa.h"

enum { N = 16, T = 120, C_IN = 14, C_OUT = 32, K = 5, P = 3, H = 32, STEPS = 2, BATCH = 8 };

static void print_hash(const char *name, const float *values, int64_t floats) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    const unsigned char *bytes = (const unsigned char *)values;
    for (int64_t i = 0; i < 4 * floats; i++) hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    printf("hash   %-16s %016llx\n", name, (unsigned long long)hash);
}

/* -1 to 1, the same for the same seed. */
static float *numbers(weir_runtime *rt, int64_t floats, uint32_t seed) {
    float *tensor;
    numa_must(weir_tensor_alloc(rt, floats, &tensor));
    for (int64_t i = 0; i < floats; i++) {
        seed = seed * 1664525 + 1013904223;
        tensor[i] = (float)(int32_t)seed * 0x1p-31F;
    }
    return tensor;
}

static float *zeros(weir_runtime *rt, int64_t floats) {
    float *tensor;
    numa_must(weir_tensor_alloc(rt, floats, &tensor));
    return tensor;
}

static void convolution(weir_runtime *rt) {
    const weir_conv1d p = {.N = N,
                           .T = T,
                           .C_in = C_IN,
                           .C_out = C_OUT,
                           .K = K,
                           .S = 1,
                           .D = 1,
                           .padding = WEIR_SAME,
                           .activation = WEIR_RELU};
    enum { X = N * T * C_IN, Y = N * T * C_OUT, W = K * C_IN * C_OUT };
    float *x = numbers(rt, X, 1), *w = numbers(rt, W, 2), *b = numbers(rt, C_OUT, 3);
    float *y = zeros(rt, Y), *dx = zeros(rt, X), *dw = zeros(rt, W), *db = zeros(rt, C_OUT);
    numa_must(weir_conv1d_fwd(rt, &p, x, w, b, y));
    numa_must(weir_conv1d_bwd_data(rt, &p, y, w, dx));
    numa_must(weir_conv1d_bwd_weights(rt, &p, x, y, dw, db));
    print_hash("conv1d_fwd", y, Y);
    print_hash("conv1d_bwd_data", dx, X);
    print_hash("conv1d_bwd_weights", dw, W);
    print_hash("conv1d bias", db, C_OUT);
    /* tensors are freed with the runtime */
}

static void recurrence(weir_runtime *rt) {
    const weir_gru p = {.N = N,
                        .T = T / P,
                        .C_in = C_OUT,
                        .H = H,
                        .activation = WEIR_TANH,
                        .recurrent = WEIR_HARD_SIGMOID};
    enum { X = N * T / P * C_OUT, W = C_OUT * 3 * H, U = H * 3 * H, Y = N * H };
    float *y = zeros(rt, Y), *reserve = zeros(rt, weir_gru_reserve_floats(&p));
    const weir_gru_tensors t = {.x = numbers(rt, X, 4),
                                .w = numbers(rt, W, 5),
                                .u = numbers(rt, U, 6),
                                .b = numbers(rt, 3L * H, 7)};
    const weir_gru_gradients g = {.dy = y,
                                  .dx = zeros(rt, X),
                                  .dw = zeros(rt, W),
                                  .du = zeros(rt, U),
                                  .db = zeros(rt, 3L * H)};
    numa_must(weir_gru_fwd(rt, &p, &t, y, reserve));
    numa_must(weir_gru_bwd(rt, &p, &t, reserve, &g));
    print_hash("gru_fwd", y, Y);
    print_hash("gru_bwd dx", g.dx, X);
    print_hash("gru_bwd dw", g.dw, W);
    print_hash("gru_bwd du", g.du, U);
}

static void training(weir_runtime *rt) {
    weir_model_options o = weir_model_options_default(2);
    o.T = 240;
    o.C_in = C_IN;
    o.seed = 1;
    /* jena-conv-gru, but not by name: built-in models are JSON, and there is no static cJSON. */
    weir_layer conv = weir_layer_default(WEIR_LAYER_CONV1D),
               pool = weir_layer_default(WEIR_LAYER_MAX_POOL),
               gru = weir_layer_default(WEIR_LAYER_GRU),
               dense = weir_layer_default(WEIR_LAYER_DENSE);
    conv.units = gru.units = 32;
    conv.K = 5;
    conv.activation = WEIR_RELU;
    pool.P = 3;
    gru.dropout = 0.1;
    gru.recurrent_dropout = 0.5;
    dense.units = 1;
    const weir_layer layers[] = {conv, pool, conv, gru, dense};
    weir_model *model;
    numa_must(weir_model_create_layers(rt, "jena-conv-gru", layers, 5, &o, &model));
    const float *x = numbers(rt, BATCH * o.T * C_IN, 8), *target = numbers(rt, BATCH, 9);
    for (int i = 0; i < STEPS; i++) {
        double loss;
        numa_must(weir_model_train_step(model, BATCH, x, target, &loss));
        printf("loss   %.17g\n", loss);
    }
    const int64_t floats = weir_model_parameters(model);
    float *trained = zeros(rt, floats);
    weir_model_get_parameters(model, trained);
    print_hash("trained weights", trained, floats);
    weir_model_destroy(model);
}

void numa_results(weir_runtime *rt) {
    convolution(rt);
    recurrence(rt);
    training(rt);
}

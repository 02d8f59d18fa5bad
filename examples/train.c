/*
 * A model made, trained and saved. Needs nothing but an installed Weir:
 *     cc train.c $(pkg-config --cflags --libs weir) && ./a.out model.safetensors
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <weir/weir.h>

enum { N = 16, T = 24, C = 2, STEPS = 100 }; /* batch, time steps, columns; training steps */

static float x[N * T * C], target[N];

/* In place of data: two columns of numbers, and the mean of the first as what is to be learned. */
static void next_batch(void) {
    static unsigned seed = 1;
    for (int n = 0; n < N; n++) {
        target[n] = 0;
        for (int i = 0; i < T * C; i++) {
            seed = seed * 1664525u + 1013904223u;
            x[n * T * C + i] = (float)(seed >> 8) / (float)(1 << 23) - 1.0f;
            if (i % C == 0) target[n] += x[n * T * C + i] / T;
        }
    }
}

static weir_status train(weir_runtime *rt, const char *path, double *loss) {
    weir_model *model = NULL;
    weir_model_options options = weir_model_options_default(2);
    options.T = T, options.C_in = C;
    weir_status status = weir_model_create(rt, "jena-gru", &options, &model);
    for (int i = 0; i < STEPS && !status; i++) {
        next_batch();
        status = weir_model_train_step(model, N, x, target, loss);
    }
    if (!status) status = weir_model_save(model, path);
    weir_model_destroy(model);
    return status;
}

int main(int argc, char **argv) {
    weir_runtime *rt = NULL;
    double loss = 0;
    weir_status status = weir_runtime_create(NULL, &rt);
    if (!status) status = train(rt, argc > 1 ? argv[1] : "model.safetensors", &loss);
    weir_runtime_destroy(rt);
    if (status) fprintf(stderr, "train: %s\n", weir_last_error());
    if (!status) printf("loss %.4f\n", loss);
    return status != WEIR_OK;
}

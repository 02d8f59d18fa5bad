/*
 * A saved model's answer to the numbers on standard input, T rows of them. Needs nothing but an
 * installed Weir:
 *     cc predict.c $(pkg-config --cflags --libs weir) && ./a.out model.safetensors < numbers.txt
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <stdlib.h>
#include <weir/weir.h>

static weir_status predict(weir_runtime *rt, const char *path, float *y) {
    weir_model *model = NULL;
    weir_status status = weir_model_load(rt, path, NULL, &model);
    if (status) return status;
    int64_t floats = weir_model_T(model) * weir_model_C_in(model), read = 0;
    float *x = calloc((size_t)floats, sizeof *x);
    while (x && read < floats && scanf("%f", &x[read]) == 1) read++;
    status = read == floats ? weir_model_predict(model, 1, x, y)
                            : weir_fail(WEIR_ERROR_FORMAT, "%d numbers, not enough", (int)read);
    free(x);
    weir_model_destroy(model);
    return status;
}

int main(int argc, char **argv) {
    weir_runtime *rt = NULL;
    float y = 0; /* of a model with one output */
    weir_status status = weir_runtime_create(NULL, &rt);
    if (!status) status = predict(rt, argc > 1 ? argv[1] : "model.safetensors", &y);
    weir_runtime_destroy(rt);
    if (status) fprintf(stderr, "predict: %s\n", weir_last_error());
    if (!status) printf("%.9g\n", (double)y);
    return status != WEIR_OK;
}

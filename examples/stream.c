/*
 * A saved model that reads rows of numbers as they come, and answers each. Needs nothing but an
 * installed Weir:
 *     cc stream.c $(pkg-config --cflags --libs weir) && ./a.out model.safetensors < numbers.txt
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdio.h>
#include <weir/weir.h>

enum { COLUMNS_MAX = 256 };

static bool read_row(float *row, int64_t columns) {
    int64_t i = 0;
    while (i < columns && scanf("%f", &row[i]) == 1) i++;
    return i == columns;
}

static weir_status answer(weir_model *model) {
    float row[COLUMNS_MAX], y = 0; /* a model with one output */
    bool ready = false;
    weir_stream *stream = NULL;
    weir_status status = weir_stream_create(model, &stream);
    while (!status && read_row(row, weir_model_C_in(model))) {
        status = weir_stream_push(stream, row, &y, &ready);
        if (!status && ready) printf("%.9g\n", (double)y);
    }
    weir_stream_destroy(stream);
    return status;
}

int main(int argc, char **argv) {
    weir_runtime *rt = NULL;
    weir_model *model = NULL;
    weir_status status = weir_runtime_create(NULL, &rt);
    if (!status)
        status = weir_model_load(rt, argc > 1 ? argv[1] : "model.safetensors", NULL, &model);
    if (!status && (weir_model_C_in(model) > COLUMNS_MAX || weir_model_outputs(model) != 1))
        status = weir_fail(WEIR_ERROR_ARGUMENT, "the model has too many columns or outputs");
    if (!status) status = answer(model);
    weir_model_destroy(model);
    weir_runtime_destroy(rt);
    if (status) fprintf(stderr, "stream: %s\n", weir_last_error());
    return status != WEIR_OK;
}

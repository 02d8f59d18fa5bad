/* The table of a model's layers. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/summary.h"

#include <stdio.h>
#include <string.h>

#include "train/cli/printable.h"

const char *summary_count(int64_t count, char *buffer, size_t size) {
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)count);
    const size_t n = strlen(digits);
    size_t at = 0;
    for (size_t i = 0; i < n && at + 2 < size; i++) {
        if (i > 0 && (n - i) % 3 == 0) buffer[at++] = ',';
        buffer[at++] = digits[i];
    }
    buffer[at] = '\0';
    return buffer;
}

static void print_line(void) {
    puts("----------------------------------------------------------------------------");
}

static void print_layer(const weir_layer_info *info) {
    char layer[64], shape[48], parameters[32], shown[PRINTABLE];
    snprintf(layer, sizeof layer, "%s (%s)", info->name, info->type);
    if (info->T > 0)
        snprintf(shape, sizeof shape, "(N, %lld, %lld)", (long long)info->T, (long long)info->C);
    else
        snprintf(shape, sizeof shape, "(N, %lld)", (long long)info->C);
    printf("%-48s%-16s%12s\n", printable(layer, shown), shape,
           summary_count(info->parameters, parameters, sizeof parameters));
}

void summary_print(const weir_model *model) {
    char parameters[32], name[PRINTABLE];
    printf("%s: input (N, %lld, %lld)\n", printable(weir_model_name(model), name),
           (long long)weir_model_T(model), (long long)weir_model_C_in(model));
    print_line();
    printf("%-48s%-16s%12s\n", "Layer (type)", "Output", "Parameters");
    print_line();
    for (int i = 0; i < weir_model_layer_count(model); i++) {
        weir_layer_info info;
        if (weir_model_layer(model, i, &info) == WEIR_OK) print_layer(&info);
    }
    print_line();
    printf("%-64s%12s\n", "Total",
           summary_count(weir_model_parameters(model), parameters, sizeof parameters));
}

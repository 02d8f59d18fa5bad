/* Where data come from, for every task. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_DATA_OPTIONS_H
#define WEIR_CLI_DATA_OPTIONS_H

#include "train/cli/options.h"

typedef struct data_arguments {
    const char *file;
    bool generated;
    int64_t generated_seed; /* below 0: the task's own */
} data_arguments;

#define DATA_OPTIONS(d)                                                                       \
    OPTION_GROUP("Data"),                                                                     \
        OPTION_STRING("data", "PATH", &(d)->file,                                             \
                      "weather: a CSV file, a header, times in the first column, numbers in " \
                      "the others; reviews: aclImdb_v1.tar.gz or its unpacked folder"),       \
        OPTION_FLAG("generated", &(d)->generated, "made-up data of the same form"),           \
        OPTION_INT_DEFAULT("generated-seed", "N", &(d)->generated_seed, 0, 1e15,              \
                           "which made-up data", "0, reviews 1")

#endif

/* The files that weir train writes. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_OUTPUTS_H
#define WEIR_CLI_OUTPUTS_H

#include "weir/status.h"

enum { OUTPUT_PATH = 1024 };

typedef struct outputs {
    const char *save, *history; /* as given; NULL: not given */
    const char *data;           /* which must stay; NULL: none */
    const char *model;          /* "MODEL.safetensors" without a save */
} outputs;

/* Checks that the files can be written; path is where the model goes. Errors: ARGUMENT, SYSTEM. */
weir_status outputs_check(const outputs *o, char path[OUTPUT_PATH]);

#endif

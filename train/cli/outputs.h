/* The files that weir train writes. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_OUTPUTS_H
#define WEIR_CLI_OUTPUTS_H

#include <stdbool.h>

#include "weir/status.h"

enum { OUTPUT_PATH = 1024, OUTPUT_INPUTS = 3 };

typedef struct outputs {
    const char *save, *history, *checkpoint; /* as given; NULL: not given */
    bool no_checkpoint;
    const char *inputs[OUTPUT_INPUTS]; /* which must stay, NULL: none: data, definition, vectors */
    const char *model;                 /* "MODEL.safetensors" without a save */
} outputs;

typedef struct output_paths {
    char save[OUTPUT_PATH];       /* where the model goes */
    char checkpoint[OUTPUT_PATH]; /* "": nowhere */
} output_paths;

/* Checks that the files can be written. Errors: ARGUMENT, SYSTEM. */
weir_status outputs_check(const outputs *o, output_paths *paths);

#endif

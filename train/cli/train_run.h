/* A run of weir train: what it holds, and its files. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_TRAIN_RUN_H
#define WEIR_CLI_TRAIN_RUN_H

#include <cjson/cJSON.h>

#include "train/cli/history.h"
#include "train/cli/outputs.h"
#include "train/cli/train_arguments.h"

typedef struct run {
    const train_arguments *a;
    output_paths paths;
    task task;
    weir_runtime *runtime;
    weir_model *model;
    trainer t;
    history h;
    cJSON *facts;
    float *resumed_best; /* parameters of the best epoch of --resume; owned */
    int64_t vectors;     /* words that have one of --embeddings */
    int64_t saved_epoch; /* the epoch whose weights are in the file; 0: none */
} run;

/* Saves the parameters that the model has now, as those of an epoch (0: none was validated). */
weir_status run_save(run *r, int64_t epoch, const score *val);
/* Saves the state of the training at the end of an epoch, where a checkpoint is wanted. */
weir_status run_save_checkpoint(run *r);

/* The model of --resume, for data that must be those of the checkpoint. Errors: ARGUMENT, those of
 * weir_model_load_checkpoint. */
weir_status run_load_checkpoint(run *r);
/* Sets a started trainer to where the checkpoint was, and the files to what they were then. */
weir_status run_go_on(run *r);

#endif

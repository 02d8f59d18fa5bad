/* The command line of weir train. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_TRAIN_ARGUMENTS_H
#define WEIR_CLI_TRAIN_ARGUMENTS_H

#include "train/cli/model_options.h"
#include "train/cli/runtime_options.h"
#include "train/cli/task.h"
#include "train/cli/user_model.h"

typedef struct train_arguments {
    const char *model, *history, *save, *embeddings, *checkpoint;
    const char *resume;     /* a checkpoint to go on from; NULL: begin */
    const char *definition; /* of --model; NULL: a built-in model */
    int task_choice, loss;  /* index into their lists; below 0: not given */
    task_arguments task;
    model_arguments options;
    runtime_arguments runtime;
    int64_t batch_size, epochs, val_steps, seed;
    int64_t steps; /* 0: the task's own number */
    bool summary, quiet, mask_zero, freeze_embeddings, no_checkpoint;

    /* What follows from them: */
    user_model user;    /* of --model */
    weir_builtin about; /* what is trained and how, with what the options say */
    char name[128];     /* the built-in model's, or the file's without .json */
    cJSON *kept;        /* the options that a checkpoint keeps */
    /* Of --resume: what the checkpoint has beside the model. */
    cJSON *state, *data;
    char resumed_save[1024]; /* FILE of FILE.checkpoint */
} train_arguments;

/* -1, or the exit status when there is nothing to train. *a is to be freed in any case. */
int train_arguments_parse(train_arguments *a, int argc, char **argv);
void train_arguments_free(train_arguments *a);

#endif

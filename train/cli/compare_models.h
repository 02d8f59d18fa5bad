/* Trains the models of a comparison, one after the other. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_COMPARE_MODELS_H
#define WEIR_CLI_COMPARE_MODELS_H

#include "train/cli/compare_table.h"
#include "train/cli/model_options.h"
#include "train/cli/task.h"
#include "train/cli/user_model.h"

enum { COMPARE_MODELS_MAX = 32, COMPARE_SEEDS_MAX = 100 };

struct compare_results;

typedef struct compare_model {
    const weir_builtin *about; /* the built-in model, or own.about */
    const char *name;          /* of the built-in model, or the file's without its folder */
    const char *path; /* of a definition of the user's, in the plan's names; NULL: built in */
    user_model own;
} compare_model;

typedef struct compare_plan {
    compare_model models[COMPARE_MODELS_MAX]; /* all of one task */
    int model_count;
    char *names; /* as they were given, cut at the commas */
    const task_arguments *task;
    const model_arguments *options;
    int64_t epochs, batch_size; /* 0: each model's own */
    int64_t steps, val_steps, seed, seeds;
    bool quiet;
    /* Called after each model, so that hours of training are not lost; NULL: not. An error is said, and
     * is no end of the comparison. */
    weir_status (*keep)(const void *user, const struct compare_results *r, weir_runtime *rt);
    const void *user;
} compare_plan;

typedef struct compare_results {
    task task;
    compare_row rows[COMPARE_MODELS_MAX * COMPARE_SEEDS_MAX];
    int count;
    int failed;       /* runs whose loss was not finite: left out */
    weir_status kept; /* of the last call of plan->keep */
} compare_results;

/* Loads the data and trains; models that an interrupt kept from ending are left out. Errors: those of
 * the task and the models; results has what was finished. */
weir_status compare_models(const compare_plan *plan, weir_runtime *rt, compare_results *out);
void compare_results_free(compare_results *r);

#endif

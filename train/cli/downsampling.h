/* What a convolution in front of a GRU buys as sequences grow. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_DOWNSAMPLING_H
#define WEIR_CLI_DOWNSAMPLING_H

#include <cjson/cJSON.h>

#include "train/cli/model_options.h"
#include "train/cli/score.h"
#include "train/cli/task.h"

enum { DOWNSAMPLING_LENGTHS_MAX = 16, DOWNSAMPLING_MODELS = 2 };

/* One model trained on samples of one length. */
typedef struct downsampling_row {
    const char *model;
    int64_t T, lookback, step; /* of the weather's windows, in rows */
    int64_t recurrent_steps, parameters;
    double step_ms;     /* of a training step: median over the epochs */
    int64_t peak_bytes; /* of the training, beyond the data; 0: not known */
    score val;          /* at the best epoch */
    int64_t best_epoch;
} downsampling_row;

struct downsampling_results;

typedef struct downsampling_plan {
    bool text;
    const task_arguments *task;
    const model_arguments *options;
    int64_t lengths[DOWNSAMPLING_LENGTHS_MAX];
    int length_count;
    int64_t epochs, steps, val_steps, batch_size, seed;
    bool quiet;
    /* Called after each model and length, so that hours of training are not lost; NULL: not. */
    weir_status (*keep)(const void *user, const struct downsampling_results *r);
    const void *user;
} downsampling_plan;

typedef struct downsampling_results {
    task task;
    downsampling_row rows[DOWNSAMPLING_LENGTHS_MAX * DOWNSAMPLING_MODELS];
    int count;
} downsampling_results;

/* Both models of the task at every length, the plain one first. `create` makes the runtime of a run,
 * so that each begins with no memory. Errors: those of the task and the models. */
weir_status downsampling_run(const downsampling_plan *plan,
                             weir_status (*create)(void *user, weir_runtime **rt), void *user,
                             downsampling_results *out);

void downsampling_print(const downsampling_plan *plan, const downsampling_results *r);
void downsampling_print_csv(const downsampling_results *r);
/* A list with an object for each row; the caller's. */
cJSON *downsampling_json(const downsampling_results *r);

#endif

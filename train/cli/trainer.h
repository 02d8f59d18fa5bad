/* Training and evaluating a model on windows. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_TRAINER_H
#define WEIR_CLI_TRAINER_H

#include "train/data/windows.h"
#include "weir/model.h"

typedef struct trainer {
    weir_runtime *runtime;
    weir_model *model;
    const windows *w;
    int64_t epochs, steps; /* of an epoch */
    int64_t val_steps;     /* batches of a validation; 0: every window once */
    uint64_t seed;         /* of the training windows */
    bool quiet;            /* no progress bar */
    const char *prefix;    /* in front of the bar's label; "" for none */

    int64_t epoch; /* finished so far */
    int64_t best_epoch;
    double best_val;
    float *best; /* parameters of the best epoch */
    /* buffers of a batch */
    int64_t *rows;
    float *x, *target, *y;
} trainer;

typedef struct epoch_result {
    int64_t epoch, steps; /* steps that were taken: fewer when interrupted */
    double loss, val_loss;
    double train_seconds, val_seconds;
    bool improved;
    bool complete; /* validated; false when interrupted before */
} epoch_result;

/* Fills in the rest of a trainer whose fields from runtime to prefix are set. Errors: MEMORY. */
weir_status trainer_start(trainer *t);
void trainer_free(trainer *t);

/*
 * Trains the next epoch and validates it. SIGINT and SIGTERM (interrupt.h) end it after the current
 * step. Errors: STATE (the loss is not finite; what was learned before is kept in best), those of
 * the model.
 */
weir_status trainer_epoch(trainer *t, epoch_result *r);

/*
 * Mean absolute error over a split, every window once and in order, or over its first `batches`
 * batches when that is not 0. order (optional): step order[i] of the window is shown in place i.
 * Interrupted: *windows_done is below the number of windows. Errors: those of the model.
 */
weir_status trainer_evaluate(trainer *t, split which, int64_t batches, const int64_t *order,
                             const char *label, double *mae, int64_t *windows_done);

/* Puts the parameters of the best epoch back into the model. */
void trainer_restore_best(trainer *t);

double seconds_now(void);

#endif

/* Training and evaluating a model on a source of samples. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_TRAINER_H
#define WEIR_CLI_TRAINER_H

#include "train/cli/permute.h"
#include "train/cli/score.h"
#include "weir/model.h"

typedef struct trainer {
    weir_runtime *runtime;
    weir_model *model;
    source *from;
    weir_loss loss; /* the model's */
    bool classes;   /* targets are 0 and 1: there is an accuracy */
    int64_t batch_size;
    int64_t epochs, steps; /* of an epoch */
    int64_t val_steps;     /* batches of a validation; 0: every sample once */
    uint64_t seed;         /* of the training samples */
    bool quiet;            /* no progress bar */
    const char *prefix;    /* in front of the bar's label; "" for none */

    int64_t epoch; /* finished so far */
    int64_t best_epoch;
    score best;             /* the validation's */
    float *best_parameters; /* of the best epoch */
    bool rounds;            /* scores have the rounded accuracy */
    /* buffers of a batch */
    int64_t *rows;
    float *x, *target, *y;
} trainer;

typedef struct epoch_result {
    int64_t epoch, steps; /* steps that were taken: fewer when interrupted */
    double loss;          /* of the training, mean over its samples */
    score val;
    double train_seconds, val_seconds;
    bool improved;
    bool complete; /* validated; false when interrupted before */
} epoch_result;

/* Fills in the rest of a trainer whose fields from runtime to prefix are set. Errors: MEMORY. */
weir_status trainer_start(trainer *t);
void trainer_free(trainer *t);

/*
 * Trains the next epoch and validates it. The best epoch is the first of the highest accuracy, or of
 * the lowest loss where there is none. SIGINT and SIGTERM (interrupt.h) end it after the current
 * step. Errors: STATE (the loss is not finite; what was learned before is kept in best), those of
 * the model.
 */
weir_status trainer_epoch(trainer *t, epoch_result *r);

/*
 * Over a split, every sample once and in order, or over its first `batches` batches when that is not
 * 0. order (optional): with the steps of the samples permuted. Interrupted: *done is below the number
 * of samples. Errors: those of the model.
 */
weir_status trainer_evaluate(trainer *t, split which, int64_t batches, const permutation *order,
                             const char *label, score *result, int64_t *done);

/* Puts the parameters of the best epoch back into the model. */
void trainer_restore_best(trainer *t);

double seconds_now(void);

#endif

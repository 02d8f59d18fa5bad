/* Training and evaluating a model on a source of samples. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/cli/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "train/cli/interrupt.h"
#include "train/cli/permute.h"
#include "train/cli/progress.h"

double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Probabilities are asked for, but the last layer can give any number: the book's convnet. */
static bool output_unbounded(const trainer *t) {
    weir_layer_info last;
    return t->classes && t->loss == WEIR_BCE &&
           weir_model_layer(t->model, weir_model_layer_count(t->model) - 1, &last) == WEIR_OK &&
           last.layer.kind == WEIR_LAYER_DENSE && last.layer.activation == WEIR_LINEAR;
}

weir_status trainer_start(trainer *t) {
    t->rounds = output_unbounded(t);
    const int64_t N = t->batch_size, parameters = weir_model_parameters(t->model);
    t->rows = malloc((size_t)N * sizeof *t->rows);
    t->best_parameters = malloc(((size_t)parameters + 1) * sizeof *t->best_parameters);
    if (!t->rows || !t->best_parameters)
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for a training run");
    weir_status status = weir_tensor_alloc(t->runtime, N * t->from->T * t->from->C, &t->x);
    if (status == WEIR_OK) status = weir_tensor_alloc(t->runtime, N, &t->target);
    if (status == WEIR_OK) status = weir_tensor_alloc(t->runtime, N, &t->y);
    return status;
}

void trainer_free(trainer *t) {
    free(t->rows);
    free(t->best_parameters);
    weir_tensor_free(t->runtime, t->x);
    weir_tensor_free(t->runtime, t->target);
    weir_tensor_free(t->runtime, t->y);
}

static void fill_range(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const trainer *t = arg;
    t->from->fill(t->from, t->rows + begin, end - begin, t->x + begin * t->from->T * t->from->C,
                  t->target + begin);
}

static weir_status fill(trainer *t, int64_t N) {
    return weir_parallel_for(t->runtime, N, 8, fill_range, t);
}

/* ---- training ---- */

static weir_status train_steps(trainer *t, progress *bar, epoch_result *r) {
    double sum = 0;
    int64_t samples = 0;
    while (r->steps < t->steps && !interrupt_seen()) {
        const int64_t N = t->from->train_rows(t->from, t->seed, t->epoch, t->steps, r->steps,
                                              t->batch_size, t->rows);
        weir_status status = fill(t, N);
        double loss = 0;
        if (status == WEIR_OK) status = weir_model_train_step(t->model, N, t->x, t->target, &loss);
        if (status != WEIR_OK) return status;
        r->steps++;
        if (!isfinite(loss))
            return weir_fail(WEIR_ERROR_STATE,
                             "the training loss is %g in epoch %lld, step %lld: stopped (a smaller "
                             "--lr may help)",
                             loss, (long long)r->epoch, (long long)r->steps);
        sum += loss * (double)N;
        samples += N;
        r->loss = sum / (double)samples;
        char note[32];
        snprintf(note, sizeof note, "loss %.4f", r->loss);
        if (!t->quiet) progress_update(bar, r->steps, note);
    }
    return WEIR_OK;
}

static bool better(const trainer *t, const score *s) {
    if (t->best_epoch == 0) return true;
    return t->classes ? s->accuracy > t->best.accuracy : s->loss < t->best.loss;
}

weir_status trainer_epoch(trainer *t, epoch_result *r) {
    if (source_count(t->from, SPLIT_VAL) < 1)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "there is nothing to validate on, accepted: a validation "
                         "split of 1 or more (--val-fraction, --val-rows)");
    *r = (epoch_result){.epoch = t->epoch + 1, .val = {NAN, NAN, NAN}, .loss = NAN};
    char label[96];
    snprintf(label, sizeof label, "%sepoch %lld/%lld", t->prefix, (long long)r->epoch,
             (long long)t->epochs);
    progress bar;
    const double start = seconds_now();
    if (!t->quiet) progress_start(&bar, label, t->steps, "steps");
    weir_status status = train_steps(t, &bar, r);
    if (!t->quiet) progress_end(&bar);
    r->train_seconds = seconds_now() - start;
    if (status != WEIR_OK || interrupt_seen()) return status;

    snprintf(label, sizeof label, "%sepoch %lld/%lld, validation", t->prefix, (long long)r->epoch,
             (long long)t->epochs);
    int64_t done = 0;
    status = trainer_evaluate(t, SPLIT_VAL, t->val_steps, NULL, label, &r->val, &done);
    r->val_seconds = seconds_now() - start - r->train_seconds;
    if (status != WEIR_OK || interrupt_seen()) return status;
    if (!isfinite(r->val.loss))
        return weir_fail(WEIR_ERROR_STATE, "the validation loss is %g in epoch %lld: stopped",
                         r->val.loss, (long long)r->epoch);
    t->epoch++;
    r->complete = true;
    r->improved = better(t, &r->val);
    if (r->improved) {
        t->best = r->val;
        t->best_epoch = t->epoch;
        weir_model_get_parameters(t->model, t->best_parameters);
    }
    return WEIR_OK;
}

void trainer_restore_best(trainer *t) {
    if (t->best_epoch > 0) weir_model_set_parameters(t->model, t->best_parameters);
}

/* ---- evaluating ---- */

typedef struct sums {
    double loss;
    int64_t right, right_rounded;
} sums;

/* Samples on the right side: of a probability of 1/2, which is a logit of 0. */
static int64_t count_right(const trainer *t, int64_t N) {
    const float middle = t->loss == WEIR_BCE_LOGITS ? 0 : 0.5F;
    int64_t right = 0;
    for (int64_t i = 0; i < N; i++) right += (t->y[i] > middle) == (t->target[i] > 0.5F);
    return right;
}

/* As keras.metrics.binary_accuracy of Keras 2.2: mean(equal(y_true, round(y_pred))). */
static int64_t count_right_rounded(const trainer *t, int64_t N) {
    int64_t right = 0;
    for (int64_t i = 0; i < N; i++) right += nearbyintf(t->y[i]) == t->target[i];
    return right;
}

/* Adds the scores of samples r, r + 1, ... r + N - 1. */
static weir_status add_batch(trainer *t, int64_t r, int64_t N, const permutation *order,
                             sums *sum) {
    for (int64_t i = 0; i < N; i++) t->rows[i] = r + i;
    weir_status status = fill(t, N);
    if (status == WEIR_OK && order) permute_steps(order, t->from, N, t->x);
    if (status == WEIR_OK) status = weir_model_predict(t->model, N, t->x, t->y);
    double loss = 0;
    if (status == WEIR_OK)
        status = weir_loss_eval(t->runtime, t->loss, N, t->y, t->target, &loss, NULL);
    sum->loss += loss * (double)N;
    if (status != WEIR_OK) return status;
    if (t->classes) sum->right += count_right(t, N);
    if (t->rounds) sum->right_rounded += count_right_rounded(t, N);
    return WEIR_OK;
}

weir_status trainer_evaluate(trainer *t, split which, int64_t batches, const permutation *order,
                             const char *label, score *result, int64_t *done) {
    const int64_t most = t->batch_size;
    int64_t count = source_count(t->from, which);
    if (batches > 0 && batches < count / most + 1 && batches * most < count) count = batches * most;
    progress bar;
    if (!t->quiet) progress_start(&bar, label, count, t->from->samples);
    sums sum = {0};
    *done = 0;
    weir_status status = WEIR_OK;
    while (*done < count && status == WEIR_OK && !interrupt_seen()) {
        const int64_t N = count - *done < most ? count - *done : most;
        status = add_batch(t, t->from->first[which] + *done, N, order, &sum);
        *done += N;
        if (!t->quiet) progress_update(&bar, *done, NULL);
    }
    if (!t->quiet) progress_end(&bar);
    *result = (score){.loss = sum.loss / (double)*done,
                      .accuracy = t->classes ? (double)sum.right / (double)*done : NAN,
                      .rounded = t->rounds ? (double)sum.right_rounded / (double)*done : NAN};
    return status;
}

/* Training and evaluating a model on windows. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/cli/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "train/cli/interrupt.h"
#include "train/cli/progress.h"

double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

weir_status trainer_start(trainer *t) {
    const int64_t N = t->w->o.batch_size, parameters = weir_model_parameters(t->model);
    t->rows = malloc((size_t)N * sizeof *t->rows);
    t->best = malloc(((size_t)parameters + 1) * sizeof *t->best);
    if (!t->rows || !t->best) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a training run");
    weir_status status = weir_tensor_alloc(t->runtime, N * t->w->steps * t->w->columns, &t->x);
    if (status == WEIR_OK) status = weir_tensor_alloc(t->runtime, N, &t->target);
    if (status == WEIR_OK) status = weir_tensor_alloc(t->runtime, N, &t->y);
    t->best_val = INFINITY;
    return status;
}

void trainer_free(trainer *t) {
    free(t->rows);
    free(t->best);
    weir_tensor_free(t->runtime, t->x);
    weir_tensor_free(t->runtime, t->target);
    weir_tensor_free(t->runtime, t->y);
}

static void fill_range(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const trainer *t = arg;
    windows_fill(t->w, t->rows + begin, end - begin, t->x + begin * t->w->steps * t->w->columns,
                 t->target + begin);
}

static weir_status fill(trainer *t, int64_t N) {
    return weir_parallel_for(t->runtime, N, 8, fill_range, t);
}

static weir_status train_steps(trainer *t, progress *bar, epoch_result *r) {
    const int64_t N = t->w->o.batch_size;
    double sum = 0;
    while (r->steps < t->steps && !interrupt_seen()) {
        windows_train_rows(t->w, t->seed, t->epoch * t->steps + r->steps, N, t->rows);
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
        sum += loss;
        r->loss = sum / (double)r->steps;
        char note[32];
        snprintf(note, sizeof note, "loss %.4f", r->loss);
        if (!t->quiet) progress_update(bar, r->steps, note);
    }
    return WEIR_OK;
}

weir_status trainer_epoch(trainer *t, epoch_result *r) {
    *r = (epoch_result){.epoch = t->epoch + 1, .val_loss = NAN, .loss = NAN};
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
    status = trainer_evaluate(t, SPLIT_VAL, t->val_steps, NULL, label, &r->val_loss, &done);
    r->val_seconds = seconds_now() - start - r->train_seconds;
    if (status != WEIR_OK || interrupt_seen()) return status;
    if (!isfinite(r->val_loss))
        return weir_fail(WEIR_ERROR_STATE, "the validation loss is %g in epoch %lld: stopped",
                         r->val_loss, (long long)r->epoch);
    t->epoch++;
    r->complete = true;
    r->improved = r->val_loss < t->best_val;
    if (r->improved) {
        t->best_val = r->val_loss;
        t->best_epoch = t->epoch;
        weir_model_get_parameters(t->model, t->best);
    }
    return WEIR_OK;
}

/* One window after the other gets its steps in the new order; `spare` holds one window. */
static void reorder(const trainer *t, int64_t N, const int64_t *order, float *spare) {
    const int64_t C = t->w->columns, T = t->w->steps;
    const size_t row = (size_t)C * sizeof *spare;
    for (int64_t n = 0; n < N; n++) {
        float *x = t->x + n * T * C;
        memcpy(spare, x, (size_t)T * row);
        for (int64_t i = 0; i < T; i++) memcpy(x + i * C, spare + order[i] * C, row);
    }
}

/* Adds the absolute errors of windows r, r + 1, ... r + N - 1 to *sum. */
static weir_status add_batch(trainer *t, int64_t r, int64_t N, const int64_t *order, float *spare,
                             double *sum) {
    for (int64_t i = 0; i < N; i++) t->rows[i] = r + i;
    weir_status status = fill(t, N);
    if (status == WEIR_OK && order) reorder(t, N, order, spare);
    if (status == WEIR_OK) status = weir_model_predict(t->model, N, t->x, t->y);
    double mae = 0;
    if (status == WEIR_OK)
        status = weir_loss_eval(t->runtime, WEIR_MAE, N, t->y, t->target, &mae, NULL);
    *sum += mae * (double)N;
    return status;
}

weir_status trainer_evaluate(trainer *t, split which, int64_t batches, const int64_t *order,
                             const char *label, double *mae, int64_t *windows_done) {
    const int64_t most = t->w->o.batch_size;
    int64_t count = windows_count(t->w, which);
    if (batches > 0 && batches < count / most + 1 && batches * most < count) count = batches * most;
    float *spare = malloc((size_t)(t->w->steps * t->w->columns) * sizeof *spare);
    if (!spare) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a window");
    progress bar;
    if (!t->quiet) progress_start(&bar, label, count, "windows");
    double sum = 0;
    int64_t done = 0;
    weir_status status = WEIR_OK;
    while (done < count && status == WEIR_OK && !interrupt_seen()) {
        const int64_t N = count - done < most ? count - done : most;
        status = add_batch(t, t->w->first[which] + done, N, order, spare, &sum);
        done += N;
        if (!t->quiet) progress_update(&bar, done, NULL);
    }
    if (!t->quiet) progress_end(&bar);
    free(spare);
    *mae = sum / (double)done;
    *windows_done = done;
    return status;
}

void trainer_restore_best(trainer *t) {
    if (t->best_epoch > 0) weir_model_set_parameters(t->model, t->best);
}

/* What a convolution in front of a GRU buys as sequences grow. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/downsampling.h"

#include <stdio.h>
#include <stdlib.h>

#include "train/cli/compare_table.h"
#include "train/cli/interrupt.h"
#include "train/cli/memory.h"
#include "train/cli/trainer.h"
#include "train/data/joined_reviews.h"

static const char *const weather_models[] = {"jena-gru", "jena-conv-gru"};
static const char *const text_models[] = {"imdb-gru", "imdb-conv-gru"};

/*
 * The weather: 10 days or somewhat more, in finer steps while the rows allow it; then more days. Every
 * length is validated on the same hours, those that the longest window can be asked for.
 */
static window_options window_of(const downsampling_plan *plan, const task *t, int64_t T) {
    const window_arguments asked = {.delay = plan->task->window.delay,
                                    .train_rows = plan->task->window.train_rows,
                                    .val_rows = plan->task->window.val_rows};
    const weir_builtin hourly = {.T = 240, .step_minutes = 60};
    window_options o = weather_window(&hourly, t->s.step_seconds, &asked);
    o.step = (o.lookback - 1) / T + 1;
    o.lookback = o.step * T;
    return o;
}

static int64_t longest_lookback(const downsampling_plan *plan, const task *t) {
    int64_t most = 0;
    for (int i = 0; i < plan->length_count; i++) {
        const window_options o = window_of(plan, t, plan->lengths[i]);
        if (o.lookback > most) most = o.lookback;
    }
    return most;
}

static weir_status sample(const downsampling_plan *plan, task *t, int64_t T) {
    if (t->text) {
        source_free(&t->from);
        return source_joined_reviews(&t->d, T, &t->from);
    }
    window_options o = window_of(plan, t, T);
    weir_status status = task_windows(t, &o, NULL);
    if (status == WEIR_OK) t->from.first[SPLIT_VAL] += longest_lookback(plan, t) - t->w.o.lookback;
    if (status == WEIR_OK && source_count(&t->from, SPLIT_VAL) < 1)
        status = weir_fail(WEIR_ERROR_ARGUMENT,
                           "no validation window is as long as the longest of --lengths");
    return status;
}

static weir_status train_epochs(const downsampling_plan *plan, trainer *t, const score_form *form,
                                downsampling_row *row) {
    double *ms = malloc((size_t)t->epochs * sizeof *ms);
    if (!ms) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the times");
    char text[SCORE_TEXT];
    weir_status status = WEIR_OK;
    while (t->epoch < t->epochs && status == WEIR_OK && !interrupt_seen()) {
        epoch_result e;
        status = trainer_epoch(t, &e);
        if (status != WEIR_OK || !e.complete) break;
        ms[t->epoch - 1] = 1e3 * e.train_seconds / (double)e.steps;
        if (!plan->quiet)
            fprintf(stderr,
                    "%s  %lld steps  epoch %lld/%lld  loss %.4f  validation %s  %.1f ms a "
                    "training step\n",
                    row->model, (long long)row->T, (long long)e.epoch, (long long)t->epochs, e.loss,
                    score_short(form, &e.val, text), ms[t->epoch - 1]);
    }
    row->step_ms = compare_median(ms, t->epoch);
    row->val = t->best;
    row->best_epoch = t->best_epoch;
    free(ms);
    return status;
}

static weir_status run_model(const downsampling_plan *plan, const weir_builtin *b, weir_runtime *rt,
                             downsampling_results *out, downsampling_row *row) {
    task *from = &out->task;
    weir_model_options o = model_options(plan->options, b, (uint64_t)plan->seed);
    task_model_options(from, &o);
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s, %lld steps, ", b->name, (long long)row->T);
    trainer t = {.runtime = rt,
                 .from = &from->from,
                 .loss = b->loss,
                 .classes = from->form.classes,
                 .batch_size = plan->batch_size > 0 ? plan->batch_size : b->batch_size,
                 .epochs = plan->epochs,
                 .val_steps = plan->val_steps,
                 .seed = (uint64_t)plan->seed,
                 .quiet = plan->quiet,
                 .prefix = prefix};
    weir_status status = task_steps(from, t.batch_size, plan->steps, &t.steps);
    if (status == WEIR_OK) status = weir_model_create(rt, b->name, &o, &t.model);
    if (status != WEIR_OK) return status;
    row->recurrent_steps = weir_model_recurrent_steps(t.model);
    row->parameters = weir_model_parameters(t.model);
    status = trainer_start(&t);
    if (status == WEIR_OK) status = train_epochs(plan, &t, &from->form, row);
    trainer_free(&t);
    weir_model_destroy(t.model);
    return status;
}

static weir_status run_length(const downsampling_plan *plan, int64_t T, const char *name,
                              weir_runtime *rt, downsampling_results *out) {
    const weir_builtin *b = NULL;
    weir_status status = weir_model_builtin_find(name, &b);
    if (status == WEIR_OK) status = sample(plan, &out->task, T);
    if (status != WEIR_OK) return status;
    downsampling_row row = {.model = b->name, .T = T};
    row.lookback = out->task.w.o.lookback;
    row.step = out->task.w.o.step;
    memory_reset_peak();
    const int64_t before = memory_now();
    status = run_model(plan, b, rt, out, &row);
    const int64_t peak = memory_peak();
    row.peak_bytes = peak > before ? peak - before : 0;
    if (status != WEIR_OK || interrupt_seen()) return status;
    out->rows[out->count++] = row;
    return plan->keep ? plan->keep(plan->user, out) : WEIR_OK;
}

weir_status downsampling_run(const downsampling_plan *plan,
                             weir_status (*create)(void *user, weir_runtime **rt), void *user,
                             downsampling_results *out) {
    weir_runtime *rt = NULL;
    weir_status status = create(user, &rt);
    if (status == WEIR_OK) status = task_load(plan->task, plan->text, rt, &out->task);
    weir_runtime_destroy(rt);
    for (int i = 0; i < plan->length_count; i++) {
        for (int m = 0; m < DOWNSAMPLING_MODELS && status == WEIR_OK && !interrupt_seen(); m++) {
            rt = NULL;
            status = create(user, &rt);
            if (status == WEIR_OK)
                status = run_length(plan, plan->lengths[i],
                                    plan->text ? text_models[m] : weather_models[m], rt, out);
            weir_runtime_destroy(rt);
        }
    }
    return status;
}

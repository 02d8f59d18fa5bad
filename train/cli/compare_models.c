/* Trains the models of a comparison, one after the other. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/compare_models.h"

#include <stdio.h>
#include <stdlib.h>

#include "train/cli/commands.h"
#include "train/cli/interrupt.h"
#include "train/cli/trainer.h"
#include "train/model/failed_in.h"

static weir_status train_all_epochs(const compare_plan *plan, trainer *t, compare_row *row) {
    double *seconds = malloc(2 * (size_t)t->epochs * sizeof *seconds);
    if (!seconds) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the times");
    double *val_seconds = seconds + t->epochs;
    char text[SCORE_TEXT];
    weir_status status = WEIR_OK;
    while (t->epoch < t->epochs && status == WEIR_OK && !interrupt_seen()) {
        epoch_result e;
        status = trainer_epoch(t, &e);
        if (status == WEIR_OK && e.complete) status = history_add(&row->epochs, &e);
        if (status != WEIR_OK || !e.complete) break;
        seconds[t->epoch - 1] = e.train_seconds;
        val_seconds[t->epoch - 1] = e.val_seconds;
        if (!plan->quiet)
            fprintf(stderr, "%s  epoch %lld/%lld  loss %.4f  validation %s  %.1f s + %.1f s\n",
                    row->model, (long long)e.epoch, (long long)t->epochs, e.loss,
                    score_short(&row->form, &e.val, text), e.train_seconds, e.val_seconds);
    }
    row->train_seconds = compare_median(seconds, t->epoch);
    row->val_seconds = compare_median(val_seconds, t->epoch);
    row->val = t->best;
    row->best_epoch = t->best_epoch;
    free(seconds);
    return status;
}

static weir_status evaluate_val(trainer *t, compare_row *row) {
    const double start = seconds_now();
    int64_t done = 0;
    weir_status status =
        trainer_evaluate(t, SPLIT_VAL, t->val_steps, NULL, "validation", &row->val, &done);
    row->val_seconds = seconds_now() - start;
    return status;
}

static weir_status order_test(trainer *t, compare_row *row) {
    permutation order;
    weir_status status = permute_create(t->from, &order);
    if (status != WEIR_OK) return status;
    int64_t done = 0;
    status = trainer_evaluate(t, SPLIT_VAL, t->val_steps, &order, "steps permuted", &row->permuted,
                              &done);
    permute_free(&order);
    return status;
}

static weir_status train_and_test(const compare_plan *plan, trainer *t, compare_row *row) {
    weir_status status = trainer_start(t);
    if (status != WEIR_OK) return status;
    status = row->parameters > 0 ? train_all_epochs(plan, t, row) : evaluate_val(t, row);
    if (status != WEIR_OK || interrupt_seen()) return status;
    trainer_restore_best(t);
    int64_t done = 0;
    status = trainer_evaluate(t, SPLIT_TEST, 0, NULL, "test", &row->test, &done);
    return status == WEIR_OK ? order_test(t, row) : status;
}

static compare_row new_row(const weir_model *model, const task *t, int64_t seed) {
    return (compare_row){.seed = seed,
                         .parameters = weir_model_parameters(model),
                         .recurrent_steps = weir_model_recurrent_steps(model),
                         .T = t->from.T,
                         .lookback = t->w.o.lookback,
                         .step = t->w.o.step,
                         .form = t->form,
                         .epochs = {.form = t->form}};
}

/* As many rows as a definition has steps, whatever the step. */
static weir_status sample(const compare_plan *plan, const compare_model *m, task *t) {
    task_arguments a = *plan->task;
    if (a.window.lookback == 0) a.window.lookback = a.window.step * m->own.T;
    return task_sample(&a, m->about, t);
}

static weir_status create(const compare_plan *plan, const compare_model *m, int64_t seed,
                          const task *t, weir_runtime *rt, weir_model **model) {
    model_arguments a = *plan->options;
    if (m->path) a.keras = m->own.keras == 3;
    weir_model_options o = model_options(&a, m->about, (uint64_t)seed);
    task_model_options(t, &o);
    if (!m->path) return weir_model_create(rt, m->name, &o, model);
    return user_model_create(rt, m->path, m->about, &o, model);
}

static int64_t batch_of(const compare_plan *plan, const compare_model *m) {
    return plan->batch_size > 0 ? plan->batch_size : m->about->batch_size;
}

static weir_status run_model(const compare_plan *plan, const compare_model *m, int64_t seed,
                             weir_runtime *rt, compare_results *out) {
    const weir_builtin *about = m->about;
    weir_status status = sample(plan, m, &out->task);
    if (status != WEIR_OK) return status;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s, ", m->name);
    trainer t = {.runtime = rt,
                 .from = &out->task.from,
                 .loss = about->loss,
                 .classes = out->task.form.classes,
                 .batch_size = batch_of(plan, m),
                 .epochs = plan->epochs > 0 ? plan->epochs : about->epochs,
                 .val_steps = plan->val_steps,
                 .seed = (uint64_t)seed,
                 .quiet = plan->quiet,
                 .prefix = prefix};
    status = task_steps(&out->task, t.batch_size, plan->steps, &t.steps);
    if (status == WEIR_OK) status = create(plan, m, seed, &out->task, rt, &t.model);
    if (status != WEIR_OK) {
        weir_model_destroy(t.model);
        return status;
    }
    compare_row row = new_row(t.model, &out->task, seed);
    row.model = m->name;
    row.keras = m->path ? m->own.keras : model_keras(plan->options);
    status = train_and_test(plan, &t, &row);
    trainer_free(&t);
    weir_model_destroy(t.model);
    if (status != WEIR_OK || interrupt_seen()) {
        history_free(&row.epochs);
        return status;
    }
    out->rows[out->count++] = row;
    if (!plan->keep) return WEIR_OK;
    out->kept = plan->keep(plan->user, out, rt);
    if (out->kept != WEIR_OK) command_failed("compare", out->kept);
    return WEIR_OK;
}

/* One that learns nothing but infinities must not cost those after it. */
static weir_status left_out(const compare_model *m, int64_t seed, weir_status status,
                            compare_results *out) {
    if (status != WEIR_ERROR_STATE) return status;
    command_failed("compare", status);
    fprintf(stderr, "weir compare: %s with seed %lld is left out\n", m->name, (long long)seed);
    out->failed++;
    return WEIR_OK;
}

/* Makes each model once: what can't be made is said before hours of training, not after. */
static weir_status check_models(const compare_plan *plan, weir_runtime *rt, task *t) {
    weir_status status = WEIR_OK;
    for (int i = 0; i < plan->model_count && status == WEIR_OK; i++) {
        const compare_model *m = &plan->models[i];
        weir_model *model = NULL;
        status = sample(plan, m, t);
        int64_t steps;
        if (status == WEIR_OK) status = task_steps(t, batch_of(plan, m), plan->steps, &steps);
        if (status != WEIR_OK) return weir_failed_in(m->name, status);
        status = create(plan, m, plan->seed, t, rt, &model);
        weir_model_destroy(model);
    }
    return status;
}

void compare_results_free(compare_results *r) {
    for (int i = 0; r && i < r->count; i++) history_free(&r->rows[i].epochs);
    if (r) task_free(&r->task);
    free(r);
}

weir_status compare_models(const compare_plan *plan, weir_runtime *rt, compare_results *out) {
    weir_status status = task_load(plan->task, plan->models[0].about->text, rt, &out->task);
    if (status == WEIR_OK) status = check_models(plan, rt, &out->task);
    for (int m = 0; m < plan->model_count; m++) {
        /* A model without parameters is the same with every seed. */
        int64_t seeds = plan->seeds;
        for (int64_t i = 0; i < seeds && status == WEIR_OK && !interrupt_seen(); i++) {
            const compare_model *model = &plan->models[m];
            status = run_model(plan, model, plan->seed + i, rt, out);
            status = left_out(model, plan->seed + i, status, out);
            const compare_row *last = out->count > 0 ? &out->rows[out->count - 1] : NULL;
            if (last && last->model == model->name && last->parameters == 0) seeds = 1;
        }
    }
    return status;
}

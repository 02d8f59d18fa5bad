/* What a model is for: the weather tomorrow, or the opinion of a review. SPDX-License-Identifier: Apache-2.0
 */
#include "train/cli/task.h"

#include <stdio.h>

#include "train/model/checksum.h"

task_arguments task_arguments_default(void) {
    return (task_arguments){.data = {.generated_seed = -1},
                            .series = series_arguments_default(),
                            .text = text_arguments_default()};
}

/* An option that does nothing is a misunderstanding. */
static const char *foreign_option(const task_arguments *a, bool text) {
    const series_arguments s = series_arguments_default();
    const text_arguments t = text_arguments_default();
    const struct {
        bool text, given;
        const char *name;
    } options[] = {
        {false, a->series.target != NULL, "--target"},
        {false, a->series.columns != NULL, "--columns"},
        {false, a->series.generated_rows != s.generated_rows, "--generated-rows"},
        {false, a->series.missing_value != s.missing_value, "--missing"},
        {false, a->series.missing != s.missing, "--missing-policy"},
        {false, a->window.lookback > 0, "--lookback"},
        {false, a->window.step > 0, "--step"},
        {false, a->window.delay > 0, "--delay"},
        {false, a->window.train_rows > 0, "--train-rows"},
        {false, a->window.val_rows > 0, "--val-rows"},
        {true, a->text.generated_reviews != t.generated_reviews, "--generated-reviews"},
        {true, a->max_len > 0, "--max-len"},
        {true, a->text.max_features != t.max_features, "--max-features"},
        {true, a->text.val_fraction != t.val_fraction, "--val-fraction"},
        {true, a->text.split_seed != t.split_seed, "--split-seed"},
        {true, a->text.no_cache, "--no-cache"},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (options[i].given && options[i].text != text) return options[i].name;
    return NULL;
}

/* An option of made-up data. */
static const char *option_of_generated(const task_arguments *a) {
    if (a->data.generated_seed >= 0) return "--generated-seed";
    if (a->series.generated_rows != series_arguments_default().generated_rows)
        return "--generated-rows";
    if (a->text.generated_reviews != text_arguments_default().generated_reviews)
        return "--generated-reviews";
    return NULL;
}

static weir_status check(const task_arguments *a, bool text) {
    const data_arguments *d = &a->data;
    if (d->file && d->generated)
        return weir_fail(WEIR_ERROR_ARGUMENT, "--data %s and --generated exclude each other",
                         d->file);
    if (!d->file && !d->generated)
        return weir_fail(WEIR_ERROR_ARGUMENT, "no data, accepted: --data %s or --generated",
                         text ? "PATH" : "FILE");
    const char *made_up = d->file ? option_of_generated(a) : NULL;
    if (made_up)
        return weir_fail(WEIR_ERROR_ARGUMENT, "%s is for --generated, but there is --data %s",
                         made_up, d->file);
    const char *foreign = foreign_option(a, text);
    if (foreign)
        return weir_fail(WEIR_ERROR_ARGUMENT, "%s is not an option of %s", foreign,
                         text ? "reviews" : "the weather");
    return WEIR_OK;
}

weir_status task_load(const task_arguments *a, bool is_text, weir_runtime *rt, task *out) {
    *out = (task){.text = is_text};
    weir_status status = check(a, is_text);
    if (status != WEIR_OK) return status;
    if (is_text) {
        text_arguments text = a->text;
        text.file = a->data.file;
        text.generated = a->data.generated;
        if (a->data.generated_seed >= 0) text.generated_seed = a->data.generated_seed;
        out->form.classes = true;
        return text_load(&text, rt, &out->d);
    }
    status = weather_load(&a->data, &a->series, &out->s);
    if (status != WEIR_OK) return status;
    char buffer[32];
    snprintf(out->form.unit, sizeof out->form.unit, "%s",
             weather_unit(out->s.names[out->s.target], buffer, sizeof buffer));
    return WEIR_OK;
}

static int64_t review_steps(const task_arguments *a, const weir_builtin *model) {
    return a->max_len > 0 ? a->max_len : model->T;
}

weir_status task_sample(const task_arguments *a, const weir_builtin *model, task *t) {
    if (t->text) {
        source_free(&t->from);
        return source_reviews(&t->d, review_steps(a, model), &t->from);
    }
    const window_options o = weather_window(model, t->s.step_seconds, &a->window);
    return task_windows(t, &o, NULL);
}

static weir_status take_windows(task *t, weir_status status) {
    if (status != WEIR_OK) return status;
    t->from = source_windows(&t->w);
    t->form.std = t->w.std[t->s.target];
    return WEIR_OK;
}

weir_status task_windows(task *t, const window_options *o, const double *mean_std) {
    source_free(&t->from);
    windows_free(&t->w);
    return take_windows(t, windows_create(&t->s, o, mean_std, &t->w));
}

weir_status task_windows_whole(task *t, const window_options *o, const double *mean_std) {
    source_free(&t->from);
    windows_free(&t->w);
    const weir_status status = take_windows(t, windows_create_whole(&t->s, o, mean_std, &t->w));
    if (status != WEIR_OK || source_count(&t->from, SPLIT_TEST) > 0) return status;
    return weir_fail(
        WEIR_ERROR_ARGUMENT,
        "%s has %lld rows, accepted: more than %lld, the lookback %lld and the delay %lld",
        t->s.source, (long long)t->s.rows, (long long)(o->lookback + o->delay),
        (long long)o->lookback, (long long)o->delay);
}

void task_free(task *t) {
    source_free(&t->from);
    windows_free(&t->w);
    series_free(&t->s);
    imdb_free(&t->d);
}

uint64_t task_checksum(const task *t) {
    if (!t->text)
        return weir_checksum_add(0, t->w.values,
                                 (size_t)(t->w.rows * t->w.columns) * sizeof *t->w.values);
    const imdb *d = &t->d;
    const size_t reviews = (size_t)d->reviews;
    uint64_t sum = weir_checksum_add(0, d->offsets, (reviews + 1) * sizeof *d->offsets);
    sum = weir_checksum_add(sum, d->labels, reviews);
    return weir_checksum_add(sum, d->tokens, (size_t)d->offsets[reviews] * sizeof *d->tokens);
}

void task_model_options(const task *t, weir_model_options *o) {
    o->T = t->from.T;
    o->C_in = t->from.C;
    if (t->text)
        o->V = t->d.o.max_features;
    else
        o->target = t->s.target;
}

weir_status task_shape(const task_arguments *a, const weir_builtin *model, weir_model_options *o) {
    if (model->text) {
        o->T = review_steps(a, model);
        o->C_in = 1;
        o->V = text_max_features(&a->text);
        return WEIR_OK;
    }
    const window_options w = weather_window(model, 600, &a->window);
    if (w.lookback % w.step != 0)
        return weir_fail(WEIR_ERROR_ARGUMENT, "step is %lld, accepted: a divisor of lookback %lld",
                         (long long)w.step, (long long)w.lookback);
    o->T = w.lookback / w.step;
    o->C_in = 14;
    o->target = 1;
    return WEIR_OK;
}

weir_status task_steps(const task *t, int64_t batch_size, int64_t given, int64_t *steps) {
    enum { WEATHER_STEPS = 500 };
    const int64_t most = t->from.epoch_steps(&t->from, batch_size);
    *steps = given > 0 ? given : most < INT64_MAX ? most : WEATHER_STEPS;
    if (given <= most) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "steps is %lld, accepted: 1 to %lld, the batches of %lld in an epoch",
                     (long long)given, (long long)most, (long long)batch_size);
}

void task_print_data(const task *t, const task_arguments *a, const char *command) {
    if (t->text)
        text_print(&t->d, command);
    else
        weather_print_series(&t->s, &a->series);
}

void task_print(const task *t, const task_arguments *a, const char *command) {
    task_print_data(t, a, command);
    if (t->text)
        printf("steps      the last %lld tokens of a review, padded in front\n",
               (long long)t->from.T);
    else
        weather_print_windows(&t->w, t->s.step_seconds);
}

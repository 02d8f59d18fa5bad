/* weir eval. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/facts.h"
#include "train/cli/interrupt.h"
#include "train/cli/printable.h"
#include "train/cli/runtime_options.h"
#include "train/cli/task.h"
#include "train/cli/trained.h"
#include "train/cli/trainer.h"
#include "train/model/json.h"

typedef struct arguments {
    const char *file;
    task_arguments task; /* of the windows only the rows of the splits */
    runtime_arguments runtime;
    int split; /* 0: validation, 1: test */
    bool json, quiet;
} arguments;

typedef struct run {
    const arguments *a;
    weir_runtime *runtime;
    trained trained;
    task task;
} run;

enum { VAL, TEST, ALL };
static const char *const splits[] = {"val", "test", "all", NULL};
/* In words. */
static const char *const samples_of[] = {"validation ", "test ", ""};
static const char *const examples[] = {
    "weir eval jena-conv-gru.safetensors --data jena_climate_2009_2016.csv --split test",
    "weir eval jena-conv-gru.safetensors --generated --json",
    "weir eval jena-gru.safetensors --data this_year.csv --split all",
    "weir eval imdb-dense.safetensors --data aclImdb_v1.tar.gz --split test",
    NULL,
};

static int parse(arguments *a, int argc, char **argv) {
    *a = (arguments){.task = task_arguments_default()};
    const option table[] = {TASK_SOURCE_OPTIONS(&a->task),
                            OPTION_GROUP("Evaluation"),
                            OPTION_CHOICE("split", &a->split, splits,
                                          "samples to evaluate on; all: every window of a series"),
                            OPTION_INT_DEFAULT("train-rows", "N", &a->task.window.train_rows, 1,
                                               1e9, "rows before the validation rows",
                                               "as in training"),
                            OPTION_INT_DEFAULT("val-rows", "N", &a->task.window.val_rows, 1, 1e9,
                                               "validation rows", "as in training"),
                            OPTION_FLAG("json", &a->json, "print the result as JSON"),
                            OPTION_FLAG("quiet", &a->quiet, "no progress bar"),
                            RUNTIME_OPTIONS(&a->runtime),
                            OPTION_END};
    const positional names[] = {{"FILE", &a->file, true, "a model that weir train saved"}, {0}};
    const command_line line = {
        .command = "eval",
        .summary = "Evaluate a saved model on every sample of a split.",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes =
            "Columns, target, windows, words, splits and normalisation are those of the training."};
    return options_parse(&line, argc, argv);
}

static weir_status load_weather(run *r) {
    const record *facts = &r->trained.record;
    const window_arguments *given = &r->a->task.window;
    task_arguments a = r->a->task;
    if (r->a->split == ALL && (given->train_rows > 0 || given->val_rows > 0))
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "--%s-rows with --split all, accepted: without, as every window is taken",
                         given->train_rows > 0 ? "train" : "val");
    a.window = (window_arguments){0};
    if (!a.data.generated) trained_series_arguments(&r->trained, &a.series);
    weir_status status = task_load(&a, false, r->runtime, &r->task);
    if (status == WEIR_OK) status = trained_check_series(&r->trained, &r->task.s);
    if (status != WEIR_OK) return status;
    window_options o = facts->window;
    if (given->train_rows > 0) o.train_rows = given->train_rows;
    if (given->val_rows > 0) o.val_rows = given->val_rows;
    if (r->a->split == ALL) return task_windows_whole(&r->task, &o, facts->mean_std);
    return task_windows(&r->task, &o, facts->mean_std);
}

static weir_status load_reviews(run *r) {
    const record *facts = &r->trained.record;
    task_arguments a = r->a->task;
    if (r->a->split == ALL)
        return weir_fail(WEIR_ERROR_ARGUMENT, "--split is all, accepted for reviews: val, test");
    a.text.max_features = facts->max_features;
    a.text.val_fraction = facts->val_fraction;
    a.text.split_seed = facts->split_seed;
    weir_status status = task_load(&a, true, r->runtime, &r->task);
    if (status != WEIR_OK) return status;
    char vocabulary[17];
    if (strcmp(record_vocabulary(&r->task.d, vocabulary), facts->vocabulary) != 0)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%s does not fit the data: the %lld most frequent words of %s have the "
                         "checksum %s, those it was trained on %s",
                         r->a->file, (long long)facts->max_features, r->task.d.source, vocabulary,
                         facts->vocabulary);
    return source_reviews(&r->task.d, facts->max_len, &r->task.from);
}

static weir_status load(run *r) {
    const weir_status status = trained_load(r->runtime, r->a->file, &r->trained);
    if (status != WEIR_OK) return status;
    return r->trained.record.text ? load_reviews(r) : load_weather(r);
}

static const char *source_name(const run *r) {
    return r->task.text ? r->task.d.source : r->task.s.source;
}

static int print_json(const run *r, int64_t count, const score *result, double seconds) {
    const score_form *form = &r->task.form;
    cJSON *json = weir_json_object();
    weir_json_add_string(json, "file", r->a->file);
    weir_json_add_string(json, "model", weir_model_name(r->trained.model));
    weir_json_add(json, "parameters",
                  weir_json_number((double)weir_model_parameters(r->trained.model)));
    weir_json_add_string(json, "data", source_name(r));
    weir_json_add_string(json, "split", splits[r->a->split]);
    weir_json_add(json, r->task.from.samples, weir_json_number((double)count));
    if (form->classes) {
        weir_json_add(json, "loss", weir_json_number(result->loss));
        weir_json_add(json, "accuracy", weir_json_number(result->accuracy));
    } else {
        weir_json_add(json, form->squared ? "mse" : "mae", weir_json_number(result->loss));
        weir_json_add(json, form->squared ? "rmse_units" : "mae_units",
                      weir_json_number(score_units(form, result->loss)));
        weir_json_add_string(json, "unit", form->unit);
    }
    weir_json_add(json, "seconds", weir_json_number(seconds));
    const weir_status status = facts_print(json);
    cJSON_Delete(json);
    return status == WEIR_OK ? STATUS_OK : command_failed("eval", status);
}

static int print_result(const run *r, int64_t count, const score *result, double seconds) {
    /* Weights that are not numbers, or so large that the result is none. */
    const char *rows = samples_of[r->a->split];
    if (!isfinite(result->loss))
        return command_failed("eval", weir_fail(WEIR_ERROR_FORMAT,
                                                "%s: the error on the %lld %s%s is %g: the "
                                                "model's weights do not give finite numbers",
                                                r->a->file, (long long)count, rows,
                                                r->task.from.samples, result->loss));
    if (r->a->json) return print_json(r, count, result, seconds);
    char name[PRINTABLE], text[SCORE_TEXT];
    const bool generated = r->task.text ? r->task.d.generated : r->task.s.generated;
    printf("%s on %lld %s%s of %s%s: %s, %.1f s\n",
           printable(weir_model_name(r->trained.model), name), (long long)count, rows,
           r->task.from.samples, source_name(r),
           !generated     ? ""
           : r->task.text ? " (made-up reviews)"
                          : " (made-up weather, not a measurement)",
           score_long(&r->task.form, result, text), seconds);
    return STATUS_OK;
}

static int evaluate(run *r) {
    enum { BATCH = 128 }; /* changes no bit of the result */
    trainer t = {.runtime = r->runtime,
                 .model = r->trained.model,
                 .from = &r->task.from,
                 .loss = r->trained.record.loss,
                 .classes = r->task.form.classes,
                 .batch_size = BATCH,
                 .quiet = r->a->quiet,
                 .prefix = ""};
    score result = {0};
    int64_t count = 0;
    interrupt_catch();
    const double start = seconds_now();
    r->task.form.squared = t.loss == WEIR_MSE;
    weir_status status = trainer_start(&t);
    if (status == WEIR_OK)
        status = trainer_evaluate(&t, r->a->split == VAL ? SPLIT_VAL : SPLIT_TEST, 0, NULL,
                                  splits[r->a->split], &result, &count);
    const double seconds = seconds_now() - start;
    trainer_free(&t);
    if (status != WEIR_OK) return command_failed("eval", status);
    if (interrupt_seen()) {
        fprintf(stderr, "weir eval: %s\n", interrupt_word());
        return interrupt_status();
    }
    return print_result(r, count, &result, seconds);
}

int cmd_eval(int argc, char **argv) {
    arguments a;
    const int parsed = parse(&a, argc, argv);
    if (parsed >= 0) return parsed;
    run r = {.a = &a};
    weir_status status = runtime_create(&a.runtime, "eval", &r.runtime);
    if (status == WEIR_OK) status = load(&r);
    const int result = status == WEIR_OK ? evaluate(&r) : command_failed("eval", status);
    task_free(&r.task);
    trained_free(&r.trained);
    weir_runtime_destroy(r.runtime);
    return result;
}

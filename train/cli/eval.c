/* weir eval. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/interrupt.h"
#include "train/cli/printable.h"
#include "train/cli/record.h"
#include "train/cli/runtime_options.h"
#include "train/cli/task.h"
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
    weir_model *model;
    record trained;
    task task;
} run;

static const char *const splits[] = {"val", "test", NULL};
static const char *const examples[] = {
    "weir eval jena-conv-gru.safetensors --data jena_climate_2009_2016.csv --split test",
    "weir eval jena-conv-gru.safetensors --generated --json",
    "weir eval imdb-dense.safetensors --data aclImdb_v1.tar.gz --split test",
    NULL,
};

static int parse(arguments *a, int argc, char **argv) {
    *a = (arguments){.task = task_arguments_default()};
    const option table[] = {TASK_SOURCE_OPTIONS(&a->task),
                            OPTION_GROUP("Evaluation"),
                            OPTION_CHOICE("split", &a->split, splits, "samples to evaluate on"),
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

static weir_status column_mismatch(const run *r, const char *what, const char *name) {
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "%s does not fit the data: %s \"%s\"; it was trained on %s", r->a->file, what,
                     name, r->trained.joined);
}

/* The columns of the data must be the model's, in its order. */
static weir_status check_columns(const run *r) {
    for (int64_t i = 0; i < r->trained.columns; i++) {
        if (i >= r->task.s.columns)
            return column_mismatch(r, "the data have no column", r->trained.names[i]);
        if (strcmp(r->task.s.names[i], r->trained.names[i]) != 0)
            return column_mismatch(r, "the data have instead the column", r->task.s.names[i]);
    }
    if (r->task.s.columns > r->trained.columns)
        return column_mismatch(r, "the data also have the column",
                               r->task.s.names[r->trained.columns]);
    if (r->task.s.target != r->trained.target)
        return column_mismatch(r, "the target of the data is", r->task.s.names[r->task.s.target]);
    if (fabs(r->task.s.step_seconds - r->trained.step_seconds) > 1)
        return weir_fail(
            WEIR_ERROR_ARGUMENT,
            "%s does not fit the data: they have a row every %g min, it was trained on "
            "a row every %g min",
            r->a->file, r->task.s.step_seconds / 60, r->trained.step_seconds / 60);
    return WEIR_OK;
}

/* False when a name has a comma: the columns must then be all of the file's. */
static bool can_be_listed(const record *trained) {
    for (int64_t i = 0; i < trained->columns; i++)
        if (strchr(trained->names[i], ',')) return false;
    return true;
}

static weir_status does_not_fit(const run *r, long long T, long long C) {
    return weir_fail(WEIR_ERROR_FORMAT,
                     "%s: its layers take %lld x %lld and give %lld, its metadata \"data\" say "
                     "%lld x %lld and 1",
                     r->a->file, (long long)weir_model_T(r->model),
                     (long long)weir_model_C_in(r->model), (long long)weir_model_outputs(r->model),
                     T, C);
}

static weir_status load_weather(run *r) {
    const record *trained = &r->trained;
    const int64_t T =
        trained->window.step > 0 ? trained->window.lookback / trained->window.step : 0;
    if (trained->columns != weir_model_C_in(r->model) || T != weir_model_T(r->model) ||
        weir_model_outputs(r->model) != 1)
        return does_not_fit(r, T, trained->columns);
    task_arguments a = r->a->task;
    a.window = (window_arguments){0};
    if (!a.data.generated) {
        if (!a.series.columns && can_be_listed(trained)) a.series.columns = trained->joined;
        if (!a.series.target) a.series.target = trained->names[trained->target];
    }
    weir_status status = task_load(&a, false, r->runtime, &r->task);
    if (status == WEIR_OK) status = check_columns(r);
    if (status != WEIR_OK) return status;
    window_options o = trained->window;
    if (r->a->task.window.train_rows > 0) o.train_rows = r->a->task.window.train_rows;
    if (r->a->task.window.val_rows > 0) o.val_rows = r->a->task.window.val_rows;
    return task_windows(&r->task, &o, trained->mean_std);
}

static weir_status load_reviews(run *r) {
    const record *trained = &r->trained;
    if (weir_model_C_in(r->model) != 1 || trained->max_len != weir_model_T(r->model) ||
        weir_model_outputs(r->model) != 1)
        return does_not_fit(r, trained->max_len, 1);
    task_arguments a = r->a->task;
    a.text.max_features = trained->max_features;
    a.text.val_fraction = trained->val_fraction;
    a.text.split_seed = trained->split_seed;
    weir_status status = task_load(&a, true, r->runtime, &r->task);
    if (status != WEIR_OK) return status;
    char vocabulary[17];
    if (strcmp(record_vocabulary(&r->task.d, vocabulary), trained->vocabulary) != 0)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%s does not fit the data: the %lld most frequent words of %s have the "
                         "checksum %s, those it was trained on %s",
                         r->a->file, (long long)trained->max_features, r->task.d.source, vocabulary,
                         trained->vocabulary);
    return source_reviews(&r->task.d, trained->max_len, &r->task.from);
}

static weir_status load(run *r) {
    weir_status status = weir_model_load(r->runtime, r->a->file, NULL, &r->model);
    if (status == WEIR_OK) status = record_read(r->model, &r->trained);
    if (status != WEIR_OK) return status;
    return r->trained.text ? load_reviews(r) : load_weather(r);
}

static const char *source_name(const run *r) {
    return r->task.text ? r->task.d.source : r->task.s.source;
}

static int print_json(const run *r, int64_t count, const score *result, double seconds) {
    const score_form *form = &r->task.form;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "file", r->a->file);
    cJSON_AddStringToObject(json, "model", weir_model_name(r->model));
    cJSON_AddItemToObject(json, "parameters",
                          weir_json_number((double)weir_model_parameters(r->model)));
    cJSON_AddStringToObject(json, "data", source_name(r));
    cJSON_AddStringToObject(json, "split", splits[r->a->split]);
    cJSON_AddItemToObject(json, r->task.from.samples, weir_json_number((double)count));
    if (form->classes) {
        cJSON_AddItemToObject(json, "loss", weir_json_number(result->loss));
        cJSON_AddItemToObject(json, "accuracy", weir_json_number(result->accuracy));
    } else {
        cJSON_AddItemToObject(json, "mae", weir_json_number(result->loss));
        cJSON_AddItemToObject(json, "mae_units", weir_json_number(result->loss * form->std));
        cJSON_AddStringToObject(json, "unit", form->unit);
    }
    cJSON_AddItemToObject(json, "seconds", weir_json_number(seconds));
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    if (!text) return command_failed("eval", weir_fail(WEIR_ERROR_MEMORY, "no memory for JSON"));
    puts(text);
    cJSON_free(text);
    return STATUS_OK;
}

static int print_result(const run *r, int64_t count, const score *result, double seconds) {
    /* Weights that are not numbers, or so large that the result is none. */
    const char *rows = r->a->split == 0 ? "validation" : "test";
    if (!isfinite(result->loss))
        return command_failed("eval", weir_fail(WEIR_ERROR_FORMAT,
                                                "%s: the error on the %lld %s %s is %g: the "
                                                "model's weights do not give finite numbers",
                                                r->a->file, (long long)count, rows,
                                                r->task.from.samples, result->loss));
    if (r->a->json) return print_json(r, count, result, seconds);
    char name[PRINTABLE], text[SCORE_TEXT];
    const bool generated = r->task.text ? r->task.d.generated : r->task.s.generated;
    printf("%s on %lld %s %s of %s%s: %s, %.1f s\n", printable(weir_model_name(r->model), name),
           (long long)count, rows, r->task.from.samples, source_name(r),
           !generated     ? ""
           : r->task.text ? " (made-up reviews)"
                          : " (made-up weather, not a measurement)",
           score_long(&r->task.form, result, text), seconds);
    return STATUS_OK;
}

static int evaluate(run *r) {
    enum { BATCH = 128 }; /* changes no bit of the result */
    trainer t = {.runtime = r->runtime,
                 .model = r->model,
                 .from = &r->task.from,
                 .loss = r->trained.loss,
                 .classes = r->task.form.classes,
                 .batch_size = BATCH,
                 .quiet = r->a->quiet,
                 .prefix = ""};
    score result = {0};
    int64_t count = 0;
    interrupt_catch();
    const double start = seconds_now();
    weir_status status = trainer_start(&t);
    if (status == WEIR_OK)
        status = trainer_evaluate(&t, r->a->split == 0 ? SPLIT_VAL : SPLIT_TEST, 0, NULL,
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
    record_free(&r.trained);
    weir_model_destroy(r.model);
    weir_runtime_destroy(r.runtime);
    return result;
}

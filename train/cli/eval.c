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
    data_arguments data;
    window_arguments window; /* only the rows of the splits */
    runtime_arguments runtime;
    int split; /* 0: validation, 1: test */
    bool json, quiet;
} arguments;

typedef struct run {
    const arguments *a;
    weir_runtime *runtime;
    weir_model *model;
    record trained;
    series s;
    windows w;
} run;

static const char *const splits[] = {"val", "test", NULL};
static const char *const examples[] = {
    "weir eval jena-conv-gru.safetensors --data jena_climate_2009_2016.csv --split test",
    "weir eval jena-conv-gru.safetensors --generated --json",
    NULL,
};

static int parse(arguments *a, int argc, char **argv) {
    *a = (arguments){.data = data_arguments_default()};
    const option table[] = {DATA_OPTIONS(&a->data),
                            OPTION_GROUP("Evaluation"),
                            OPTION_CHOICE("split", &a->split, splits, "rows to evaluate on"),
                            OPTION_INT_DEFAULT("train-rows", "N", &a->window.train_rows, 1, 1e9,
                                               "rows before the validation rows", "as in training"),
                            OPTION_INT_DEFAULT("val-rows", "N", &a->window.val_rows, 1, 1e9,
                                               "validation rows", "as in training"),
                            OPTION_FLAG("json", &a->json, "print the result as JSON"),
                            OPTION_FLAG("quiet", &a->quiet, "no progress bar"),
                            RUNTIME_OPTIONS(&a->runtime),
                            OPTION_END};
    const positional names[] = {{"FILE", &a->file, true, "a model that weir train saved"}, {0}};
    const command_line line = {
        .command = "eval",
        .summary = "Evaluate a saved model on every window of a split.",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes = "Columns, target, windows, splits and normalisation are those of the training."};
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
        if (i >= r->s.columns)
            return column_mismatch(r, "the data have no column", r->trained.names[i]);
        if (strcmp(r->s.names[i], r->trained.names[i]) != 0)
            return column_mismatch(r, "the data have instead the column", r->s.names[i]);
    }
    if (r->s.columns > r->trained.columns)
        return column_mismatch(r, "the data also have the column", r->s.names[r->trained.columns]);
    if (r->s.target != r->trained.target)
        return column_mismatch(r, "the target of the data is", r->s.names[r->s.target]);
    if (fabs(r->s.step_seconds - r->trained.step_seconds) > 1)
        return weir_fail(
            WEIR_ERROR_ARGUMENT,
            "%s does not fit the data: they have a row every %g min, it was trained on "
            "a row every %g min",
            r->a->file, r->s.step_seconds / 60, r->trained.step_seconds / 60);
    return WEIR_OK;
}

/* False when a name has a comma: the columns must then be all of the file's. */
static bool can_be_listed(const record *trained) {
    for (int64_t i = 0; i < trained->columns; i++)
        if (strchr(trained->names[i], ',')) return false;
    return true;
}

static weir_status load(run *r) {
    const arguments *a = r->a;
    weir_status status = weir_model_load(r->runtime, a->file, NULL, &r->model);
    if (status == WEIR_OK) status = record_read(r->model, &r->trained);
    if (status != WEIR_OK) return status;
    if (r->trained.columns != weir_model_C_in(r->model) || r->trained.window.step < 1 ||
        r->trained.window.lookback / r->trained.window.step != weir_model_T(r->model) ||
        weir_model_outputs(r->model) != 1)
        return weir_fail(
            WEIR_ERROR_FORMAT,
            "%s: its layers take %lld x %lld and give %lld, its metadata \"data\" say "
            "%lld / %lld x %lld and 1",
            a->file, (long long)weir_model_T(r->model), (long long)weir_model_C_in(r->model),
            (long long)weir_model_outputs(r->model), (long long)r->trained.window.lookback,
            (long long)r->trained.window.step, (long long)r->trained.columns);
    data_arguments d = a->data;
    if (!d.generated) {
        if (!d.columns && can_be_listed(&r->trained)) d.columns = r->trained.joined;
        if (!d.target) d.target = r->trained.names[r->trained.target];
    }
    status = task_load(&d, &r->s);
    if (status == WEIR_OK) status = check_columns(r);
    if (status != WEIR_OK) return status;
    window_options o = r->trained.window;
    if (a->window.train_rows > 0) o.train_rows = a->window.train_rows;
    if (a->window.val_rows > 0) o.val_rows = a->window.val_rows;
    return windows_create(&r->s, &o, r->trained.mean_std, &r->w);
}

static int print_json(const run *r, int64_t count, double mae, double std, double seconds,
                      const char *unit) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "file", r->a->file);
    cJSON_AddStringToObject(json, "model", weir_model_name(r->model));
    cJSON_AddItemToObject(json, "parameters",
                          weir_json_number((double)weir_model_parameters(r->model)));
    cJSON_AddStringToObject(json, "data", r->s.source);
    cJSON_AddStringToObject(json, "split", splits[r->a->split]);
    cJSON_AddItemToObject(json, "windows", weir_json_number((double)count));
    cJSON_AddItemToObject(json, "mae", weir_json_number(mae));
    cJSON_AddItemToObject(json, "mae_units", weir_json_number(mae * std));
    cJSON_AddStringToObject(json, "unit", unit);
    cJSON_AddItemToObject(json, "seconds", weir_json_number(seconds));
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    if (!text) return command_failed("eval", weir_fail(WEIR_ERROR_MEMORY, "no memory for JSON"));
    puts(text);
    cJSON_free(text);
    return STATUS_OK;
}

static int evaluate(run *r) {
    trainer t = {
        .runtime = r->runtime, .model = r->model, .w = &r->w, .quiet = r->a->quiet, .prefix = ""};
    const split which = r->a->split == 0 ? SPLIT_VAL : SPLIT_TEST;
    const char *rows = which == SPLIT_VAL ? "validation" : "test";
    double mae = 0;
    int64_t count = 0;
    interrupt_catch();
    const double start = seconds_now();
    weir_status status = trainer_start(&t);
    if (status == WEIR_OK)
        status = trainer_evaluate(&t, which, 0, NULL, splits[r->a->split], &mae, &count);
    const double seconds = seconds_now() - start;
    trainer_free(&t);
    if (status != WEIR_OK) return command_failed("eval", status);
    if (interrupt_seen()) {
        fprintf(stderr, "weir eval: %s\n", interrupt_word());
        return interrupt_status();
    }
    /* Weights that are not numbers, or so large that the result is none. */
    if (!isfinite(mae))
        return command_failed("eval", weir_fail(WEIR_ERROR_FORMAT,
                                                "%s: the error on the %lld %s windows is %g: the "
                                                "model's weights do not give finite numbers",
                                                r->a->file, (long long)count, rows, mae));
    char buffer[32], name[PRINTABLE];
    const char *unit = task_unit(r->s.names[r->s.target], buffer, sizeof buffer);
    const double std = r->w.std[r->s.target];
    if (r->a->json) return print_json(r, count, mae, std, seconds, unit);
    printf("%s on %lld %s windows of %s%s: MAE %.5f (%.4f %s), %.1f s\n",
           printable(weir_model_name(r->model), name), (long long)count, rows, r->s.source,
           r->s.generated ? " (made-up weather, not a measurement)" : "", mae, mae * std, unit,
           seconds);
    return STATUS_OK;
}

int cmd_eval(int argc, char **argv) {
    arguments a;
    const int parsed = parse(&a, argc, argv);
    if (parsed >= 0) return parsed;
    run r = {.a = &a};
    weir_status status = runtime_create(&a.runtime, "eval", &r.runtime);
    if (status == WEIR_OK) status = load(&r);
    const int result = status == WEIR_OK ? evaluate(&r) : command_failed("eval", status);
    windows_free(&r.w);
    series_free(&r.s);
    record_free(&r.trained);
    weir_model_destroy(r.model);
    weir_runtime_destroy(r.runtime);
    return result;
}

/* weir train. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/cli/commands.h"
#include "train/cli/history.h"
#include "train/cli/interrupt.h"
#include "train/cli/model_options.h"
#include "train/cli/record.h"
#include "train/cli/runtime_options.h"
#include "train/cli/summary.h"
#include "train/cli/task.h"
#include "train/cli/trainer.h"
#include "train/model/atomic_file.h"
#include "train/model/json.h"

typedef struct arguments {
    const char *model, *history, *save;
    const weir_builtin *builtin;
    data_arguments data;
    window_arguments window;
    model_arguments options;
    runtime_arguments runtime;
    int64_t epochs, steps, val_steps, seed;
    bool summary, quiet;
} arguments;

/* What a run holds. */
typedef struct run {
    const arguments *a;
    char save[1024];
    series s;
    windows w;
    weir_runtime *runtime;
    weir_model *model;
    trainer t;
    history h;
    cJSON *facts;
    char unit[32];
    double std;          /* of the target */
    int64_t saved_epoch; /* the epoch whose weights are in the file; 0: none */
} run;

static const char *const examples[] = {
    "weir train jena-conv-gru --data jena_climate_2009_2016.csv",
    "weir train jena-gru --data hourly.csv --epochs 10 --history gru.csv --save gru.safetensors",
    "weir train jena-conv-gru --generated --epochs 3 --steps 100",
    "weir train jena-conv-gru --summary",
    NULL,
};

static int parse(arguments *a, int argc, char **argv) {
    *a = (arguments){
        .data = data_arguments_default(), .options = model_arguments_default(), .steps = 500};
    const option table[] = {
        DATA_OPTIONS(&a->data),
        WINDOW_OPTIONS(&a->window),
        MODEL_OPTIONS(&a->options),
        OPTION_GROUP("Training"),
        OPTION_INT_DEFAULT("epochs", "N", &a->epochs, 1, 1e6, "epochs", "20, of some models 40"),
        OPTION_INT("steps", "N", &a->steps, 1, 1e9, "training steps of an epoch"),
        OPTION_INT_DEFAULT("val-steps", "N", &a->val_steps, 0, 1e9,
                           "validate on the first N batches; 0: on every window",
                           "every window once"),
        OPTION_INT("seed", "N", &a->seed, 0, 1e15, "of parameters, batches and dropout"),
        OPTION_GROUP("Output"),
        OPTION_STRING_DEFAULT("save", "FILE", &a->save, "where the best model goes",
                              "MODEL.safetensors"),
        OPTION_STRING("history", "FILE", &a->history, "losses by epoch, .csv or .json"),
        OPTION_FLAG("summary", &a->summary, "print the layers and stop (needs no data)"),
        OPTION_FLAG("quiet", &a->quiet, "print errors and the last line only"),
        RUNTIME_OPTIONS(&a->runtime),
        OPTION_END};
    const positional names[] = {{"MODEL", &a->model, true, model_names()}, {0}};
    const command_line line = {
        .command = "train",
        .summary = "Train a model on a time series; the weights of the best epoch are saved.",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes = "Ctrl-C stops after the current step and keeps the best weights so far. The same "
                 "seed gives the same losses, bit for bit, with any number of threads and any "
                 "instruction set but scalar."};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0) return parsed;
    const weir_status status = weir_model_builtin_find(a->model, &a->builtin);
    if (status != WEIR_OK) return command_failed("train", status);
    if (a->epochs == 0) a->epochs = a->builtin->epochs;
    if (a->options.rate < 0) a->options.rate = a->builtin->rate;
    if (a->window.batch_size == 0) a->window.batch_size = a->builtin->batch_size;
    return -1;
}

/* ---- setting up ---- */

static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    if (stat(a, &x) != 0 || stat(b, &y) != 0) return strcmp(a, b) == 0;
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static weir_status check_outputs(run *r) {
    const arguments *a = r->a;
    if (a->history) {
        weir_status status = history_check_path(a->history);
        if (status != WEIR_OK) return status;
    }
    if (a->save && strlen(a->save) >= sizeof r->save)
        return weir_fail(WEIR_ERROR_ARGUMENT, "--save has %zu bytes, accepted: at most %zu",
                         strlen(a->save), sizeof r->save - 1);
    if (a->save)
        snprintf(r->save, sizeof r->save, "%s", a->save);
    else
        snprintf(r->save, sizeof r->save, "%s.safetensors", a->model);
    /* Better now than after the first epoch. */
    const char *const paths[] = {r->save, a->history};
    for (int i = 0; i < 2; i++) {
        if (!paths[i]) continue;
        if (a->data.file && same_file(paths[i], a->data.file))
            return weir_fail(WEIR_ERROR_ARGUMENT, "%s is the data: it would be overwritten",
                             paths[i]);
        const weir_status status = weir_atomic_file_check(paths[i]);
        if (status != WEIR_OK) return status;
    }
    if (a->history && same_file(r->save, a->history))
        return weir_fail(WEIR_ERROR_ARGUMENT, "--save and --history are both %s", a->history);
    return WEIR_OK;
}

static weir_status create_model(run *r, int64_t T, int64_t C_in, int64_t target) {
    weir_model_options o = model_options(&r->a->options, r->a->builtin, (uint64_t)r->a->seed);
    o.T = T;
    o.C_in = C_in;
    o.target = target;
    return weir_model_create(r->runtime, r->a->model, &o, &r->model);
}

static cJSON *run_facts(const run *r) {
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "model", r->a->model);
    cJSON_AddItemToObject(json, "parameters",
                          weir_json_number((double)weir_model_parameters(r->model)));
    cJSON_AddItemToObject(json, "seed", weir_json_number((double)r->a->seed));
    cJSON_AddItemToObject(json, "keras", weir_json_number(model_keras(&r->a->options)));
    cJSON_AddItemToObject(json, "rate", weir_json_number(r->a->options.rate));
    cJSON_AddItemToObject(json, "steps", weir_json_number((double)r->a->steps));
    cJSON_AddItemToObject(json, "threads", weir_json_number(weir_runtime_threads(r->runtime)));
    cJSON_AddStringToObject(json, "isa", weir_isa_name(weir_runtime_isa(r->runtime)));
    cJSON_AddStringToObject(json, "unit", r->unit);
    cJSON_AddItemToObject(json, "data", record_data(&r->s, &r->w));
    return json;
}

static weir_status load_task(run *r) {
    const arguments *a = r->a;
    weir_status status = task_load(&a->data, &r->s);
    if (status != WEIR_OK) return status;
    const window_options o = task_window(a->model, r->s.step_seconds, &a->window);
    status = windows_create(&r->s, &o, NULL, &r->w);
    if (status != WEIR_OK) return status;
    snprintf(r->unit, sizeof r->unit, "%s", task_unit(r->s.names[r->s.target], (char[32]){""}, 32));
    r->std = r->h.std = r->w.std[r->s.target];
    return create_model(r, r->w.steps, r->w.columns, r->s.target);
}

static void print_header(const run *r) {
    char parameters[32];
    task_print_series(&r->s, &r->a->data);
    task_print_windows(&r->w, r->s.step_seconds);
    if (r->a->val_steps > 0)
        printf("         validating on at most the first %lld windows\n",
               (long long)(r->a->val_steps * r->w.o.batch_size));
    printf("model    %s, %s parameters, as in Keras %d, seed %lld\n", r->a->model,
           summary_count(weir_model_parameters(r->model), parameters, sizeof parameters),
           model_keras(&r->a->options), (long long)r->a->seed);
    printf("machine  %d threads (%s, bind %s), %s\n", weir_runtime_threads(r->runtime),
           weir_threading_name(weir_runtime_threading(r->runtime)),
           weir_bind_name(weir_runtime_bind(r->runtime)),
           weir_isa_name(weir_runtime_isa(r->runtime)));
    fflush(stdout);
}

/* ---- the epochs ---- */

/* Saves the parameters that the model has now, as those of an epoch (0: none was validated). */
static weir_status save(run *r, int64_t epoch, double val_loss) {
    cJSON *training = cJSON_CreateObject();
    cJSON_AddItemToObject(training, "epoch", weir_json_number((double)epoch));
    cJSON_AddItemToObject(training, "val_loss", weir_json_number(val_loss));
    cJSON_AddItemToObject(training, "seed", weir_json_number((double)r->a->seed));
    cJSON_AddItemToObject(training, "keras", weir_json_number(model_keras(&r->a->options)));
    cJSON_AddItemToObject(training, "rate", weir_json_number(r->a->options.rate));
    cJSON_AddItemToObject(training, "steps", weir_json_number((double)r->a->steps));
    weir_status status =
        record_attach(r->model, "data", cJSON_GetObjectItemCaseSensitive(r->facts, "data"));
    if (status == WEIR_OK) status = record_attach(r->model, "training", training);
    cJSON_Delete(training);
    return status == WEIR_OK ? weir_model_save(r->model, r->save) : status;
}

static void print_epoch(const run *r, const epoch_result *e) {
    printf("epoch %lld/%lld  loss %.4f  validation %.4f (%.3f %s)  %.1f s + %.1f s%s\n",
           (long long)e->epoch, (long long)r->a->epochs, e->loss, e->val_loss, e->val_loss * r->std,
           r->unit, e->train_seconds, e->val_seconds, e->improved ? "  best, saved" : "");
    fflush(stdout);
}

static weir_status finish_epoch(run *r, const epoch_result *e) {
    weir_status status = history_add(&r->h, e);
    if (status == WEIR_OK && e->improved) {
        status = save(r, e->epoch, e->val_loss);
        if (status == WEIR_OK) r->saved_epoch = e->epoch;
    }
    if (status == WEIR_OK && r->a->history) status = history_write(&r->h, r->facts, r->a->history);
    if (status == WEIR_OK && !r->a->quiet) print_epoch(r, e);
    return status;
}

static int report(run *r, weir_status status) {
    const trainer *t = &r->t;
    if (status != WEIR_OK) command_failed("train", status);
    if (status == WEIR_OK && interrupt_seen() && t->best_epoch == 0) {
        /* What an earlier run saved is worth more than a few steps. */
        if (access(r->save, F_OK) == 0) {
            printf("%s before the first validation; %s stays as it was\n", interrupt_word(),
                   r->save);
            return interrupt_status();
        }
        status = save(r, 0, NAN);
        if (status != WEIR_OK) return command_failed("train", status);
        printf("%s before the first validation; the weights so far are in %s\n", interrupt_word(),
               r->save);
        return interrupt_status();
    }
    const bool stopped = status == WEIR_OK && interrupt_seen();
    if (t->best_epoch > 0 && t->best_epoch == r->saved_epoch)
        printf("%s%sbest epoch %lld: validation MAE %.5f (%.4f %s), saved in %s\n",
               stopped ? interrupt_word() : "", stopped ? "; " : "", (long long)t->best_epoch,
               t->best_val, t->best_val * r->std, r->unit, r->save);
    if (status != WEIR_OK) return STATUS_FAILED;
    return interrupt_seen() ? interrupt_status() : STATUS_OK;
}

static int train_epochs(run *r) {
    weir_status status = WEIR_OK;
    while (status == WEIR_OK && r->t.epoch < r->a->epochs && !interrupt_seen()) {
        epoch_result e;
        status = trainer_epoch(&r->t, &e);
        if (status == WEIR_OK && e.complete) status = finish_epoch(r, &e);
    }
    return report(r, status);
}

/* A model without parameters: nothing to train. */
static int evaluate_once(run *r) {
    double mae = 0;
    int64_t done = 0;
    const weir_status status =
        trainer_evaluate(&r->t, SPLIT_VAL, r->a->val_steps, NULL, "validation", &mae, &done);
    if (status != WEIR_OK) return command_failed("train", status);
    if (interrupt_seen()) return interrupt_status();
    const weir_status saved = save(r, 0, mae);
    if (saved != WEIR_OK) return command_failed("train", saved);
    printf("%s has nothing to train: validation MAE %.5f (%.4f %s), saved in %s\n", r->a->model,
           mae, mae * r->std, r->unit, r->save);
    return STATUS_OK;
}

static int train(run *r) {
    weir_status status = check_outputs(r);
    if (status == WEIR_OK) status = load_task(r);
    if (status != WEIR_OK) return command_failed("train", status);
    if (r->a->summary) {
        summary_print(r->model);
        return STATUS_OK;
    }
    r->facts = run_facts(r);
    r->t = (trainer){.runtime = r->runtime,
                     .model = r->model,
                     .w = &r->w,
                     .epochs = r->a->epochs,
                     .steps = r->a->steps,
                     .val_steps = r->a->val_steps,
                     .seed = (uint64_t)r->a->seed,
                     .quiet = r->a->quiet,
                     .prefix = ""};
    if (!r->a->quiet) print_header(r);
    interrupt_catch();
    status = trainer_start(&r->t);
    int result = STATUS_OK;
    if (status != WEIR_OK)
        result = command_failed("train", status);
    else if (weir_model_parameters(r->model) == 0)
        result = evaluate_once(r);
    else
        result = train_epochs(r);
    trainer_free(&r->t);
    return result;
}

/* The layers without data: the shape of the Jena file. */
static int summarise(run *r) {
    const window_options o = task_window(r->a->model, 600, &r->a->window);
    weir_status status = WEIR_OK;
    if (o.lookback % o.step != 0)
        status =
            weir_fail(WEIR_ERROR_ARGUMENT, "step is %lld, accepted: a divisor of lookback %lld",
                      (long long)o.step, (long long)o.lookback);
    if (status == WEIR_OK) status = create_model(r, o.lookback / o.step, 14, 1);
    if (status != WEIR_OK) return command_failed("train", status);
    puts("Without --data: the Jena file's 14 columns, every 10 minutes.");
    summary_print(r->model);
    return STATUS_OK;
}

int cmd_train(int argc, char **argv) {
    arguments a;
    const int parsed = parse(&a, argc, argv);
    if (parsed >= 0) return parsed;
    run r = {.a = &a};
    const weir_status status = runtime_create(&a.runtime, "train", &r.runtime);
    if (status != WEIR_OK) return command_failed("train", status);
    const bool no_data = !a.data.file && !a.data.generated;
    const int result = a.summary && no_data ? summarise(&r) : train(&r);
    cJSON_Delete(r.facts);
    history_free(&r.h);
    weir_model_destroy(r.model);
    weir_runtime_destroy(r.runtime);
    windows_free(&r.w);
    series_free(&r.s);
    return result;
}

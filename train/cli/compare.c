/* weir compare. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/compare_table.h"
#include "train/cli/interrupt.h"
#include "train/cli/model_options.h"
#include "train/cli/runtime_options.h"
#include "train/cli/task.h"
#include "train/cli/trainer.h"
#include "train/model/json.h"
#include "train/model/random.h"

static const char *const models[] = {"jena-naive", "jena-dense", "jena-conv", "jena-gru",
                                     "jena-conv-gru"};
enum { MODEL_COUNT = sizeof models / sizeof models[0], SEEDS_MAX = 100 };

/* The order test shows the steps of every window in one and the same shuffled order. */
enum { ORDER_SEED = 1, ORDER_STREAM = RANDOM_MODEL };

typedef struct arguments {
    const char *family;
    data_arguments data;
    window_arguments window;
    model_arguments options;
    runtime_arguments runtime;
    int64_t epochs, steps, val_steps, seed, seeds;
    bool json, csv, quiet;
} arguments;

typedef struct run {
    const arguments *a;
    weir_runtime *runtime;
    series s;
    compare_row rows[MODEL_COUNT * SEEDS_MAX];
    int count;
    char unit[32];
} run;

static const char *const examples[] = {
    "weir compare jena --generated",
    "weir compare jena --data jena_climate_2009_2016.csv --epochs 20 --steps 500",
    "weir compare jena --data hourly.csv --epochs 10 --seeds 3 --json > jena.json",
    NULL,
};

static int parse(arguments *a, int argc, char **argv) {
    *a = (arguments){.data = data_arguments_default(),
                     .window = {.batch_size = 128},
                     .options = model_arguments_default(),
                     .steps = 500,
                     .seeds = 1};
    const option table[] = {
        DATA_OPTIONS(&a->data),
        WINDOW_OPTIONS(&a->window),
        MODEL_OPTIONS(&a->options),
        OPTION_GROUP("Training"),
        OPTION_INT_DEFAULT("epochs", "N", &a->epochs, 1, 1e6, "epochs of each model",
                           "20, generated data 10"),
        OPTION_INT("steps", "N", &a->steps, 1, 1e9, "training steps of an epoch"),
        OPTION_INT_DEFAULT("val-steps", "N", &a->val_steps, 0, 1e9,
                           "validate on the first N batches; 0: on every window",
                           "every window once"),
        OPTION_INT("seed", "N", &a->seed, 0, 1e15, "the first seed"),
        OPTION_INT("seeds", "N", &a->seeds, 1, SEEDS_MAX, "train each model with N seeds"),
        OPTION_GROUP("Output"),
        OPTION_FLAG("json", &a->json, "print the results as JSON"),
        OPTION_FLAG("csv", &a->csv, "print the results as CSV"),
        OPTION_FLAG("quiet", &a->quiet, "no progress"),
        RUNTIME_OPTIONS(&a->runtime),
        OPTION_END};
    const positional names[] = {{"FAMILY", &a->family, true, "jena"}, {0}};
    const command_line line = {
        .command = "compare",
        .summary = "Train a family of models on the same data and print one table.",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes = "Results go to standard output, progress to standard error. \"time / GRU\" is the "
                 "time to train an epoch over jena-gru's. \"steps permuted\" is the validation "
                 "error of the trained model on windows whose steps are shown in one shuffled "
                 "order: a model that reads the order of the steps gets worse."};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0) return parsed;
    if (strcmp(a->family, "jena") != 0)
        return options_error(&line, "FAMILY is %s, accepted: jena", a->family);
    if (a->json && a->csv) return options_error(&line, "--json and --csv exclude each other");
    /* The book's, and on made-up data what two cores finish in about two minutes. */
    if (a->epochs == 0) a->epochs = a->data.generated ? 10 : 20;
    return -1;
}

/* ---- one model ---- */

/* Fisher and Yates. NULL: no memory. */
static int64_t *shuffled_order(int64_t n) {
    int64_t *order = malloc((size_t)n * sizeof *order);
    for (int64_t i = 0; order && i < n; i++) order[i] = i;
    for (int64_t i = n - 1; order && i > 0; i--) {
        const int64_t k = random_below(ORDER_SEED, ORDER_STREAM, (uint64_t)i, i + 1);
        const int64_t other = order[k];
        order[k] = order[i];
        order[i] = other;
    }
    return order;
}

static weir_status train_all_epochs(const run *r, trainer *t, compare_row *row) {
    double *seconds = malloc(2 * (size_t)r->a->epochs * sizeof *seconds);
    if (!seconds) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the times");
    double *val_seconds = seconds + r->a->epochs;
    weir_status status = WEIR_OK;
    while (t->epoch < r->a->epochs && status == WEIR_OK && !interrupt_seen()) {
        epoch_result e;
        status = trainer_epoch(t, &e);
        if (status != WEIR_OK || !e.complete) break;
        seconds[t->epoch - 1] = e.train_seconds;
        val_seconds[t->epoch - 1] = e.val_seconds;
        if (!r->a->quiet)
            fprintf(stderr, "%s  epoch %lld/%lld  loss %.4f  validation %.4f  %.1f s + %.1f s\n",
                    row->model, (long long)e.epoch, (long long)r->a->epochs, e.loss, e.val_loss,
                    e.train_seconds, e.val_seconds);
    }
    row->train_seconds = compare_median(seconds, t->epoch);
    row->val_seconds = compare_median(val_seconds, t->epoch);
    row->val_mae = t->best_val;
    row->best_epoch = t->best_epoch;
    free(seconds);
    return status;
}

static weir_status evaluate_val(trainer *t, compare_row *row) {
    const double start = seconds_now();
    int64_t done = 0;
    weir_status status =
        trainer_evaluate(t, SPLIT_VAL, t->val_steps, NULL, "validation", &row->val_mae, &done);
    row->val_seconds = seconds_now() - start;
    return status;
}

static weir_status train_and_test(const run *r, trainer *t, compare_row *row) {
    weir_status status = trainer_start(t);
    if (status != WEIR_OK) return status;
    status = row->parameters > 0 ? train_all_epochs(r, t, row) : evaluate_val(t, row);
    if (status != WEIR_OK || interrupt_seen()) return status;
    trainer_restore_best(t);
    int64_t done = 0;
    status = trainer_evaluate(t, SPLIT_TEST, 0, NULL, "test", &row->test_mae, &done);
    if (status != WEIR_OK) return status;
    int64_t *order = shuffled_order(t->w->steps);
    if (!order) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the order test");
    status = trainer_evaluate(t, SPLIT_VAL, t->val_steps, order, "steps permuted",
                              &row->permuted_mae, &done);
    free(order);
    return status;
}

static weir_status run_model(run *r, const char *name, int64_t seed) {
    const arguments *a = r->a;
    const weir_builtin *builtin = NULL;
    weir_status status = weir_model_builtin_find(name, &builtin);
    if (status != WEIR_OK) return status;
    const window_options window = task_window(name, r->s.step_seconds, &a->window);
    windows w;
    status = windows_create(&r->s, &window, NULL, &w);
    if (status != WEIR_OK) return status;
    weir_model_options o = model_options(&a->options, builtin, (uint64_t)seed);
    o.T = w.steps;
    o.C_in = w.columns;
    o.target = r->s.target;
    weir_model *model = NULL;
    status = weir_model_create(r->runtime, name, &o, &model);
    if (status == WEIR_OK) {
        compare_row row = {.model = name,
                           .seed = seed,
                           .parameters = weir_model_parameters(model),
                           .recurrent_steps = weir_model_recurrent_steps(model),
                           .lookback = window.lookback,
                           .step = window.step,
                           .std = w.std[r->s.target]};
        char prefix[64];
        snprintf(prefix, sizeof prefix, "%s, ", name);
        trainer t = {.runtime = r->runtime,
                     .model = model,
                     .w = &w,
                     .epochs = a->epochs,
                     .steps = a->steps,
                     .val_steps = a->val_steps,
                     .seed = (uint64_t)seed,
                     .quiet = a->quiet,
                     .prefix = prefix};
        status = train_and_test(r, &t, &row);
        trainer_free(&t);
        if (status == WEIR_OK && !interrupt_seen()) r->rows[r->count++] = row;
    }
    weir_model_destroy(model);
    windows_free(&w);
    return status;
}

/* ---- the whole ---- */

static weir_status run_all(run *r) {
    weir_status status = task_load(&r->a->data, &r->s);
    if (status != WEIR_OK) return status;
    char buffer[32];
    snprintf(r->unit, sizeof r->unit, "%s",
             task_unit(r->s.names[r->s.target], buffer, sizeof buffer));
    for (int m = 0; m < MODEL_COUNT; m++) {
        /* A model without parameters is the same with every seed. */
        const int64_t seeds = m == 0 ? 1 : r->a->seeds;
        for (int64_t i = 0; i < seeds && !interrupt_seen(); i++) {
            status = run_model(r, models[m], r->a->seed + i);
            if (status != WEIR_OK) return status;
        }
    }
    return WEIR_OK;
}

static void print_text(const run *r) {
    const arguments *a = r->a;
    task_print_series(&r->s, &a->data);
    printf(
        "training %lld epochs of %lld steps, batches of %lld, as in Keras %d, %lld %s from %lld\n",
        (long long)a->epochs, (long long)a->steps, (long long)a->window.batch_size,
        model_keras(&a->options), (long long)a->seeds, a->seeds == 1 ? "seed" : "seeds",
        (long long)a->seed);
    if (a->val_steps > 0)
        printf("validating on at most the first %lld windows, testing on all\n",
               (long long)(a->val_steps * a->window.batch_size));
    printf("machine  %d threads, %s\n", weir_runtime_threads(r->runtime),
           weir_isa_name(weir_runtime_isa(r->runtime)));
    const double minutes = r->s.step_seconds / 60;
    for (int i = 0; i < r->count; i++) {
        const compare_row *row = &r->rows[i];
        if (i > 0 && strcmp(row->model, r->rows[i - 1].model) == 0) continue;
        if (i > 0 && row->lookback == r->rows[i - 1].lookback && row->step == r->rows[i - 1].step)
            continue;
        printf("windows  from %s on: lookback %lld rows (%g days), step %lld (%g min)\n",
               row->model, (long long)row->lookback, (double)row->lookback * minutes / 1440,
               (long long)row->step, (double)row->step * minutes);
    }
    compare_print(r->rows, r->count, r->unit);
    puts("\nRNN steps: what the recurrent layer walks. time / GRU: seconds to train an epoch over\n"
         "jena-gru's. test: at the best validation epoch. steps permuted: validation windows with\n"
         "their steps in one shuffled order.");
    if (r->s.generated)
        puts(
            "The data are made up. On the real file: weir compare jena --data FILE, where FILE is\n"
            "jena_climate_2009_2016.csv (weir data fetch jena).");
}

static weir_status print_json(const run *r) {
    const arguments *a = r->a;
    cJSON *facts = cJSON_CreateObject();
    cJSON_AddStringToObject(facts, "data", r->s.source);
    cJSON_AddBoolToObject(facts, "generated", r->s.generated);
    cJSON_AddItemToObject(facts, "rows", weir_json_number((double)r->s.rows));
    cJSON_AddItemToObject(facts, "columns", weir_json_number((double)r->s.columns));
    cJSON_AddStringToObject(facts, "unit", r->unit);
    cJSON_AddItemToObject(facts, "epochs", weir_json_number((double)a->epochs));
    cJSON_AddItemToObject(facts, "steps", weir_json_number((double)a->steps));
    cJSON_AddItemToObject(facts, "keras", weir_json_number(model_keras(&a->options)));
    cJSON_AddItemToObject(facts, "threads", weir_json_number(weir_runtime_threads(r->runtime)));
    cJSON_AddStringToObject(facts, "isa", weir_isa_name(weir_runtime_isa(r->runtime)));
    weir_status status = compare_print_json(r->rows, r->count, facts);
    cJSON_Delete(facts);
    return status;
}

static int finish(const run *r, weir_status status) {
    int result = STATUS_OK;
    if (status != WEIR_OK) result = command_failed("compare", status);
    if (r->count == 0) return interrupt_seen() ? interrupt_status() : result;
    if (r->a->csv)
        compare_print_csv(r->rows, r->count);
    else if (!r->a->json)
        print_text(r);
    else if (print_json(r) != WEIR_OK)
        result = STATUS_FAILED;
    if (!interrupt_seen()) return result;
    fprintf(stderr, "weir compare: %s; models that were not finished are left out\n",
            interrupt_word());
    return interrupt_status();
}

int cmd_compare(int argc, char **argv) {
    arguments a;
    const int parsed = parse(&a, argc, argv);
    if (parsed >= 0) return parsed;
    run *r = calloc(1, sizeof *r);
    if (!r)
        return command_failed("compare", weir_fail(WEIR_ERROR_MEMORY, "no memory for the results"));
    r->a = &a;
    weir_status status = runtime_create(&a.runtime, "compare", &r->runtime);
    if (status == WEIR_OK) {
        interrupt_catch();
        status = run_all(r);
    }
    const int result = finish(r, status);
    series_free(&r->s);
    weir_runtime_destroy(r->runtime);
    free(r);
    return result;
}

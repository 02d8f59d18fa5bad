/* weir compare. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/compare_list.h"
#include "train/cli/facts.h"
#include "train/cli/interrupt.h"
#include "train/cli/report.h"
#include "train/cli/runtime_options.h"
#include "train/model/json.h"

/* What is compared, and with what. */
typedef struct family {
    const char *name;
    bool text;
    const char *reference, *short_name; /* the model that the times are set beside */
    const char *models;                 /* names with commas between */
    int64_t generated_epochs;           /* what two cores finish in about two minutes */
} family;

static const family families[] = {
    {"jena", false, "jena-gru", "GRU", "jena-naive,jena-dense,jena-conv,jena-gru,jena-conv-gru",
     10},
    {"imdb", true, "imdb-lstm", "LSTM",
     "imdb-dense,imdb-rnn,imdb-lstm,imdb-gru,imdb-bilstm,imdb-conv,imdb-conv-book,imdb-conv-gru,"
     "imdb-conv-lstm",
     4},
};
enum { FAMILY_COUNT = sizeof families / sizeof families[0] };

typedef struct arguments {
    const char *name, *models, *report;
    const family *family;
    task_arguments task;
    model_arguments options;
    runtime_arguments runtime;
    compare_plan plan;
    bool json, csv;
    int argc;
    char **argv;
} arguments;

static const char *const examples[] = {
    "weir compare jena --generated",
    "weir compare jena --data jena_climate_2009_2016.csv --epochs 20 --steps 500",
    "weir compare jena --data hourly.csv --models jena-gru,jena-gru-dropout --seeds 3 --json",
    "weir compare jena --data hourly.csv --models jena-gru,my.json",
    "weir compare imdb --data aclImdb_v1.tar.gz --report results",
    "weir compare downsampling jena --data jena_climate_2009_2016.csv",
    NULL,
};

static weir_status complete(arguments *a) {
    compare_plan *p = &a->plan;
    p->task = &a->task;
    p->options = &a->options;
    if (p->epochs == 0 && a->task.data.generated) p->epochs = a->family->generated_epochs;
    return compare_list(a->models ? a->models : a->family->models, a->family->name, a->family->text,
                        p);
}

static int parse(arguments *a, int argc, char **argv) {
    *a = (arguments){.task = task_arguments_default(),
                     .options = model_arguments_default(),
                     .plan = {.seeds = 1},
                     .argc = argc,
                     .argv = argv};
    compare_plan *p = &a->plan;
    const option table[] = {
        TASK_OPTIONS(&a->task),
        MODEL_OPTIONS(&a->options),
        OPTION_GROUP("Training"),
        OPTION_STRING_DEFAULT(
            "models", "NAMES", &a->models,
            "models to train, with commas between; FILE.json is a definition of your own",
            "jena: naive, dense, conv, gru, conv-gru; imdb: all"),
        OPTION_INT_DEFAULT("epochs", "N", &p->epochs, 1, 1e6, "epochs of each model",
                           "each model's own; generated data 10, reviews 4"),
        OPTION_INT_DEFAULT("batch-size", "N", &p->batch_size, 1, 1e6, "samples in a batch",
                           "128, imdb-dense 512"),
        OPTION_INT_DEFAULT("steps", "N", &p->steps, 1, 1e9, "training steps of an epoch",
                           "weather 500, reviews all of them"),
        OPTION_INT_DEFAULT("val-steps", "N", &p->val_steps, 0, 1e9,
                           "validate on the first N batches; 0: on every sample",
                           "every sample once"),
        OPTION_INT("seed", "N", &p->seed, 0, 1e15, "the first seed"),
        OPTION_INT("seeds", "N", &p->seeds, 1, COMPARE_SEEDS_MAX, "train each model with N seeds"),
        OPTION_GROUP("Output"),
        OPTION_FLAG("json", &a->json, "print the results as JSON"),
        OPTION_FLAG("csv", &a->csv, "print the results as CSV"),
        OPTION_STRING("report", "DIR", &a->report,
                      "keep the results in DIR and make DIR/index.html, a page with plots"),
        OPTION_FLAG("quiet", &p->quiet, "no progress"),
        RUNTIME_OPTIONS(&a->runtime),
        OPTION_END};
    const positional names[] = {
        {"FAMILY", &a->name, true, "jena or imdb; downsampling has a --help of its own"}, {0}};
    const command_line line = {
        .command = "compare",
        .summary = "Train a family of models on the same data and print one table.",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes = "Results go to standard output, progress to standard error. \"time / GRU\" is the "
                 "time to train an epoch over jena-gru's, or over imdb-lstm's. \"steps permuted\" "
                 "is the validation of the trained model on samples whose steps are shown in one "
                 "shuffled order (of a review its words; the padding stays in front): a model that "
                 "reads the order of the steps gets worse."};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0) return parsed;
    for (int i = 0; i < FAMILY_COUNT; i++)
        if (strcmp(families[i].name, a->name) == 0) a->family = &families[i];
    if (!a->family)
        return options_error(&line, "FAMILY is %s, accepted: jena, imdb, downsampling", a->name);
    if (a->json && a->csv) return options_error(&line, "--json and --csv exclude each other");
    const weir_status status = complete(a);
    return status == WEIR_OK ? -1 : command_failed("compare", status);
}

/* ---- results ---- */

/* Everything about the runs; the caller's. */
static cJSON *results_json(const arguments *a, const compare_results *r, weir_runtime *rt) {
    cJSON *json = facts_json("compare", a->family->name, &r->task, rt, a->argc, a->argv);
    weir_json_add(json, "keras", weir_json_number(model_keras(&a->options)));
    weir_json_add_string(json, "reference", a->family->reference);
    weir_json_add(json, "runs", compare_json(r->rows, r->count));
    return json;
}

static weir_status keep_report(const void *user, const compare_results *r, weir_runtime *rt) {
    const arguments *a = user;
    cJSON *json = results_json(a, r, rt);
    const weir_status status = report_add(a->report, json);
    cJSON_Delete(json);
    return status;
}

static void print_windows(const compare_results *r) {
    const double minutes = r->task.s.step_seconds / 60;
    for (int i = 0; i < r->count; i++) {
        const compare_row *row = &r->rows[i];
        if (i > 0 && strcmp(row->model, r->rows[i - 1].model) == 0) continue;
        if (i > 0 && row->lookback == r->rows[i - 1].lookback && row->step == r->rows[i - 1].step)
            continue;
        printf("windows  from %s on: lookback %lld rows (%g days), step %lld (%g min)\n",
               row->model, (long long)row->lookback, (double)row->lookback * minutes / 1440,
               (long long)row->step, (double)row->step * minutes);
    }
}

static void print_training(const arguments *a) {
    const compare_plan *p = &a->plan;
    printf("training ");
    if (p->epochs > 0)
        printf("%lld epochs, ", (long long)p->epochs);
    else
        printf("each model's own epochs, ");
    if (p->steps > 0) printf("of %lld steps, ", (long long)p->steps);
    printf("as in Keras %d, %lld %s from %lld\n", model_keras(&a->options), (long long)p->seeds,
           p->seeds == 1 ? "seed" : "seeds", (long long)p->seed);
    for (const compare_model *m = p->models; m < p->models + p->model_count; m++)
        if (m->path && m->own.keras != model_keras(&a->options))
            printf("         %s as in Keras %d\n", m->name, m->own.keras);
    if (p->val_steps > 0)
        printf("         validating on at most the first %lld batches, testing on all samples\n",
               (long long)p->val_steps);
}

static void print_text(const arguments *a, const compare_results *r, weir_runtime *rt) {
    const task *t = &r->task;
    task_print_data(t, &a->task, "compare");
    print_training(a);
    printf("machine  %d threads, %s\n", weir_runtime_threads(rt),
           weir_isa_name(weir_runtime_isa(rt)));
    if (!t->text) print_windows(r);
    compare_print(r->rows, r->count, a->family->reference, a->family->short_name);
    printf(
        "\nRNN steps: what the recurrent layer walks. time / %s: seconds to train an epoch over\n"
        "%s's. test: at the best validation epoch. steps permuted: validation %s with\n"
        "their %s in one shuffled order.\n",
        a->family->short_name, a->family->reference, t->from.samples, t->text ? "words" : "steps");
    if (t->text ? t->d.generated : t->s.generated)
        printf(
            "The data are made up. On real ones: weir compare %s --data %s (weir data fetch %s).\n",
            a->family->name, t->text ? "aclImdb_v1.tar.gz" : "jena_climate_2009_2016.csv",
            a->family->name);
}

static weir_status print_json(const arguments *a, const compare_results *r, weir_runtime *rt) {
    cJSON *json = results_json(a, r, rt);
    const weir_status status = facts_print(json);
    cJSON_Delete(json);
    return status;
}

static int finish(const arguments *a, const compare_results *r, weir_runtime *rt,
                  weir_status status) {
    int result = r->failed > 0 ? STATUS_FAILED : STATUS_OK;
    if (status != WEIR_OK) result = command_failed("compare", status);
    if (r->count == 0) return interrupt_seen() ? interrupt_status() : result;
    if (a->csv)
        compare_print_csv(r->rows, r->count);
    else if (!a->json)
        print_text(a, r, rt);
    else if ((status = print_json(a, r, rt)) != WEIR_OK)
        result = command_failed("compare", status);
    if (a->report && r->kept == WEIR_OK)
        fprintf(stderr, "weir compare: the page is %s/index.html\n", a->report);
    else if (a->report)
        result = STATUS_FAILED;
    if (!interrupt_seen()) return result;
    fprintf(stderr, "weir compare: %s; models that were not finished are left out\n",
            interrupt_word());
    return interrupt_status();
}

static int run(arguments *a) {
    compare_results *r = calloc(1, sizeof *r);
    if (!r)
        return command_failed("compare", weir_fail(WEIR_ERROR_MEMORY, "no memory for the results"));
    weir_runtime *rt = NULL;
    weir_status status = runtime_create(&a->runtime, "compare", &rt);
    if (status == WEIR_OK && a->report) {
        a->plan.keep = keep_report;
        a->plan.user = a;
        status = report_check(a->report);
    }
    if (status == WEIR_OK) {
        interrupt_catch();
        status = compare_models(&a->plan, rt, r);
    }
    const int result = finish(a, r, rt, status);
    compare_results_free(r);
    weir_runtime_destroy(rt);
    return result;
}

int cmd_compare(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "downsampling") == 0) return compare_downsampling(argc, argv);
    arguments a;
    const int parsed = parse(&a, argc, argv);
    const int result = parsed >= 0 ? parsed : run(&a);
    compare_list_free(&a.plan);
    return result;
}

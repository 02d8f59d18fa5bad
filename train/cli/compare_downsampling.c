/* weir compare downsampling. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/downsampling.h"
#include "train/cli/facts.h"
#include "train/cli/interrupt.h"
#include "train/cli/report.h"
#include "train/cli/runtime_options.h"
#include "train/model/json.h"

typedef struct arguments {
    const char *family, *name, *lengths;
    task_arguments task;
    model_arguments options;
    runtime_arguments runtime;
    downsampling_plan plan;
    const char *report;
    bool csv, json;
    int argc;
    char **argv;
} arguments;

static const char *const examples[] = {
    "weir compare downsampling jena --data jena_climate_2009_2016.csv --csv > jena.csv",
    "weir compare downsampling imdb --data aclImdb_v1.tar.gz --steps 50",
    "weir compare downsampling jena --generated --lengths 240,960 --steps 20 --epochs 1",
    NULL,
};

static weir_status wrong_lengths(const char *text) {
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "--lengths is \"%s\", accepted: 1 to %d ascending numbers of steps, 16 to "
                     "1000000, with commas between",
                     text, DOWNSAMPLING_LENGTHS_MAX);
}

static weir_status parse_lengths(const char *text, downsampling_plan *plan) {
    const char *at = text;
    do {
        char *end;
        const long long T = strtoll(at, &end, 10);
        const int64_t before = plan->length_count > 0 ? plan->lengths[plan->length_count - 1] : 0;
        if (end == at || (*end != ',' && *end != '\0') || T < 16 || T > 1000000 || T <= before ||
            plan->length_count == DOWNSAMPLING_LENGTHS_MAX)
            return wrong_lengths(text);
        plan->lengths[plan->length_count++] = T;
        at = end + (*end == ',');
        if (*end == '\0') return WEIR_OK;
    } while (*at != '\0');
    return wrong_lengths(text);
}

static weir_status complete(arguments *a) {
    a->plan.text = strcmp(a->name, "imdb") == 0;
    a->plan.task = &a->task;
    a->plan.options = &a->options;
    if (a->task.window.lookback > 0 || a->task.window.step > 0 || a->task.max_len > 0)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "--lookback, --step and --max-len follow from --lengths here");
    return parse_lengths(a->lengths, &a->plan);
}

static int parse(arguments *a, int argc, char **argv) {
    *a = (arguments){.task = task_arguments_default(),
                     .options = model_arguments_default(),
                     .lengths = "240,480,960,1920,3840,7680",
                     .plan = {.epochs = 5, .steps = 100, .val_steps = 20},
                     .argc = argc,
                     .argv = argv};
    downsampling_plan *p = &a->plan;
    const option table[] = {
        TASK_OPTIONS(&a->task),
        MODEL_OPTIONS(&a->options),
        OPTION_GROUP("Training"),
        OPTION_STRING("lengths", "LIST", &a->lengths, "steps of a sample, with commas between"),
        OPTION_INT("epochs", "N", &p->epochs, 1, 1e6, "epochs at each length"),
        OPTION_INT("steps", "N", &p->steps, 1, 1e9, "training steps of an epoch"),
        OPTION_INT("val-steps", "N", &p->val_steps, 0, 1e9,
                   "validate on the first N batches; 0: on every sample"),
        OPTION_INT_DEFAULT("batch-size", "N", &p->batch_size, 1, 1e6, "samples in a batch", "128"),
        OPTION_INT("seed", "N", &p->seed, 0, 1e15, "of parameters, batches and dropout"),
        OPTION_GROUP("Output"),
        OPTION_FLAG("csv", &a->csv, "print the results as CSV"),
        OPTION_FLAG("json", &a->json, "print the results as JSON"),
        OPTION_STRING("report", "DIR", &a->report,
                      "keep the results in DIR and make DIR/index.html, a page with plots"),
        OPTION_FLAG("quiet", &p->quiet, "no progress"),
        RUNTIME_OPTIONS(&a->runtime),
        OPTION_END};
    const positional names[] = {{"downsampling", &a->family, true, "this comparison"},
                                {"TASK", &a->name, true, "jena or imdb"},
                                {0}};
    const command_line line = {
        .command = "compare",
        .summary = "What a convolution in front of a GRU buys as sequences grow.",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes = "Trains the plain GRU (jena-gru, imdb-gru) and the one behind a convolution and a "
                 "pooling (jena-conv-gru, imdb-conv-gru) on sequences of every length. Weather: 10 "
                 "days in finer and finer steps until every row is read, then more days. Reviews "
                 "are joined: a sample is a review and, in front of it, whole others of its class "
                 "until the length is full; padding would only measure the padding. A length that "
                 "the pooling does not divide costs the newest steps: 238,478,958,... (3 n + 1) of "
                 "the weather and 236,476,... (5 n + 1) of reviews cost none. --report draws it."};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0) return parsed;
    if (strcmp(a->name, "jena") != 0 && strcmp(a->name, "imdb") != 0)
        return options_error(&line, "TASK is %s, accepted: jena, imdb", a->name);
    if (a->json && a->csv) return options_error(&line, "--json and --csv exclude each other");
    const weir_status status = complete(a);
    return status == WEIR_OK ? -1 : command_failed("compare", status);
}

static weir_status create(void *user, weir_runtime **rt) {
    return runtime_create(user, "compare", rt);
}

/* ---- results ---- */

static cJSON *results_json(const arguments *a, const downsampling_results *r) {
    weir_runtime *rt = NULL; /* each length had its own */
    if (runtime_create(&a->runtime, "compare", &rt) != WEIR_OK) return NULL;
    cJSON *json = facts_json("downsampling", a->name, &r->task, rt, a->argc, a->argv);
    weir_runtime_destroy(rt);
    weir_json_add(json, "rows_by_length", downsampling_json(r));
    return json;
}

static weir_status keep_report(const void *user, const downsampling_results *r) {
    const arguments *a = user;
    cJSON *json = results_json(a, r);
    if (!json) return WEIR_ERROR_SYSTEM; /* the message is the runtime's */
    const weir_status status = report_add(a->report, json);
    cJSON_Delete(json);
    return status;
}

static weir_status print_results(const arguments *a, const downsampling_results *r) {
    if (a->csv) {
        downsampling_print_csv(r);
    } else if (a->json) {
        cJSON *json = results_json(a, r);
        const weir_status status = json ? facts_print(json) : WEIR_ERROR_SYSTEM;
        cJSON_Delete(json);
        return status;
    } else {
        task_print_data(&r->task, &a->task, "compare");
        downsampling_print(&a->plan, r);
    }
    return WEIR_OK;
}

int compare_downsampling(int argc, char **argv) {
    arguments a;
    const int parsed = parse(&a, argc, argv);
    if (parsed >= 0) return parsed;
    downsampling_results *r = calloc(1, sizeof *r);
    if (!r)
        return command_failed("compare", weir_fail(WEIR_ERROR_MEMORY, "no memory for the results"));
    if (a.report) {
        a.plan.keep = keep_report;
        a.plan.user = &a;
    }
    weir_status status = a.report ? report_check(a.report) : WEIR_OK;
    interrupt_catch();
    if (status == WEIR_OK) status = downsampling_run(&a.plan, create, &a.runtime, r);
    int result = status == WEIR_OK ? STATUS_OK : command_failed("compare", status);
    if (r->count > 0 && (status = print_results(&a, r)) != WEIR_OK)
        result = command_failed("compare", status);
    if (a.report && r->count > 0 && result == STATUS_OK)
        fprintf(stderr, "weir compare: the page is %s/index.html\n", a.report);
    if (interrupt_seen()) {
        fprintf(stderr, "weir compare: %s; lengths that were not finished are left out\n",
                interrupt_word());
        result = interrupt_status();
    }
    task_free(&r->task);
    free(r);
    return result;
}

/* weir models. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/facts.h"
#include "train/cli/model_options.h"
#include "train/cli/options.h"
#include "train/cli/runtime_options.h"
#include "train/cli/summary.h"
#include "train/cli/task.h"
#include "train/model/json.h"
#include "train/model/recipe.h"

typedef struct arguments {
    const char *what, *name; /* "show" and a model; NULL: list */
    bool json;
} arguments;

static const char *const examples[] = {
    "weir models",
    "weir models show jena-conv-gru > my.json",
    "weir train --model my.json --generated",
    NULL,
};

static int parse(arguments *a, int argc, char **argv) {
    *a = (arguments){0};
    const option table[] = {OPTION_FLAG("json", &a->json, "print the list as JSON"), OPTION_END};
    const positional names[] = {
        {"COMMAND", &a->what, false, "show; without one the models are listed"},
        {"NAME", &a->name, false, model_names()},
        {0}};
    const command_line line = {
        .command = "models",
        .summary = "List the built-in models, or show the definition of one.",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes =
            "Commands:\n  show      print the definition of the model NAME\n\n"
            "A definition is the JSON of a Keras Sequential, with how to train it in \"weir\"."};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0) return parsed;
    if (a->what && strcmp(a->what, "show") != 0)
        return options_error(&line, "unknown word \"%s\", accepted: show NAME", a->what);
    if (a->what && !a->name)
        return options_error(&line, "NAME is missing, accepted: %s", model_names());
    if (a->what && a->json)
        return options_error(&line, "--json is of the list: what show prints is JSON");
    return -1;
}

static int show(const char *name) {
    const weir_builtin *b = NULL;
    const weir_status status = weir_model_builtin_find(name, &b);
    if (status != WEIR_OK) return command_failed("models", status);
    fputs(b->json, stdout);
    return STATUS_OK;
}

/* With the columns of the Jena file, or the book's number of words. */
static weir_status count_parameters(weir_runtime *rt, const weir_builtin *b, int64_t *parameters) {
    const task_arguments defaults = task_arguments_default();
    weir_model_options o = weir_model_options_default(2);
    weir_status status = task_shape(&defaults, b, &o);
    weir_model *m = NULL;
    if (status == WEIR_OK) status = weir_model_create(rt, b->name, &o, &m);
    if (status == WEIR_OK) *parameters = weir_model_parameters(m);
    weir_model_destroy(m);
    return status;
}

static void print_row(const weir_builtin *b, int64_t parameters) {
    char count[32];
    printf("%-22s%-6s%12s  %s\n", b->name, weir_recipe_tasks[b->text],
           summary_count(parameters, count, sizeof count), b->layers);
}

static void add_row(cJSON *list, const weir_builtin *b, int64_t parameters) {
    cJSON *row = weir_recipe_write(b);
    weir_json_add_string(row, "name", b->name);
    weir_json_add(row, "parameters", weir_json_number((double)parameters));
    weir_json_add(row, "steps", weir_json_number((double)b->T));
    weir_json_append(list, row);
}

static weir_status list_models(weir_runtime *rt, cJSON *list) {
    const weir_builtin *b;
    if (!list) printf("%-22s%-6s%12s  %s\n", "Model", "Task", "Parameters", "Layers");
    for (int i = 0; (b = weir_model_builtin(i)); i++) {
        int64_t parameters = 0;
        const weir_status status = count_parameters(rt, b, &parameters);
        if (status != WEIR_OK) return status;
        if (list)
            add_row(list, b, parameters);
        else
            print_row(b, parameters);
    }
    return WEIR_OK;
}

static weir_status print_list(const arguments *a, weir_runtime *rt) {
    cJSON *list = a->json ? weir_json_array() : NULL;
    weir_status status = list_models(rt, list);
    if (status == WEIR_OK && a->json) status = facts_print(list);
    cJSON_Delete(list);
    return status;
}

int cmd_models(int argc, char **argv) {
    arguments a;
    const int parsed = parse(&a, argc, argv);
    if (parsed >= 0) return parsed;
    if (a.what) return show(a.name);
    const runtime_arguments one_thread = {.threads = 1};
    weir_runtime *rt = NULL;
    weir_status status = runtime_create(&one_thread, "models", &rt);
    if (status == WEIR_OK) status = print_list(&a, rt);
    weir_runtime_destroy(rt);
    return status == WEIR_OK ? STATUS_OK : command_failed("models", status);
}

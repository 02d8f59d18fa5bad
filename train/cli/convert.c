/* weir convert. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/names.h"
#include "train/cli/printable.h"
#include "train/cli/runtime_options.h"
#include "train/cli/user_model.h"
#include "train/model/atomic_file.h"

typedef struct arguments {
    const char *in, *out, *model;
    runtime_arguments runtime;
} arguments;

static const char *const examples[] = {
    "weir convert model.keras model.safetensors",
    "weir convert jena-gru.safetensors jena-gru.weights.h5",
    "weir convert old.weights.h5 model.safetensors --model model.json",
    "weir convert tuned.weights.h5 tuned.safetensors --model jena-gru.safetensors",
    NULL,
};

static const char safetensors[] = ".safetensors", weights[] = ".weights.h5";

static int parse(arguments *a, int argc, char **argv) {
    *a = (arguments){0};
    const option table[] = {
        OPTION_STRING(
            "model", "FILE", &a->model,
            "the layers, for weights alone: JSON as model.to_json() of Keras gives it, or "
            "a model, whose columns, words and other facts OUT then has too"),
        RUNTIME_OPTIONS(&a->runtime), OPTION_END};
    const positional names[] = {
        {"IN", &a->in, true, "a model or weights: safetensors, .keras or HDF5 of Keras"},
        {"OUT", &a->out, true, "what to write: *.safetensors or *.weights.h5"},
        {0}};
    const command_line line = {
        .command = "convert",
        .summary = "Convert models and weights between Weir and Keras.",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes = "IN is recognised by its content. OUT is a whole model (*.safetensors), or the "
                 "weights (*.weights.h5), which model.load_weights() of Keras 3 reads. A file that "
                 "is there is replaced when all went well."};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0 || name_ends(a->out, safetensors) || name_ends(a->out, weights)) return parsed;
    return options_error(&line, "OUT is %s, accepted: a name that ends in %s or %s", a->out,
                         safetensors, weights);
}

/* JSON is a text that begins with a brace; a file that can't be read is for its reader to refuse. */
static bool is_json(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return true;
    int c;
    while ((c = fgetc(file)) == ' ' || c == '\t' || c == '\r' || c == '\n') {}
    fclose(file);
    return c == '{';
}

static weir_status create_defined(const arguments *a, weir_runtime *rt, weir_model **model) {
    user_model definition = {0};
    weir_status status = user_model_read(a->model, 0, &definition);
    if (status == WEIR_OK) {
        const weir_model_options o = weir_model_options_default(definition.keras);
        status = weir_model_create_json(rt, definition.text, &o, model);
    }
    user_model_free(&definition);
    return status;
}

/* The layers from one file, with what a model of Weir knows beside, the weights from the other. */
static weir_status load_beside(const arguments *a, weir_runtime *rt, weir_model **model) {
    weir_status status = is_json(a->model) ? create_defined(a, rt, model)
                                           : weir_model_load(rt, a->model, NULL, model);
    return status == WEIR_OK ? weir_model_load_weights(*model, a->in) : status;
}

static weir_status convert(const arguments *a, weir_runtime *rt, weir_model **model) {
    weir_status status = weir_atomic_file_check(a->out);
    if (status != WEIR_OK) return status;
    status = a->model ? load_beside(a, rt, model) : weir_model_load(rt, a->in, NULL, model);
    if (status != WEIR_OK) return status;
    return name_ends(a->out, weights) ? weir_model_save_weights(*model, a->out)
                                      : weir_model_save(*model, a->out);
}

int cmd_convert(int argc, char **argv) {
    arguments a;
    const int parsed = parse(&a, argc, argv);
    if (parsed >= 0) return parsed;
    weir_runtime *runtime = NULL;
    weir_model *model = NULL;
    weir_status status = runtime_create(&a.runtime, "convert", &runtime);
    if (status == WEIR_OK) status = convert(&a, runtime, &model);
    int result = STATUS_OK;
    if (status != WEIR_OK) {
        result = command_failed("convert", status);
    } else {
        char in[PRINTABLE], out[PRINTABLE];
        printf("%s: %lld parameters of %s\n", printable(a.out, out),
               (long long)weir_model_parameters(model), printable(a.in, in));
    }
    weir_model_destroy(model);
    weir_runtime_destroy(runtime);
    return result;
}

/* The command line of weir train. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/train_arguments.h"

#include <stdio.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/names.h"
#include "train/cli/options_json.h"
#include "train/cli/train_resume.h"
#include "train/model/recipe.h"

/* As weir_loss_name() has them. */
static const char *const losses[] = {"mae", "mse", "binary_crossentropy",
                                     "binary_crossentropy_from_logits", NULL};

static const char *const examples[] = {
    "weir train jena-conv-gru --data jena_climate_2009_2016.csv",
    "weir train jena-gru --data hourly.csv --epochs 10 --history gru.csv --save gru.safetensors",
    "weir train jena-conv-gru --generated --epochs 3 --steps 100",
    "weir train imdb-dense --data aclImdb_v1.tar.gz",
    "weir train --model my.json --data jena_climate_2009_2016.csv",
    "weir train --resume jena-conv-gru.safetensors.checkpoint --epochs 30",
    "weir train jena-conv-gru --summary",
    NULL,
};

/* ---- what is trained ---- */

/* The file's name without folder and ".json". */
static void name_after(const char *path, char *name, size_t size) {
    snprintf(name, size, "%s", name_of_file(path));
    char *end = strrchr(name, '.');
    if (end && end > name && strcmp(end, ".json") == 0) *end = '\0';
}

/* Word numbers that the embedding has no row for. */
static weir_status take_words(train_arguments *a) {
    int64_t *words = &a->task.text.max_features;
    if (*words == 0) *words = a->user.V;
    if (a->user.V == 0 || *words <= a->user.V) return WEIR_OK;
    return weir_fail(
        WEIR_ERROR_ARGUMENT,
        "--max-features is %lld, but the first layer of %s knows %lld tokens, accepted: at "
        "most as many",
        (long long)*words, a->definition, (long long)a->user.V);
}

static weir_status read_user_model(train_arguments *a) {
    const int keras = a->options.keras < 0 ? 0 : model_keras(&a->options);
    weir_status status = user_model_read(a->definition, keras, &a->user);
    if (status != WEIR_OK) return status;
    status = user_model_check_masks(a->definition, a->options.masks);
    if (status != WEIR_OK) return status;
    a->options.keras = a->user.keras == 3;
    window_arguments *w = &a->task.window;
    if (w->lookback == 0) w->lookback = w->step * a->user.T;
    a->about = a->user.about;
    name_after(a->definition, a->name, sizeof a->name);
    return WEIR_OK;
}

static weir_status read_builtin(train_arguments *a) {
    const weir_builtin *found = NULL;
    weir_status status = weir_model_builtin_find(a->model, &found);
    if (status != WEIR_OK) return status;
    a->about = *found;
    snprintf(a->name, sizeof a->name, "%s", found->name);
    return WEIR_OK;
}

static weir_status take_task(train_arguments *a) {
    const bool text = a->task_choice < 0 ? a->about.text : a->task_choice == 1;
    if (text != a->about.text && !a->definition)
        return weir_fail(WEIR_ERROR_ARGUMENT, "--task is %s, but %s is of %s",
                         weir_recipe_tasks[text], a->name, weir_recipe_tasks[!text]);
    weir_status status = user_model_check_task(&a->user, a->definition, text);
    if (status != WEIR_OK) return status;
    a->about.text = text;
    return a->definition && text ? take_words(a) : WEIR_OK;
}

/* Of the weather an error in its unit is shown: that of one of the two. */
static weir_status take_loss(train_arguments *a) {
    if (a->loss >= 0) a->about.loss = (weir_loss)a->loss;
    if (a->about.text || a->about.loss == WEIR_MAE || a->about.loss == WEIR_MSE) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "the loss is %s, accepted for the weather: mae, mse",
                     weir_loss_name(a->about.loss));
}

/* What was not given is said, so that a checkpoint has it whatever later defaults are. */
static weir_status understand(train_arguments *a) {
    weir_status status = a->definition ? read_user_model(a) : read_builtin(a);
    if (status == WEIR_OK) status = take_task(a);
    if (status == WEIR_OK) status = take_loss(a);
    if (status != WEIR_OK) return status;
    if (a->epochs == 0) a->epochs = a->about.epochs;
    if (a->options.rate < 0) a->options.rate = a->about.rate;
    if (a->batch_size == 0) a->batch_size = a->about.batch_size;
    if (a->options.keras < 0) a->options.keras = 0;
    a->task_choice = a->about.text;
    a->loss = (int)a->about.loss;
    return WEIR_OK;
}

/* ---- the command line ---- */

static int check(const command_line *line, train_arguments *a) {
    if (!a->model == !a->definition)
        return options_error(line,
                             a->model ? "%s and --model %s exclude each other"
                                      : "no model, accepted: MODEL, --model FILE or --resume FILE",
                             a->model, a->definition);
    const weir_status status = understand(a);
    if (status != WEIR_OK) return command_failed("train", status);
    if ((a->embeddings || a->freeze_embeddings || a->mask_zero) && !a->about.text)
        return options_error(line, "%s has no embedding, accepted: models of reviews", a->name);
    return -1;
}

/* With --resume the options of the checkpoint come first, then those of the command line once more. */
static int go_on(const command_line *line, train_arguments *a, int argc, char **argv) {
    weir_status status = train_resume_open(a, line->options);
    if (status != WEIR_OK) return command_failed("train", status);
    const int parsed = options_parse(line, argc, argv);
    if (parsed >= 0) return parsed;
    status = train_resume_check(a, line->options);
    return status == WEIR_OK ? -1 : command_failed("train", status);
}

int train_arguments_parse(train_arguments *a, int argc, char **argv) {
    *a = (train_arguments){.task = task_arguments_default(),
                           .options = model_arguments_default(),
                           .task_choice = -1,
                           .loss = -1};
    const option table[] = {
        TASK_OPTIONS(&a->task),
        MODEL_OPTIONS(&a->options),
        OPTION_STRING(
            "model", "FILE", &a->definition,
            "in the place of MODEL: a definition of your own, the JSON of a Keras Sequential "
            "(model.to_json())"),
        OPTION_CHOICE_DEFAULT("task", &a->task_choice, weir_recipe_tasks,
                              "what the model of --model is for", "by its first layer"),
        OPTION_STRING("embeddings", "FILE", &a->embeddings,
                      "word vectors to start from, in the text form of GloVe or word2vec"),
        OPTION_FLAG("freeze-embeddings", &a->freeze_embeddings, "do not train them"),
        OPTION_FLAG("mask-zero", &a->mask_zero, "recurrent layers pass over padding"),
        OPTION_GROUP("Training"),
        OPTION_CHOICE_DEFAULT("loss", &a->loss, losses, "what is made small",
                              "the model's; mae of weather, cross-entropy of reviews"),
        OPTION_INT_DEFAULT("epochs", "N", &a->epochs, 1, 1e6, "epochs",
                           "the book's, 10 for reviews, 20 or 40 for weather"),
        OPTION_INT_DEFAULT("batch-size", "N", &a->batch_size, 1, 1e6, "samples in a batch",
                           "128, imdb-dense 512"),
        OPTION_INT_DEFAULT("steps", "N", &a->steps, 1, 1e9, "training steps of an epoch",
                           "weather 500, reviews all of them"),
        OPTION_INT_DEFAULT("val-steps", "N", &a->val_steps, 0, 1e9,
                           "validate on the first N batches; 0: on every sample",
                           "every sample once"),
        OPTION_INT("seed", "N", &a->seed, 0, 1e15, "of parameters, batches and dropout"),
        OPTION_GROUP("Output"),
        OPTION_STRING_DEFAULT("save", "FILE", &a->save, "where the best model goes",
                              "MODEL.safetensors"),
        OPTION_STRING_DEFAULT("checkpoint", "FILE", &a->checkpoint,
                              "where the state of the training goes after each epoch",
                              "MODEL.safetensors.checkpoint"),
        OPTION_FLAG("no-checkpoint", &a->no_checkpoint, "keep none"),
        OPTION_STRING(
            "resume", "CHECKPOINT", &a->resume,
            "go on with a run that was stopped, bit for bit; its options need not be given, "
            "more --epochs may"),
        OPTION_STRING("history", "FILE", &a->history, "losses by epoch, .csv or .json"),
        OPTION_FLAG("summary", &a->summary, "print the layers and stop (needs no data)"),
        OPTION_FLAG("quiet", &a->quiet, "print errors and the last line only"),
        RUNTIME_OPTIONS(&a->runtime),
        OPTION_END};
    const positional names[] = {{"MODEL", &a->model, false, model_names()}, {0}};
    const command_line line = {
        .command = "train",
        .summary = "Train a model on weather or reviews; the weights of the best epoch are saved.",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes = "Ctrl-C stops after the current step and keeps the best weights so far; --resume "
                 "goes on "
                 "from the last finished epoch. The same seed gives the same losses, bit for bit, "
                 "with any number of threads and any "
                 "instruction set but scalar."};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0) return parsed;
    if (a->resume) return go_on(&line, a, argc, argv);
    const int checked = check(&line, a);
    if (checked < 0) a->kept = options_write(table, train_not_kept);
    return checked;
}

void train_arguments_free(train_arguments *a) {
    user_model_free(&a->user);
    cJSON_Delete(a->kept);
    cJSON_Delete(a->state);
    cJSON_Delete(a->data);
}

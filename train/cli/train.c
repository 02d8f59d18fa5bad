/* weir train. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "train/cli/commands.h"
#include "train/cli/embeddings.h"
#include "train/cli/interrupt.h"
#include "train/cli/record.h"
#include "train/cli/run_state.h"
#include "train/cli/summary.h"
#include "train/cli/train_run.h"
#include "train/cli/unseen.h"
#include "train/model/json.h"

/* ---- setting up ---- */

/* A new run must not take the place of one that was stopped. */
static weir_status check_unfinished(const run *r) {
    cJSON *state = NULL, *data = NULL;
    const char *path = r->paths.checkpoint;
    if (r->a->resume || path[0] == '\0' || access(path, F_OK) != 0) return WEIR_OK;
    if (run_state_open(path, &state, &data) != WEIR_OK)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%s is there and can't be read as a checkpoint, accepted: another "
                         "--checkpoint, --no-checkpoint, or remove it",
                         path);
    const cJSON *epoch = cJSON_GetObjectItemCaseSensitive(state, "epoch");
    const cJSON *options = cJSON_GetObjectItemCaseSensitive(state, "options");
    const cJSON *epochs = cJSON_GetObjectItemCaseSensitive(options, "epochs");
    const double done = cJSON_IsNumber(epoch) ? epoch->valuedouble : 0;
    const double wanted = cJSON_IsNumber(epochs) ? epochs->valuedouble : 0;
    cJSON_Delete(state);
    cJSON_Delete(data);
    if (done < 1 || done >= wanted) return WEIR_OK;
    return weir_fail(
        WEIR_ERROR_ARGUMENT,
        "%s holds a run that was stopped after %.0f of %.0f epochs, accepted: --resume "
        "%s to go on, another --checkpoint, --no-checkpoint, or remove it",
        path, done, wanted, path);
}

static weir_status check_outputs(run *r) {
    const train_arguments *a = r->a;
    const outputs o = {.save = a->save,
                       .history = a->history,
                       .checkpoint = a->checkpoint,
                       .no_checkpoint = a->no_checkpoint,
                       .inputs = {a->task.data.file, a->definition, a->embeddings},
                       .model = a->name};
    const weir_status status = outputs_check(&o, &r->paths);
    return status == WEIR_OK && !a->summary ? check_unfinished(r) : status;
}

static cJSON *run_facts(const run *r) {
    cJSON *json = weir_json_object();
    weir_json_add_string(json, "model", r->a->name);
    weir_json_add(json, "parameters", weir_json_number((double)weir_model_parameters(r->model)));
    weir_json_add(json, "seed", weir_json_number((double)r->a->seed));
    weir_json_add(json, "keras", weir_json_number(model_keras(&r->a->options)));
    weir_json_add(json, "rate", weir_json_number(r->a->options.rate));
    weir_json_add(json, "batch_size", weir_json_number((double)r->a->batch_size));
    weir_json_add(json, "steps", weir_json_number((double)r->t.steps));
    weir_json_add(json, "threads", weir_json_number(weir_runtime_threads(r->runtime)));
    weir_json_add_string(json, "isa", weir_isa_name(weir_runtime_isa(r->runtime)));
    if (!r->task.text) weir_json_add_string(json, "unit", r->task.form.unit);
    weir_json_add(json, "data", record_data(&r->task));
    return json;
}

/* Whether padding is passed over by a recurrent layer: not behind a convolution or a pooling. */
static bool mask_is_used(const weir_model *m) {
    bool masked = false;
    weir_layer_info l;
    for (int i = 0; weir_model_layer(m, i, &l) == WEIR_OK; i++) {
        if (l.layer.kind == WEIR_LAYER_EMBEDDING)
            masked = l.layer.mask_zero;
        else if (l.layer.kind == WEIR_LAYER_GRU || l.layer.kind == WEIR_LAYER_LSTM ||
                 l.layer.kind == WEIR_LAYER_RNN)
            return masked;
        else if (l.layer.kind != WEIR_LAYER_DROPOUT)
            return false;
    }
    return false;
}

/* An option that does nothing is a misunderstanding. */
static weir_status check_embedding_options(const run *r) {
    const train_arguments *a = r->a;
    weir_layer_info first;
    weir_status status = weir_model_layer(r->model, 0, &first);
    if (status != WEIR_OK) return status;
    if (a->freeze_embeddings && first.layer.kind != WEIR_LAYER_EMBEDDING)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "--freeze-embeddings: %s has no embedding, accepted: a model that begins "
                         "with one",
                         a->name);
    if (a->mask_zero && !mask_is_used(r->model))
        return weir_fail(
            WEIR_ERROR_ARGUMENT,
            "--mask-zero: %s has no recurrent layer right behind an embedding, accepted: "
            "models that have (imdb-rnn, imdb-lstm, imdb-gru, imdb-bilstm)",
            a->name);
    return WEIR_OK;
}

/* A built-in model takes the shape of its data; a definition has its own. */
static weir_status create_from(run *r, const weir_model_options *o) {
    const train_arguments *a = r->a;
    if (!a->definition) return weir_model_create(r->runtime, a->model, o, &r->model);
    return user_model_create(r->runtime, a->definition, &a->about, o, &r->model);
}

static weir_status create_model(run *r) {
    const train_arguments *a = r->a;
    weir_status status = task_load(&a->task, a->about.text, r->runtime, &r->task);
    if (status == WEIR_OK) status = task_sample(&a->task, &a->about, &r->task);
    if (status != WEIR_OK) return status;
    if (a->resume) return run_load_checkpoint(r);
    weir_model_options o = model_options(&a->options, &a->about, (uint64_t)a->seed);
    task_model_options(&r->task, &o);
    o.mask_zero = a->mask_zero;
    o.frozen = a->freeze_embeddings;
    status = create_from(r, &o);
    if (status == WEIR_OK) status = check_embedding_options(r);
    if (status == WEIR_OK && a->embeddings)
        status = embeddings_load(a->embeddings, &r->task.d, r->model, &r->vectors);
    return status;
}

static weir_status set_up_trainer(run *r) {
    const train_arguments *a = r->a;
    r->t = (trainer){.runtime = r->runtime,
                     .model = r->model,
                     .from = &r->task.from,
                     .loss = a->about.loss,
                     .classes = r->task.form.classes,
                     .batch_size = a->batch_size,
                     .epochs = a->epochs,
                     .val_steps = a->val_steps,
                     .seed = (uint64_t)a->seed,
                     .quiet = a->quiet,
                     .prefix = ""};
    r->task.form.squared = r->t.loss == WEIR_MSE;
    r->h.form = r->task.form;
    return task_steps(&r->task, a->batch_size, a->steps, &r->t.steps);
}

/* The newest rows are worth most. */
static void print_unseen(const run *r) {
    const int64_t T = weir_model_T(r->model), unseen = unseen_steps(r->model, T);
    const int64_t none = unseen > 0 ? unseen_none(r->model, T) : T;
    if (none == T) return;
    printf(
        "note     the last %lld of %lld steps fit into no window of convolution and pooling; with "
        "%lld (%s %lld) all do\n",
        (long long)unseen, (long long)T, (long long)none, r->task.text ? "--max-len" : "--lookback",
        (long long)(r->task.text ? none : none * r->task.w.o.step));
}

static void print_header(const run *r) {
    char parameters[32];
    task_print(&r->task, &r->a->task, "train");
    if (r->a->val_steps > 0)
        printf("         validating on at most the first %lld %s\n",
               (long long)(r->a->val_steps * r->a->batch_size), r->task.from.samples);
    printf("model    %s, %s parameters, as in Keras %d, seed %lld\n", r->a->name,
           summary_count(weir_model_parameters(r->model), parameters, sizeof parameters),
           model_keras(&r->a->options), (long long)r->a->seed);
    print_unseen(r);
    if (r->a->embeddings && !r->a->resume) {
        const int64_t V = r->task.d.o.max_features - IMDB_FIRST_WORD;
        const int64_t words = V < r->task.d.words.count ? V : r->task.d.words.count;
        printf("vectors  %s: %lld of %lld words have one, the others zeros%s\n", r->a->embeddings,
               (long long)r->vectors, (long long)words,
               r->a->freeze_embeddings ? "; not trained" : "");
    }
    printf("machine  %d threads (%s, bind %s), %s\n", weir_runtime_threads(r->runtime),
           weir_threading_name(weir_runtime_threading(r->runtime)),
           weir_bind_name(weir_runtime_bind(r->runtime)),
           weir_isa_name(weir_runtime_isa(r->runtime)));
    fflush(stdout);
}

/* ---- the epochs ---- */

static void print_epoch(const run *r, const epoch_result *e) {
    char val[SCORE_TEXT];
    printf("epoch %lld/%lld  loss %.4f  validation %s  %.1f s + %.1f s%s\n", (long long)e->epoch,
           (long long)r->a->epochs, e->loss, score_short(&r->task.form, &e->val, val),
           e->train_seconds, e->val_seconds, e->improved ? "  best, saved" : "");
    fflush(stdout);
}

static weir_status finish_epoch(run *r, const epoch_result *e) {
    weir_status status = history_add(&r->h, e);
    if (status == WEIR_OK && e->improved) {
        status = run_save(r, e->epoch, &e->val);
        if (status == WEIR_OK) r->saved_epoch = e->epoch;
    }
    if (status == WEIR_OK && r->a->history) status = history_write(&r->h, r->facts, r->a->history);
    /* Last: what it says is in the other files is there. */
    if (status == WEIR_OK) status = run_save_checkpoint(r);
    if (status == WEIR_OK && !r->a->quiet) print_epoch(r, e);
    return status;
}

static int stopped_status(const run *r) {
    if (r->paths.checkpoint[0] != '\0' && r->h.count > 0)
        printf("go on with: weir train --resume %s\n", r->paths.checkpoint);
    return interrupt_status();
}

static int report(run *r, weir_status status) {
    const trainer *t = &r->t;
    char text[SCORE_TEXT];
    if (status != WEIR_OK) command_failed("train", status);
    if (status == WEIR_OK && interrupt_seen() && t->best_epoch == 0) {
        /* What an earlier run saved is worth more than a few steps. */
        if (access(r->paths.save, F_OK) == 0) {
            printf("%s before the first validation; %s stays as it was\n", interrupt_word(),
                   r->paths.save);
            return interrupt_status();
        }
        status = run_save(r, 0, &(score){NAN, NAN, NAN});
        if (status != WEIR_OK) return command_failed("train", status);
        printf("%s before the first validation; the weights so far are in %s\n", interrupt_word(),
               r->paths.save);
        return interrupt_status();
    }
    const bool stopped = status == WEIR_OK && interrupt_seen();
    if (t->best_epoch > 0 && t->best_epoch == r->saved_epoch)
        printf("%s%sbest epoch %lld: validation %s, saved in %s\n", stopped ? interrupt_word() : "",
               stopped ? "; " : "", (long long)t->best_epoch,
               score_long(&r->task.form, &t->best, text), r->paths.save);
    if (status != WEIR_OK) return STATUS_FAILED;
    return interrupt_seen() ? stopped_status(r) : STATUS_OK;
}

/* A checkpoint from the start: there is always one of this run to go on from. */
static weir_status begin(run *r) {
    if (!r->a->resume) return run_save_checkpoint(r);
    weir_status status = run_go_on(r);
    if (status == WEIR_OK && !r->a->quiet)
        printf("resumed  %s: %lld of %lld epochs are done\n", r->a->resume, (long long)r->t.epoch,
               (long long)r->a->epochs);
    return status;
}

static int train_epochs(run *r) {
    weir_status status = begin(r);
    while (status == WEIR_OK && r->t.epoch < r->a->epochs && !interrupt_seen()) {
        epoch_result e;
        status = trainer_epoch(&r->t, &e);
        if (status == WEIR_OK && e.complete) status = finish_epoch(r, &e);
    }
    return report(r, status);
}

/* A model without parameters: nothing to train. */
static int evaluate_once(run *r) {
    if (r->a->history || r->a->checkpoint)
        return command_failed("train",
                              weir_fail(WEIR_ERROR_ARGUMENT,
                                        "--%s: %s has nothing to train, accepted: other models",
                                        r->a->history ? "history" : "checkpoint", r->a->name));
    score val = {0};
    int64_t done = 0;
    char text[SCORE_TEXT];
    const weir_status status =
        trainer_evaluate(&r->t, SPLIT_VAL, r->a->val_steps, NULL, "validation", &val, &done);
    if (status != WEIR_OK) return command_failed("train", status);
    if (interrupt_seen()) return interrupt_status();
    const weir_status saved = run_save(r, 0, &val);
    if (saved != WEIR_OK) return command_failed("train", saved);
    printf("%s has nothing to train: validation %s, saved in %s\n", r->a->name,
           score_long(&r->task.form, &val, text), r->paths.save);
    return STATUS_OK;
}

static int train(run *r) {
    weir_status status = check_outputs(r);
    if (status == WEIR_OK) status = create_model(r);
    if (status != WEIR_OK) return command_failed("train", status);
    if (r->a->summary) {
        summary_print(r->model);
        return STATUS_OK;
    }
    status = set_up_trainer(r);
    if (status != WEIR_OK) return command_failed("train", status);
    r->facts = run_facts(r);
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

/* The layers without data: the shape of the Jena file, or of the reviews. */
static int summarise(run *r) {
    const train_arguments *a = r->a;
    weir_model_options o = model_options(&a->options, &a->about, (uint64_t)a->seed);
    weir_status status = task_shape(&a->task, &a->about, &o);
    if (a->user.T > 0) o.T = a->user.T;
    if (a->user.C_in > 0) o.C_in = a->user.C_in;
    if (status == WEIR_OK) status = create_from(r, &o);
    if (status != WEIR_OK) return command_failed("train", status);
    if (!a->about.text && !a->definition)
        puts("Without --data: the Jena file's 14 columns, every 10 minutes.");
    summary_print(r->model);
    return STATUS_OK;
}

static int run_train(const train_arguments *a) {
    run r = {.a = a};
    const weir_status status = runtime_create(&a->runtime, "train", &r.runtime);
    if (status != WEIR_OK) return command_failed("train", status);
    const bool no_data = !a->task.data.file && !a->task.data.generated;
    const int result = a->summary && no_data && !a->resume ? summarise(&r) : train(&r);
    cJSON_Delete(r.facts);
    history_free(&r.h);
    free(r.resumed_best);
    weir_model_destroy(r.model);
    task_free(&r.task);
    weir_runtime_destroy(r.runtime);
    return result;
}

int cmd_train(int argc, char **argv) {
    train_arguments a;
    const int parsed = train_arguments_parse(&a, argc, argv);
    const int result = parsed >= 0 ? parsed : run_train(&a);
    train_arguments_free(&a);
    return result;
}

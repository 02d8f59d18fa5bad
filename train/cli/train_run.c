/* The files of a run of weir train. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/train_run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "train/cli/record.h"
#include "train/cli/run_state.h"
#include "train/model/failed_in.h"
#include "train/model/json.h"
#include "train/model/recipe.h"

static const char checkpoint_key[] = "checkpoint";

/* ---- saving ---- */

static cJSON *training_json(const run *r, int64_t epoch, const score *val) {
    cJSON *json = weir_json_object();
    weir_json_add(json, "epoch", weir_json_number((double)epoch));
    weir_json_add_string(json, "loss", weir_loss_name(r->t.loss));
    weir_json_add(json, "val_loss", weir_json_number(val->loss));
    if (r->t.classes) weir_json_add(json, "val_accuracy", weir_json_number(val->accuracy));
    weir_json_add(json, "seed", weir_json_number((double)r->a->seed));
    weir_json_add(json, "keras", weir_json_number(model_keras(&r->a->options)));
    weir_json_add(json, "rate", weir_json_number(r->a->options.rate));
    weir_json_add(json, "batch_size", weir_json_number((double)r->a->batch_size));
    weir_json_add(json, "steps", weir_json_number((double)r->t.steps));
    return json;
}

/* What every file of the run says beside the model. */
static weir_status attach(run *r, int64_t epoch, const score *val) {
    weir_status status =
        record_attach(r->model, "data", cJSON_GetObjectItemCaseSensitive(r->facts, "data"));
    if (status == WEIR_OK && r->task.text) status = record_attach_words(r->model, &r->task.d);
    if (status != WEIR_OK) return status;
    cJSON *training = training_json(r, epoch, val);
    status = record_attach(r->model, "training", training);
    cJSON_Delete(training);
    return status;
}

weir_status run_save(run *r, int64_t epoch, const score *val) {
    weir_status status = attach(r, epoch, val);
    return status == WEIR_OK ? weir_model_save(r->model, r->paths.save) : status;
}

static cJSON *state_json(const run *r) {
    const train_arguments *a = r->a;
    cJSON *json = weir_json_object();
    if (a->model)
        weir_json_add_string(json, "model", a->model);
    else
        weir_json_add_null(json, "model");
    weir_json_add_string(json, "name", a->name);
    weir_json_add(json, "T", weir_json_number((double)a->about.T));
    weir_json_add(json, "recipe", weir_recipe_write(&a->about));
    weir_json_add(json, "options", weir_json_copy(a->kept));
    run_state_write(&r->t, &r->h, json);
    return json;
}

weir_status run_save_checkpoint(run *r) {
    if (r->paths.checkpoint[0] == '\0') return WEIR_OK;
    const epoch_result *last = r->h.count > 0 ? &r->h.rows[r->h.count - 1] : NULL;
    weir_status status = attach(r, r->t.epoch, last ? &last->val : &(score){NAN, NAN, NAN});
    if (status != WEIR_OK) return status;
    cJSON *state = state_json(r);
    status = record_attach(r->model, checkpoint_key, state);
    cJSON_Delete(state);
    if (status == WEIR_OK)
        status = weir_model_save_checkpoint(r->model, r->paths.checkpoint,
                                            r->t.best_epoch > 0 ? r->t.best_parameters : NULL);
    /* It is of the checkpoint alone. */
    weir_model_set_metadata(r->model, checkpoint_key, NULL);
    return status;
}

/* ---- going on ---- */

weir_status run_load_checkpoint(run *r) {
    const train_arguments *a = r->a;
    cJSON *data = record_data(&r->task);
    weir_status status = run_state_compare_data(a->resume, a->data, data);
    cJSON_Delete(data);
    if (status != WEIR_OK) return status;
    status = weir_model_load_checkpoint(r->runtime, a->resume, &r->model, &r->resumed_best);
    if (status != WEIR_OK) return status;
    if (weir_model_T(r->model) != r->task.from.T || weir_model_C_in(r->model) != r->task.from.C ||
        weir_model_outputs(r->model) != 1)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: its model does not fit its data", a->resume);
    return weir_model_set_metadata(r->model, checkpoint_key, NULL);
}

/* The best model and the history may be of a later epoch: the run was stopped between them and the
 * checkpoint. */
static weir_status restore_files(run *r) {
    const size_t floats = (size_t)weir_model_parameters(r->model);
    float *now = malloc(floats * sizeof *now + 1);
    if (!now) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the best weights");
    weir_status status = WEIR_OK;
    if (r->t.best_epoch > 0) {
        weir_model_get_parameters(r->model, now);
        trainer_restore_best(&r->t);
        status = run_save(r, r->t.best_epoch, &r->t.best);
        weir_model_set_parameters(r->model, now);
        r->saved_epoch = r->t.best_epoch;
    }
    free(now);
    if (status == WEIR_OK && r->a->history) status = history_write(&r->h, r->facts, r->a->history);
    return status;
}

weir_status run_go_on(run *r) {
    weir_status status = run_state_read(r->a->state, r->resumed_best, &r->t, &r->h);
    if (status == WEIR_ERROR_FORMAT) {
        weir_failed_in("no checkpoint of weir train", status);
        return weir_failed_in(r->a->resume, status);
    }
    if (status == WEIR_OK && weir_model_train_steps(r->model) != r->t.epoch * r->t.steps)
        return weir_fail(WEIR_ERROR_FORMAT,
                         "%s: has %lld training steps, %lld epochs of %lld expected", r->a->resume,
                         (long long)weir_model_train_steps(r->model), (long long)r->t.epoch,
                         (long long)r->t.steps);
    return status == WEIR_OK ? restore_files(r) : status;
}

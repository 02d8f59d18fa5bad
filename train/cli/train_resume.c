/* weir train --resume: options and model of a checkpoint. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/train_resume.h"

#include <stdio.h>
#include <string.h>

#include "train/cli/options_json.h"
#include "train/cli/run_state.h"
#include "train/model/failed_in.h"
#include "train/model/recipe.h"

const char *const train_not_kept[] = {
    "resume",  "checkpoint", "no-checkpoint", "summary", "quiet", "no-cache",
    "threads", "isa",        "threading",     "bind",    NULL};
/* May be others when a run goes on; the data are compared by what is in them. */
static const char *const may_change[] = {"epochs", "data", "save", "history", NULL};

static const cJSON *member(const train_arguments *a, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(a->state, key);
}

static weir_status take_model(train_arguments *a) {
    const char *name = cJSON_GetStringValue(member(a, "name"));
    const cJSON *T = member(a, "T");
    weir_status status = weir_recipe_read_object(member(a, "recipe"), &a->about);
    if (status == WEIR_OK && (!name || strlen(name) >= sizeof a->name || !cJSON_IsNumber(T) ||
                              !(T->valuedouble >= 1 && T->valuedouble <= 1 << 24)))
        status = weir_fail(WEIR_ERROR_FORMAT, "name or T is missing or wrong");
    /* What the command line leaves open was settled when the run began. */
    if (status == WEIR_OK && (a->batch_size < 1 || a->epochs < 1))
        status = weir_fail(WEIR_ERROR_FORMAT, "batch-size or epochs is missing or wrong");
    if (status != WEIR_OK) return status;
    snprintf(a->name, sizeof a->name, "%s", name);
    a->about.name = a->name;
    a->about.T = (int64_t)T->valuedouble;
    return WEIR_OK;
}

weir_status train_resume_open(train_arguments *a, const option *table) {
    weir_status status = run_state_open(a->resume, &a->state, &a->data);
    if (status != WEIR_OK) return status;
    a->batch_size = a->epochs = 0;
    status = options_read(table, member(a, "options"));
    if (status == WEIR_OK) status = take_model(a);
    if (status != WEIR_OK) {
        weir_failed_in("no checkpoint of weir train", status);
        return weir_failed_in(a->resume, status);
    }
    a->model = NULL;
    a->save = NULL;
    return WEIR_OK;
}

/* FILE of FILE.checkpoint, where no other was given. What is written is never for the checkpoint to
 * say: it may be a copy, or somebody else's. */
static weir_status find_save(train_arguments *a) {
    static const char end[] = ".checkpoint";
    const size_t n = strlen(a->resume), k = sizeof end - 1;
    if (a->save) return WEIR_OK;
    if (n <= k || n - k >= sizeof a->resumed_save || strcmp(a->resume + n - k, end) != 0)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%s does not end in %s, which would say where the best model goes, "
                         "accepted: --save FILE with it",
                         a->resume, end);
    snprintf(a->resumed_save, sizeof a->resumed_save, "%.*s", (int)(n - k), a->resume);
    a->save = a->resumed_save;
    return WEIR_OK;
}

/* The same of the history: the checkpoint's name for it is taken where it is one of this folder. */
static weir_status check_history(const train_arguments *a) {
    const char *stored =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(member(a, "options"), "history"));
    if (!a->history || a->history != stored || !strchr(stored, '/')) return WEIR_OK;
    return weir_fail(
        WEIR_ERROR_ARGUMENT,
        "the run of %s has its history in %s, accepted: --history FILE with --resume to "
        "say where it goes",
        a->resume, stored);
}

weir_status train_resume_check(train_arguments *a, const option *table) {
    const char *model = cJSON_GetStringValue(member(a, "model"));
    if (a->model && (!model || strcmp(a->model, model) != 0))
        return weir_fail(WEIR_ERROR_ARGUMENT, "MODEL is %s, the checkpoint %s is of %s", a->model,
                         a->resume, a->name);
    a->model = model;
    weir_status status = find_save(a);
    if (status == WEIR_OK) status = check_history(a);
    if (status != WEIR_OK) return status;
    if (!a->checkpoint) a->checkpoint = a->resume;
    a->kept = options_write(table, train_not_kept);
    status = run_state_compare_options(a->resume, member(a, "options"), a->kept, may_change);
    const cJSON *done = member(a, "epoch");
    if (status == WEIR_OK && cJSON_IsNumber(done) && (double)a->epochs < done->valuedouble)
        status = weir_fail(WEIR_ERROR_ARGUMENT,
                           "--epochs is %lld, but %s has finished %.0f, accepted: as many or more",
                           (long long)a->epochs, a->resume, done->valuedouble);
    return status;
}

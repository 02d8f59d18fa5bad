/* The models of a comparison, by name or file. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/compare_list.h"

#include <stdlib.h>
#include <string.h>

#include "train/cli/names.h"

/* What a definition of the user's must be to stand beside the others. */
static weir_status check_own(const compare_plan *plan, const compare_model *m) {
    const int64_t words = text_max_features(&plan->task->text);
    weir_status status = user_model_check_task(&m->own, m->path, m->about->text);
    if (status != WEIR_OK) return status;
    status = user_model_check_masks(m->path, plan->options->masks);
    if (status != WEIR_OK) return status;
    if (m->own.V > 0 && m->own.V < words)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "the words are numbered to %lld, but the first layer of %s knows %lld "
                         "tokens, accepted: --max-features %lld, or less",
                         (long long)words, m->path, (long long)m->own.V, (long long)m->own.V);
    if (!m->about->text && m->about->loss != WEIR_MAE)
        return weir_fail(WEIR_ERROR_ARGUMENT, "the loss of %s is %s, accepted in a comparison: mae",
                         m->path, weir_loss_name(m->about->loss));
    return WEIR_OK;
}

/* A name of a built-in model, or FILE.json. */
static weir_status find_model(const compare_plan *plan, const char *name, compare_model *m) {
    if (!name_ends(name, ".json")) {
        const weir_status status = weir_model_builtin_find(name, &m->about);
        if (status == WEIR_OK) m->name = m->about->name;
        return status;
    }
    m->name = name_of_file(name);
    m->path = name;
    m->about = &m->own.about;
    const int keras = plan->options->keras < 0 ? 0 : model_keras(plan->options);
    return user_model_read(name, keras, &m->own);
}

static weir_status add_model(const char *name, const char *family, bool text, compare_plan *plan) {
    if (plan->model_count == COMPARE_MODELS_MAX)
        return weir_fail(WEIR_ERROR_ARGUMENT, "--models has more than %d names",
                         COMPARE_MODELS_MAX);
    compare_model *m = &plan->models[plan->model_count++];
    const weir_status status = find_model(plan, name, m);
    if (status != WEIR_OK) return status;
    if (m->about->text != text)
        return weir_fail(WEIR_ERROR_ARGUMENT, "--models has %s, accepted: models of %s", name,
                         family);
    for (const compare_model *other = plan->models; other < m; other++)
        if (strcmp(other->name, m->name) == 0)
            return weir_fail(WEIR_ERROR_ARGUMENT,
                             "--models has %s twice, accepted: each name once (--seeds N repeats)",
                             m->name);
    return m->path ? check_own(plan, m) : WEIR_OK;
}

weir_status compare_list(const char *names, const char *family, bool text, compare_plan *plan) {
    const size_t size = strlen(names) + 1;
    plan->names = malloc(size);
    if (!plan->names) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the names of the models");
    memcpy(plan->names, names, size);
    for (char *at = plan->names; *at != '\0';) {
        const char *name = at;
        at += strcspn(at, ",");
        if (*at == ',') *at++ = '\0';
        const weir_status status = add_model(name, family, text, plan);
        if (status != WEIR_OK) return status;
    }
    if (plan->model_count > 0) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "--models is empty, accepted: names with commas between");
}

void compare_list_free(compare_plan *plan) {
    for (int i = 0; i < plan->model_count; i++) user_model_free(&plan->models[i].own);
    plan->model_count = 0;
    free(plan->names);
    plan->names = NULL;
}

/* A model definition that the user wrote, or Keras. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/user_model.h"

#include <stdlib.h>
#include <string.h>

#include "train/cli/text_file.h"
#include "train/model/failed_in.h"
#include "train/model/recipe.h"

enum { TEXT_MAX = 8 << 20 };

static weir_status check_version(const char *path, int keras, const definition *d) {
    if (keras == 0 || keras == d->keras) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "--keras is %d, but %s is of Keras %d", keras, path,
                     d->keras);
}

static weir_status understand(const char *path, int keras, definition *d, user_model *out) {
    weir_status status = weir_definition_read_json(out->json, keras == 0 ? 2 : keras, d);
    if (status == WEIR_OK) {
        memcpy(out->name, d->name, sizeof out->name);
        status = weir_recipe_read(out->json, d, &out->about);
        out->about.name = out->name;
        out->about.json = out->text;
    }
    if (status != WEIR_OK) return weir_failed_in(path, status);
    out->keras = d->keras;
    out->T = d->T;
    out->C_in = d->C_in;
    out->V = weir_definition_text(d) ? d->layers[0].V : 0;
    return check_version(path, keras, d);
}

weir_status user_model_read(const char *path, int keras, user_model *out) {
    *out = (user_model){0};
    size_t length = 0, at = 0;
    weir_status status = text_file_read(path, TEXT_MAX, &out->text, &length);
    if (status != WEIR_OK) return status;
    out->json = weir_json_parse(out->text, length, &at);
    if (!out->json) return weir_fail(WEIR_ERROR_FORMAT, "%s: not JSON from byte %zu on", path, at);
    definition *d = malloc(sizeof *d);
    if (!d) return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", path);
    status = understand(path, keras, d, out);
    free(d);
    return status;
}

weir_status user_model_check_masks(const char *path, int masks) {
    if (masks <= 0) return WEIR_OK;
    return weir_fail(
        WEIR_ERROR_ARGUMENT,
        "--dropout-masks is for built-in models: %s says it itself (implementation 1: a "
        "mask for each gate, 2: shared)",
        path);
}

weir_status user_model_check_task(const user_model *m, const char *path, bool text) {
    if (m->V == 0 || text) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "the task of %s is jena, but its first layer reads tokens, accepted: imdb",
                     path);
}

weir_status user_model_create(weir_runtime *rt, const char *path, const weir_builtin *about,
                              const weir_model_options *o, weir_model **model) {
    const weir_status status = weir_model_create_json(rt, about->json, o, model);
    if (status != WEIR_OK) return weir_failed_in(path, status);
    const long long count = (long long)weir_model_outputs(*model);
    if (count == 1) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "%s gives %lld numbers for a sample, accepted: 1", path,
                     count);
}

void user_model_free(user_model *m) {
    cJSON_Delete(m->json);
    free(m->text);
    *m = (user_model){0};
}

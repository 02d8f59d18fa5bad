/* Models as safetensors files. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/model/checkpoint.h"
#include "train/model/definition.h"
#include "train/model/failed_in.h"
#include "train/model/json.h"
#include "train/model/metadata.h"
#include "train/model/model_file.h"
#include "train/model/safetensors.h"
#include "train/model/sequential.h"

/* Goes up when a reader of the old format would misread the new one. */
static const char format_version[] = "1";

/* ---- writing ---- */

static void add_texts(const weir_model *m, const char *layers, const char *training, cJSON *texts) {
    weir_json_add_string(texts, "weir.format", format_version);
    weir_json_add_string(texts, "weir.model", layers);
    if (training) weir_json_add_string(texts, CHECKPOINT_KEY, training);
    for (const metadata *n = m->notes; n; n = n->next)
        weir_json_add_string(texts, n->key, n->value);
}

static void add_tensors(const weir_model *m, safetensors_entry *entries) {
    for (int i = 0; i < m->tensor_count; i++) {
        const parameter *p = weir_model_parameter(m, i, NULL);
        entries[i] = (safetensors_entry){
            .name = p->name, .rank = p->rank, .floats = p->floats, .data = m->values + p->offset};
        memcpy(entries[i].dims, p->dims, sizeof p->dims);
    }
}

static weir_status write_model(weir_model *m, const char *path, bool checkpoint,
                               const float *best) {
    cJSON *texts = weir_json_object();
    char *text = weir_definition_write(m), *training = checkpoint ? weir_checkpoint_write(m) : NULL;
    safetensors_entry *entries =
        calloc((size_t)m->tensor_count + CHECKPOINT_TENSORS_MAX, sizeof *entries);
    weir_status status = WEIR_OK;
    if (!texts || !text || !entries || (checkpoint && !training)) {
        status = weir_fail(WEIR_ERROR_MEMORY, "no memory to write %s", path);
    } else {
        add_texts(m, text, training, texts);
        add_tensors(m, entries);
        int count = m->tensor_count;
        if (checkpoint) count += weir_checkpoint_tensors(m, best, entries + count);
        status = weir_safetensors_write(path, entries, count, texts);
    }
    cJSON_Delete(texts);
    cJSON_free(text);
    cJSON_free(training);
    free(entries);
    return status;
}

static weir_status save(weir_model *model, const char *path, bool checkpoint, const float *best) {
    if (!model || !path) return weir_fail(WEIR_ERROR_ARGUMENT, "model and path must not be NULL");
    pthread_mutex_lock(&model->mutex);
    weir_status status = write_model(model, path, checkpoint, best);
    pthread_mutex_unlock(&model->mutex);
    return status;
}

weir_status weir_model_save(weir_model *model, const char *path) {
    return save(model, path, false, NULL);
}

weir_status weir_model_save_checkpoint(weir_model *model, const char *path, const float *best) {
    return save(model, path, true, best);
}

/* ---- reading ---- */

/* What else is read of a checkpoint. */
typedef struct checkpoint {
    training_state state;
    float **best; /* NULL: not wanted */
} checkpoint;

static const char *metadata_text(const safetensors *s, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(s->metadata, key));
}

static weir_status plan_from(const safetensors *s, weir_runtime *rt,
                             const weir_model_options *options, weir_model **model) {
    const char *version = metadata_text(s, "weir.format"), *text = metadata_text(s, "weir.model");
    if (!version || !text)
        return weir_fail(WEIR_ERROR_FORMAT,
                         "%s: a safetensors file, but not a Weir model: weir.format or weir.model "
                         "is missing in its __metadata__",
                         s->path);
    if (strcmp(version, format_version) != 0)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: weir.format is %.20s, accepted: %s", s->path,
                         version, format_version);
    definition *d = malloc(sizeof *d);
    if (!d) return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", s->path);
    weir_status status = weir_definition_read(text, strlen(text), 2, d);
    if (status == WEIR_OK && (d->T == 0 || d->C_in == 0))
        status = weir_fail(WEIR_ERROR_FORMAT,
                           "model definition: config.layers[0].config.batch_input_shape must be "
                           "there, with T and C_in");
    if (status == WEIR_OK) {
        weir_model_options o = options ? *options : weir_model_options_default(2);
        o.T = d->T;
        o.C_in = d->C_in;
        status = weir_model_plan(rt, d->name, d->layers, d->count, &o, model);
    }
    free(d);
    return status == WEIR_OK ? WEIR_OK : weir_failed_in_file(s->path, status);
}

static weir_status wrong_shape(const safetensors *s, const safetensors_entry *e,
                               const parameter *p) {
    char shapes[2][96] = {"", ""};
    for (int i = 0; i < e->rank; i++)
        snprintf(shapes[0] + strlen(shapes[0]), sizeof shapes[0] - strlen(shapes[0]), "%s%lld",
                 i > 0 ? ", " : "", (long long)e->dims[i]);
    for (int i = 0; i < p->rank; i++)
        snprintf(shapes[1] + strlen(shapes[1]), sizeof shapes[1] - strlen(shapes[1]), "%s%lld",
                 i > 0 ? ", " : "", (long long)p->dims[i]);
    return weir_fail(WEIR_ERROR_FORMAT, "%s: tensor '%s': shape is [%s], the layer needs [%s]",
                     s->path, p->name, shapes[0], shapes[1]);
}

/* The entry that holds p, with its shape checked. */
static weir_status find_entry(const safetensors *s, const parameter *p,
                              const safetensors_entry **found) {
    *found = NULL;
    for (int i = 0; i < s->count; i++) {
        const safetensors_entry *e = &s->entries[i];
        if (strcmp(e->name, p->name) != 0) continue;
        if (*found)
            return weir_fail(WEIR_ERROR_FORMAT, "%s: tensor '%s' is there twice", s->path, p->name);
        *found = e;
    }
    if (!*found)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: tensor '%s' is missing", s->path, p->name);
    bool same = (*found)->rank == p->rank;
    for (int i = 0; same && i < p->rank; i++) same = (*found)->dims[i] == p->dims[i];
    return same ? WEIR_OK : wrong_shape(s, *found, p);
}

static weir_status check_tensors(const safetensors *s, const weir_model *m) {
    const safetensors_entry *e = NULL;
    for (int i = 0; i < m->tensor_count; i++) {
        weir_status status = find_entry(s, weir_model_parameter(m, i, NULL), &e);
        if (status != WEIR_OK) return status;
    }
    int count = 0; /* those of a checkpoint are no layer's */
    for (int i = 0; i < s->count; i++) count += !weir_checkpoint_owns(s->entries[i].name);
    if (count != m->tensor_count)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: %d tensors, the model's layers have %d", s->path,
                         count, m->tensor_count);
    return WEIR_OK;
}

static weir_status read_values(const safetensors *s, const weir_model *m, float *values) {
    for (int i = 0; i < m->tensor_count; i++) {
        const parameter *p = weir_model_parameter(m, i, NULL);
        const safetensors_entry *e = NULL;
        weir_status status = find_entry(s, p, &e);
        if (status == WEIR_OK) status = weir_safetensors_read(s, e, values + p->offset);
        if (status != WEIR_OK) return status;
    }
    return WEIR_OK;
}

static weir_status read_notes(const safetensors *s, weir_model *m) {
    const cJSON *item;
    int count = 0;
    cJSON_ArrayForEach(item, s->metadata) {
        if (weir_metadata_reserved(item->string)) continue;
        if (count++ == METADATA_MAX)
            return weir_fail(WEIR_ERROR_FORMAT, "%s: __metadata__ has more than %d texts", s->path,
                             METADATA_MAX);
        const char *text = cJSON_GetStringValue(item);
        if (!text)
            return weir_fail(WEIR_ERROR_FORMAT, "%s: __metadata__.%.80s is not a text", s->path,
                             item->string);
        weir_status status = weir_model_set_metadata(m, item->string, text);
        if (status != WEIR_OK) return weir_failed_in_file(s->path, status);
    }
    return WEIR_OK;
}

static weir_status plan_checkpoint(const safetensors *s, weir_runtime *rt, checkpoint *c,
                                   weir_model **model) {
    const char *text = metadata_text(s, CHECKPOINT_KEY);
    if (!text)
        return weir_fail(WEIR_ERROR_FORMAT,
                         "%s: no checkpoint: it has no state of a training (" CHECKPOINT_KEY
                         " in its __metadata__)",
                         s->path);
    weir_status status = weir_checkpoint_read(text, &c->state);
    return status == WEIR_OK ? plan_from(s, rt, &c->state.options, model)
                             : weir_failed_in_file(s->path, status);
}

/* c: NULL for a model alone. */
static weir_status load_file(weir_runtime *runtime, const char *path,
                             const weir_model_options *options, checkpoint *c, weir_model **model) {
    safetensors s;
    weir_status status = weir_safetensors_open(path, &s);
    if (status != WEIR_OK) return status;
    weir_model *m = NULL;
    status = c ? plan_checkpoint(&s, runtime, c, &m) : plan_from(&s, runtime, options, &m);
    /* Before memory is taken: a file has as many floats as it claims. */
    if (status == WEIR_OK) status = check_tensors(&s, m);
    if (status == WEIR_OK) status = weir_safetensors_verify(&s);
    if (status == WEIR_OK) status = weir_model_allocate(m);
    if (status == WEIR_OK) status = read_values(&s, m, m->values);
    if (status == WEIR_OK) status = read_notes(&s, m);
    if (status == WEIR_OK && c) status = weir_checkpoint_restore(&s, &c->state, m, c->best);
    weir_safetensors_close(&s);
    if (status != WEIR_OK)
        weir_model_destroy(m);
    else
        *model = m;
    return status;
}

weir_status weir_model_file_load(weir_runtime *runtime, const char *path,
                                 const weir_model_options *options, weir_model **model) {
    return load_file(runtime, path, options, NULL, model);
}

weir_status weir_model_load_checkpoint(weir_runtime *runtime, const char *path, weir_model **model,
                                       float **best) {
    if (!runtime || !path || !model)
        return weir_fail(WEIR_ERROR_ARGUMENT, "runtime, path and model must not be NULL");
    *model = NULL;
    if (best) *best = NULL;
    checkpoint c = {.best = best};
    return load_file(runtime, path, NULL, &c, model);
}

weir_status weir_model_file_load_values(const char *path, const weir_model *m, float *values) {
    safetensors s;
    weir_status status = weir_safetensors_open(path, &s);
    if (status != WEIR_OK) return status;
    status = check_tensors(&s, m);
    if (status == WEIR_OK) status = weir_safetensors_verify(&s);
    if (status == WEIR_OK) status = read_values(&s, m, values);
    weir_safetensors_close(&s);
    return status;
}

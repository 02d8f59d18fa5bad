/* Texts that a model carries into its file. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "train/model/metadata.h"
#include "train/model/sequential.h"
#include "train/model/utf8.h"

static char *copy_text(const char *text) {
    char *copy = malloc(strlen(text) + 1);
    if (copy) strcpy(copy, text);
    return copy;
}

bool weir_metadata_reserved(const char *key) {
    return strncmp(key, "weir.", 5) == 0 || strcmp(key, "format") == 0;
}

static metadata *make(const char *key, const char *value) {
    metadata *m = calloc(1, sizeof *m);
    if (!m) return NULL;
    *m = (metadata){.key = copy_text(key), .value = copy_text(value)};
    if (m->key && m->value) return m;
    weir_metadata_free(m);
    return NULL;
}

weir_status weir_model_set_metadata(weir_model *model, const char *key, const char *value) {
    if (!model || !key || key[0] == '\0' || weir_metadata_reserved(key))
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "metadata key is '%s', accepted: not empty, not 'format', not 'weir.*'",
                         key ? key : "NULL");
    if (!weir_utf8_valid(key) || (value && !weir_utf8_valid(value)))
        return weir_fail(WEIR_ERROR_ARGUMENT, "the metadata %.80s are no UTF-8, accepted: UTF-8",
                         key);
    metadata *fresh = value ? make(key, value) : NULL;
    if (value && !fresh) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the metadata %s", key);
    pthread_mutex_lock(&model->mutex);
    metadata **at = &model->notes;
    int count = 1;
    for (; *at && strcmp((*at)->key, key) != 0; at = &(*at)->next) count++;
    if (count > METADATA_MAX && fresh && !*at) {
        pthread_mutex_unlock(&model->mutex);
        weir_metadata_free(fresh);
        return weir_fail(WEIR_ERROR_ARGUMENT, "the metadata %.80s would be more than %d texts", key,
                         METADATA_MAX);
    }
    metadata *old = *at, *rest = old ? old->next : NULL;
    if (fresh) fresh->next = rest;
    *at = fresh ? fresh : rest;
    if (old) old->next = NULL;
    pthread_mutex_unlock(&model->mutex);
    weir_metadata_free(old);
    return WEIR_OK;
}

const char *weir_model_metadata(const weir_model *model, const char *key) {
    pthread_mutex_t *mutex = (pthread_mutex_t *)&model->mutex; /* not what is const to the caller */
    pthread_mutex_lock(mutex);
    const metadata *n = model->notes;
    while (n && strcmp(n->key, key) != 0) n = n->next;
    const char *value = n ? n->value : NULL;
    pthread_mutex_unlock(mutex);
    return value;
}

void weir_metadata_free(metadata *list) {
    while (list) {
        metadata *next = list->next;
        free(list->key);
        free(list->value);
        free(list);
        list = next;
    }
}

/* Texts that a model carries into its file. SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "train/model/metadata.h"
#include "train/model/sequential.h"

static char *copy_text(const char *text) {
    char *copy = malloc(strlen(text) + 1);
    if (copy) strcpy(copy, text);
    return copy;
}

bool weir_metadata_reserved(const char *key) {
    return strncmp(key, "weir.", 5) == 0 || strcmp(key, "format") == 0;
}

weir_status weir_model_set_metadata(weir_model *model, const char *key, const char *value) {
    if (!model || !key || key[0] == '\0' || weir_metadata_reserved(key))
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "metadata key is '%s', accepted: not empty, not 'format', not 'weir.*'",
                         key ? key : "NULL");
    metadata **at = &model->notes;
    while (*at && strcmp((*at)->key, key) != 0) at = &(*at)->next;
    metadata *fresh = NULL;
    if (value) {
        fresh = calloc(1, sizeof *fresh);
        char *k = copy_text(key), *v = copy_text(value);
        if (!fresh || !k || !v) {
            free(fresh);
            free(k);
            free(v);
            return weir_fail(WEIR_ERROR_MEMORY, "no memory for the metadata %s", key);
        }
        *fresh = (metadata){.key = k, .value = v};
    }
    metadata *old = *at;
    metadata *rest = old ? old->next : NULL;
    if (fresh) fresh->next = rest;
    *at = fresh ? fresh : rest;
    if (old) {
        free(old->key);
        free(old->value);
        free(old);
    }
    return WEIR_OK;
}

const char *weir_model_metadata(const weir_model *model, const char *key) {
    for (const metadata *n = model->notes; n; n = n->next)
        if (strcmp(n->key, key) == 0) return n->value;
    return NULL;
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

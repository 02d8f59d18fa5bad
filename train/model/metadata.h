/* Texts that a model carries into its file. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_METADATA_H
#define WEIR_TRAIN_METADATA_H

#include <stdbool.h>

enum { METADATA_MAX = 1000 }; /* texts: each is looked up among those before it */

typedef struct metadata {
    char *key, *value; /* owned */
    struct metadata *next;
} metadata;

/* Keys that are the library's own. */
bool weir_metadata_reserved(const char *key);

void weir_metadata_free(metadata *list);

#endif

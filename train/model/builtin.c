/* The models of the book by name: Chollet, Deep Learning with Python, chapters 6.3 and 6.4.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/model/builtin.h"

const weir_builtin *weir_model_builtin(int i) {
    return i >= 0 && i < weir_builtin_count ? &weir_builtins[i] : NULL;
}

weir_status weir_model_builtin_find(const char *name, const weir_builtin **out) {
    if (!name || !out) return weir_fail(WEIR_ERROR_ARGUMENT, "name and builtin must not be NULL");
    char known[512] = "";
    size_t used = 0;
    for (int i = 0; i < weir_builtin_count; i++) {
        const weir_builtin *b = &weir_builtins[i];
        if (strcmp(b->name, name) == 0) {
            *out = b;
            return WEIR_OK;
        }
        if (used < sizeof known)
            used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
                                     b->name);
    }
    return weir_fail(WEIR_ERROR_ARGUMENT, "model '%.40s' is not known, accepted: %s", name, known);
}

/* The models of the book by name: Chollet, Deep Learning with Python, chapters 6.3 and 6.4.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/model/builtin.h"
#include "train/model/nearest.h"

const weir_builtin *weir_model_builtin(int i) {
    return i >= 0 && i < weir_builtin_count ? &weir_builtins[i] : NULL;
}

enum { MODELS_MAX = 64 }; /* that a message names */

static weir_status unknown(const char *name) {
    const char *names[MODELS_MAX + 1] = {0};
    char known[512] = "", hint[80] = "";
    size_t used = 0;
    for (int i = 0; i < weir_builtin_count && i < MODELS_MAX && used < sizeof known; i++) {
        names[i] = weir_builtins[i].name;
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
                                 names[i]);
    }
    const char *nearest = weir_nearest(name, names);
    if (nearest) snprintf(hint, sizeof hint, ", did you mean %.40s?", nearest);
    return weir_fail(WEIR_ERROR_ARGUMENT, "model '%.40s' is not known%s accepted: %s", name,
                     nearest ? hint : ",", known);
}

weir_status weir_model_builtin_find(const char *name, const weir_builtin **out) {
    if (!name || !out) return weir_fail(WEIR_ERROR_ARGUMENT, "name and builtin must not be NULL");
    for (int i = 0; i < weir_builtin_count; i++) {
        if (strcmp(weir_builtins[i].name, name) != 0) continue;
        *out = &weir_builtins[i];
        return WEIR_OK;
    }
    return unknown(name);
}

/* Questions about names. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/names.h"

#include <string.h>

bool name_ends(const char *path, const char *ending) {
    const size_t n = strlen(path), k = strlen(ending);
    return n > k && strcmp(path + n - k, ending) == 0;
}

const char *name_of_file(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool name_listed(const char *name, const char *const *list) {
    while (*list && strcmp(*list, name) != 0) list++;
    return *list;
}

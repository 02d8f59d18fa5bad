/* Questions about names. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_NAMES_H
#define WEIR_CLI_NAMES_H

#include <stdbool.h>

/* Whether path ends in `ending` and has something before it. */
bool name_ends(const char *path, const char *ending);
/* The path without its folder: its end. */
const char *name_of_file(const char *path);
/* Whether the list, which ends with NULL, has the name. */
bool name_listed(const char *name, const char *const *list);

#endif

/* Messages that say which file something was wrong in. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/failed_in.h"

#include <stdio.h>

weir_status weir_failed_in(const char *where, weir_status status) {
    char message[1024]; /* as much as an error keeps; it is being written over */
    snprintf(message, sizeof message, "%s", weir_last_error());
    return weir_fail(status, "%s: %s", where, message);
}

weir_status weir_failed_in_file(const char *path, weir_status status) {
    return weir_failed_in(path, status == WEIR_ERROR_ARGUMENT ? WEIR_ERROR_FORMAT : status);
}

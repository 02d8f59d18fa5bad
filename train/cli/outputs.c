/* The files that weir train writes. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/cli/outputs.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "train/cli/history.h"
#include "train/model/atomic_file.h"

static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    if (stat(a, &x) != 0 || stat(b, &y) != 0) return strcmp(a, b) == 0;
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

weir_status outputs_check(const outputs *o, char path[OUTPUT_PATH]) {
    if (o->history) {
        weir_status status = history_check_path(o->history);
        if (status != WEIR_OK) return status;
    }
    if (o->save && strlen(o->save) >= OUTPUT_PATH)
        return weir_fail(WEIR_ERROR_ARGUMENT, "--save has %zu bytes, accepted: at most %d",
                         strlen(o->save), OUTPUT_PATH - 1);
    if (o->save)
        snprintf(path, OUTPUT_PATH, "%s", o->save);
    else
        snprintf(path, OUTPUT_PATH, "%s.safetensors", o->model);
    /* Better now than after the first epoch. */
    const char *const paths[] = {path, o->history};
    for (int i = 0; i < 2; i++) {
        if (!paths[i]) continue;
        if (o->data && same_file(paths[i], o->data))
            return weir_fail(WEIR_ERROR_ARGUMENT, "%s is the data: it would be overwritten",
                             paths[i]);
        const weir_status status = weir_atomic_file_check(paths[i]);
        if (status != WEIR_OK) return status;
    }
    if (o->history && same_file(path, o->history))
        return weir_fail(WEIR_ERROR_ARGUMENT, "--save and --history are both %s", o->history);
    return WEIR_OK;
}

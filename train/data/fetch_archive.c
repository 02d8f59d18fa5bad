/* What fetching any data set begins with. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/data/fetch_archive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { ENDING = 32 };

bool fetch_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

weir_status fetch_path(const char *dir, const char *name, char path[FETCH_PATH]) {
    if (snprintf(path, FETCH_PATH, "%s/%s", dir, name) < FETCH_PATH - ENDING) return WEIR_OK;
    return weir_fail(WEIR_ERROR_SYSTEM, "%s: the path is too long", dir);
}

const char *fetch_set_aside(const char *path, bool was_there, char text[FETCH_NOTE]) {
    char bad[FETCH_PATH + ENDING];
    snprintf(bad, sizeof bad, "%s.bad", path);
    if (was_there) return "";
    if (rename(path, bad) == 0) {
        snprintf(text, FETCH_NOTE, ", kept as %s", bad);
        return text;
    }
    remove(path);
    return "";
}

weir_status fetch_archive(const char *dir, const char *url, const char *path,
                          download_progress_fn *progress, void *user, bool *was_there) {
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return weir_fail(WEIR_ERROR_SYSTEM, "%s: making the folder: %s", dir, strerror(errno));
    *was_there = fetch_exists(path);
    return *was_there ? WEIR_OK : download_file(url, path, progress, user);
}

/* The files that weir train writes. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/cli/outputs.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "train/cli/history.h"
#include "train/cli/names.h"
#include "train/model/atomic_file.h"

static bool same_inode(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The folder of a path in `folder`; returns the name in it. */
static const char *name_in_folder(const char *path, char folder[OUTPUT_PATH]) {
    const char *name = name_of_file(path);
    if (name > path)
        snprintf(folder, OUTPUT_PATH, "%.*s", (int)(name - path), path);
    else
        snprintf(folder, OUTPUT_PATH, ".");
    return name;
}

/* Also of files that are not there yet: the same name in the same folder. */
static bool same_file(const char *a, const char *b) {
    char folder[2][OUTPUT_PATH];
    return same_inode(a, b) ||
           (strcmp(name_in_folder(a, folder[0]), name_in_folder(b, folder[1])) == 0 &&
            same_inode(folder[0], folder[1]));
}

static weir_status take(const char *option, const char *given, const char *stem, const char *end,
                        char path[OUTPUT_PATH]) {
    const size_t bytes = given ? strlen(given) : strlen(stem) + strlen(end);
    if (bytes >= OUTPUT_PATH)
        return weir_fail(WEIR_ERROR_ARGUMENT, "%s has %zu bytes, accepted: at most %d", option,
                         bytes, OUTPUT_PATH - 1);
    snprintf(path, OUTPUT_PATH, "%s%s", given ? given : stem, given ? "" : end);
    return WEIR_OK;
}

/* Better now than after the first epoch. */
static weir_status check_path(const char *path, const outputs *o) {
    static const char *const what[OUTPUT_INPUTS] = {"the data", "the model definition",
                                                    "the word vectors"};
    for (int i = 0; i < OUTPUT_INPUTS; i++)
        if (o->inputs[i] && same_file(path, o->inputs[i]))
            return weir_fail(WEIR_ERROR_ARGUMENT, "%s is %s: it would be overwritten", path,
                             what[i]);
    return weir_atomic_file_check(path);
}

weir_status outputs_check(const outputs *o, output_paths *paths) {
    weir_status status = o->history ? history_check_path(o->history) : WEIR_OK;
    if (status == WEIR_OK) status = take("--save", o->save, o->model, ".safetensors", paths->save);
    if (status == WEIR_OK)
        status = take("--checkpoint", o->checkpoint, paths->save, ".checkpoint", paths->checkpoint);
    if (o->no_checkpoint) paths->checkpoint[0] = '\0';
    const char *const names[] = {"--save", "--history", "--checkpoint"};
    const char *const all[] = {paths->save, o->history,
                               o->no_checkpoint ? NULL : paths->checkpoint};
    for (int i = 0; i < 3 && status == WEIR_OK; i++) {
        if (!all[i]) continue;
        status = check_path(all[i], o);
        for (int k = 0; k < i && status == WEIR_OK; k++)
            if (all[k] && same_file(all[k], all[i]))
                status = weir_fail(WEIR_ERROR_ARGUMENT, "%s and %s are both %s", names[k], names[i],
                                   all[i]);
    }
    return status;
}

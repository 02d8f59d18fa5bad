/* Files that are replaced in one step: temporary file beside it, fsync, rename.
 * SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/model/atomic_file.h"

enum { TEMPORARY_ENDING = 48 };

static weir_status failed(const char *path, const char *what) {
    char reason[128];
    if (strerror_r(errno, reason, sizeof reason) != 0) strcpy(reason, "unknown reason");
    return weir_fail(WEIR_ERROR_SYSTEM, "%s: can't be %s: %s", path, what, reason);
}

/* 0, or -1 with errno. */
static int write_all(int fd, const chunk *c) {
    const char *data = c->data;
    size_t left = c->bytes;
    while (left > 0) {
        const ssize_t n = write(fd, data, left < ((size_t)1 << 30) ? left : (size_t)1 << 30);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        data += n;
        left -= (size_t)n;
    }
    return 0;
}

/* The folder must reach the disk too for the new name to survive a power cut; not every file system
 * can be asked to, so a failure is no error. */
static void sync_folder(const char *path) {
    char *copy = malloc(strlen(path) + 1);
    if (!copy) return;
    strcpy(copy, path);
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

/* A new file "PATH.tmp-PID-N"; an earlier run that was killed may have left some behind. */
static int open_temporary(const char *path, char *temporary, size_t size) {
    for (int n = 0; n < 100; n++) {
        snprintf(temporary, size, "%s.tmp-%ld-%d", path, (long)getpid(), n);
        const int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

/* The file that is replaced may be for few eyes. Not every file system has modes. */
static void keep_mode(const char *path, int fd) {
    struct stat old;
    if (stat(path, &old) == 0) fchmod(fd, old.st_mode & 07777);
}

static weir_status write_and_rename(const char *path, const char *temporary, int fd,
                                    const chunk *chunks, int count) {
    bool written = true;
    keep_mode(path, fd);
    for (int i = 0; i < count && written; i++) written = write_all(fd, &chunks[i]) == 0;
    written = written && fsync(fd) == 0;
    const int error = errno;
    const bool closed = close(fd) == 0;
    if (!written) errno = error;
    if (!written || !closed) return failed(path, "written");
    if (rename(temporary, path) != 0) return failed(path, "replaced");
    sync_folder(path);
    return WEIR_OK;
}

static weir_status check_kind(const char *path) {
    struct stat info;
    if (path[0] == '\0')
        return weir_fail(WEIR_ERROR_SYSTEM, "the name of the file to write is empty");
    if (path[strlen(path) - 1] == '/')
        return weir_fail(WEIR_ERROR_SYSTEM, "%s is the name of a folder, accepted: one of a file",
                         path);
    if (lstat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return weir_fail(WEIR_ERROR_SYSTEM,
                         "%s: can't be replaced: it is a %s, accepted: a plain file or a new name",
                         path,
                         S_ISDIR(info.st_mode)   ? "directory"
                         : S_ISLNK(info.st_mode) ? "link"
                                                 : "device or pipe");
    return WEIR_OK;
}

/* Opens the temporary file; its name is the caller's to free. */
static weir_status begin(const char *path, char **temporary, int *fd) {
    weir_status status = check_kind(path);
    if (status != WEIR_OK) return status;
    const size_t size = strlen(path) + TEMPORARY_ENDING;
    *temporary = malloc(size);
    if (!*temporary) return weir_fail(WEIR_ERROR_MEMORY, "no memory to write %s", path);
    *fd = open_temporary(path, *temporary, size);
    if (*fd >= 0) return WEIR_OK;
    status = failed(path, "written");
    free(*temporary);
    return status;
}

/* As it will be written: whatever is wrong shows before hours of training. */
weir_status weir_atomic_file_check(const char *path) {
    char *temporary;
    int fd;
    weir_status status = begin(path, &temporary, &fd);
    if (status != WEIR_OK) return status;
    close(fd);
    unlink(temporary);
    free(temporary);
    return WEIR_OK;
}

weir_status weir_atomic_file_write(const char *path, const chunk *chunks, int count) {
    char *temporary;
    int fd;
    weir_status status = begin(path, &temporary, &fd);
    if (status != WEIR_OK) return status;
    status = write_and_rename(path, temporary, fd, chunks, count);
    if (status != WEIR_OK) unlink(temporary);
    free(temporary);
    return status;
}

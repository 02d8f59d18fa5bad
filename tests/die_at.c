/* Preloaded into a program: kills it at the WEIR_DIE_AT-th call that changes a file.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Counts a call; true when it is the one. */
static int is_last(void) {
    static long calls;
    const char *text = getenv("WEIR_DIE_AT");
    return text && ++calls == atol(text);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

/* Dies with half of the bytes written. */
ssize_t write(int fd, const void *data, size_t bytes) {
    ssize_t (*real)(int, const void *, size_t);
    *(void **)&real = next("write");
    if (!is_last()) return real(fd, data, bytes);
    real(fd, data, bytes / 2);
    die();
    return -1;
}

int fsync(int fd) {
    int (*real)(int);
    *(void **)&real = next("fsync");
    if (is_last()) die();
    return real(fd);
}

/* Two moments: before, and after. */
int rename(const char *from, const char *to) {
    int (*real)(const char *, const char *);
    *(void **)&real = next("rename");
    if (is_last()) die();
    const int result = real(from, to);
    if (is_last()) die();
    return result;
}

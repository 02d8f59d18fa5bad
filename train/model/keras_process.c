/* The process that reads and writes the files of Keras. SPDX-License-Identifier: Apache-2.0
 *
 * Started with posix_spawn(): fork() in a library would copy the locks that other threads hold, and
 * HDF5 behind it would wait for them forever. Input and output are one socket, as a pipe whose reader
 * has died would send SIGPIPE to a program that never asked for it.
 */
#define _GNU_SOURCE

#include "train/model/keras_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "train/keras/stream.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static weir_status system_error(const keras_process *k, const char *what, int error) {
    char reason[128];
    return weir_fail(WEIR_ERROR_SYSTEM, "%s: %s: %s", k->path, what,
                     strerror_r(error, reason, sizeof reason));
}

#ifndef WEIR_KERAS_PROGRAM

weir_status weir_keras_start(keras_process *k, const char *path, const char *work, int input,
                             int64_t bytes) {
    (void)input;
    (void)bytes;
    *k = (keras_process){.path = path, .work = work, .pid = -1, .fd = -1};
    return weir_fail(WEIR_ERROR_UNSUPPORTED,
                     "%s: this Weir was built without the files of Keras: install libhdf5-dev and "
                     "libarchive-dev and build it again (meson option keras)",
                     path);
}

#else

extern char **environ;

/* What the user names, what lies beside the running program, or what was installed. */
static void find_program(char program[PATH_MAX]) {
    const char *named = secure_getenv("WEIR_KERAS_PROGRAM");
    if (named && strlen(named) < PATH_MAX) {
        strcpy(program, named);
        return;
    }
    static const char name[] = "weir-keras";
    const ssize_t length = readlink("/proc/self/exe", program, PATH_MAX - sizeof name);
    if (length > 0) {
        program[length] = '\0';
        char *slash = strrchr(program, '/');
        if (slash) strcpy(slash + 1, name);
        if (slash && access(program, X_OK) == 0) return;
    }
    strcpy(program, WEIR_KERAS_PROGRAM);
}

/* Signals as in a new program, whatever this one does with them. 0 or an error number. */
static int spawn(const char *program, const char *work, int input, int output, pid_t *pid) {
    char *const argv[] = {(char *)program, (char *)work, NULL};
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        if (error == 0)
            error =
                posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (error == 0) error = posix_spawn(pid, program, &actions, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* A copy that is none of the standard ones, which this program may have closed. */
static int above_standard(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1); }

static weir_status start(keras_process *k, const char *work, int input, int output) {
    char program[PATH_MAX];
    find_program(program);
    const int error = spawn(program, work, input, output, &k->pid);
    if (error == 0) return WEIR_OK;
    k->pid = -1;
    char reason[128];
    return weir_fail(error == ENOENT || error == EACCES ? WEIR_ERROR_UNSUPPORTED
                                                        : WEIR_ERROR_SYSTEM,
                     "%s: the program %s, which reads and writes the files of Keras, can't be "
                     "started: %s; install all of Weir, or name the program in WEIR_KERAS_PROGRAM",
                     k->path, program, strerror_r(error, reason, sizeof reason));
}

weir_status weir_keras_start(keras_process *k, const char *path, const char *work, int input,
                             int64_t bytes) {
    const int64_t seconds = 30 + bytes / (4 << 20);
    *k = (keras_process){.path = path,
                         .work = work,
                         .pid = -1,
                         .fd = -1,
                         .seconds = seconds,
                         .deadline = now() + (double)seconds};
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return system_error(k, "no socket", errno);
    k->fd = ends[0];
    const int output = above_standard(ends[1]);
    const int in = above_standard(input >= 0 ? input : ends[1]);
    weir_status status = output < 0 || in < 0 ? system_error(k, "no file descriptor", errno)
                                              : start(k, work, in, output);
    if (in >= 0) close(in);
    if (output >= 0) close(output);
    close(ends[1]);
    if (status != WEIR_OK) weir_keras_end(k);
    return status;
}

#endif

void weir_keras_end(keras_process *k) {
    if (k->fd >= 0) close(k->fd);
    /* Still this program's child and not waited for: the number is nobody else's. */
    if (k->pid > 0 && waitpid(k->pid, NULL, WNOHANG) == 0) {
        kill(k->pid, SIGKILL);
        while (waitpid(k->pid, NULL, 0) < 0 && errno == EINTR) {}
    }
    k->fd = -1;
    k->pid = -1;
}

static bool reads(const keras_process *k) { return strcmp(k->work, "read") == 0; }

/* The process ended or must be ended; why. A file that was read is to blame, one to be written not. */
static weir_status broken(const keras_process *k, const char *why) {
    return weir_fail(reads(k) ? WEIR_ERROR_FORMAT : WEIR_ERROR_SYSTEM,
                     "%s: can't be %s: weir-keras, which does it, %s", k->path,
                     reads(k) ? "read, it must be damaged" : "written", why);
}

/* Waits for its end, to the deadline; what waitpid() says. */
static pid_t wait_for_end(keras_process *k, int *how) {
    for (;;) {
        const pid_t pid = waitpid(k->pid, how, WNOHANG);
        if (pid > 0 || (pid < 0 && errno != EINTR)) return pid;
        if (now() > k->deadline) kill(k->pid, SIGKILL);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

/* What a damaged file does to HDF5, if not an error. */
static bool blames_file(int signal) {
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT || signal == SIGFPE ||
           signal == SIGILL || signal == SIGSYS;
}

/* The process said no more. */
static weir_status ended(keras_process *k) {
    int how = 0;
    const pid_t pid = wait_for_end(k, &how);
    k->pid = -1;
    if (pid > 0 && WIFSIGNALED(how) && WTERMSIG(how) == SIGXCPU)
        return broken(k, "used up the processor time it may have");
    const int signal = pid > 0 && WIFSIGNALED(how) ? WTERMSIG(how) : 0;
    char why[64] = "ended early";
    if (signal)
        snprintf(why, sizeof why, "was ended by signal %d", signal);
    else if (pid > 0 && !k->started)
        snprintf(why, sizeof why, "ended with status %d", WEXITSTATUS(how));
    if (signal ? blames_file(signal) : k->started) return broken(k, why);
    return weir_fail(signal ? WEIR_ERROR_SYSTEM : WEIR_ERROR_UNSUPPORTED,
                     "%s: can't be %s: weir-keras, which does it, %s", k->path,
                     reads(k) ? "read" : "written", why);
}

/* Until the socket is ready for `events`. */
static weir_status wait_for(keras_process *k, short events) {
    for (;;) {
        const double left = k->deadline - now();
        struct pollfd p = {.fd = k->fd, .events = events};
        /* What is there is taken, however late: this program may have been stopped for a while. */
        const int ready = poll(&p, 1, left > 0 ? (int)(1e3 * (left < 1e6 ? left : 1e6)) + 1 : 0);
        if (ready > 0) return WEIR_OK;
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) return system_error(k, "poll", errno);
        if (left > 0) continue;
        char why[64];
        snprintf(why, sizeof why, "took more than %lld s", (long long)k->seconds);
        return broken(k, why);
    }
}

weir_status weir_keras_send(keras_process *k, const void *data, size_t bytes) {
    const char *from = data;
    while (bytes > 0) {
        weir_status status = wait_for(k, POLLOUT);
        if (status != WEIR_OK) return status;
        const ssize_t n = send(k->fd, from, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n < 0) return weir_fail(WEIR_ERROR_STATE, "%s: weir-keras ended early", k->path);
        from += n;
        bytes -= (size_t)n;
    }
    return WEIR_OK;
}

weir_status weir_keras_receive(keras_process *k, void *data, size_t bytes) {
    char *to = data;
    while (bytes > 0) {
        weir_status status = wait_for(k, POLLIN);
        if (status != WEIR_OK) return status;
        const ssize_t n = recv(k->fd, to, bytes, MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n <= 0) return ended(k);
        to += n;
        bytes -= (size_t)n;
    }
    return WEIR_OK;
}

weir_status weir_keras_receive_text(keras_process *k, uint32_t max, char **text) {
    uint32_t length = 0;
    *text = NULL;
    weir_status status = weir_keras_receive(k, &length, sizeof length);
    if (status != WEIR_OK) return status;
    if (length > max)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: it is damaged: a text of %u bytes, accepted: %u",
                         k->path, length, max);
    char *out = malloc((size_t)length + 1);
    if (!out) return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", k->path);
    status = weir_keras_receive(k, out, length);
    out[status == WEIR_OK ? length : 0] = '\0';
    if (status == WEIR_OK)
        *text = out;
    else
        free(out);
    return status;
}

weir_status weir_keras_receive_status(keras_process *k) {
    uint32_t code = 0;
    char *text = NULL;
    weir_status status = weir_keras_receive(k, &code, sizeof code);
    if (status != WEIR_OK || code == WEIR_OK) return status;
    status = weir_keras_receive_text(k, KERAS_NAME_MAX, &text);
    if (status != WEIR_OK) return status;
    const bool known = code == WEIR_ERROR_MEMORY || code == WEIR_ERROR_SYSTEM;
    status = weir_fail(known ? (weir_status)code : WEIR_ERROR_FORMAT, "%s: %s", k->path, text);
    free(text);
    return status;
}

weir_status weir_keras_receive_start(keras_process *k) {
    uint32_t magic = 0;
    weir_status status = weir_keras_receive(k, &magic, sizeof magic);
    if (status != WEIR_OK) return status;
    if (magic != KERAS_MAGIC)
        return weir_fail(WEIR_ERROR_UNSUPPORTED,
                         "%s: the program weir-keras is not of this version of Weir", k->path);
    k->started = true;
    return weir_keras_receive_status(k);
}

/* The process that reads and writes the files of Keras. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_KERAS_PROCESS_H
#define WEIR_TRAIN_KERAS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "weir/status.h"

typedef struct keras_process {
    const char *path; /* of the file, for messages; the caller's */
    const char *work; /* "read" or "write" */
    pid_t pid;        /* -1: none */
    int fd;           /* a socket to and from it; -1: none */
    int64_t seconds;  /* that it may take, */
    double deadline;  /* until then, on the monotonic clock */
    bool started;     /* it answered as weir-keras does */
} keras_process;

/*
 * Starts weir-keras; `work` is "read" or "write", its standard input is `input` or, with -1, what
 * weir_keras_send() sends. bytes: of the file, which the time it gets grows with.
 * Errors: UNSUPPORTED (not built or not installed), SYSTEM.
 */
weir_status weir_keras_start(keras_process *k, const char *path, const char *work, int input,
                             int64_t bytes);
/* Errors: STATE (the process ended; its answer may say why), SYSTEM (it took too long). */
weir_status weir_keras_send(keras_process *k, const void *data, size_t bytes);
/* Errors: FORMAT (reading: the process crashed or took too long, so the file is damaged), UNSUPPORTED (it
 * ended before it said anything), SYSTEM. */
weir_status weir_keras_receive(keras_process *k, void *data, size_t bytes);
/* A text of at most `max` bytes, to be freed. Errors: FORMAT, MEMORY. */
weir_status weir_keras_receive_text(keras_process *k, uint32_t max, char **text);
/* The start of the answer and of its first frame. Errors: UNSUPPORTED (another program, or another
 * version of it); whatever the process says. */
weir_status weir_keras_receive_start(keras_process *k);
/* The start of another frame. Errors: whatever the process says. */
weir_status weir_keras_receive_status(keras_process *k);
/* Ends the process, whatever it does. */
void weir_keras_end(keras_process *k);

#endif

/* The options that choose threads and instruction set, for every command that computes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_RUNTIME_OPTIONS_H
#define WEIR_CLI_RUNTIME_OPTIONS_H

#include "train/cli/options.h"
#include "weir/runtime.h"

/* All zero: the defaults (environment variables, else what fits the machine). */
typedef struct runtime_arguments {
    int64_t threads;          /* 0: automatic */
    int isa, threading, bind; /* index into the lists below; 0: automatic */
} runtime_arguments;

extern const char *const runtime_isas[], *const runtime_threadings[], *const runtime_binds[];

enum { THREADS_MAX = 4096 };

/* Goes into an option table: RUNTIME_OPTIONS(&arguments), OPTION_END. */
#define RUNTIME_OPTIONS(a)                                                                      \
    OPTION_GROUP("Machine"),                                                                    \
        OPTION_INT_DEFAULT("threads", "N", &(a)->threads, 1, THREADS_MAX, "worker threads",     \
                           "WEIR_THREADS, else one per core"),                                  \
        OPTION_CHOICE_DEFAULT("isa", &(a)->isa, runtime_isas, "instruction set of the kernels", \
                              "WEIR_ISA, else the best available"),                             \
        OPTION_CHOICE_DEFAULT("threading", &(a)->threading, runtime_threadings,                 \
                              "who runs parallel loops", "WEIR_THREADING, else pool"),          \
        OPTION_CHOICE_DEFAULT("bind", &(a)->bind, runtime_binds, "where workers are pinned",    \
                              "WEIR_BIND, else compact")

/* Creates the runtime; its warnings go to stderr as "weir COMMAND: warning: ...". `command` must
 * live as long as the runtime. */
weir_status runtime_create(const runtime_arguments *arguments, const char *command,
                           weir_runtime **runtime);

#endif

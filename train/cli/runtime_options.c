/* The options that choose threads and instruction set. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/runtime_options.h"

#include <stdio.h>

/* In the order of the enums, after "auto". */
const char *const runtime_isas[] = {"auto", "scalar", "generic", "avx2", "avx512", NULL};
const char *const runtime_threadings[] = {"auto", "pool", "openmp", NULL};
const char *const runtime_binds[] = {"auto", "compact", "spread", "none", NULL};

static void print_warning(void *user, const char *message) {
    fprintf(stderr, "weir %s: warning: %s\n", (const char *)user, message);
}

weir_status runtime_create(const runtime_arguments *arguments, const char *command,
                           weir_runtime **runtime) {
    weir_runtime_options o = weir_runtime_options_default();
    o.threads = (int)arguments->threads;
    o.isa = (weir_isa)(arguments->isa + WEIR_ISA_AUTO);
    o.threading = (weir_threading)(arguments->threading + WEIR_THREADING_AUTO);
    o.bind = (weir_bind)(arguments->bind + WEIR_BIND_AUTO);
    o.warning = print_warning;
    o.warning_user = (void *)command;
    return weir_runtime_create(&o, runtime);
}

/* Ctrl-C as a wish to stop soon. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t seen; /* the signal; 0: none */

static void on_signal(int number) {
    seen = number;
    /* Either signal, once more, now ends the program. */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

void interrupt_catch(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* A file that grows over the limit (ulimit -f) is an error of the write, and not the end. */
    signal(SIGXFSZ, SIG_IGN);
}

bool interrupt_seen(void) { return seen != 0; }

int interrupt_status(void) { return 128 + (int)seen; }

const char *interrupt_word(void) { return seen == SIGTERM ? "terminated" : "interrupted"; }

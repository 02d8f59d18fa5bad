/* Faults of the code under test: caught, so that the run goes on.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "validate/fault.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/runtime.h"

_Thread_local sigjmp_buf fault_return;
_Thread_local volatile bool fault_armed;
_Thread_local void *volatile fault_address;
static char announcement[700];
static unsigned denormals; /* the mode of the main thread outside kernels */

void fault_announce(const char *text) { snprintf(announcement, sizeof announcement, "%s", text); }

static void handle(int signal, siginfo_t *info, void *unused) {
    (void)unused;
    if (fault_armed && signal != SIGABRT) {
        fault_armed = false;
        fault_address = info->si_addr;
        weir_denormals_restore(denormals);
        siglongjmp(fault_return, signal);
    }
    ssize_t ignored = write(STDOUT_FILENO, announcement, strlen(announcement));
    (void)ignored;
    _exit(1);
}

void fault_arm(void) { fault_armed = true; }
void fault_release(void) { fault_armed = false; }

void fault_install(void) {
    denormals = weir_denormals_flush();
    weir_denormals_restore(denormals);
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
}

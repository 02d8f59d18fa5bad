/* Faults and endless loops of the code under test: caught, so that the run goes on.
 * SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "validate/fault.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "runtime/runtime.h"

_Thread_local sigjmp_buf fault_return;
_Thread_local volatile bool fault_armed;
_Thread_local void *volatile fault_address;
static _Thread_local volatile bool kernel_runs, was_endless;
static pthread_t main_thread;
static char announcement[2][700];
static unsigned denormals; /* the mode of the main thread outside kernels */

void fault_announce(const char *before, const char *after) {
    snprintf(announcement[0], sizeof announcement[0], "%s", before);
    snprintf(announcement[1], sizeof announcement[1], "%s", after);
}

static _Noreturn void give_up(const char *reason) {
    const char *text[] = {announcement[0], reason, announcement[1]};
    for (int i = 0; i < 3; i++) {
        ssize_t ignored = write(STDOUT_FILENO, text[i], strlen(text[i]));
        (void)ignored;
    }
    _exit(1);
}

static _Noreturn void leave(int signal, void *address) {
    fault_armed = kernel_runs = false;
    fault_address = address;
    was_endless = signal == SIGALRM;
    weir_denormals_restore(denormals);
    siglongjmp(fault_return, signal);
}

static void handle(int signal, siginfo_t *info, void *unused) {
    (void)unused;
    if (fault_armed && signal != SIGABRT) leave(signal, info->si_addr);
    give_up("the program was ended by a fault or an abort");
}

/* The system sends the alarm to any thread. */
static void handle_alarm(int signal) {
    if (!pthread_equal(pthread_self(), main_thread)) {
        pthread_kill(main_thread, signal);
        return;
    }
    if (fault_armed && kernel_runs) leave(signal, NULL);
    give_up("no end within the limit");
}

void fault_limit(int64_t seconds) {
    const struct itimerval timer = {.it_value.tv_sec = (time_t)seconds};
    setitimer(ITIMER_REAL, &timer, NULL);
}

void fault_kernel_runs(bool runs) { kernel_runs = runs; }
bool fault_was_endless(void) { return was_endless; }
void fault_arm(void) { fault_armed = true; }
void fault_release(void) { fault_armed = false; }

void fault_install(void) {
    main_thread = pthread_self();
    denormals = weir_denormals_flush();
    weir_denormals_restore(denormals);
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGABRT, &action, NULL);
    struct sigaction alarm_action = {.sa_handler = handle_alarm, .sa_flags = SA_RESTART};
    sigemptyset(&alarm_action.sa_mask);
    sigaction(SIGALRM, &alarm_action, NULL);
}

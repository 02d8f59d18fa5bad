/* Faults and endless loops of the code under test. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_VALIDATE_FAULT_H
#define WEIR_VALIDATE_FAULT_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

void fault_install(void);
/* What is printed, before and after the reason, when a fault can't be returned from: in a worker
 * thread, or where the code under test does not run. */
void fault_announce(const char *before, const char *after);

/* After so many seconds (0: never) the case is taken for endless: a fault where a kernel runs in
 * the main thread, anywhere else the end of the program. */
void fault_limit(int64_t seconds);
/* A kernel runs in this thread: it holds no lock, so it can be left at any point. */
void fault_kernel_runs(bool runs);

/* True when the code after it, up to fault_release(), faulted; *address is where. As
 * setjmp: a macro, used alone in a condition. */
extern _Thread_local sigjmp_buf fault_return;
extern _Thread_local volatile bool fault_armed;
extern _Thread_local void *volatile fault_address;
bool fault_was_endless(void); /* it took longer than the limit */
void fault_release(void);
void fault_arm(void);
#define fault_caught(address) \
    (sigsetjmp(fault_return, 1) ? (*(address) = fault_address, true) : (fault_arm(), false))

#endif

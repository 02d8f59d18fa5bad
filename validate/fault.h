/* Faults of the code under test. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_VALIDATE_FAULT_H
#define WEIR_VALIDATE_FAULT_H

#include <setjmp.h>
#include <stdbool.h>

void fault_install(void);
/* What is printed when a fault can't be returned from, as in a worker thread. */
void fault_announce(const char *text);

/* True when the code after it, up to fault_release(), faulted; *address is where. As setjmp: a
 * macro, used alone in a condition. */
extern _Thread_local sigjmp_buf fault_return;
extern _Thread_local volatile bool fault_armed;
extern _Thread_local void *volatile fault_address;
void fault_release(void);
void fault_arm(void);
#define fault_caught(address) \
    (sigsetjmp(fault_return, 1) ? (*(address) = fault_address, true) : (fault_arm(), false))

#endif

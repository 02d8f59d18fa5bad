/* Ctrl-C as a wish to stop soon. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_INTERRUPT_H
#define WEIR_CLI_INTERRUPT_H

#include <stdbool.h>

enum { STATUS_INTERRUPTED = 130 };

/* From now on the first SIGINT or SIGTERM only sets a flag; the second one ends the program. */
void interrupt_catch(void);
bool interrupt_seen(void);

#endif

/* Ctrl-C as a wish to stop soon. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_INTERRUPT_H
#define WEIR_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on the first SIGINT or SIGTERM only sets a flag; the second one ends the program. */
void interrupt_catch(void);
bool interrupt_seen(void);

/* After interrupt_seen, the exit status that shells know (130 or 143), and "interrupted" (SIGINT) or
 * "terminated" (SIGTERM). */
int interrupt_status(void);
const char *interrupt_word(void);

#endif

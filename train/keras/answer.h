/* The answer of weir-keras. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_KERAS_ANSWER_H
#define WEIR_KERAS_ANSWER_H

#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include "weir/status.h"

/* The start of a frame that goes well. */
void answer_ok(void);
void answer_number(uint32_t number);
void answer_bytes(const void *bytes, size_t count);
void answer_text(const char *text);
/* What was put in goes out, then these bytes, and the frame is complete. Ends the program when nobody
 * reads. */
void answer_send(const void *bytes, size_t count);

/* Drops what was not sent, answers with the frame of an error, and ends the program. */
noreturn __attribute__((format(printf, 2, 3))) void answer_fail(weir_status status,
                                                                const char *format, ...);

/* malloc() that ends the program rather than returning NULL; bytes may be 0. */
void *allocate(size_t bytes);

#endif

/* Texts that files and other programs read. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_UTF8_H
#define WEIR_TRAIN_UTF8_H

#include <stdbool.h>
#include <stdint.h>

/* Length of the well-formed UTF-8 sequence (RFC 3629) that text[0 .. size) begins with, or 0. */
int64_t weir_utf8_bytes(const char *text, int64_t size);
/* Whether all of a text is such sequences. */
bool weir_utf8_valid(const char *text);

#endif

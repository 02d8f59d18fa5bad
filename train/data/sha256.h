/* SHA-256, to recognise a downloaded file. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_SHA256_H
#define WEIR_TRAIN_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "weir/status.h"

typedef struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    unsigned char block[64]; /* the last bytes % 64 */
} sha256;

enum { SHA256_TEXT = 65 }; /* 64 hexadecimal digits and a zero */

void sha256_start(sha256 *s);
void sha256_add(sha256 *s, const void *data, size_t size);
/* Writes the digits of everything added; *s must be started again before its next use. */
void sha256_finish(sha256 *s, char text[SHA256_TEXT]);

/* Of a file's content. Errors: SYSTEM. */
weir_status sha256_file(const char *path, char text[SHA256_TEXT]);

#endif

/* Lines of text from a file or from standard input. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_LINES_H
#define WEIR_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/status.h"

enum { LINE_BYTES_MAX = 1 << 24 };

/* Zeroed ones may be closed. */
typedef struct lines {
    const char *name; /* for messages, the caller's: a path, or "standard input" */
    int fd;           /* -1: none */
    bool owned, ended;
    bool cut;     /* the line last taken had no end of line: it is the last, and may be cut off */
    char *buffer; /* owned */
    size_t begin, end, room; /* what of it was read and not yet taken */
    int64_t number;          /* of the line last taken, from 1 */
} lines;

/* Opens a file, or standard input where path is NULL or "-". Errors: SYSTEM (names the path), MEMORY.
 */
weir_status lines_open(const char *path, lines *l);
void lines_close(lines *l);

/*
 * The next line: text[0 .. bytes) without its end (\n or \r\n) and, in the first line, without a
 * byte-order mark; a zero is behind it. *text is NULL after the last one. Valid until the next call,
 * and may be written to. Waits for input. Errors: SYSTEM, FORMAT (a line of more than LINE_BYTES_MAX
 * bytes; a zero byte, which no text has; both name the line), MEMORY.
 */
weir_status lines_next(lines *l, char **text, int64_t *bytes);
/* Whether the next line is in memory: lines_next will then not wait. */
bool lines_at_hand(const lines *l);

#endif

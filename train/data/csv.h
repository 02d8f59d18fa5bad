/* A mapped CSV file and its cells. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_CSV_H
#define WEIR_TRAIN_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weir/status.h"

typedef struct csv_file {
    const char *path; /* the caller's */
    const char *data; /* mapped, not ended by a zero; NULL when the file is empty */
    size_t size;
    /* Where the next cell begins. */
    const char *next, *line_begin;
    int64_t line; /* from 1 */
} csv_file;

typedef struct csv_cell {
    const char *begin, *end; /* without quotes and surrounding blanks */
    bool last;               /* of its line */
    bool escaped;            /* holds "" for a quote */
} csv_cell;

/* Maps the file and skips a byte-order mark. Errors: SYSTEM (with the reason: no such file, no
 * permission, a directory, ...). */
weir_status csv_open(const char *path, csv_file *file);
void csv_close(csv_file *file);

/* True at the end of the file. Empty lines at the end belong to it. */
bool csv_at_end(csv_file *file);

/* Line ends in the rest of the file, plus one: no fewer than the lines that are left. */
int64_t csv_lines_left(const csv_file *file);

/* Takes the next cell; after a line's last one the file is at the next line's first. Errors: FORMAT
 * (a quote that is not closed, or closed inside the cell). */
weir_status csv_take_cell(csv_file *file, csv_cell *cell);

/* Fails with FORMAT and "path:line:column: MESSAGE", for a place in the current line. */
__attribute__((format(printf, 3, 4))) weir_status csv_fail(const csv_file *file, const char *at,
                                                           const char *format, ...);

/* What a cell holds, for messages: at most 40 characters, unprintable ones as '?'. */
enum { CSV_SHOWN = 48 };
const char *csv_show(const csv_cell *cell, char text[CSV_SHOWN]);

#endif

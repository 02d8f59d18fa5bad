/* The header line of a CSV file and the choice of columns. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/data/header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/data/tokenize.h"

enum { COLUMNS_MAX = 4096 };
static const char default_target[] = "T (degC)";

static weir_status no_memory(void) { return weir_fail(WEIR_ERROR_MEMORY, "no memory for names"); }

/* Copies the cell's text, "" becoming one quote. */
static char *cell_text(const csv_cell *cell) {
    char *text = strndup(cell->begin, (size_t)(cell->end - cell->begin));
    if (text == NULL || !cell->escaped) return text;
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        *to++ = *from;
        if (from[0] == '"' && from[1] == '"') from++;
    }
    *to = '\0';
    return text;
}

static int64_t find(const header *head, const char *name, size_t length) {
    for (int64_t i = 1; i < head->count; i++)
        if (strlen(head->names[i]) == length && memcmp(head->names[i], name, length) == 0) return i;
    return -1;
}

static weir_status take_names(csv_file *file, header *head) {
    csv_cell cell = {0};
    while (!cell.last) {
        weir_status status = csv_take_cell(file, &cell);
        if (status != WEIR_OK) return status;
        if (head->count == COLUMNS_MAX)
            return csv_fail(file, cell.begin, "more than %d columns", COLUMNS_MAX);
        char *name = cell_text(&cell);
        if (name == NULL) return no_memory();
        const int64_t same = find(head, name, strlen(name));
        head->names[head->count++] = name;
        if (head->count == 1) continue; /* the times: any name will do */
        if (text_invalid_bytes(cell.begin, cell.end - cell.begin) > 0)
            return csv_fail(file, cell.begin,
                            "the name of column %lld is no UTF-8, accepted: UTF-8 (iconv -f latin1 "
                            "-t utf8 converts a file)",
                            (long long)head->count);
        if (name[0] == '\0')
            return csv_fail(file, cell.begin, "column %lld has no name", (long long)head->count);
        if (same >= 0)
            return csv_fail(file, cell.begin, "columns %lld and %lld are both named \"%s\"",
                            (long long)same + 1, (long long)head->count, name);
    }
    if (head->count >= 2) return WEIR_OK;
    const bool semicolons = strchr(head->names[0], ';') != NULL;
    return csv_fail(file, cell.begin,
                    "the header has one column, accepted: times and at least "
                    "one column of numbers, separated by commas%s",
                    semicolons ? " (these look like semicolons)" : "");
}

/* An ARGUMENT error that lists the columns there are. */
static weir_status unknown_column(const csv_file *file, const header *head, const series_options *o,
                                  const char *option, const char *name, size_t length) {
    char list[640] = "";
    size_t used = 0;
    for (int64_t i = 1; i < head->count && used < sizeof list; i++) {
        const int n = snprintf(list + used, sizeof list - used, "%s\"%s\"", i == 1 ? "" : ", ",
                               head->names[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    if (o->wanted_by != NULL)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "%s needs the column \"%.*s\", but %s has no such column; it has %s",
                         o->wanted_by, (int)length, name, file->path, list);
    return weir_fail(WEIR_ERROR_ARGUMENT, "%s is \"%.*s\", but %s has no such column; it has %s",
                     option, (int)length, name, file->path, list);
}

/* Gives the columns in the comma-separated list their places, in the list's order. */
static weir_status choose_listed(const csv_file *file, const series_options *o, header *head) {
    for (const char *name = o->columns;; name++) {
        name += strspn(name, " ");
        size_t length = strcspn(name, ","), trimmed = length;
        while (trimmed > 0 && name[trimmed - 1] == ' ') trimmed--;
        const int64_t column = find(head, name, trimmed);
        if (column < 0) return unknown_column(file, head, o, "--columns", name, trimmed);
        if (head->to[column] >= 0)
            return weir_fail(WEIR_ERROR_ARGUMENT, "--columns names \"%s\" twice",
                             head->names[column]);
        head->to[column] = head->used++;
        name += length;
        if (*name == '\0') return WEIR_OK;
    }
}

static weir_status choose(const csv_file *file, const series_options *options, header *head) {
    for (int64_t i = 0; i < head->count; i++) head->to[i] = -1;
    if (options->columns != NULL) {
        const weir_status status = choose_listed(file, options, head);
        if (status != WEIR_OK) return status;
    } else {
        for (int64_t i = 1; i < head->count; i++) head->to[i] = head->used++;
    }
    const char *target = options->target != NULL ? options->target : default_target;
    const int64_t column = find(head, target, strlen(target));
    if (column < 0) return unknown_column(file, head, options, "--target", target, strlen(target));
    if (head->to[column] < 0)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "--columns is \"%s\", which leaves out the target "
                         "\"%s\"",
                         options->columns, target);
    head->target = head->to[column];
    return WEIR_OK;
}

weir_status header_make(char *const *names, int64_t columns, int64_t target, header *head) {
    *head = (header){.used = columns, .target = target};
    head->names = calloc((size_t)columns + 1, sizeof *head->names);
    head->to = malloc(((size_t)columns + 1) * sizeof *head->to);
    if (head->names == NULL || head->to == NULL) return no_memory();
    for (int64_t i = 0; i <= columns; i++) {
        head->to[i] = i - 1;
        head->names[i] = strdup(i > 0 ? names[i - 1] : "time");
        if (head->names[i] == NULL) return no_memory();
        head->count++;
    }
    return WEIR_OK;
}

weir_status header_read(csv_file *file, const series_options *options, header *head) {
    *head = (header){0};
    if (csv_at_end(file)) return weir_fail(WEIR_ERROR_FORMAT, "%s is empty", file->path);
    head->names = calloc(COLUMNS_MAX, sizeof *head->names);
    head->to = malloc(COLUMNS_MAX * sizeof *head->to);
    if (head->names == NULL || head->to == NULL) return no_memory();
    const weir_status status = take_names(file, head);
    return status == WEIR_OK ? choose(file, options, head) : status;
}

weir_status header_names(const header *head, series *s) {
    s->names = calloc((size_t)head->used, sizeof *s->names);
    if (s->names == NULL) return no_memory();
    s->columns = head->used;
    s->target = head->target;
    for (int64_t i = 0; i < head->count; i++) {
        if (head->to[i] < 0) continue;
        char *name = strdup(head->names[i]);
        if (name == NULL) return no_memory();
        s->names[head->to[i]] = name;
    }
    return WEIR_OK;
}

void header_free(header *head) {
    for (int64_t i = 0; i < head->count; i++) free(head->names[i]);
    free(head->names);
    free(head->to);
    *head = (header){0};
}

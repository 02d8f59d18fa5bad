/* A mapped CSV file and its cells. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/data/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static weir_status map_file(int fd, csv_file *file) {
    struct stat st;
    if (fstat(fd, &st) != 0)
        return weir_fail(WEIR_ERROR_SYSTEM, "%s: %s", file->path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return weir_fail(WEIR_ERROR_SYSTEM, "%s is a directory, accepted: a CSV file", file->path);
    if (!S_ISREG(st.st_mode))
        return weir_fail(WEIR_ERROR_SYSTEM, "%s is not a regular file and can't be mapped",
                         file->path);
    file->size = (size_t)st.st_size;
    if (file->size == 0) return WEIR_OK;
    void *data = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return weir_fail(WEIR_ERROR_SYSTEM, "%s: mapping %zu bytes: %s", file->path, file->size,
                         strerror(errno));
    posix_madvise(data, file->size, POSIX_MADV_SEQUENTIAL);
    file->data = data;
    return WEIR_OK;
}

weir_status csv_open(const char *path, csv_file *file) {
    *file = (csv_file){.path = path, .line = 1};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return weir_fail(WEIR_ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    const weir_status status = map_file(fd, file);
    close(fd);
    if (status != WEIR_OK || file->data == NULL) return status;
    file->next = file->data;
    if (file->size >= 3 && memcmp(file->data, "\xef\xbb\xbf", 3) == 0) file->next += 3;
    file->line_begin = file->next;
    return WEIR_OK;
}

void csv_close(csv_file *file) {
    if (file->data != NULL) munmap((void *)file->data, file->size);
    file->data = NULL;
}

static const char *file_end(const csv_file *file) { return file->data + file->size; }

bool csv_at_end(csv_file *file) {
    if (file->data == NULL) return true;
    const char *p = file->next;
    while (p < file_end(file) && (*p == '\n' || *p == '\r')) p++;
    return p == file_end(file);
}

int64_t csv_lines_left(const csv_file *file) {
    int64_t lines = 1;
    if (file->data == NULL) return lines;
    const char *p = file->next;
    while ((p = memchr(p, '\n', (size_t)(file_end(file) - p))) != NULL) {
        lines++;
        p++;
    }
    return lines;
}

/* Moves on behind a cell that stops at p: a comma, a line end or the end of the file. */
static void finish_cell(csv_file *file, const char *p, csv_cell *cell) {
    const char *end = file_end(file);
    cell->last = p == end || *p != ',';
    file->next = p < end ? p + 1 : p;
    if (cell->last && p < end) {
        file->line_begin = file->next;
        file->line++;
    }
}

static weir_status take_quoted(csv_file *file, csv_cell *cell) {
    const char *end = file_end(file), *p = file->next + 1;
    cell->begin = p;
    while (p < end && *p != '\n') {
        if (*p == '"') {
            if (p + 1 >= end || p[1] != '"') break;
            cell->escaped = true;
            p++;
        }
        p++;
    }
    if (p == end || *p != '"') return csv_fail(file, file->next, "the quote is not closed");
    cell->end = p++;
    if (p < end && *p == '\r' && (p + 1 == end || p[1] == '\n')) p++;
    if (p < end && *p != ',' && *p != '\n')
        return csv_fail(file, p, "a comma or the line's end must follow the closing quote%s",
                        *p == ';' ? " (these look like semicolons)" : "");
    finish_cell(file, p, cell);
    return WEIR_OK;
}

weir_status csv_take_cell(csv_file *file, csv_cell *cell) {
    const char *end = file_end(file), *p = file->next;
    cell->escaped = false;
    if (p < end && *p == '"') return take_quoted(file, cell);
    while (p < end && *p == ' ') p++;
    cell->begin = p;
    while (p < end && *p != ',' && *p != '\n') p++;
    const char *cell_end = p;
    if (cell_end > cell->begin && cell_end[-1] == '\r' && (p == end || *p == '\n')) cell_end--;
    while (cell_end > cell->begin && cell_end[-1] == ' ') cell_end--;
    cell->end = cell_end;
    finish_cell(file, p, cell);
    return WEIR_OK;
}

weir_status csv_fail(const csv_file *file, const char *at, const char *format, ...) {
    char message[768];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    /* The place may lie in the line that csv_take_cell has just left. */
    int64_t line = file->line;
    const char *begin = file->line_begin;
    if (at < begin) {
        line--;
        for (begin = at; begin > file->data && begin[-1] != '\n'; begin--) {}
    }
    return weir_fail(WEIR_ERROR_FORMAT, "%s:%lld:%lld: %s", file->path, (long long)line,
                     (long long)(at - begin + 1), message);
}

const char *csv_show(const csv_cell *cell, char text[CSV_SHOWN]) {
    const size_t most = 40, length = (size_t)(cell->end - cell->begin);
    const size_t shown = length < most ? length : most;
    for (size_t i = 0; i < shown; i++) {
        const char c = cell->begin[i];
        text[i] = c >= ' ' && c != 127 ? c : '?';
        if ((unsigned char)c >= 128) text[i] = c; /* UTF-8 passes */
    }
    strcpy(text + shown, length > most ? "..." : "");
    return text;
}

/* Lines of text from a file or from standard input. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/cli/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_ROOM = 1 << 18 };

static weir_status no_memory(const lines *l) {
    return weir_fail(WEIR_ERROR_MEMORY, "no memory for line %lld of %s", (long long)l->number + 1,
                     l->name);
}

weir_status lines_open(const char *path, lines *l) {
    const bool standard = path == NULL || strcmp(path, "-") == 0;
    *l = (lines){.name = standard ? "standard input" : path,
                 .fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC),
                 .owned = !standard,
                 .room = FIRST_ROOM};
    if (l->fd < 0) return weir_fail(WEIR_ERROR_SYSTEM, "%s: %s", path, strerror(errno));
    l->buffer = malloc(l->room);
    return l->buffer != NULL ? WEIR_OK : no_memory(l);
}

static weir_status too_long(const lines *l, int64_t number) {
    return weir_fail(WEIR_ERROR_FORMAT, "%s: line %lld has more than %d bytes", l->name,
                     (long long)number, LINE_BYTES_MAX);
}

void lines_close(lines *l) {
    if (l->owned && l->fd >= 0) close(l->fd);
    free(l->buffer);
    *l = (lines){.fd = -1};
}

static const char *line_end(const lines *l) {
    if (l->end == l->begin) return NULL;
    return memchr(l->buffer + l->begin, '\n', l->end - l->begin);
}

bool lines_at_hand(const lines *l) { return line_end(l) != NULL || l->ended; }

/* Room for more behind what is there, and one byte for a zero. */
static weir_status make_room(lines *l) {
    const size_t left = l->end - l->begin;
    if (l->begin > 0) memmove(l->buffer, l->buffer + l->begin, left);
    l->begin = 0;
    l->end = left;
    if (left > LINE_BYTES_MAX) return too_long(l, l->number + 1);
    if (l->room - left > l->room / 2) return WEIR_OK;
    char *larger = realloc(l->buffer, 2 * l->room);
    if (larger == NULL) return no_memory(l);
    l->buffer = larger;
    l->room *= 2;
    return WEIR_OK;
}

static weir_status read_more(lines *l) {
    const weir_status status = make_room(l);
    if (status != WEIR_OK) return status;
    ssize_t n;
    do {
        n = read(l->fd, l->buffer + l->end, l->room - l->end - 1);
    } while (n < 0 && errno == EINTR);
    if (n < 0) return weir_fail(WEIR_ERROR_SYSTEM, "%s: %s", l->name, strerror(errno));
    l->ended = n == 0;
    l->end += (size_t)n;
    return WEIR_OK;
}

/* Without its end and, in the first line, the byte-order mark. */
static weir_status take(lines *l, size_t length, char **text, int64_t *bytes) {
    char *line = l->buffer + l->begin;
    l->begin += length < l->end - l->begin ? length + 1 : length;
    l->number++;
    if (length > 0 && line[length - 1] == '\r') length--;
    if (l->number == 1 && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        length -= 3;
    }
    if (length > LINE_BYTES_MAX) return too_long(l, l->number);
    line[length] = '\0';
    if (strlen(line) < length)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: line %lld has a zero byte: this is no text",
                         l->name, (long long)l->number);
    *text = line;
    *bytes = (int64_t)length;
    return WEIR_OK;
}

weir_status lines_next(lines *l, char **text, int64_t *bytes) {
    const char *end;
    *text = NULL;
    *bytes = 0;
    while ((end = line_end(l)) == NULL && !l->ended) {
        const weir_status status = read_more(l);
        if (status != WEIR_OK) return status;
    }
    if (end == NULL && l->begin == l->end) return WEIR_OK;
    const char *begin = l->buffer + l->begin;
    l->cut = end == NULL;
    return take(l, end != NULL ? (size_t)(end - begin) : l->end - l->begin, text, bytes);
}

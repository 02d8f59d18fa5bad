/* The answer of weir-keras. SPDX-License-Identifier: Apache-2.0 */
#include "train/keras/answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/keras/stream.h"

enum { BUFFER = 1 << 16 };

/* The frame that is being put together; in memory, so that an error can take its place. */
static char *frame;
static size_t used, room;
static int started;

static void write_all(const void *data, size_t bytes) {
    const char *from = data;
    while (bytes > 0) {
        const ssize_t n = write(STDOUT_FILENO, from, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) _exit(EXIT_FAILURE);
        from += n;
        bytes -= (size_t)n;
    }
}

void answer_bytes(const void *bytes, size_t count) {
    if (count > room - used) {
        const size_t more = used + count + BUFFER;
        char *grown = realloc(frame, more);
        if (!grown) answer_fail(WEIR_ERROR_MEMORY, "no memory");
        frame = grown;
        room = more;
    }
    if (count > 0) memcpy(frame + used, bytes, count);
    used += count;
}

void answer_number(uint32_t number) { answer_bytes(&number, sizeof number); }

void answer_ok(void) { answer_number(WEIR_OK); }

void answer_text(const char *text) {
    const size_t length = strlen(text);
    answer_number((uint32_t)length);
    answer_bytes(text, length);
}

void answer_send(const void *bytes, size_t count) {
    const uint32_t magic = KERAS_MAGIC;
    if (!started) write_all(&magic, sizeof magic);
    started = 1;
    write_all(frame, used);
    used = 0;
    write_all(bytes, count);
}

void answer_fail(weir_status status, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const uint32_t start[3] = {KERAS_MAGIC, status, (uint32_t)strlen(text)};
    const int skip = started ? 1 : 0;
    write_all(start + skip, sizeof start - (size_t)skip * sizeof *start);
    write_all(text, strlen(text));
    _exit(EXIT_FAILURE);
}

void *allocate(size_t bytes) {
    void *memory = malloc(bytes > 0 ? bytes : 1);
    if (!memory) answer_fail(WEIR_ERROR_MEMORY, "no memory for %zu bytes", bytes);
    return memory;
}

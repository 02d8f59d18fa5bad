/* Text files as a whole. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/text_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static weir_status can_not_read(const char *path) {
    return weir_fail(WEIR_ERROR_SYSTEM, "%s: can't be read: %s", path, strerror(errno));
}

/* Twice the room, but enough to see that a file is too long. */
static weir_status grow(const char *path, size_t most, char **text, size_t *room) {
    const size_t wanted = *room == 0 ? 1 << 16 : 2 * *room;
    *room = wanted < most + 1 ? wanted : most + 1;
    char *larger = realloc(*text, *room + 1);
    if (!larger) return weir_fail(WEIR_ERROR_MEMORY, "no memory to read %s", path);
    *text = larger;
    return WEIR_OK;
}

static weir_status read_all(FILE *file, const char *path, size_t most, char **text,
                            size_t *length) {
    size_t room = 0;
    do {
        const weir_status status = grow(path, most, text, &room);
        if (status != WEIR_OK) return status;
        *length += fread(*text + *length, 1, room - *length, file);
        if (ferror(file)) return can_not_read(path);
        if (*length > most)
            return weir_fail(WEIR_ERROR_FORMAT, "%s: longer than %zu MiB", path, most >> 20);
    } while (*length == room);
    (*text)[*length] = '\0';
    return WEIR_OK;
}

weir_status text_file_read(const char *path, size_t most, char **text, size_t *length) {
    *text = NULL;
    *length = 0;
    FILE *file = fopen(path, "rb");
    if (!file) return can_not_read(path);
    const weir_status status = read_all(file, path, most, text, length);
    fclose(file);
    if (status == WEIR_OK) return WEIR_OK;
    free(*text);
    *text = NULL;
    return status;
}

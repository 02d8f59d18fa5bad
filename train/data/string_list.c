/* Many short strings in one block of memory. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/string_list.h"

#include <stdlib.h>
#include <string.h>

/* Room for `needed` items of `size` bytes in *items, of which there is *room. */
static bool reserve(void **items, size_t size, int64_t *room, int64_t needed) {
    if (needed <= *room) return true;
    const int64_t more = needed < 512 ? 1024 : 2 * needed;
    void *grown = realloc(*items, (size_t)more * size);
    if (grown == NULL) return false;
    *items = grown;
    *room = more;
    return true;
}

bool string_list_add(string_list *list, const char *text, int64_t length) {
    const int64_t end = string_list_bytes(list);
    void *begin = list->begin, *bytes = list->bytes;
    const bool there = reserve(&begin, sizeof *list->begin, &list->begin_room, list->count + 2) &&
                       reserve(&bytes, 1, &list->bytes_room, end + length + 1);
    list->begin = begin;
    list->bytes = bytes;
    if (!there) return false;
    memcpy(list->bytes + end, text, (size_t)length);
    list->bytes[end + length] = '\0';
    list->begin[list->count++] = end;
    list->begin[list->count] = end + length + 1;
    return true;
}

void string_list_free(string_list *list) {
    free(list->begin);
    free(list->bytes);
    *list = (string_list){0};
}

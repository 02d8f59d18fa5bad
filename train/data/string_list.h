/* Many short strings in one block of memory. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_STRING_LIST_H
#define WEIR_TRAIN_STRING_LIST_H

#include <stdbool.h>
#include <stdint.h>

/* String i is bytes[begin[i] .. begin[i + 1] - 1), and a zero behind it. */
typedef struct string_list {
    int64_t count, bytes_room, begin_room;
    int64_t *begin; /* [count + 1], owned; NULL in an empty list */
    char *bytes;    /* owned */
} string_list;

/* Copies `length` bytes to the end of the list. False: no memory, the list is as it was. */
bool string_list_add(string_list *list, const char *text, int64_t length);
/* Zeroes *list; a zeroed list is an empty one. */
void string_list_free(string_list *list);

static inline const char *string_list_get(const string_list *list, int64_t i) {
    return list->bytes + list->begin[i];
}
/* Without the zero. */
static inline int64_t string_list_length(const string_list *list, int64_t i) {
    return list->begin[i + 1] - list->begin[i] - 1;
}
static inline int64_t string_list_bytes(const string_list *list) {
    return list->count > 0 ? list->begin[list->count] : 0;
}

#endif

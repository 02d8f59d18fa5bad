/* The texts of reviews and their order. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/data/reviews.h"

#include <stdlib.h>
#include <string.h>

const char *const review_folders[REVIEW_CLASSES] = {"train/neg", "train/pos", "test/neg",
                                                    "test/pos"};

review_class review_class_of(const char *path, const char **name) {
    static const char suffix[] = ".txt";
    const char *file = strrchr(path, '/');
    const size_t length = file != NULL ? strlen(file + 1) : 0;
    if (length < sizeof suffix || file[1] == '.') return REVIEW_CLASSES;
    if (strcmp(file + 1 + length - (sizeof suffix - 1), suffix) != 0) return REVIEW_CLASSES;
    for (int i = 0; i < REVIEW_CLASSES; i++) {
        const size_t folder = strlen(review_folders[i]);
        if ((size_t)(file - path) < folder) continue;
        const char *begin = file - folder;
        if (memcmp(begin, review_folders[i], folder) != 0) continue;
        if (begin > path && begin[-1] != '/') continue;
        *name = begin;
        return (review_class)i;
    }
    return REVIEW_CLASSES;
}

static weir_status no_memory(const char *source) {
    return weir_fail(WEIR_ERROR_MEMORY, "no memory for the reviews of %s", source);
}

static bool reserve_review(review_list *r) {
    if (r->count < r->room) return true;
    const int64_t room = r->room > 0 ? 2 * r->room : 4096;
    review_text *list = realloc(r->list, (size_t)room * sizeof *list);
    if (list == NULL) return false;
    r->list = list;
    r->room = room;
    return true;
}

static bool reserve_text(review_list *r, int64_t bytes) {
    if (bytes <= r->bytes_room) return true;
    const int64_t room = 2 * bytes;
    char *text = realloc(r->text, (size_t)room);
    if (text == NULL) return false;
    r->text = text;
    r->bytes_room = room;
    return true;
}

weir_status reviews_add(review_list *r, const char *source, review_class in, const char *name,
                        int64_t bytes) {
    if (bytes < 0 || bytes > REVIEW_BYTES_MAX)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: %s has %lld bytes, accepted: 0 to %d", source,
                         name, (long long)bytes, REVIEW_BYTES_MAX);
    if (bytes > REVIEWS_BYTES_MAX - r->bytes)
        return weir_fail(WEIR_ERROR_FORMAT, "%s has more than %lld bytes of reviews", source,
                         (long long)REVIEWS_BYTES_MAX);
    if (!reserve_review(r) || !reserve_text(r, r->bytes + bytes) ||
        !string_list_add(&r->names, name, (int64_t)strlen(name)))
        return no_memory(source);
    r->list[r->count++] =
        (review_text){.in = in, .name = r->names.count - 1, .begin = r->bytes, .bytes = bytes};
    r->bytes += bytes;
    r->in_class[in]++;
    return WEIR_OK;
}

/* What reviews are sorted by: class and number in one, then the name. */
typedef struct sort_key {
    unsigned long long number;
    const char *name;
    int64_t review;
} sort_key;

static int compare(const void *a, const void *b) {
    const sort_key *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return strcmp(x->name, y->name);
}

static sort_key key_of(const review_list *r, int64_t i) {
    const review_text *v = &r->list[i];
    const char *name = string_list_get(&r->names, v->name);
    const unsigned long long most = (1ull << 60) - 1;
    const unsigned long long number = strtoull(strrchr(name, '/') + 1, NULL, 10);
    return (sort_key){.number = (unsigned long long)v->in << 60 | (number < most ? number : most),
                      .name = name,
                      .review = i};
}

static weir_status check_classes(const review_list *r, const char *source) {
    if (r->count == 0)
        return weir_fail(WEIR_ERROR_FORMAT,
                         "%s: there is no review in it, expected: files like aclImdb/%s/0_9.txt",
                         source, review_folders[TRAIN_POSITIVE]);
    for (int i = 0; i < REVIEW_CLASSES; i++)
        if (r->in_class[i] == 0)
            return weir_fail(WEIR_ERROR_FORMAT,
                             "%s: there is no review in %s, expected: files like %s/0_9.txt",
                             source, review_folders[i], review_folders[i]);
    return WEIR_OK;
}

weir_status reviews_sort(review_list *r, const char *source) {
    weir_status status = check_classes(r, source);
    if (status != WEIR_OK) return status;
    sort_key *keys = malloc((size_t)r->count * sizeof *keys);
    review_text *sorted = malloc((size_t)r->count * sizeof *sorted);
    if (keys != NULL && sorted != NULL) {
        for (int64_t i = 0; i < r->count; i++) keys[i] = key_of(r, i);
        qsort(keys, (size_t)r->count, sizeof *keys, compare);
        for (int64_t i = 0; i < r->count; i++) {
            sorted[i] = r->list[keys[i].review];
            if (i > 0 && compare(&keys[i - 1], &keys[i]) == 0)
                status =
                    weir_fail(WEIR_ERROR_FORMAT, "%s: %s is in it twice", source, keys[i].name);
        }
        memcpy(r->list, sorted, (size_t)r->count * sizeof *sorted);
    } else {
        status = no_memory(source);
    }
    free(keys);
    free(sorted);
    return status;
}

void reviews_free(review_list *r) {
    free(r->list);
    free(r->text);
    string_list_free(&r->names);
    *r = (review_list){0};
}

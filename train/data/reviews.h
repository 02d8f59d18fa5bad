/* The texts of reviews before they are counted: files of an archive or folder, or made up.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_REVIEWS_H
#define WEIR_TRAIN_REVIEWS_H

#include <stdbool.h>
#include <stdint.h>

#include "train/data/string_list.h"
#include "weir/runtime.h"

/* Where a review lies; the order of reviews. */
typedef enum review_class {
    TRAIN_NEGATIVE = 0,
    TRAIN_POSITIVE,
    TEST_NEGATIVE,
    TEST_POSITIVE,
    REVIEW_CLASSES
} review_class;
extern const char *const review_folders[REVIEW_CLASSES]; /* "train/neg", ... */

enum { REVIEW_BYTES_MAX = 1 << 24 };         /* of one review */
#define REVIEWS_BYTES_MAX (INT64_C(1) << 32) /* of all of them */

typedef struct review_text {
    review_class in;
    int64_t name;         /* index in names */
    int64_t begin, bytes; /* of the text */
} review_text;

typedef struct review_list {
    review_text *list; /* owned */
    int64_t count, room;
    string_list names; /* "train/pos/0_9.txt" */
    char *text;        /* owned */
    int64_t bytes, bytes_room;
    int64_t in_class[REVIEW_CLASSES];
} review_list;

/* The class of a file by its path's last three parts, ".../train/pos/0_9.txt", and where they begin;
 * REVIEW_CLASSES when it is no review's. */
review_class review_class_of(const char *path, const char **name);

/* Adds a review of `bytes` bytes whose text the caller will put at list[count - 1].begin. `name` is
 * as in names. Errors: FORMAT (longer than REVIEW_BYTES_MAX, or all longer than REVIEWS_BYTES_MAX;
 * names `source`), MEMORY. */
weir_status reviews_add(review_list *r, const char *source, review_class in, const char *name,
                        int64_t bytes);
/* Brings them into imdb.h's order. Errors: FORMAT (a class without a review, a name twice). */
weir_status reviews_sort(review_list *r, const char *source);
/* Zeroes *r. */
void reviews_free(review_list *r);

/*
 * All reviews of the archive in data[0 .. bytes), whose name messages give as `path`, unsorted.
 * Errors: FORMAT, UNSUPPORTED (built without libarchive), MEMORY. *r is to be freed in any case.
 */
weir_status reviews_read_archive(const char *path, const void *data, size_t bytes, review_list *r);

/* The folder that has train/ and test/: path or path/aclImdb, into root[size]. Errors: FORMAT. */
weir_status reviews_find_root(const char *path, char *root, size_t size);
/* Lists the reviews of a root folder and sorts them; *key becomes a checksum of their names, sizes
 * and times. Errors: SYSTEM, FORMAT, MEMORY. *r is to be freed in any case. */
weir_status reviews_list_folder(const char *root, review_list *r, uint64_t *key);
/* Reads the texts of a listed folder, in parallel unless runtime is NULL. Errors: SYSTEM (a file
 * that can't be read or has changed). */
weir_status reviews_read_folder(const char *root, weir_runtime *runtime, review_list *r);

#endif

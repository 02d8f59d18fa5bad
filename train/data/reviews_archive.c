/* Reviews out of a tar archive, with libarchive. SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "train/data/gunzip.h"
#include "train/data/reviews.h"

static weir_status damaged(const char *path, const char *reason) {
    return weir_fail(WEIR_ERROR_FORMAT, "%s is damaged or no archive: %s", path,
                     reason != NULL ? reason : "unknown reason");
}

/* Takes the entry when it is a review. */
static weir_status take_entry(struct archive *a, const char *path, struct archive_entry *entry,
                              review_list *r) {
    const char *name, *entry_path = archive_entry_pathname(entry);
    if (entry_path == NULL || archive_entry_filetype(entry) != AE_IFREG) return WEIR_OK;
    const review_class in = review_class_of(entry_path, &name);
    if (in == REVIEW_CLASSES) return WEIR_OK;
    const int64_t bytes = archive_entry_size(entry);
    const weir_status status = reviews_add(r, path, in, name, bytes);
    if (status != WEIR_OK || bytes == 0) return status;
    char *text = r->text + r->list[r->count - 1].begin;
    const la_ssize_t n = archive_read_data(a, text, (size_t)bytes);
    return n == bytes ? WEIR_OK : damaged(path, archive_error_string(a));
}

static weir_status take_entries(struct archive *a, const char *path, review_list *r) {
    struct archive_entry *entry;
    for (;;) {
        const int result = archive_read_next_header(a, &entry);
        if (result == ARCHIVE_EOF) return WEIR_OK;
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
            return damaged(path, archive_error_string(a));
        const weir_status status = take_entry(a, path, entry, r);
        if (status != WEIR_OK) return status;
    }
}

/* libarchive asks for the next block. */
static la_ssize_t next_block(struct archive *a, void *user, const void **block) {
    gunzip *g = user;
    const ptrdiff_t n = gunzip_read(g, block);
    if (n < 0) archive_set_error(a, EINVAL, "%s", gunzip_error(g));
    return n;
}

static weir_status read_gzip(struct archive *a, const char *path, gunzip *g, review_list *r) {
    if (archive_read_open(a, g, NULL, next_block, NULL) != ARCHIVE_OK)
        return damaged(path, archive_error_string(a));
    const weir_status status = take_entries(a, path, r);
    if (status != WEIR_OK) return status;
    /* The CRC comes last, behind the archive's end. */
    const void *block;
    ptrdiff_t n;
    while ((n = gunzip_read(g, &block)) > 0) {}
    return n == 0 ? WEIR_OK : damaged(path, gunzip_error(g));
}

static weir_status read_archive(struct archive *a, const char *path, const void *data, size_t bytes,
                                review_list *r) {
    archive_read_support_format_tar(a);
    if (!gunzip_fits(data, bytes)) {
        if (archive_read_open_memory(a, data, bytes) != ARCHIVE_OK)
            return damaged(path, archive_error_string(a));
        return take_entries(a, path, r);
    }
    gunzip *g = gunzip_open(data, bytes);
    if (g == NULL) return weir_fail(WEIR_ERROR_MEMORY, "zlib can't be started");
    const weir_status status = read_gzip(a, path, g, r);
    archive_read_close(a); /* before what it reads from goes */
    gunzip_close(g);
    return status;
}

weir_status reviews_read_archive(const char *path, const void *data, size_t bytes, review_list *r) {
    *r = (review_list){0};
    struct archive *a = archive_read_new();
    if (a == NULL) return weir_fail(WEIR_ERROR_MEMORY, "libarchive can't be started");
    const weir_status status = read_archive(a, path, data, bytes, r);
    archive_read_free(a);
    return status;
}

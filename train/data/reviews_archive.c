/* Reviews out of a tar archive, with libarchive. SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>

#include "train/data/reviews.h"

static weir_status damaged(const char *path, struct archive *a) {
    const char *reason = archive_error_string(a);
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
    const la_ssize_t n = archive_read_data(a, r->text + r->list[r->count - 1].begin, (size_t)bytes);
    return n == bytes ? WEIR_OK : damaged(path, a);
}

weir_status reviews_read_archive(const char *path, const void *data, size_t bytes, review_list *r) {
    struct archive_entry *entry;
    *r = (review_list){0};
    struct archive *a = archive_read_new();
    if (a == NULL) return weir_fail(WEIR_ERROR_MEMORY, "libarchive can't be started");
    archive_read_support_filter_gzip(a);
    archive_read_support_format_tar(a);
    weir_status status = WEIR_OK;
    if (archive_read_open_memory(a, data, bytes) != ARCHIVE_OK) status = damaged(path, a);
    while (status == WEIR_OK) {
        const int result = archive_read_next_header(a, &entry);
        if (result == ARCHIVE_EOF) break;
        status = result == ARCHIVE_OK || result == ARCHIVE_WARN ? take_entry(a, path, entry, r)
                                                                : damaged(path, a);
    }
    archive_read_free(a);
    return status;
}

/* A file out of an archive, with libarchive. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 65536 };

static weir_status damaged(const char *path, struct archive *a) {
    const char *reason = archive_error_string(a);
    return weir_fail(WEIR_ERROR_FORMAT, "%s is damaged or no archive: %s", path,
                     reason != NULL ? reason : "unknown reason");
}

static weir_status find_entry(struct archive *a, const char *path, const char *name) {
    struct archive_entry *entry;
    int result;
    while ((result = archive_read_next_header(a, &entry)) == ARCHIVE_OK || result == ARCHIVE_WARN) {
        const char *entry_path = archive_entry_pathname(entry);
        if (entry_path == NULL) continue;
        const char *slash = strrchr(entry_path, '/');
        if (strcmp(slash != NULL ? slash + 1 : entry_path, name) == 0) return WEIR_OK;
    }
    if (result == ARCHIVE_EOF)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: there is no %s in it", path, name);
    return damaged(path, a);
}

static weir_status copy_entry(struct archive *a, const char *archive, int64_t most_bytes,
                              const char *path) {
    static const char why[] = "%s: writing: %s";
    char block[BLOCK];
    FILE *file = fopen(path, "wb");
    if (file == NULL) return weir_fail(WEIR_ERROR_SYSTEM, why, path, strerror(errno));
    weir_status status = WEIR_OK;
    la_ssize_t n;
    int64_t bytes = 0;
    while (status == WEIR_OK && (n = archive_read_data(a, block, sizeof block)) != 0) {
        bytes += n;
        if (n < 0)
            status = damaged(archive, a);
        else if (bytes > most_bytes)
            status = weir_fail(WEIR_ERROR_FORMAT, "%s unpacks to more than %lld bytes", archive,
                               (long long)most_bytes);
        else if (fwrite(block, 1, (size_t)n, file) != (size_t)n)
            status = weir_fail(WEIR_ERROR_SYSTEM, why, path, strerror(errno));
    }
    if (fclose(file) != 0 && status == WEIR_OK)
        status = weir_fail(WEIR_ERROR_SYSTEM, why, path, strerror(errno));
    return status;
}

weir_status unpack_file(const char *archive, const char *name, int64_t most_bytes,
                        const char *path) {
    struct archive *a = archive_read_new();
    if (a == NULL) return weir_fail(WEIR_ERROR_MEMORY, "libarchive can't be started");
    archive_read_support_format_zip(a);
    weir_status status = WEIR_OK;
    if (archive_read_open_filename(a, archive, BLOCK) != ARCHIVE_OK) status = damaged(archive, a);
    if (status == WEIR_OK) status = find_entry(a, archive, name);
    if (status == WEIR_OK) status = copy_entry(a, archive, most_bytes, path);
    archive_read_free(a);
    return status;
}

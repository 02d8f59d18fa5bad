/* The HDF5 file inside a Keras file: the file itself, or an entry of the zip of Keras 3.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/keras/image.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/keras/answer.h"
#include "train/keras/limits.h"
#include "train/keras/stream.h"

/* Keras writes three; a model with files of its own (vocabularies) has some more. */
enum { ENTRIES_MAX = 1000 };

typedef struct text {
    char *bytes;
    size_t used, room;
} text;

/* Reads the entry to its end, whatever size it claims. */
static void read_entry(struct archive *a, const char *name, int64_t limit, text *out) {
    if (out->bytes) answer_fail(WEIR_ERROR_FORMAT, "the archive has %s twice", name);
    for (;;) {
        if (out->room - out->used < 2) {
            out->room = 2 * out->room + (1 << 16);
            char *grown = realloc(out->bytes, out->room);
            if (!grown) answer_fail(WEIR_ERROR_MEMORY, "no memory for %s", name);
            out->bytes = grown;
        }
        const la_ssize_t n =
            archive_read_data(a, out->bytes + out->used, out->room - out->used - 1);
        if (n < 0)
            answer_fail(WEIR_ERROR_FORMAT, "%s in the archive is damaged: %s", name,
                        archive_error_string(a));
        if (n == 0) break;
        out->used += (size_t)n;
        if ((int64_t)out->used > limit)
            answer_fail(WEIR_ERROR_FORMAT,
                        "%s in the archive unpacks to more than %lld bytes, the most accepted",
                        name, (long long)limit);
    }
    out->bytes[out->used] = '\0';
}

static void read_entries(struct archive *a, int64_t limit, text *config, text *metadata,
                         text *weights) {
    struct archive_entry *entry;
    for (int count = 0;; count++) {
        const int result = archive_read_next_header(a, &entry);
        if (result == ARCHIVE_EOF) return;
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
            answer_fail(WEIR_ERROR_FORMAT, "the archive is damaged: %s", archive_error_string(a));
        if (count == ENTRIES_MAX)
            answer_fail(WEIR_ERROR_FORMAT,
                        "the archive has more than %d entries, the most accepted", ENTRIES_MAX);
        const char *name = archive_entry_pathname(entry);
        if (!name) continue;
        if (strcmp(name, "config.json") == 0) read_entry(a, name, KERAS_TEXT_MAX, config);
        if (strcmp(name, "metadata.json") == 0) read_entry(a, name, KERAS_TEXT_MAX, metadata);
        if (strcmp(name, "model.weights.h5") == 0) read_entry(a, name, limit, weights);
    }
}

static void open_zip(const void *data, size_t bytes, image *out) {
    struct archive *a = archive_read_new();
    if (!a || archive_read_support_format_zip_seekable(a) != ARCHIVE_OK ||
        archive_read_open_memory(a, data, bytes) != ARCHIVE_OK)
        answer_fail(WEIR_ERROR_FORMAT, "the archive can't be opened: %s",
                    a ? archive_error_string(a) : "no memory");
    text config = {0}, metadata = {0}, weights = {0};
    read_entries(a, out->limit, &config, &metadata, &weights);
    archive_read_free(a);
    if (!weights.bytes)
        answer_fail(WEIR_ERROR_FORMAT,
                    "a zip archive, but not of Keras: no model.weights.h5 in it");
    if (!config.bytes)
        answer_fail(WEIR_ERROR_FORMAT, "a zip archive, but not of Keras: no config.json in it");
    *out = (image){.hdf5 = weights.bytes,
                   .bytes = weights.used,
                   .config = config.bytes,
                   .metadata = metadata.bytes,
                   .limit = out->limit};
}

void image_open(image *out) {
    struct stat info;
    if (fstat(STDIN_FILENO, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 8)
        answer_fail(WEIR_ERROR_FORMAT, "not a file of 8 bytes or more");
    const size_t bytes = (size_t)info.st_size;
    *out = (image){.bytes = bytes, .limit = keras_data_limit((int64_t)bytes)};
    limits_set((int64_t)bytes, out->limit);
    /* Private: HDF5 may write into what it takes for its own memory. */
    out->hdf5 = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, STDIN_FILENO, 0);
    if (out->hdf5 == MAP_FAILED) answer_fail(WEIR_ERROR_MEMORY, "no memory for %zu bytes", bytes);
    if (memcmp(out->hdf5, "PK\3\4", 4) == 0) open_zip(out->hdf5, bytes, out);
}

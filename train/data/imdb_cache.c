/* The cache beside the IMDB data set. SPDX-License-Identifier: Apache-2.0
 *
 * A header and the arrays of `imdb` one after the other, in the machine's byte order. What is read is
 * used only when it was written for the same source by the same version, has its checksum, and every
 * number in it is in its bounds.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/data/imdb_parts.h"
#include "train/model/atomic_file.h"
#include "train/model/checksum.h"

/* To be counted up whenever the arrays, or what imdb.h says a word is, change. */
static const uint64_t magic = UINT64_C(0x7765697200000001);

typedef struct header {
    uint64_t magic, key, sum; /* sum: of the arrays and of the header with sum 0 */
    int64_t reviews, training, tokens, words;
    int64_t name_bytes, word_bytes, invalid_bytes, invalid_reviews;
} header;

/* What lies behind the header, in this order. */
enum {
    OFFSETS,
    TOKENS,
    LABELS,
    NAME_BEGINS,
    NAME_BYTES,
    WORD_BEGINS,
    WORD_BYTES,
    WORD_COUNTS,
    ARRAYS
};

static void array_bytes(const header *h, size_t bytes[ARRAYS]) {
    const size_t count = (size_t)h->reviews, words = (size_t)h->words;
    bytes[OFFSETS] = (count + 1) * sizeof(int64_t);
    bytes[TOKENS] = (size_t)h->tokens * sizeof(int32_t);
    bytes[LABELS] = count;
    bytes[NAME_BEGINS] = (count + 1) * sizeof(int64_t);
    bytes[NAME_BYTES] = (size_t)h->name_bytes;
    bytes[WORD_BEGINS] = (words + 1) * sizeof(int64_t);
    bytes[WORD_BYTES] = (size_t)h->word_bytes;
    bytes[WORD_COUNTS] = words * sizeof(int64_t);
}

/* chunks[0] is the header, the arrays follow. */
static uint64_t sum_of(header h, const chunk chunks[ARRAYS + 1]) {
    h.sum = 0;
    uint64_t sum = weir_checksum_add(0, &h, sizeof h);
    for (int i = 1; i <= ARRAYS; i++) sum = weir_checksum_add(sum, chunks[i].data, chunks[i].bytes);
    return sum;
}

weir_status imdb_cache_write(const char *path, uint64_t key, const imdb *d) {
    header h = {.magic = magic,
                .key = key,
                .reviews = d->reviews,
                .training = d->training,
                .tokens = d->offsets[d->reviews],
                .words = d->words.count,
                .name_bytes = string_list_bytes(&d->names),
                .word_bytes = string_list_bytes(&d->words),
                .invalid_bytes = d->invalid_bytes,
                .invalid_reviews = d->invalid_reviews};
    const void *const arrays[ARRAYS] = {d->offsets,     d->tokens,      d->labels,
                                        d->names.begin, d->names.bytes, d->words.begin,
                                        d->words.bytes, d->word_counts};
    size_t bytes[ARRAYS];
    chunk chunks[ARRAYS + 1] = {{&h, sizeof h}};
    array_bytes(&h, bytes);
    for (int i = 0; i < ARRAYS; i++) chunks[i + 1] = (chunk){arrays[i], bytes[i]};
    h.sum = sum_of(h, chunks);
    return weir_atomic_file_write(path, chunks, ARRAYS + 1);
}

static bool read_all(int fd, void *to, size_t bytes) {
    for (char *p = to; bytes > 0;) {
        const ssize_t n = read(fd, p, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        p += n;
        bytes -= (size_t)n;
    }
    return true;
}

/* Every count is no larger than the file, so that sums of sizes can't overflow. */
static bool header_fits(const header *h, uint64_t key, int64_t file_bytes) {
    const int64_t counts[] = {h->reviews, h->training,   h->tokens,
                              h->words,   h->name_bytes, h->word_bytes};
    if (h->magic != magic || h->key != key || file_bytes > INT64_C(1) << 48) return false;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (counts[i] < 1 || counts[i] > file_bytes) return false;
    return h->training < h->reviews && h->words <= INT32_MAX - IMDB_FIRST_WORD;
}

static bool strings_fit(const string_list *list, int64_t bytes) {
    if (list->begin[0] != 0 || list->begin[list->count] != bytes) return false;
    for (int64_t i = 0; i < list->count; i++) {
        const int64_t end = list->begin[i + 1];
        if (end <= list->begin[i] || end > bytes || list->bytes[end - 1] != '\0') return false;
    }
    return true;
}

static bool review_fits(const imdb *d, int64_t i, int64_t tokens) {
    const int64_t begin = d->offsets[i], end = d->offsets[i + 1];
    if (end <= begin || end > tokens || d->tokens[begin] != IMDB_START || d->labels[i] > 1)
        return false;
    const uint32_t words = (uint32_t)d->words.count;
    bool fits = true;
    for (int64_t t = begin + 1; t < end; t++) {
        const uint32_t word = (uint32_t)d->tokens[t] - IMDB_FIRST_WORD;
        fits &= (word < words) | (d->tokens[t] == IMDB_UNKNOWN);
    }
    return fits;
}

static bool content_fits(const imdb *d, const header *h) {
    if (!strings_fit(&d->names, h->name_bytes) || !strings_fit(&d->words, h->word_bytes))
        return false;
    if (d->offsets[0] != 0 || d->offsets[d->reviews] != h->tokens) return false;
    for (int64_t i = 0; i < d->reviews; i++)
        if (!review_fits(d, i, h->tokens)) return false;
    return true;
}

/* Gives the arrays to *d. */
static void adopt(const header *h, void *const arrays[ARRAYS], imdb *d) {
    d->reviews = h->reviews;
    d->training = h->training;
    d->invalid_bytes = h->invalid_bytes;
    d->invalid_reviews = h->invalid_reviews;
    d->offsets = arrays[OFFSETS];
    d->tokens = arrays[TOKENS];
    d->labels = arrays[LABELS];
    d->names = (string_list){
        .count = h->reviews, .begin = arrays[NAME_BEGINS], .bytes = arrays[NAME_BYTES]};
    d->words =
        (string_list){.count = h->words, .begin = arrays[WORD_BEGINS], .bytes = arrays[WORD_BYTES]};
    d->word_counts = arrays[WORD_COUNTS];
}

/* Reads the arrays that the header announces; they are *d's in any case. */
static bool read_arrays(int fd, const header *h, imdb *d) {
    void *arrays[ARRAYS] = {0};
    size_t bytes[ARRAYS];
    chunk chunks[ARRAYS + 1] = {{h, sizeof *h}};
    array_bytes(h, bytes);
    bool whole = true;
    for (int i = 0; i < ARRAYS && whole; i++) {
        arrays[i] = malloc(bytes[i]);
        whole = arrays[i] != NULL && read_all(fd, arrays[i], bytes[i]);
        chunks[i + 1] = (chunk){arrays[i], bytes[i]};
    }
    adopt(h, arrays, d);
    return whole && sum_of(*h, chunks) == h->sum;
}

static bool read_content(int fd, uint64_t key, imdb *d) {
    header h;
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !read_all(fd, &h, sizeof h)) return false;
    if (!header_fits(&h, key, st.st_size)) return false;
    size_t bytes[ARRAYS];
    int64_t sum = sizeof h;
    array_bytes(&h, bytes);
    for (int i = 0; i < ARRAYS; i++) sum += (int64_t)bytes[i];
    return sum == st.st_size && read_arrays(fd, &h, d) && content_fits(d, &h);
}

bool imdb_cache_read(const char *path, uint64_t key, imdb *d) {
    /* A pipe in its place must not stop the program. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    const imdb_options o = d->o;
    const bool whole = read_content(fd, key, d);
    close(fd);
    if (!whole) imdb_free(d);
    d->o = o;
    return whole;
}

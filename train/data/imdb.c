/* The IMDB data set: loading, splits, statistics. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "train/data/imdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/data/imdb_parts.h"
#include "train/model/checksum.h"
#include "train/model/random.h"

enum { PATH_BYTES = 4096 };

/* What is read: an archive's bytes, or a folder's list of files. */
typedef struct source {
    char path[PATH_BYTES]; /* of a folder the one with train/ and test/ */
    bool folder;
    char *data; /* owned */
    size_t bytes;
    review_list r;
    uint64_t key; /* checksum */
} source;

imdb_options imdb_options_default(void) {
    return (imdb_options){
        .max_features = IMDB_MAX_FEATURES, .val_fraction = 0.2, .seed = 1, .cache = true};
}

weir_status imdb_check_options(const imdb_options *options, imdb_options *checked) {
    *checked = options != NULL ? *options : imdb_options_default();
    if (checked->max_features <= IMDB_FIRST_WORD || checked->max_features > IMDB_FEATURES_LIMIT)
        return weir_fail(WEIR_ERROR_ARGUMENT, "max_features is %lld, accepted: %d to %d",
                         (long long)checked->max_features, IMDB_FIRST_WORD + 1,
                         IMDB_FEATURES_LIMIT);
    if (!(checked->val_fraction >= 0 && checked->val_fraction < 1))
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "validation fraction is %g, accepted: 0 or more and less than 1",
                         checked->val_fraction);
    return WEIR_OK;
}

void imdb_free(imdb *d) {
    free(d->order);
    free(d->tokens);
    free(d->offsets);
    free(d->labels);
    string_list_free(&d->names);
    string_list_free(&d->words);
    free(d->word_counts);
    free(d->source);
    free(d->cache_warning);
    *d = (imdb){0};
}

/* A permutation of r[0 .. n) (Fisher and Yates). */
static void shuffle(uint64_t seed, uint64_t stream, uint64_t start, int64_t n, int64_t *r) {
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t other = random_below(seed, stream, start + (uint64_t)i, i + 1), row = r[i];
        r[i] = r[other];
        r[other] = row;
    }
}

static void count_split(imdb *d, split which) {
    imdb_statistics s = {.reviews = imdb_count(d, which)};
    const int32_t most = (int32_t)d->o.max_features;
    for (int64_t row = d->first[which]; row < d->end[which]; row++) {
        const int64_t i = d->order[row], length = d->offsets[i + 1] - d->offsets[i];
        const int32_t *tokens = d->tokens + d->offsets[i];
        int64_t unknown = 0;
        for (int64_t t = 0; t < length; t++)
            unknown += (tokens[t] == IMDB_UNKNOWN) | (tokens[t] >= most);
        s.positive += d->labels[i];
        s.words += length - 1;
        s.unknown += unknown;
        s.empty += length == 1;
        if (length > s.longest) s.longest = length;
    }
    d->statistics[which] = s;
}

weir_status imdb_finish(imdb *d) {
    /* As Keras' validation_split. */
    const int64_t train = (int64_t)((double)d->training * (1 - d->o.val_fraction));
    if (train < 1)
        return weir_fail(WEIR_ERROR_ARGUMENT,
                         "validation fraction is %g, which leaves none of %lld reviews to train on",
                         d->o.val_fraction, (long long)d->training);
    d->order = malloc((size_t)d->reviews * sizeof *d->order);
    if (d->order == NULL)
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for %lld reviews", (long long)d->reviews);
    for (int64_t i = 0; i < d->reviews; i++) d->order[i] = i;
    shuffle(d->o.seed, RANDOM_SPLIT, 0, d->training, d->order);
    d->end[SPLIT_TRAIN] = d->first[SPLIT_VAL] = train;
    d->end[SPLIT_VAL] = d->first[SPLIT_TEST] = d->training;
    d->end[SPLIT_TEST] = d->reviews;
    for (int i = 0; i < SPLIT_COUNT; i++) count_split(d, (split)i);
    const int64_t known = d->o.max_features - IMDB_FIRST_WORD;
    const int64_t words = known < d->words.count ? known : d->words.count;
    d->vocabulary = weir_checksum_add(0, d->words.bytes, (size_t)d->words.begin[words]);
    return WEIR_OK;
}

int64_t imdb_count(const imdb *d, split which) { return d->end[which] - d->first[which]; }

const char *imdb_word(const imdb *d, int32_t number) {
    static const char *const others[] = {"<padding>", "<start>", "<unknown>", "<unused>"};
    if (number >= 0 && number < IMDB_FIRST_WORD) return others[number];
    const int64_t word = (int64_t)number - IMDB_FIRST_WORD;
    return word >= 0 && word < d->words.count ? string_list_get(&d->words, word) : others[3];
}

void imdb_fill(const imdb *d, const int64_t *r, int64_t n, int64_t T, float *x, float *target) {
    for (int64_t i = 0; i < n; i++, x += T) {
        const int64_t review = d->order[r[i]], end = d->offsets[review + 1];
        const int64_t length = end - d->offsets[review], kept = length < T ? length : T;
        const int32_t *tokens = d->tokens + end - kept;
        for (int64_t t = 0; t < T - kept; t++) x[t] = IMDB_PADDING;
        for (int64_t t = 0; t < kept; t++) x[T - kept + t] = (float)imdb_token(d, tokens[t]);
        target[i] = (float)d->labels[review];
    }
}

void imdb_epoch_rows(const imdb *d, uint64_t seed, int64_t epoch, int64_t *r) {
    const int64_t n = imdb_count(d, SPLIT_TRAIN);
    for (int64_t i = 0; i < n; i++) r[i] = d->first[SPLIT_TRAIN] + i;
    shuffle(seed, RANDOM_EPOCH_ROWS, (uint64_t)epoch << 32, n, r);
}

static weir_status system_error(const char *path) {
    return weir_fail(WEIR_ERROR_SYSTEM, "%s: %s", path, strerror(errno));
}

/* Into memory, so that the checksum is that of the very bytes that are unpacked. */
static weir_status read_file(int fd, source *s) {
    struct stat st;
    if (fstat(fd, &st) != 0) return system_error(s->path);
    if (!S_ISREG(st.st_mode))
        return weir_fail(WEIR_ERROR_SYSTEM, "%s is neither a file nor a folder", s->path);
    if (st.st_size == 0) return weir_fail(WEIR_ERROR_FORMAT, "%s is empty", s->path);
    s->data = malloc((size_t)st.st_size);
    if (s->data == NULL)
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for the %lld bytes of %s",
                         (long long)st.st_size, s->path);
    while (s->bytes < (size_t)st.st_size) {
        const ssize_t n = read(fd, s->data + s->bytes, (size_t)st.st_size - s->bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error(s->path);
        if (n == 0) break;
        s->bytes += (size_t)n;
    }
    s->key = weir_checksum_add(0, s->data, s->bytes);
    return WEIR_OK;
}

static weir_status open_source(const char *path, source *s) {
    struct stat st;
    if (stat(path, &st) != 0) return system_error(path);
    s->folder = S_ISDIR(st.st_mode);
    if (s->folder) {
        const weir_status status = reviews_find_root(path, s->path, sizeof s->path - 32);
        return status == WEIR_OK ? reviews_list_folder(s->path, &s->r, &s->key) : status;
    }
    if (snprintf(s->path, sizeof s->path - 32, "%s", path) >= (int)sizeof s->path - 32)
        return weir_fail(WEIR_ERROR_SYSTEM, "%s: the path is too long", path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return system_error(path);
    const weir_status status = read_file(fd, s);
    close(fd);
    return status;
}

static weir_status read_reviews(source *s, imdb *d) {
    weir_status status;
    if (s->folder) {
        status = reviews_read_folder(s->path, d->o.runtime, &s->r);
    } else {
        status = reviews_read_archive(s->path, s->data, s->bytes, &s->r);
        if (status == WEIR_OK) status = reviews_sort(&s->r, s->path);
    }
    return status == WEIR_OK ? imdb_count_words(&s->r, d->o.runtime, d) : status;
}

/* The reviews from the cache, or from the source and then into the cache. */
static weir_status read_through_cache(source *s, imdb *d) {
    char cache[PATH_BYTES];
    snprintf(cache, sizeof cache, "%.*s.weir-cache", PATH_BYTES - 32, s->path);
    if (d->o.cache && imdb_cache_read(cache, s->key, d)) {
        d->cache = IMDB_CACHE_READ;
        return WEIR_OK;
    }
    const weir_status status = read_reviews(s, d);
    if (status != WEIR_OK || !d->o.cache) return status;
    d->cache = IMDB_CACHE_WRITTEN;
    if (imdb_cache_write(cache, s->key, d) != WEIR_OK) {
        d->cache = IMDB_CACHE_FAILED;
        d->cache_warning = strdup(weir_last_error());
    }
    return WEIR_OK;
}

weir_status imdb_load(const char *path, const imdb_options *options, imdb *out) {
    source s = {.folder = false};
    *out = (imdb){0};
    weir_status status = imdb_check_options(options, &out->o);
    if (status == WEIR_OK) status = open_source(path, &s);
    if (status == WEIR_OK) status = read_through_cache(&s, out);
    if (status == WEIR_OK) status = imdb_finish(out);
    if (status == WEIR_OK && (out->source = strdup(path)) == NULL)
        status = weir_fail(WEIR_ERROR_MEMORY, "no memory for a file name");
    if (status != WEIR_OK) imdb_free(out);
    reviews_free(&s.r);
    free(s.data);
    return status;
}

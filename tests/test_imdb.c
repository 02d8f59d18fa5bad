/* Reviews: reading, splits, batches, cache, made-up ones. SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "train/data/imdb.h"
#include "train/data/imdb_parts.h"
#include "train/data/sha256.h"

/* Many caches are written that need not survive a power cut. */
int __wrap_fsync(int fd);

int __wrap_fsync(int fd) {
    (void)fd;
    return 0;
}

/* A folder that each test finds empty. */
static char base[] = "/tmp/weir-test-imdb-XXXXXX";
enum { PATH_BYTES = 256 };

static const char *in_base(const char *name) {
    static char paths[4][PATH_BYTES];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_BYTES, "%s/%s", base, name);
    return path;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type;
    return ftw->level > 0 ? remove(path) : 0;
}

static int empty_base(void **state) {
    (void)state;
    return nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_bytes(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static char *read_bytes(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *size = (size_t)ftell(file);
    rewind(file);
    char *data = malloc(*size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

typedef struct text_file {
    const char *name, *text;
} text_file;

/* Unsorted on purpose; what is no review must be passed over. */
static const text_file plain[] = {
    {"train/pos/10_9.txt", "Good, GOOD film!"},
    {"train/pos/9_7.txt", "a good b"},
    {"train/neg/2_1.txt", "Bad film<br />bad\tb\xff"},
    {"train/neg/0_3.txt", ""},
    {"train/neg/1_3.txt", "\xc3\x89t\xc3\xa9 bad"},
    {"test/neg/0_1.txt", "bad unseen"},
    {"test/pos/0_10.txt", "unseen good it's"},
    {"test/pos/1_10.txt", "..."},
    {"train/unsup/0_0.txt", "bad bad bad bad bad bad"},
    {"train/pos/notes", "zebra"},
    {"train/pos/.1_1.txt", "zebra"},
    {"train/labeledBow.feat", "9 0:9"},
    {"README", "zebra"},
};
enum { PLAIN = sizeof plain / sizeof plain[0] };

static void make_folders(const char *root) {
    static const char *const folders[] = {"",      "/train",    "/train/neg", "/train/pos",
                                          "/test", "/test/neg", "/test/pos",  "/train/unsup"};
    char path[PATH_BYTES];
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s%s", root, folders[i]);
        assert_int_equal(mkdir(path, 0777), 0);
    }
}

static void write_folder(const char *root, const text_file *files, int count) {
    char path[PATH_BYTES];
    make_folders(root);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", root, files[i].name);
        write_bytes(path, files[i].text, strlen(files[i].text));
    }
}

/* One member of a tar archive (POSIX ustar). */
static void put_member(FILE *file, const char *name, const char *text) {
    char block[512] = "";
    const size_t size = strlen(text);
    snprintf(block, 100, "aclImdb/%s", name);
    snprintf(block + 100, 24, "%07o", 0644);
    snprintf(block + 124, 12, "%011o", (unsigned)size);
    snprintf(block + 136, 12, "%011o", 0);
    memset(block + 148, ' ', 8);
    block[156] = '0';
    memcpy(block + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof block; i++) sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
    fwrite(block, 1, sizeof block, file);
    fwrite(text, 1, size, file);
    memset(block, 0, sizeof block);
    if (size % 512 != 0) fwrite(block, 1, 512 - size % 512, file);
}

static void write_tar(const char *path, const text_file *files, int count) {
    static const char end[1024];
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < count; i++) put_member(file, files[i].name, files[i].text);
    fwrite(end, 1, sizeof end, file);
    assert_int_equal(fclose(file), 0);
}

static bool archives_can_be_read(void) {
    imdb d;
    write_tar(in_base("probe.tar"), plain, PLAIN);
    const weir_status status = imdb_load(in_base("probe.tar"), NULL, &d);
    if (status == WEIR_ERROR_UNSUPPORTED)
        assert_non_null(strstr(weir_last_error(), "no libarchive"));
    imdb_free(&d);
    unlink(in_base("probe.tar"));
    unlink(in_base("probe.tar.weir-cache"));
    return status != WEIR_ERROR_UNSUPPORTED;
}

static void load(const char *path, const imdb_options *o, imdb *d) {
    if (imdb_load(path, o, d) != WEIR_OK) fail_msg("%s", weir_last_error());
}

static imdb_options without_cache(void) {
    imdb_options o = imdb_options_default();
    o.cache = false;
    return o;
}

static void expect_review(const imdb *d, int64_t i, const char *name, int label, int count,
                          const int32_t *words) {
    assert_string_equal(string_list_get(&d->names, i), name);
    assert_int_equal(d->labels[i], label);
    assert_int_equal(d->offsets[i + 1] - d->offsets[i], count + 1);
    assert_int_equal(d->tokens[d->offsets[i]], IMDB_START);
    assert_memory_equal(d->tokens + d->offsets[i] + 1, words, (size_t)count * sizeof *words);
}

static void expect_plain(const imdb *d) {
    /* bad 3 times, good 3, film 2, then once: a, b, br, "b\xff" and e-acute t e-acute. */
    static const char *const words[] = {"bad", "good", "film",  "a",
                                        "b",   "br",   "b\xff", "\xc3\xa9t\xc3\xa9"};
    static const int64_t counts[] = {3, 3, 2, 1, 1, 1, 1, 1};
    assert_int_equal(d->words.count, 8);
    for (int i = 0; i < 8; i++) {
        assert_string_equal(string_list_get(&d->words, i), words[i]);
        assert_string_equal(imdb_word(d, i + 4), words[i]);
        assert_int_equal(d->word_counts[i], counts[i]);
    }
    assert_int_equal(d->reviews, 8);
    assert_int_equal(d->training, 5);
    expect_review(d, 0, "train/neg/0_3.txt", 0, 0, NULL);
    expect_review(d, 1, "train/neg/1_3.txt", 0, 2, (int32_t[]){11, 4});
    expect_review(d, 2, "train/neg/2_1.txt", 0, 5, (int32_t[]){4, 6, 9, 4, 10});
    expect_review(d, 3, "train/pos/9_7.txt", 1, 3, (int32_t[]){7, 5, 8});
    expect_review(d, 4, "train/pos/10_9.txt", 1, 3, (int32_t[]){5, 5, 6});
    expect_review(d, 5, "test/neg/0_1.txt", 0, 2, (int32_t[]){4, 2});
    expect_review(d, 6, "test/pos/0_10.txt", 1, 3, (int32_t[]){2, 5, 2});
    expect_review(d, 7, "test/pos/1_10.txt", 1, 0, NULL);
    assert_int_equal(d->invalid_bytes, 1);
    assert_int_equal(d->invalid_reviews, 1);
    assert_false(d->generated);
}

static void test_folder(void **state) {
    (void)state;
    imdb d;
    const imdb_options o = without_cache();
    write_folder(in_base("aclImdb"), plain, PLAIN);
    static const char *const ways[] = {"aclImdb", "aclImdb/", "", "aclImdb/train/.."};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        load(in_base(ways[i]), &o, &d);
        expect_plain(&d);
        assert_string_equal(d.source, in_base(ways[i]));
        assert_int_equal(d.cache, IMDB_CACHE_OFF);
        imdb_free(&d);
        imdb_free(&d);
    }
    assert_int_not_equal(access(in_base("aclImdb.weir-cache"), F_OK), 0);
}

static void test_archive(void **state) {
    (void)state;
    imdb d;
    if (!archives_can_be_read()) skip();
    write_tar(in_base("a.tar"), plain, PLAIN);
    const imdb_options o = without_cache();
    load(in_base("a.tar"), &o, &d);
    expect_plain(&d);
    imdb_free(&d);
}

static void test_statistics(void **state) {
    (void)state;
    imdb d;
    imdb_options o = without_cache();
    write_folder(in_base("f"), plain, PLAIN);
    o.max_features = 6; /* bad and good */
    o.val_fraction = 0;
    load(in_base("f"), &o, &d);
    const imdb_statistics *s = &d.statistics[SPLIT_TRAIN];
    assert_int_equal(s->reviews, 5);
    assert_int_equal(s->positive, 2);
    assert_int_equal(s->words, 13);
    assert_int_equal(s->unknown, 7);
    assert_int_equal(s->longest, 6);
    assert_int_equal(s->empty, 1);
    assert_int_equal(d.statistics[SPLIT_VAL].reviews, 0);
    s = &d.statistics[SPLIT_TEST];
    assert_int_equal(s->reviews, 3);
    assert_int_equal(s->words, 5);
    assert_int_equal(s->unknown, 3);
    assert_int_equal(s->empty, 1);
    assert_string_equal(imdb_word(&d, 0), "<padding>");
    assert_string_equal(imdb_word(&d, 1), "<start>");
    assert_string_equal(imdb_word(&d, 2), "<unknown>");
    assert_string_equal(imdb_word(&d, 3), "<unused>");
    assert_string_equal(imdb_word(&d, 12), "<unused>");
    assert_string_equal(imdb_word(&d, -1), "<unused>");
    assert_string_equal(imdb_word(&d, INT32_MIN), "<unused>");
    const uint64_t vocabulary = d.vocabulary;
    imdb_free(&d);
    o.max_features = 7;
    load(in_base("f"), &o, &d);
    assert_true(d.vocabulary != vocabulary);
    imdb_free(&d);
}

static void expect_batch(const imdb *d, int64_t T, const float *expected) {
    float x[32], target[2] = {-1, -1};
    const int64_t rows[] = {6, 5}; /* of the test: in the reviews' order */
    assert_true(2 * T <= 32);
    imdb_fill(d, rows, 2, T, x, target);
    for (int64_t i = 0; i < 2 * T; i++) assert_float_equal(x[i], expected[i], 0);
    assert_float_equal(target[0], 1, 0);
    assert_float_equal(target[1], 0, 0);
}

static void test_fill(void **state) {
    (void)state;
    imdb d;
    imdb_options o = without_cache();
    write_folder(in_base("f"), plain, PLAIN);
    load(in_base("f"), &o, &d);
    expect_batch(&d, 6, (float[]){0, 0, 1, 2, 5, 2, 0, 0, 0, 1, 4, 2});
    expect_batch(&d, 4, (float[]){1, 2, 5, 2, 0, 1, 4, 2});
    expect_batch(&d, 2, (float[]){5, 2, 4, 2});
    expect_batch(&d, 1, (float[]){2, 2});
    imdb_free(&d);
    o.max_features = 5;
    load(in_base("f"), &o, &d);
    expect_batch(&d, 4, (float[]){1, 2, 2, 2, 0, 1, 4, 2});
    imdb_free(&d);
}

static void expect_permutation(const int64_t *r, int64_t first, int64_t n) {
    char seen[2048] = "";
    assert_true(n <= (int64_t)sizeof seen);
    for (int64_t i = 0; i < n; i++) {
        assert_in_range(r[i], first, first + n - 1);
        assert_int_equal(seen[r[i] - first]++, 0);
    }
}

static void generate(int64_t count, const imdb_options *o, imdb *d) {
    if (imdb_generate(count, 7, o, d) != WEIR_OK) fail_msg("%s", weir_last_error());
}

static void test_splits(void **state) {
    (void)state;
    imdb d, other;
    imdb_options o = without_cache();
    generate(2001, &o, &d);
    assert_int_equal(d.training, 1001);
    assert_int_equal(imdb_count(&d, SPLIT_TRAIN), 800); /* int(1001 * 0.8) */
    assert_int_equal(imdb_count(&d, SPLIT_VAL), 201);
    assert_int_equal(imdb_count(&d, SPLIT_TEST), 1000);
    assert_int_equal(d.first[SPLIT_VAL], 800);
    assert_int_equal(d.first[SPLIT_TEST], 1001);
    expect_permutation(d.order, 0, 1001);
    for (int64_t i = 1001; i < 2001; i++) assert_int_equal(d.order[i], i);
    /* Shuffled: the reviews are sorted by class. 100 of 201 to validate on, give or take 4 sigma. */
    assert_in_range(d.statistics[SPLIT_VAL].positive, 75, 126);
    o.seed = 2;
    generate(2001, &o, &other);
    assert_memory_not_equal(d.order, other.order, 1001 * sizeof *d.order);
    imdb_free(&other);
    o.val_fraction = 0.999;
    generate(2001, &o, &other);
    assert_int_equal(imdb_count(&other, SPLIT_TRAIN), 1);
    imdb_free(&other);
    imdb_free(&d);
}

static void test_epochs(void **state) {
    (void)state;
    imdb d;
    int64_t r[800], again[800];
    generate(2000, NULL, &d);
    const size_t bytes = sizeof r;
    assert_int_equal(imdb_count(&d, SPLIT_TRAIN), 800);
    imdb_epoch_rows(&d, 5, 0, r);
    expect_permutation(r, 0, 800);
    imdb_epoch_rows(&d, 5, 1, again);
    expect_permutation(again, 0, 800);
    assert_memory_not_equal(r, again, bytes);
    imdb_epoch_rows(&d, 6, 0, again);
    assert_memory_not_equal(r, again, bytes);
    imdb_epoch_rows(&d, 5, 0, again);
    assert_memory_equal(r, again, bytes);
    /* Each row is as likely in each tenth of the order: over 200 epochs row 0 is in the first tenth
     * 20 times, deviation 4.2; 5 deviations. */
    int first = 0;
    for (int64_t epoch = 0; epoch < 200; epoch++) {
        imdb_epoch_rows(&d, 5, epoch, r);
        for (int i = 0; i < 80; i++) first += r[i] == 0;
    }
    assert_in_range(first, 0, 41);
    imdb_free(&d);
}

/* All that was read is the same. */
static void expect_same(const imdb *a, const imdb *b) {
    assert_int_equal(a->reviews, b->reviews);
    assert_int_equal(a->training, b->training);
    assert_int_equal(a->invalid_bytes, b->invalid_bytes);
    assert_int_equal(a->invalid_reviews, b->invalid_reviews);
    const size_t count = (size_t)a->reviews, words = (size_t)a->words.count;
    assert_memory_equal(a->offsets, b->offsets, (count + 1) * sizeof *a->offsets);
    assert_memory_equal(a->tokens, b->tokens, (size_t)a->offsets[count] * sizeof *a->tokens);
    assert_memory_equal(a->labels, b->labels, count);
    assert_memory_equal(a->order, b->order, count * sizeof *a->order);
    assert_int_equal(string_list_bytes(&a->names), string_list_bytes(&b->names));
    assert_memory_equal(a->names.bytes, b->names.bytes, (size_t)string_list_bytes(&a->names));
    assert_int_equal(a->words.count, b->words.count);
    assert_int_equal(string_list_bytes(&a->words), string_list_bytes(&b->words));
    assert_memory_equal(a->words.bytes, b->words.bytes, (size_t)string_list_bytes(&a->words));
    assert_memory_equal(a->word_counts, b->word_counts, words * sizeof *a->word_counts);
    assert_memory_equal(a->statistics, b->statistics, sizeof a->statistics);
    assert_true(a->vocabulary == b->vocabulary);
}

static weir_runtime *runtime_of(int threads) {
    weir_runtime *runtime = NULL;
    weir_runtime_options o = weir_runtime_options_default();
    o.threads = threads;
    if (weir_runtime_create(&o, &runtime) != WEIR_OK) fail_msg("%s", weir_last_error());
    return runtime;
}

static void test_threads_change_nothing(void **state) {
    (void)state;
    imdb one, other;
    imdb_options o = without_cache();
    generate(500, &o, &one);
    write_folder(in_base("f"), plain, PLAIN);
    for (int threads = 1; threads <= 21; threads += 4) {
        o.runtime = runtime_of(threads);
        generate(500, &o, &other);
        expect_same(&one, &other);
        imdb_free(&other);
        load(in_base("f"), &o, &other);
        expect_plain(&other);
        imdb_free(&other);
        weir_runtime_destroy(o.runtime);
    }
    imdb_free(&one);
}

/* +1 praise, -1 blame, 0 neither. */
static int judgement(const char *text) {
    static const char good[] = " good great superb moving funny clever brilliant lovely charming "
                               "gripping ";
    static const char bad[] = " bad poor awful boring dull stupid weak clumsy tedious dreadful ";
    char word[64];
    snprintf(word, sizeof word, " %s ", text);
    return (strstr(good, word) != NULL) - (strstr(bad, word) != NULL);
}

/* The opinion that ends in words[t], +1 or -1; 0 when it is not the writer's, or none. */
static int opinion_at(const char *const *words, int64_t t) {
    static const char degrees[] = " very really so particularly ";
    char word[64];
    const int value = judgement(words[t]);
    if (value == 0) return 0;
    snprintf(word, sizeof word, " %s ", words[t - 1]);
    if (strstr(degrees, word) != NULL) t--;
    if (strcmp(words[t - 1], "was") == 0) return value;
    if (strcmp(words[t - 1], "not") == 0) return -value;
    return strcmp(words[t - 1], "it") == 0 ? value : 0;
}

/* The label is what an independent reader of the sentences finds; one who only counts the words
 * errs often. */
static void test_generated_labels(void **state) {
    (void)state;
    imdb d;
    int counted_right = 0;
    generate(1000, NULL, &d);
    assert_true(d.generated);
    assert_string_equal(d.source, "generated (seed 7)");
    for (int64_t i = 0; i < d.reviews; i++) {
        const char *words[4096];
        int balance = 0, praise = 0;
        const int64_t begin = d.offsets[i], count = d.offsets[i + 1] - begin;
        assert_in_range(count, 30, 4095);
        for (int64_t t = 0; t < count; t++) {
            words[t] = imdb_word(&d, d.tokens[begin + t]);
            if (t < 2) continue;
            balance += opinion_at(words, t);
            praise += judgement(words[t]);
        }
        assert_true(d.labels[i] ? balance > 0 : balance < 0);
        counted_right += d.labels[i] ? praise > 0 : praise < 0;
    }
    assert_in_range(counted_right, 500, 750);
    assert_int_equal(d.statistics[SPLIT_TEST].positive, 250);
    imdb_free(&d);
}

static void test_generated_bits(void **state) {
    (void)state;
    imdb d, again;
    generate(100, NULL, &d);
    assert_int_equal(d.reviews, 100);
    assert_int_equal(d.training, 50);
    sha256 sum;
    char text[SHA256_TEXT];
    sha256_start(&sum);
    for (int64_t t = 0; t < d.offsets[d.training]; t++) {
        const char *word = imdb_word(&d, d.tokens[t]);
        sha256_add(&sum, word, strlen(word) + 1);
    }
    sha256_finish(&sum, text);
    assert_string_equal(text, "c295f4e1b1cb0a849a3dae23857939989612f6e239b8f63678e8ea15ce2dd216");
    generate(100, NULL, &again);
    expect_same(&d, &again);
    imdb_free(&again);
    assert_int_equal(imdb_generate(100, 8, NULL, &again), WEIR_OK);
    assert_true(d.offsets[100] != again.offsets[100]);
    imdb_free(&again);
    imdb_free(&d);
    generate(IMDB_GENERATE_MIN, NULL, &d);
    assert_int_equal(d.reviews, 8);
    imdb_free(&d);
}

static void expect_message(const char *message) {
    if (strstr(weir_last_error(), message) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", weir_last_error(), message);
}

static void refused(const char *path, const imdb_options *o, weir_status expected,
                    const char *message) {
    imdb d;
    const imdb_options defaults = without_cache();
    assert_int_equal(imdb_load(path, o != NULL ? o : &defaults, &d), expected);
    expect_message(message);
    if (expected != WEIR_ERROR_ARGUMENT) expect_message(path);
    assert_null(d.tokens);
    assert_null(d.order);
}

static void test_bad_options(void **state) {
    (void)state;
    imdb d;
    imdb_options o = without_cache();
    write_folder(in_base("f"), plain, PLAIN);
    const weir_status argument = WEIR_ERROR_ARGUMENT;
    o.max_features = 4;
    refused(in_base("f"), &o, argument, "max_features is 4, accepted: 5 to 16777216");
    o.max_features = IMDB_FEATURES_LIMIT + 1;
    refused(in_base("f"), &o, argument, "max_features is 16777217");
    o = without_cache();
    o.val_fraction = -0.1;
    refused(in_base("f"), &o, argument, "validation fraction is -0.1, accepted: 0 or more");
    o.val_fraction = 1;
    refused(in_base("f"), &o, argument, "validation fraction is 1");
    o.val_fraction = 0.0 / 0.0;
    refused(in_base("f"), &o, argument, "validation fraction is ");
    o.val_fraction = 0.9;
    refused(in_base("f"), &o, argument, "0.9, which leaves none of 5 reviews to train on");
    assert_int_equal(imdb_generate(7, 1, NULL, &d), argument);
    expect_message("reviews is 7, accepted: 8 to 1000000");
    assert_int_equal(imdb_generate(1000001, 1, NULL, &d), argument);
    expect_message("reviews is 1000001");
    assert_int_equal(imdb_generate(100, 1, &o, &d), WEIR_OK);
    imdb_free(&d);
    o.max_features = 0;
    assert_int_equal(imdb_generate(100, 1, &o, &d), argument);
}

static void test_bad_folders(void **state) {
    (void)state;
    const weir_status format = WEIR_ERROR_FORMAT;
    refused(in_base("none"), NULL, WEIR_ERROR_SYSTEM, "No such file");
    refused(base, NULL, format, "has no folder train, test or aclImdb, expected: the folder");
    make_folders(in_base("f"));
    refused(in_base("f"), NULL, format, "there is no review in it");
    for (int i = 0; i < REVIEW_CLASSES; i++) {
        char file[PATH_BYTES + 16], folder[PATH_BYTES], moved[PATH_BYTES + 16], message[64];
        empty_base(NULL);
        write_folder(in_base("f"), plain, PLAIN);
        snprintf(folder, sizeof folder, "%s/f/%s", base, review_folders[i]);
        snprintf(moved, sizeof moved, "%s.", folder);
        assert_int_equal(rename(folder, moved), 0);
        snprintf(message, sizeof message, "the folder %s is missing", review_folders[i]);
        refused(in_base("f"), NULL, format, message);
        assert_int_equal(mkdir(folder, 0777), 0);
        snprintf(message, sizeof message, "there is no review in %s", review_folders[i]);
        refused(in_base("f"), NULL, format, message);
        snprintf(file, sizeof file, "%s/0_1.csv", folder);
        write_bytes(file, "x", 1);
        refused(in_base("f"), NULL, format, message);
        assert_int_equal(remove(file), 0);
        assert_int_equal(rmdir(folder), 0);
        write_bytes(folder, "x", 1);
        refused(in_base("f"), NULL, WEIR_ERROR_SYSTEM, "Not a directory");
    }
}

static void test_bad_reviews(void **state) {
    (void)state;
    static const text_file wordless[] = {{"train/pos/0_9.txt", "!?"},
                                         {"train/neg/0_9.txt", ""},
                                         {"test/pos/0_9.txt", "a"},
                                         {"test/neg/0_9.txt", "b"}};
    write_folder(in_base("f"), wordless, 4);
    imdb d;
    const imdb_options o = without_cache();
    assert_int_equal(imdb_load(in_base("f"), &o, &d), WEIR_ERROR_FORMAT);
    expect_message("the training reviews have no word");
    assert_int_equal(truncate(in_base("f/test/pos/0_9.txt"), REVIEW_BYTES_MAX + 1), 0);
    refused(in_base("f"), NULL, WEIR_ERROR_FORMAT,
            "test/pos/0_9.txt has 16777217 bytes, accepted: 0 to 16777216");
}

static void test_permissions(void **state) {
    (void)state;
    if (geteuid() == 0) skip(); /* root may read everything */
    write_folder(in_base("f"), plain, PLAIN);
    assert_int_equal(chmod(in_base("f/train/pos/9_7.txt"), 0), 0);
    refused(in_base("f"), NULL, WEIR_ERROR_SYSTEM, "train/pos/9_7.txt: Permission denied");
    assert_int_equal(chmod(in_base("f/test/neg"), 0), 0);
    refused(in_base("f"), NULL, WEIR_ERROR_SYSTEM, "test/neg: Permission denied");
    assert_int_equal(chmod(in_base("f/test/neg"), 0700), 0);
    write_tar(in_base("a.tar"), plain, PLAIN);
    assert_int_equal(chmod(in_base("a.tar"), 0), 0);
    refused(in_base("a.tar"), NULL, WEIR_ERROR_SYSTEM, "a.tar: Permission denied");
}

/* A folder whose file has changed since it was listed. */
static void test_changing_files(void **state) {
    (void)state;
    uint64_t key;
    for (int longer = 0; longer < 2; longer++) {
        review_list r;
        empty_base(NULL);
        write_folder(in_base("f"), plain, PLAIN);
        assert_int_equal(reviews_list_folder(in_base("f"), &r, &key), WEIR_OK);
        assert_int_equal(truncate(in_base("f/train/pos/9_7.txt"), longer ? 9 : 7), 0);
        assert_int_equal(reviews_read_folder(in_base("f"), NULL, &r), WEIR_ERROR_SYSTEM);
        expect_message("train/pos/9_7.txt has changed while it was read");
        assert_int_equal(unlink(in_base("f/train/pos/9_7.txt")), 0);
        assert_int_equal(reviews_read_folder(in_base("f"), NULL, &r), WEIR_ERROR_SYSTEM);
        expect_message("train/pos/9_7.txt: No such file");
        reviews_free(&r);
    }
}

static void test_bad_archives(void **state) {
    (void)state;
    const weir_status format = WEIR_ERROR_FORMAT;
    refused("/dev/null", NULL, WEIR_ERROR_SYSTEM, "is neither a file nor a folder");
    write_bytes(in_base("empty"), "", 0);
    refused(in_base("empty"), NULL, format, "is empty");
    if (!archives_can_be_read()) skip();
    char junk[5000];
    memset(junk, 'x', sizeof junk);
    write_bytes(in_base("junk"), junk, sizeof junk);
    refused(in_base("junk"), NULL, format, "is damaged or no archive: ");
    write_tar(in_base("a.tar"), plain, PLAIN);
    size_t size;
    char *tar = read_bytes(in_base("a.tar"), &size);
    static const size_t cuts[] = {100, 700, 1024 + 5, 512 * 4, 512 * 9 + 1};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        write_bytes(in_base("cut.tar"), tar, cuts[i]);
        refused(in_base("cut.tar"), NULL, format, "");
    }
    tar[1024 + 20] ^= 1; /* a header's name: its sum is wrong */
    write_bytes(in_base("bad.tar"), tar, size);
    refused(in_base("bad.tar"), NULL, format, "is damaged or no archive: ");
    free(tar);
    write_tar(in_base("other.tar"), plain + 8, PLAIN - 8);
    refused(in_base("other.tar"), NULL, format,
            "there is no review in it, expected: files like aclImdb/train/pos/0_9.txt");
    write_tar(in_base("no-test.tar"), plain, 5);
    refused(in_base("no-test.tar"), NULL, format, "there is no review in test/neg");
    text_file twice[9];
    memcpy(twice, plain, sizeof twice);
    twice[8] = plain[1];
    write_tar(in_base("twice.tar"), twice, 9);
    refused(in_base("twice.tar"), NULL, format, "train/pos/9_7.txt is in it twice");
}

static imdb_cache cache_of(const char *path, const imdb_options *o, const imdb *expected) {
    imdb d;
    load(path, o, &d);
    expect_same(expected, &d);
    const imdb_cache cache = d.cache;
    assert_true((d.cache_warning != NULL) == (cache == IMDB_CACHE_FAILED));
    imdb_free(&d);
    return cache;
}

static void test_cache(void **state) {
    (void)state;
    imdb d;
    const imdb_options o = without_cache();
    write_folder(in_base("aclImdb"), plain, PLAIN);
    load(base, &o, &d);
    assert_int_equal(cache_of(base, NULL, &d), IMDB_CACHE_WRITTEN);
    assert_int_equal(access(in_base("aclImdb.weir-cache"), F_OK), 0);
    assert_int_equal(cache_of(base, NULL, &d), IMDB_CACHE_READ);
    assert_int_equal(cache_of(in_base("aclImdb/"), NULL, &d), IMDB_CACHE_READ);
    assert_int_equal(cache_of(base, &o, &d), IMDB_CACHE_OFF);
    imdb_free(&d);
    /* It holds what does not depend on options. */
    imdb_options other = imdb_options_default();
    other.max_features = 6;
    other.val_fraction = 0.5;
    other.seed = 77;
    other.cache = false;
    load(base, &other, &d);
    other.cache = true;
    assert_int_equal(cache_of(base, &other, &d), IMDB_CACHE_READ);
    imdb_free(&d);
}

static void test_stale_cache(void **state) {
    (void)state;
    imdb d;
    imdb_options o = without_cache();
    write_folder(in_base("f"), plain, PLAIN);
    load(in_base("f"), NULL, &d);
    imdb_free(&d);
    static const text_file changes[] = {{"train/pos/9_7.txt", "c good b"}, /* as long as before */
                                        {"train/pos/9_7.txt", "c good"},
                                        {"test/neg/1_1.txt", "another"},
                                        {"test/neg/1_1.txt", NULL}};
    for (int i = 0; i < 4; i++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s/f/%s", base, changes[i].name);
        if (changes[i].text != NULL)
            write_bytes(path, changes[i].text, strlen(changes[i].text));
        else
            assert_int_equal(unlink(path), 0);
        load(in_base("f"), &o, &d);
        assert_int_equal(cache_of(in_base("f"), NULL, &d), IMDB_CACHE_WRITTEN);
        assert_int_equal(cache_of(in_base("f"), NULL, &d), IMDB_CACHE_READ);
        imdb_free(&d);
    }
    assert_int_equal(rename(in_base("f/test/neg/0_1.txt"), in_base("f/test/neg/3_1.txt")), 0);
    load(in_base("f"), &o, &d);
    assert_int_equal(cache_of(in_base("f"), NULL, &d), IMDB_CACHE_WRITTEN);
    imdb_free(&d);
}

static bool cache_reads(const char *path, uint64_t key) {
    imdb d = {.reviews = 0};
    const bool whole = imdb_cache_read(path, key, &d);
    assert_true(whole == (d.tokens != NULL));
    imdb_free(&d);
    return whole;
}

/* Cut anywhere, or with any byte changed, it is not used, and then replaced. */
static void test_damaged_cache(void **state) {
    (void)state;
    imdb d;
    review_list r;
    uint64_t key;
    size_t size;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/f.weir-cache", base);
    write_folder(in_base("f"), plain, PLAIN);
    load(in_base("f"), NULL, &d);
    assert_int_equal(reviews_list_folder(in_base("f"), &r, &key), WEIR_OK);
    reviews_free(&r);
    char *whole = read_bytes(in_base("f.weir-cache"), &size);
    for (size_t cut = 0; cut < size; cut++) {
        write_bytes(path, whole, cut);
        assert_false(cache_reads(path, key));
    }
    for (size_t i = 0; i < 8 * size; i++) {
        whole[i / 8] = (char)(whole[i / 8] ^ 1 << i % 8);
        write_bytes(path, whole, size);
        assert_false(cache_reads(path, key));
        whole[i / 8] = (char)(whole[i / 8] ^ 1 << i % 8);
    }
    write_bytes(path, whole, size);
    assert_true(cache_reads(path, key));
    assert_false(cache_reads(path, key + 1));
    whole = realloc(whole, size + 1);
    assert_non_null(whole);
    whole[size] = 0;
    write_bytes(path, whole, size + 1);
    assert_int_equal(cache_of(in_base("f"), NULL, &d), IMDB_CACHE_WRITTEN);
    assert_int_equal(cache_of(in_base("f"), NULL, &d), IMDB_CACHE_READ);
    write_bytes(path, whole, size - 1);
    assert_int_equal(cache_of(in_base("f"), NULL, &d), IMDB_CACHE_WRITTEN);
    free(whole);
    imdb_free(&d);
}

/* With a checksum that is right, numbers out of their bounds are still found. */
static void test_wrong_cache(void **state) {
    (void)state;
    imdb d, read = {.o = {.max_features = 99}};
    char cache[PATH_BYTES];
    snprintf(cache, sizeof cache, "%s/cache", base);
    write_folder(in_base("f"), plain, PLAIN);
    load(in_base("f"), NULL, &d);
    int64_t *const numbers[] = {&d.offsets[0],     &d.offsets[2],     &d.offsets[5],
                                &d.names.begin[0], &d.names.begin[3], &d.words.begin[0],
                                &d.words.begin[2]};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        static const int64_t wrong[] = {-1, INT64_MAX};
        for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
            const int64_t right = *numbers[i];
            *numbers[i] = wrong[k];
            assert_int_equal(imdb_cache_write(cache, 5, &d), WEIR_OK);
            assert_false(imdb_cache_read(cache, 5, &read));
            *numbers[i] = right;
        }
    }
    static const int32_t tokens[] = {0, 1, 3, 12, -1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        const int32_t right = d.tokens[3];
        d.tokens[3] = tokens[i];
        assert_int_equal(imdb_cache_write(cache, 5, &d), WEIR_OK);
        assert_false(imdb_cache_read(cache, 5, &read));
        d.tokens[3] = right;
    }
    d.tokens[0] = 4; /* a review that does not begin with the start token */
    assert_int_equal(imdb_cache_write(cache, 5, &d), WEIR_OK);
    assert_false(imdb_cache_read(cache, 5, &read));
    d.tokens[0] = IMDB_START;
    d.labels[1] = 2;
    assert_int_equal(imdb_cache_write(cache, 5, &d), WEIR_OK);
    assert_false(imdb_cache_read(cache, 5, &read));
    d.labels[1] = 0;
    d.training = d.reviews;
    assert_int_equal(imdb_cache_write(cache, 5, &d), WEIR_OK);
    assert_false(imdb_cache_read(cache, 5, &read));
    d.training = 5;
    d.words.bytes[3] = 'x'; /* the zero behind "bad" */
    assert_int_equal(imdb_cache_write(cache, 5, &d), WEIR_OK);
    assert_false(imdb_cache_read(cache, 5, &read));
    d.words.bytes[3] = '\0';
    assert_int_equal(imdb_cache_write(cache, 5, &d), WEIR_OK);
    assert_false(imdb_cache_read(cache, 6, &read));
    assert_null(read.tokens);
    assert_true(imdb_cache_read(cache, 5, &read));
    assert_int_equal(read.o.max_features, 99);
    imdb_free(&read);
    imdb_free(&d);
}

static void test_cache_that_cannot_be_written(void **state) {
    (void)state;
    imdb d;
    write_folder(in_base("f"), plain, PLAIN);
    assert_int_equal(mkdir(in_base("f.weir-cache"), 0777), 0);
    load(in_base("f"), NULL, &d);
    expect_plain(&d);
    assert_int_equal(d.cache, IMDB_CACHE_FAILED);
    assert_non_null(strstr(d.cache_warning, "f.weir-cache: can't be replaced: it is a directory"));
    imdb_free(&d);
    assert_int_equal(rmdir(in_base("f.weir-cache")), 0);
    assert_int_equal(mkfifo(in_base("f.weir-cache"), 0666), 0);
    load(in_base("f"), NULL, &d);
    assert_int_equal(d.cache, IMDB_CACHE_FAILED);
    imdb_free(&d);
}

static int make_base(void **state) {
    (void)state;
    return mkdtemp(base) != NULL ? 0 : -1;
}

static int remove_base(void **state) { return empty_base(state) | rmdir(base); }

#define TEST(name) cmocka_unit_test_setup(name, empty_base)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_folder),
        TEST(test_archive),
        TEST(test_statistics),
        TEST(test_fill),
        TEST(test_splits),
        TEST(test_epochs),
        TEST(test_threads_change_nothing),
        TEST(test_generated_labels),
        TEST(test_generated_bits),
        TEST(test_bad_options),
        TEST(test_bad_folders),
        TEST(test_bad_reviews),
        TEST(test_permissions),
        TEST(test_changing_files),
        TEST(test_bad_archives),
        TEST(test_cache),
        TEST(test_stale_cache),
        TEST(test_damaged_cache),
        TEST(test_wrong_cache),
        TEST(test_cache_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, make_base, remove_base);
}

/* Film reviews as lists of word numbers: the IMDB data set, or reviews made up in its form.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Large Movie Review Dataset v1.0, A. Maas et al., "Learning Word Vectors for Sentiment Analysis",
 * ACL 2011: 25,000 reviews to train on and 25,000 for the test, half of them positive.
 */
#ifndef WEIR_TRAIN_IMDB_H
#define WEIR_TRAIN_IMDB_H

#include <stdbool.h>
#include <stdint.h>

#include "train/data/split.h"
#include "train/data/string_list.h"
#include "weir/runtime.h"

/* Numbers that are no words, as in Keras' data set; 3 is not used. */
enum { IMDB_PADDING = 0, IMDB_START = 1, IMDB_UNKNOWN = 2, IMDB_FIRST_WORD = 4 };
/* The book's numbers. */
enum { IMDB_MAX_FEATURES = 10000, IMDB_MAX_LEN = 500 };
enum { IMDB_FEATURES_LIMIT = 1 << 24 }; /* float holds every whole number up to it */

typedef struct imdb_options {
    int64_t max_features;  /* a batch has IMDB_UNKNOWN for numbers from here on: 5 or more */
    double val_fraction;   /* of the training reviews, 0 or more and below 1 */
    uint64_t seed;         /* shuffles the training reviews before the split */
    bool cache;            /* read and write PATH.weir-cache */
    weir_runtime *runtime; /* reads and counts in parallel; NULL: on the calling thread */
} imdb_options;

/* 10,000 words, 0.2, seed 1, with the cache, without a runtime. */
imdb_options imdb_options_default(void);

typedef enum imdb_cache {
    IMDB_CACHE_OFF = 0, /* not asked for, or generated data */
    IMDB_CACHE_READ,
    IMDB_CACHE_WRITTEN,
    IMDB_CACHE_FAILED /* could not be written: cache_warning says why; the data are good */
} imdb_cache;

/* Of one split. */
typedef struct imdb_statistics {
    int64_t reviews, positive;
    int64_t words;   /* without the start tokens */
    int64_t unknown; /* of the words: IMDB_UNKNOWN in a batch */
    int64_t longest; /* tokens of the longest review, the start token among them */
    int64_t empty;   /* reviews without a word */
} imdb_statistics;

/*
 * Reviews lie in the order train/neg, train/pos, test/neg, test/pos; in each by the number that the
 * file's name begins with, then by the name's bytes. A row is a place in the shuffled order: `order`
 * leads from rows to reviews, and split s has the rows first[s] .. end[s] - 1. The test's rows are
 * in the reviews' order.
 */
typedef struct imdb {
    imdb_options o;
    int64_t reviews, training; /* all, and those for training and validation: the first */
    int64_t first[SPLIT_COUNT], end[SPLIT_COUNT]; /* rows */
    int64_t *order;                               /* [reviews], owned */
    /* Review i has the tokens tokens[offsets[i] .. offsets[i + 1]): IMDB_START, then its words, all
     * of them and whatever max_features is; IMDB_UNKNOWN is a word that no training review has. */
    int32_t *tokens;   /* owned */
    int64_t *offsets;  /* [reviews + 1], owned */
    uint8_t *labels;   /* [reviews], 1 positive, 0 negative; owned */
    string_list names; /* of the files, [reviews]: "train/pos/0_9.txt" */
    /* Words of the training reviews (validation included), most frequent first, equally frequent
     * ones in the order of their bytes: word i has the number i + IMDB_FIRST_WORD. */
    string_list words;
    int64_t *word_counts; /* [words.count], in the training reviews; owned */
    imdb_statistics statistics[SPLIT_COUNT];
    int64_t invalid_bytes, invalid_reviews; /* bytes in no well-formed UTF-8; reviews with any */
    uint64_t vocabulary; /* checksum of the words below max_features, to recognise them by */
    char *source;        /* path, or "generated (seed N)", owned */
    bool generated;
    imdb_cache cache;
    char *cache_warning; /* owned, or NULL */
} imdb;

/*
 * Reads aclImdb_v1.tar.gz (a tar archive, plain or with gzip, read in one pass with libarchive) or
 * the folder it unpacks to, aclImdb or its parent. What is not in train/ or test/ and there in pos/
 * or neg/ is passed over, and so are files whose names begin with a dot or do not end in ".txt".
 *
 * Words are those of Keras' text_to_word_sequence with its default filters: lower case; tab, line
 * feed and !"#$%&()*+,-./:;<=>?@[\]^_`{|}~ become blanks ("<br />" is the word "br"); what blanks
 * part is a word. Carriage returns are blanks too (Python reads them as line feeds). Lower case is
 * Python's for ASCII, Latin-1 and Latin Extended-A (U+0041 .. U+005A, U+00C0 .. U+00DE but U+00D7,
 * U+0100 .. U+017F but U+0130); other letters stay as they are. A byte that is no UTF-8 is a letter
 * like others, and counted.
 *
 * The cache, PATH.weir-cache, holds everything read, whatever the options are; it is used when the
 * checksum of the archive (for a folder: names, sizes and times of the files) and its own fit, else
 * written anew. A cache that can't be written is a warning.
 *
 * options may be NULL (defaults). The same path and options give the same bits with any runtime.
 * Errors: SYSTEM (can't be opened or read), FORMAT (damaged, no archive, a class folder that is
 * missing or has no review), UNSUPPORTED (an archive in a build without libarchive), ARGUMENT
 * (max_features, val_fraction; no training review left), MEMORY.
 */
weir_status imdb_load(const char *path, const imdb_options *options, imdb *out);

/*
 * Made-up reviews, half for the test (rounded down), half of each half about positive: opinions on a
 * film between sentences of invented words. Whether a review is positive depends on the opinions'
 * words and on their order ("not good", "some found it dull , but i found it good"): the words alone
 * say little. The same seed gives the same bits on every machine. Errors: ARGUMENT (reviews outside
 * IMDB_GENERATE_MIN .. IMDB_GENERATE_MAX, options as imdb_load), MEMORY.
 */
enum { IMDB_GENERATE_MIN = 8, IMDB_GENERATE_MAX = 1000000 };
weir_status imdb_generate(int64_t reviews, uint64_t seed, const imdb_options *options, imdb *out);

/* Zeroes *d; a zeroed imdb may be freed again. */
void imdb_free(imdb *d);

/* Number of reviews in a split. */
int64_t imdb_count(const imdb *d, split which);

/* Token of a batch for a number of a review: numbers from max_features on are unknown. */
static inline int32_t imdb_token(const imdb *d, int32_t number) {
    return number < d->o.max_features ? number : IMDB_UNKNOWN;
}

/* Word of a number: "the", or "<padding>", "<start>", "<unknown>", "<unused>". Owned by *d. */
const char *imdb_word(const imdb *d, int32_t number);

/*
 * Reviews of the rows r[0 .. n): x[n][T], the last T tokens of each as floats behind IMDB_PADDING
 * where there are fewer (Keras' pad_sequences), target[n], 1 positive and 0 negative. Runs on the
 * calling thread and writes nothing else, so that a range of rows can be filled on any thread.
 */
void imdb_fill(const imdb *d, const int64_t *r, int64_t n, int64_t T, float *x, float *target);

/*
 * The training rows in the order of epoch `epoch` (0, 1, ...): r[imdb_count(d, SPLIT_TRAIN)], a
 * permutation that is a pure function of (seed, epoch) and that number. Keras shuffles before each
 * epoch. Each row once; the last batch may be shorter.
 */
void imdb_epoch_rows(const imdb *d, uint64_t seed, int64_t epoch, int64_t *r);

#endif

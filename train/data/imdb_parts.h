/* The steps of imdb_load and imdb_generate. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_IMDB_PARTS_H
#define WEIR_TRAIN_IMDB_PARTS_H

#include "train/data/imdb.h"
#include "train/data/reviews.h"

/*
 * Counts the words of sorted reviews and fills reviews, training, tokens, offsets, labels, names,
 * words, word_counts and the counts of invalid bytes; r's text becomes lower case. In parallel unless
 * runtime is NULL, with the same result. Errors: MEMORY, FORMAT (no word at all).
 */
weir_status imdb_count_words(review_list *r, weir_runtime *runtime, imdb *d);

/* Checks options; NULL gives the defaults. Errors: ARGUMENT. */
weir_status imdb_check_options(const imdb_options *options, imdb_options *checked);
/* Splits and statistics of a data set that has all but them. Errors: ARGUMENT (no training review
 * left), MEMORY. */
weir_status imdb_finish(imdb *d);

/* What a cache holds of d, if it was written for this key by this version and is whole; false
 * leaves *d as it was. */
bool imdb_cache_read(const char *path, uint64_t key, imdb *d);
/* Errors: SYSTEM, MEMORY. */
weir_status imdb_cache_write(const char *path, uint64_t key, const imdb *d);

#endif

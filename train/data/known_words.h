/* The words that a model of reviews knows, as a text in its file. SPDX-License-Identifier: Apache-2.0
 */
#ifndef WEIR_TRAIN_KNOWN_WORDS_H
#define WEIR_TRAIN_KNOWN_WORDS_H

#include "train/data/imdb.h"
#include "train/data/word_table.h"

typedef struct known_words {
    string_list words; /* word i has the number i + IMDB_FIRST_WORD */
    word_table table;  /* of the texts in words: index i */
    uint64_t checksum; /* as imdb.vocabulary */
} known_words;

/*
 * The words of *d below its max_features, most frequent first, with blanks between; no word holds a
 * blank. Control characters and bytes that are no UTF-8 are written as % and two hexadecimal digits,
 * so that the text is UTF-8; no word holds a %. To be freed; NULL: no memory.
 */
char *known_words_write(const imdb *d);
/* Reads such a text. Errors: FORMAT (an empty word, one that is there twice, a % without its digits),
 * MEMORY. */
weir_status known_words_read(const char *text, known_words *out);
/* Zeroes *v; a zeroed vocabulary may be freed. */
void known_words_free(known_words *v);

typedef struct known_words_line {
    int64_t words, unknown; /* unknown ones among the words */
    int64_t invalid_bytes;  /* that are no UTF-8: letters like others, as in training */
} known_words_line;

/* A review, text[0 .. bytes), which becomes lower case, as a row of a batch: x[T] as imdb_fill gives it.
 */
void known_words_fill(const known_words *v, char *text, int64_t bytes, int64_t T, float *x,
                      known_words_line *found);

#endif

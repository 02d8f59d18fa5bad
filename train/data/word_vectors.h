/* Pre-trained word vectors from text files. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_WORD_VECTORS_H
#define WEIR_TRAIN_WORD_VECTORS_H

#include "train/data/imdb.h"

/*
 * Reads a file of GloVe (a word and C numbers a line) or of word2vec's text form (the same behind a
 * line "words C") into table[V][C]: the row of a word's number gets its vector, and rows without one
 * get zeros, as in the book. A word that comes again keeps its first vector; lines whose word has
 * blanks are passed over. *found: words of d below V that have a vector.
 * Errors: SYSTEM, FORMAT (names file and line: another number of values than C, a value that is no
 * number, an empty file), MEMORY; the table may then be written in part.
 */
weir_status word_vectors_read(const char *path, const imdb *d, int64_t V, int64_t C, float *table,
                              int64_t *found);

#endif

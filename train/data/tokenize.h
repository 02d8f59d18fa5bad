/* Text to words, as Keras' text_to_word_sequence. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_TOKENIZE_H
#define WEIR_TRAIN_TOKENIZE_H

#include <stddef.h>
#include <stdint.h>

/* Makes text[0 .. size) lower case and its separators blanks, in place (imdb.h says which; no letter
 * changes its length). */
void text_normalise(char *text, int64_t size);

/* Bytes that are in no well-formed UTF-8 sequence: each byte at which none begins counts
 * one. */
int64_t text_invalid_bytes(const char *text, int64_t size);

/* The next word of normalised text: moves *at from where it is to the word's end and returns the
 * word's begin, or NULL when there is none before `end`. */
const char *text_next_word(const char **at, const char *end);

#endif

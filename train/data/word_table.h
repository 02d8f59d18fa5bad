/* Distinct words and how often they came. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_WORD_TABLE_H
#define WEIR_TRAIN_WORD_TABLE_H

#include <stdint.h>

typedef struct table_word {
    const char *text; /* the caller's, not ended by a zero */
    int64_t length;
    uint64_t hash;
    int64_t count;
} table_word;

typedef struct word_table {
    table_word *words; /* in the order of their first arrival, owned */
    int64_t count;
    int32_t *slots; /* [room]: index of a word, or -1; room is a power of two */
    int64_t room;
} word_table;

uint64_t word_hash(const char *text, int64_t length);

/* Index of the word, which is added with count 0 when it is new; its text must outlive the table.
 * -1: no memory, or more than INT32_MAX / 2 words. */
int32_t word_table_find(word_table *table, const char *text, int64_t length, uint64_t hash);
/* Index of the word; -1: it is not in the table. */
int32_t word_table_get(const word_table *table, const char *text, int64_t length, uint64_t hash);
/* Zeroes *table; a zeroed table is an empty one. */
void word_table_free(word_table *table);

#endif

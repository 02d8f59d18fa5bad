/* Distinct words: a hash table with open addressing. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/word_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 12 };
static const int64_t most_words = INT32_MAX / 2;

static uint64_t mix(uint64_t hash, uint64_t eight) {
    hash = (hash ^ eight) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

uint64_t word_hash(const char *text, int64_t length) {
    uint64_t hash = (uint64_t)length, eight;
    for (; length >= 8; length -= 8, text += 8) {
        memcpy(&eight, text, sizeof eight);
        hash = mix(hash, eight);
    }
    /* Words are short: bytes in a loop of known end cost less than a copy of unknown length. */
    eight = 0;
    for (int64_t i = 0; i < length; i++) eight = eight << 8 | (unsigned char)text[i];
    return mix(hash, eight);
}

/* Whether it is the same word. For a given length of up to 8 bytes the hash is one to one. */
static bool is_word(const table_word *w, const char *text, int64_t length, uint64_t hash) {
    return w->hash == hash && w->length == length &&
           (length <= 8 || memcmp(w->text, text, (size_t)length) == 0);
}

/* The slot that holds the word or is free for it. */
static int64_t find_slot(const word_table *table, const char *text, int64_t length, uint64_t hash) {
    const uint64_t mask = (uint64_t)table->room - 1;
    for (uint64_t slot = hash >> 20 & mask;; slot = (slot + 1) & mask) {
        const int32_t index = table->slots[slot];
        if (index < 0) return (int64_t)slot;
        if (is_word(&table->words[index], text, length, hash)) return (int64_t)slot;
    }
}

static bool grow(word_table *table) {
    const int64_t room = table->room > 0 ? 2 * table->room : FIRST_ROOM;
    table_word *words = realloc(table->words, (size_t)room / 2 * sizeof *words);
    if (words == NULL) return false;
    table->words = words;
    int32_t *slots = malloc((size_t)room * sizeof *slots);
    if (slots == NULL) return false;
    free(table->slots);
    table->slots = slots;
    table->room = room;
    for (int64_t i = 0; i < room; i++) slots[i] = -1;
    for (int64_t i = 0; i < table->count; i++) {
        const table_word *w = &words[i];
        slots[find_slot(table, w->text, w->length, w->hash)] = (int32_t)i;
    }
    return true;
}

int32_t word_table_find(word_table *table, const char *text, int64_t length, uint64_t hash) {
    if (table->room == 0 && !grow(table)) return -1;
    int64_t slot = find_slot(table, text, length, hash);
    if (table->slots[slot] >= 0) return table->slots[slot];
    if (table->count == most_words) return -1;
    if (table->count == table->room / 2) {
        if (!grow(table)) return -1;
        slot = find_slot(table, text, length, hash);
    }
    table->words[table->count] = (table_word){.text = text, .length = length, .hash = hash};
    table->slots[slot] = (int32_t)table->count;
    return (int32_t)table->count++;
}

int32_t word_table_get(const word_table *table, const char *text, int64_t length, uint64_t hash) {
    return table->room > 0 ? table->slots[find_slot(table, text, length, hash)] : -1;
}

void word_table_free(word_table *table) {
    free(table->words);
    free(table->slots);
    *table = (word_table){0};
}

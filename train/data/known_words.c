/* The words that a model of reviews knows, as a text in its file. SPDX-License-Identifier: Apache-2.0
 */
#include "train/data/known_words.h"

#include <stdlib.h>
#include <string.h>

#include "train/data/tokenize.h"
#include "train/model/checksum.h"
#include "train/model/utf8.h"

static weir_status no_memory(void) {
    return weir_fail(WEIR_ERROR_MEMORY, "no memory for a vocabulary");
}

/* ---- writing ---- */

/* Appends the word and returns the end of it: three bytes for one at the most. */
static char *write_word(const char *word, int64_t bytes, char *to) {
    static const char digits[] = "0123456789ABCDEF";
    for (int64_t i = 0; i < bytes;) {
        const unsigned char c = (unsigned char)word[i];
        const int64_t length = c < ' ' || c == 127 ? 0 : weir_utf8_bytes(word + i, bytes - i);
        if (length > 0) {
            memcpy(to, word + i, (size_t)length);
            to += length;
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
        i += length > 0 ? length : 1;
    }
    return to;
}

char *known_words_write(const imdb *d) {
    const int64_t known = d->o.max_features - IMDB_FIRST_WORD;
    const int64_t count = known < d->words.count ? known : d->words.count;
    char *text = malloc(3 * (size_t)string_list_bytes(&d->words) + 1), *to = text;
    if (text == NULL) return NULL;
    for (int64_t i = 0; i < count; i++) {
        if (i > 0) *to++ = ' ';
        to = write_word(string_list_get(&d->words, i), string_list_length(&d->words, i), to);
    }
    *to++ = '\0';
    char *fitting = realloc(text, (size_t)(to - text));
    return fitting != NULL ? fitting : text;
}

/* ---- reading ---- */

static int hexadecimal(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Puts the bytes of a word in place of its text; -1: a % without its digits. */
static int64_t decode(char *word, int64_t bytes) {
    char *to = word;
    for (int64_t i = 0; i < bytes; i++) {
        if (word[i] != '%') {
            *to++ = word[i];
            continue;
        }
        const int high = i + 2 < bytes ? hexadecimal(word[i + 1]) : -1;
        const int low = i + 2 < bytes ? hexadecimal(word[i + 2]) : -1;
        if (high < 0 || low < 0) return -1;
        *to++ = (char)(high << 4 | low);
        i += 2;
    }
    return to - word;
}

static weir_status wrong_word(int64_t i, const char *what) {
    return weir_fail(WEIR_ERROR_FORMAT, "the model file's metadata: word %lld of vocabulary %s",
                     (long long)i, what);
}

/* The words of a text that may be written to. */
static weir_status read_words(char *text, string_list *words) {
    for (char *word = text;; word++) {
        const int64_t length = (int64_t)strcspn(word, " "), bytes = decode(word, length);
        if (bytes < 0) return wrong_word(words->count, "has a % without two hexadecimal digits");
        if (bytes == 0) return wrong_word(words->count, "is empty");
        if (!string_list_add(words, word, bytes)) return no_memory();
        word += length;
        if (*word == '\0') return WEIR_OK;
    }
}

static weir_status index_words(known_words *v) {
    for (int64_t i = 0; i < v->words.count; i++) {
        const char *word = string_list_get(&v->words, i);
        const int64_t bytes = string_list_length(&v->words, i);
        const int32_t index = word_table_find(&v->table, word, bytes, word_hash(word, bytes));
        if (index < 0) return no_memory();
        if (index != i) return wrong_word(i, "is there twice");
    }
    v->checksum = weir_checksum_add(0, v->words.bytes, (size_t)string_list_bytes(&v->words));
    return WEIR_OK;
}

weir_status known_words_read(const char *text, known_words *out) {
    *out = (known_words){0};
    char *copy = malloc(strlen(text) + 1);
    if (copy == NULL) return no_memory();
    strcpy(copy, text);
    weir_status status = read_words(copy, &out->words);
    if (status == WEIR_OK) status = index_words(out);
    if (status != WEIR_OK) known_words_free(out);
    free(copy);
    return status;
}

void known_words_free(known_words *v) {
    string_list_free(&v->words);
    word_table_free(&v->table);
    *v = (known_words){0};
}

/* ---- reviews ---- */

static int64_t count_words(const char *text, const char *end) {
    int64_t words = 0;
    while (text_next_word(&text, end) != NULL) words++;
    return words;
}

void known_words_fill(const known_words *v, char *text, int64_t bytes, int64_t T, float *x,
                      known_words_line *found) {
    *found = (known_words_line){.invalid_bytes = text_invalid_bytes(text, bytes)};
    text_normalise(text, bytes);
    const char *at = text, *end = text + bytes, *word;
    found->words = count_words(text, end);
    /* The start token and the words, of which the last T are kept. */
    int64_t t = T - found->words - 1;
    for (int64_t i = 0; i < t; i++) x[i] = IMDB_PADDING;
    if (t >= 0) x[t] = IMDB_START;
    while ((word = text_next_word(&at, end)) != NULL) {
        const int64_t length = at - word;
        const int32_t index = word_table_get(&v->table, word, length, word_hash(word, length));
        found->unknown += index < 0;
        if (++t >= 0) x[t] = (float)(index < 0 ? IMDB_UNKNOWN : index + IMDB_FIRST_WORD);
    }
}

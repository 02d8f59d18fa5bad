/* Pre-trained word vectors from text files. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/word_vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/data/csv.h"
#include "train/data/number.h"
#include "train/data/word_table.h"

typedef struct reader {
    csv_file file; /* for its mapping and the number of the line */
    int64_t C, V;
    word_table words; /* those of the data first, in the order of their numbers */
    int64_t known;
    bool *filled; /* [known] */
    float *table;
    int64_t found;
} reader;

typedef struct text {
    const char *begin, *end;
} text;

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* The next field of a line; empty at its end. */
static text next_field(text *line) {
    while (line->begin < line->end && is_blank(*line->begin)) line->begin++;
    text field = {line->begin, line->begin};
    while (field.end < line->end && !is_blank(*field.end)) field.end++;
    line->begin = field.end;
    return field;
}

static int64_t count_fields(text line) {
    int64_t count = 0;
    for (text f = next_field(&line); f.begin < f.end; f = next_field(&line)) count++;
    return count;
}

static weir_status wrong_count(const reader *r, int64_t count) {
    return weir_fail(WEIR_ERROR_FORMAT, "%s:%lld: %lld numbers, the embedding has %lld",
                     r->file.path, (long long)r->file.line, (long long)count, (long long)r->C);
}

static weir_status read_values(const reader *r, text line, float *row) {
    for (int64_t i = 0; i < r->C; i++) {
        const text f = next_field(&line);
        double value = 0;
        if (number_parse(f.begin, f.end, &value) != NUMBER_OK || !isfinite((float)value))
            return weir_fail(WEIR_ERROR_FORMAT, "%s:%lld: \"%.*s\" is not a number", r->file.path,
                             (long long)r->file.line,
                             (int)(f.end - f.begin < 40 ? f.end - f.begin : 40), f.begin);
        row[i] = (float)value;
    }
    return WEIR_OK;
}

static bool is_count(double value) { return value >= 0 && value <= 1e15 && floor(value) == value; }

/* word2vec's first line: how many words, how many numbers. */
static bool read_header(const reader *r, text line, weir_status *status) {
    double words = 0, C = 0;
    if (r->file.line != 1 || r->C == 1 || count_fields(line) != 2) return false;
    const text first = next_field(&line), second = next_field(&line);
    if (number_parse(first.begin, first.end, &words) != NUMBER_OK ||
        number_parse(second.begin, second.end, &C) != NUMBER_OK || !is_count(words) || !is_count(C))
        return false;
    *status = C == (double)r->C ? WEIR_OK : wrong_count(r, (int64_t)C);
    return true;
}

/* More fields than a word and C numbers: the word has blanks, unless its second part is a number. */
static bool has_blanks(const reader *r, text line) {
    double value;
    if (count_fields(line) <= r->C + 1) return false;
    next_field(&line);
    const text second = next_field(&line);
    return number_parse(second.begin, second.end, &value) != NUMBER_OK;
}

static weir_status read_line(reader *r, text line) {
    weir_status status = WEIR_OK;
    if (count_fields(line) == 0) return WEIR_OK;
    if (read_header(r, line, &status) || has_blanks(r, line)) return status;
    const int64_t numbers = count_fields(line) - 1;
    if (numbers != r->C) return wrong_count(r, numbers < 0 ? 0 : numbers);
    const text word = next_field(&line);
    const int64_t length = word.end - word.begin;
    const int32_t i = word_table_find(&r->words, word.begin, length, word_hash(word.begin, length));
    if (i < 0) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the words of %s", r->file.path);
    if (i >= r->known || r->filled[i]) return WEIR_OK;
    r->filled[i] = true;
    r->found++;
    return read_values(r, line, r->table + (i + IMDB_FIRST_WORD) * r->C);
}

static weir_status add_words(reader *r, const imdb *d) {
    const int64_t numbers = r->V - IMDB_FIRST_WORD;
    r->known = numbers < d->words.count ? numbers : d->words.count;
    if (r->known < 0) r->known = 0;
    r->filled = calloc((size_t)r->known + 1, sizeof *r->filled);
    bool memory = r->filled != NULL;
    for (int64_t i = 0; i < r->known && memory; i++) {
        const char *word = string_list_get(&d->words, i);
        const int64_t length = string_list_length(&d->words, i);
        memory = word_table_find(&r->words, word, length, word_hash(word, length)) == i;
    }
    return memory ? WEIR_OK : weir_fail(WEIR_ERROR_MEMORY, "no memory for the words");
}

static weir_status read_lines(reader *r) {
    const char *at = r->file.next, *end = r->file.data + r->file.size;
    if (!r->file.data || at == end)
        return weir_fail(WEIR_ERROR_FORMAT, "%s: empty, expected a word and %lld numbers a line",
                         r->file.path, (long long)r->C);
    weir_status status = WEIR_OK;
    for (r->file.line = 1; at < end && status == WEIR_OK; r->file.line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        status = read_line(r, (text){at, stop});
        at = stop < end ? stop + 1 : end;
    }
    return status;
}

weir_status word_vectors_read(const char *path, const imdb *d, int64_t V, int64_t C, float *table,
                              int64_t *found) {
    reader r = {.C = C, .V = V, .table = table};
    weir_status status = csv_open(path, &r.file);
    if (status != WEIR_OK) return status;
    memset(table, 0, (size_t)(V * C) * sizeof *table);
    status = add_words(&r, d);
    if (status == WEIR_OK) status = read_lines(&r);
    *found = r.found;
    word_table_free(&r.words);
    free(r.filled);
    csv_close(&r.file);
    return status;
}

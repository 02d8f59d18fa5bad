/* Counting and numbering the words of reviews. SPDX-License-Identifier: Apache-2.0
 *
 * Reviews are cut into parts. Each part counts its own words and writes their indices as tokens; the
 * parts' words are brought together and ranked; then each part turns its indices into ranks. Ranks
 * depend on counts and on the words' bytes alone, so the cut leaves no trace.
 */
#include <stdlib.h>
#include <string.h>

#include "train/data/imdb_parts.h"
#include "train/data/tokenize.h"
#include "train/data/word_table.h"

enum { PARTS_MAX = 16 };

typedef struct part {
    int64_t begin, end; /* reviews */
    word_table words;
    int32_t *numbers; /* [words.count]: number of the part's word in imdb.h's sense */
    int32_t *tokens;  /* indices of words, -1 for the start */
    int64_t count;    /* tokens */
    int64_t first;    /* of the first token in the whole list */
    int64_t invalid_bytes, invalid_reviews;
    bool no_memory;
} part;

typedef struct job {
    review_list *r;
    imdb *d;
    int64_t parts;
    part part[PARTS_MAX];
    word_table all;
} job;

static weir_status no_memory(void) { return weir_fail(WEIR_ERROR_MEMORY, "no memory for words"); }

static weir_status for_parts(job *j, weir_runtime *runtime, weir_range_fn *fn) {
    if (runtime != NULL) return weir_parallel_for(runtime, j->parts, 1, fn, j);
    fn(j, 0, j->parts, 0);
    return WEIR_OK;
}

/* One review's tokens; its offset becomes their number. */
static bool count_review(job *j, part *p, int64_t i) {
    const review_text *v = &j->r->list[i];
    char *text = j->r->text + v->begin;
    const bool training = v->in == TRAIN_NEGATIVE || v->in == TRAIN_POSITIVE;
    const int64_t invalid = text_invalid_bytes(text, v->bytes), before = p->count;
    p->invalid_bytes += invalid;
    p->invalid_reviews += invalid > 0;
    text_normalise(text, v->bytes);
    p->tokens[p->count++] = -1;
    const char *at = text, *end = text + v->bytes, *word;
    while ((word = text_next_word(&at, end)) != NULL) {
        const int64_t length = at - word;
        const int32_t index = word_table_find(&p->words, word, length, word_hash(word, length));
        if (index < 0) return false;
        p->words.words[index].count += training;
        p->tokens[p->count++] = index;
    }
    j->d->offsets[i] = p->count - before;
    return true;
}

static void count_parts(void *arg, int64_t begin, int64_t end, int worker) {
    job *j = arg;
    (void)worker;
    for (part *p = j->part + begin; p < j->part + end; p++) {
        int64_t most = 0; /* a word and its blank are two bytes */
        for (int64_t i = p->begin; i < p->end; i++) most += j->r->list[i].bytes / 2 + 2;
        p->tokens = malloc((size_t)most * sizeof *p->tokens);
        p->no_memory = p->tokens == NULL;
        for (int64_t i = p->begin; i < p->end && !p->no_memory; i++)
            p->no_memory = !count_review(j, p, i);
    }
}

/* All parts' words in one table; numbers become indices in it. */
static weir_status join_parts(job *j) {
    for (int64_t k = 0; k < j->parts; k++) {
        part *p = &j->part[k];
        if (p->no_memory) return no_memory();
        p->numbers = malloc((size_t)(p->words.count + 1) * sizeof *p->numbers);
        if (p->numbers == NULL) return no_memory();
        for (int64_t i = 0; i < p->words.count; i++) {
            const table_word *w = &p->words.words[i];
            const int32_t index = word_table_find(&j->all, w->text, w->length, w->hash);
            if (index < 0) return no_memory();
            j->all.words[index].count += w->count;
            p->numbers[i] = index;
        }
        j->d->invalid_bytes += p->invalid_bytes;
        j->d->invalid_reviews += p->invalid_reviews;
    }
    return WEIR_OK;
}

static int compare_words(const void *a, const void *b) {
    const table_word *x = *(const table_word *const *)a, *y = *(const table_word *const *)b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    const int order =
        memcmp(x->text, y->text, (size_t)(x->length < y->length ? x->length : y->length));
    return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}

/* Sorts the words by rank and lists those of training reviews. numbers[i] is that of word i. */
static weir_status rank_words(job *j, const table_word **ranked, int32_t *numbers) {
    imdb *d = j->d;
    int64_t known = 0;
    for (int64_t i = 0; i < j->all.count; i++) {
        ranked[known] = &j->all.words[i];
        known += ranked[known]->count > 0;
        numbers[i] = IMDB_UNKNOWN;
    }
    if (known == 0) return weir_fail(WEIR_ERROR_FORMAT, "the training reviews have no word");
    qsort(ranked, (size_t)known, sizeof *ranked, compare_words);
    d->word_counts = malloc((size_t)known * sizeof *d->word_counts);
    if (d->word_counts == NULL) return no_memory();
    for (int64_t i = 0; i < known; i++) {
        if (!string_list_add(&d->words, ranked[i]->text, ranked[i]->length)) return no_memory();
        d->word_counts[i] = ranked[i]->count;
        numbers[ranked[i] - j->all.words] = (int32_t)i + IMDB_FIRST_WORD;
    }
    return WEIR_OK;
}

static weir_status number_words(job *j) {
    weir_status status = join_parts(j);
    if (status != WEIR_OK) return status;
    const size_t count = (size_t)j->all.count + 1;
    const table_word **ranked = malloc(count * sizeof *ranked);
    int32_t *numbers = malloc(count * sizeof *numbers);
    status = ranked != NULL && numbers != NULL ? rank_words(j, ranked, numbers) : no_memory();
    for (part *p = j->part; p < j->part + j->parts && status == WEIR_OK; p++)
        for (int64_t i = 0; i < p->words.count; i++) p->numbers[i] = numbers[p->numbers[i]];
    free(ranked);
    free(numbers);
    return status;
}

static void write_parts(void *arg, int64_t begin, int64_t end, int worker) {
    const job *j = arg;
    (void)worker;
    for (const part *p = j->part + begin; p < j->part + end; p++) {
        int32_t *to = j->d->tokens + p->first;
        for (int64_t i = 0; i < p->count; i++)
            to[i] = p->tokens[i] < 0 ? IMDB_START : p->numbers[p->tokens[i]];
    }
}

/* Lengths become offsets, and the list of all tokens is made. */
static weir_status place_tokens(job *j) {
    imdb *d = j->d;
    int64_t sum = 0;
    for (int64_t i = 0; i <= d->reviews; i++) {
        const int64_t length = i < d->reviews ? d->offsets[i] : 0;
        d->offsets[i] = sum;
        sum += length;
    }
    for (int64_t k = 0; k < j->parts; k++) j->part[k].first = d->offsets[j->part[k].begin];
    d->tokens = malloc((size_t)sum * sizeof *d->tokens);
    return d->tokens != NULL ? WEIR_OK : no_memory();
}

static weir_status copy_facts(const review_list *r, imdb *d) {
    d->reviews = r->count;
    d->training = r->in_class[TRAIN_NEGATIVE] + r->in_class[TRAIN_POSITIVE];
    d->labels = malloc((size_t)r->count * sizeof *d->labels);
    d->offsets = malloc((size_t)(r->count + 1) * sizeof *d->offsets);
    if (d->labels == NULL || d->offsets == NULL) return no_memory();
    for (int64_t i = 0; i < r->count; i++) {
        const review_text *v = &r->list[i];
        d->labels[i] = v->in == TRAIN_POSITIVE || v->in == TEST_POSITIVE;
        if (!string_list_add(&d->names, string_list_get(&r->names, v->name),
                             string_list_length(&r->names, v->name)))
            return no_memory();
    }
    return WEIR_OK;
}

/* Parts of about as many bytes each, at least one review long. */
static void cut(job *j, int64_t parts) {
    const int64_t reviews = j->r->count;
    int64_t begin = 0, bytes = 0;
    for (int64_t i = 0; i < reviews; i++) {
        bytes += j->r->list[i].bytes + 1;
        const int64_t share = (j->r->bytes + reviews) / parts * (j->parts + 1);
        if (i + 1 < reviews && (bytes < share || j->parts + 1 == parts)) continue;
        j->part[j->parts++] = (part){.begin = begin, .end = i + 1};
        begin = i + 1;
    }
}

weir_status imdb_count_words(review_list *r, weir_runtime *runtime, imdb *d) {
    job j = {.r = r, .d = d};
    const int threads = runtime != NULL ? weir_runtime_threads(runtime) : 1;
    cut(&j, threads < PARTS_MAX ? threads : PARTS_MAX);
    weir_status status = copy_facts(r, d);
    if (status == WEIR_OK) status = for_parts(&j, runtime, count_parts);
    if (status == WEIR_OK) status = number_words(&j);
    if (status == WEIR_OK) status = place_tokens(&j);
    if (status == WEIR_OK) status = for_parts(&j, runtime, write_parts);
    for (part *p = j.part; p < j.part + j.parts; p++) {
        word_table_free(&p->words);
        free(p->numbers);
        free(p->tokens);
    }
    word_table_free(&j.all);
    return status;
}

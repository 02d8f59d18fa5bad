/* Made-up film reviews. SPDX-License-Identifier: Apache-2.0
 *
 * A review is a row of sentences. Some say what the writer thinks of the film: plainly ("the plot was
 * really good"), by denial ("the plot was not really dull") or by contrast ("some found the plot dull
 * but i found it good"); others report what somebody else thinks and count for nothing; the rest are
 * invented words, few of them frequent and many rare, as in a language. A review is positive when
 * more of the writer's opinions are good than bad; there is never a tie. Since praise and blame are
 * denied, contrasted and reported, their words alone say little: their order tells.
 *
 * A review's text is a pure function of seed, review and class. The shares below were chosen before
 * any model was run, and are not tuned to one.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/data/imdb_parts.h"
#include "train/model/random.h"

enum { INVENTED_WORDS = 20000, TEXT_BYTES = 1 << 16 };
static const double opinion_share = 0.3;   /* of the sentences */
static const double agreement_share = 0.7; /* of the opinions: of the review's own mind */

/* A text that grows, and the random numbers it is made from. */
typedef struct writer {
    uint64_t seed, next;
    int64_t bytes, words;
    char text[TEXT_BYTES];
} writer;

static double roll(writer *w) { return random_uniform(w->seed, RANDOM_GENERATE, w->next++); }

static int64_t roll_below(writer *w, int64_t n) {
    return random_below(w->seed, RANDOM_GENERATE, w->next++, n);
}

static void put(writer *w, const char *word) {
    const int64_t length = (int64_t)strlen(word);
    if (w->bytes + length + 1 > TEXT_BYTES) return;
    memcpy(w->text + w->bytes, word, (size_t)length);
    w->text[w->bytes + length] = ' ';
    w->bytes += length + 1;
    w->words++;
}

#define PUT_ONE_OF(w, words) put(w, (words)[roll_below(w, sizeof(words) / sizeof((words)[0]))])

static void put_aspect(writer *w) {
    static const char *const aspects[] = {"film",   "plot",  "acting", "music",    "script",
                                          "ending", "story", "cast",   "dialogue", "direction"};
    put(w, "the");
    PUT_ONE_OF(w, aspects);
}

static void put_judgement(writer *w, bool good) {
    static const char *const praise[] = {"good",   "great",     "superb", "moving",   "funny",
                                         "clever", "brilliant", "lovely", "charming", "gripping"};
    static const char *const blame[] = {"bad",    "poor", "awful",  "boring",  "dull",
                                        "stupid", "weak", "clumsy", "tedious", "dreadful"};
    if (good)
        PUT_ONE_OF(w, praise);
    else
        PUT_ONE_OF(w, blame);
}

static void put_degree(writer *w) {
    static const char *const degrees[] = {"very", "really", "so", "particularly"};
    if (roll(w) < 0.5) PUT_ONE_OF(w, degrees);
}

static void put_others(writer *w) {
    static const char *const others[] = {"some", "many", "critics", "friends", "others"};
    PUT_ONE_OF(w, others);
    put(w, "found");
    put_aspect(w);
}

/* The writer's own opinion. */
static void put_opinion(writer *w, bool good) {
    const double form = roll(w);
    if (form < 0.6) {
        put_aspect(w);
        put(w, "was");
        put_degree(w);
        put_judgement(w, good);
    } else if (form < 0.8) {
        put_aspect(w);
        put(w, "was");
        put(w, "not");
        put_degree(w);
        put_judgement(w, !good);
    } else {
        put_others(w);
        put_judgement(w, !good);
        put(w, "but");
        put(w, "i");
        put(w, "found");
        put(w, "it");
        put_degree(w);
        put_judgement(w, good);
    }
    put(w, ".");
}

/* Somebody else's. */
static void put_report(writer *w) {
    put_others(w);
    put_degree(w);
    put_judgement(w, roll(w) < 0.5);
    put(w, ".");
}

/* Word `number` of those that are no words: syllables as digits. */
static void put_invented(writer *w, int64_t number) {
    static const char onsets[][3] = {"br", "dr", "gl", "kl", "kr", "pl", "sk", "tr",
                                     "vl", "zn", "zw", "x",  "z",  "v",  "j"};
    static const char vowels[] = "aeiou";
    enum { ONSETS = sizeof onsets / sizeof onsets[0], VOWELS = sizeof vowels - 1 };
    char word[32] = "";
    do {
        const int64_t digit = number % (ONSETS * VOWELS);
        strcat(word, onsets[digit / VOWELS]);
        strncat(word, &vowels[digit % VOWELS], 1);
        number /= ONSETS * VOWELS;
    } while (number > 0);
    put(w, word);
}

static void put_filler(writer *w) {
    static const char *const small[] = {"the", "a",  "and", "of", "to", "is",   "in",
                                        "it",  "it", "was", "i",  "on", "with", "not"};
    for (int64_t left = 4 + roll_below(w, 12); left > 0; left--) {
        const double u = roll(w);
        if (u < 0.4)
            PUT_ONE_OF(w, small);
        else
            put_invented(w, (int64_t)(INVENTED_WORDS * (u - 0.4) * (u - 0.4) * (u - 0.4) / 0.216));
    }
    put(w, ".");
}

static void write_review(writer *w, bool positive) {
    const double u = roll(w);
    const int64_t words = 40 + (int64_t)(900 * u * u * u); /* one in six has over 500 */
    int64_t balance = 0; /* opinions of the review's mind less the others */
    while (w->words < words) {
        const double kind = roll(w);
        if (kind < opinion_share) {
            const bool agrees = roll(w) < agreement_share;
            put_opinion(w, agrees == positive);
            balance += agrees ? 1 : -1;
        } else if (kind < opinion_share + 0.1) {
            put_report(w);
        } else {
            put_filler(w);
        }
    }
    for (; balance < 1; balance++) put_opinion(w, positive);
}

static weir_status add_review(writer *w, uint64_t seed, int64_t i, bool test, review_list *r) {
    char name[64];
    const bool positive = i % 2 == 1;
    const review_class in = test ? (positive ? TEST_POSITIVE : TEST_NEGATIVE)
                                 : (positive ? TRAIN_POSITIVE : TRAIN_NEGATIVE);
    w->seed = seed;
    w->next = (uint64_t)i << 32;
    w->bytes = w->words = 0;
    write_review(w, positive);
    snprintf(name, sizeof name, "%s/%lld.txt", review_folders[in], (long long)i);
    const weir_status status = reviews_add(r, "made-up reviews", in, name, w->bytes);
    if (status == WEIR_OK) memcpy(r->text + r->list[r->count - 1].begin, w->text, (size_t)w->bytes);
    return status;
}

static weir_status generate(int64_t count, uint64_t seed, writer *w, imdb *d) {
    review_list r = {0};
    weir_status status = WEIR_OK;
    for (int64_t i = 0; i < count && status == WEIR_OK; i++)
        status = add_review(w, seed, i, i >= count - count / 2, &r);
    if (status == WEIR_OK) status = reviews_sort(&r, "made-up reviews");
    if (status == WEIR_OK) status = imdb_count_words(&r, d->o.runtime, d);
    reviews_free(&r);
    return status == WEIR_OK ? imdb_finish(d) : status;
}

weir_status imdb_generate(int64_t reviews, uint64_t seed, const imdb_options *options, imdb *out) {
    char source[64];
    *out = (imdb){0};
    weir_status status = imdb_check_options(options, &out->o);
    if (status != WEIR_OK) return status;
    if (reviews < IMDB_GENERATE_MIN || reviews > IMDB_GENERATE_MAX)
        return weir_fail(WEIR_ERROR_ARGUMENT, "reviews is %lld, accepted: %d to %d",
                         (long long)reviews, IMDB_GENERATE_MIN, IMDB_GENERATE_MAX);
    writer *w = malloc(sizeof *w);
    snprintf(source, sizeof source, "generated (seed %llu)", (unsigned long long)seed);
    out->source = strdup(source);
    out->generated = true;
    status = w != NULL && out->source != NULL
                 ? generate(reviews, seed, w, out)
                 : weir_fail(WEIR_ERROR_MEMORY, "no memory for made-up reviews");
    free(w);
    if (status != WEIR_OK) imdb_free(out);
    return status;
}

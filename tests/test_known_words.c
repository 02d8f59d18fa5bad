/* The words in a model file: written, read, and reviews turned into them. SPDX-License-Identifier: Apache-2.0
 */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "train/data/known_words.h"
#include "train/data/tokenize.h"

static imdb made_up(int64_t max_features) {
    imdb_options o = imdb_options_default();
    imdb d;
    o.max_features = max_features;
    assert_int_equal(imdb_generate(40, 3, &o, &d), WEIR_OK);
    return d;
}

/* The text of a review, from its word numbers. */
static char *text_of(const imdb *d, int64_t review, int64_t *bytes) {
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    for (int64_t i = d->offsets[review] + 1; i < d->offsets[review + 1]; i++)
        fprintf(to, "%s ",
                d->tokens[i] == IMDB_UNKNOWN ? "~unheard~of~" : imdb_word(d, d->tokens[i]));
    fclose(to);
    *bytes = (int64_t)size;
    return text;
}

/* Each review's line gives what a batch has for it, with few and with many known words, cut off and
 * padded. */
static void test_reviews(void **state) {
    (void)state;
    enum { T_MAX = 700 };
    static const int64_t features[] = {5, 60, 10000}, steps[] = {1, 30, T_MAX};
    for (int f = 0; f < 3; f++) {
        imdb d = made_up(features[f]);
        known_words v;
        char *written = known_words_write(&d);
        assert_int_equal(known_words_read(written, &v), WEIR_OK);
        assert_true(v.checksum == d.vocabulary);
        const int64_t known = features[f] - IMDB_FIRST_WORD;
        assert_int_equal(v.words.count, known < d.words.count ? known : d.words.count);
        for (int64_t row = 0; row < d.training; row++) {
            float x[T_MAX], expected[T_MAX], target;
            const int64_t T = steps[row % 3], review = d.order[row];
            known_words_line found;
            int64_t bytes, unknown = 0;
            char *text = text_of(&d, review, &bytes);
            known_words_fill(&v, text, bytes, T, x, &found);
            imdb_fill(&d, &row, 1, T, expected, &target);
            assert_memory_equal(x, expected, (size_t)T * sizeof *x);
            for (int64_t i = d.offsets[review] + 1; i < d.offsets[review + 1]; i++)
                unknown += imdb_token(&d, d.tokens[i]) == IMDB_UNKNOWN;
            assert_int_equal(found.words, d.offsets[review + 1] - d.offsets[review] - 1);
            assert_int_equal(found.unknown, unknown);
            free(text);
        }
        free(written);
        known_words_free(&v);
        imdb_free(&d);
    }
}

/* Bytes that a JSON text may not have come back as they were. */
static void test_bytes(void **state) {
    (void)state;
    imdb d = {.o = {.max_features = 10000}};
    static const char *const words[] = {"it's", "\xff\xc4", "a\x01\x7fz", "\xc3\xa9t\xc3\xa9",
                                        "\xe2\x80"};
    for (int i = 0; i < 5; i++)
        assert_true(string_list_add(&d.words, words[i], (int64_t)strlen(words[i])));
    char *text = known_words_write(&d);
    assert_string_equal(text, "it's %FF%C4 a%01%7Fz \xc3\xa9t\xc3\xa9 %E2%80");
    assert_int_equal(text_invalid_bytes(text, (int64_t)strlen(text)), 0);
    known_words v;
    assert_int_equal(known_words_read(text, &v), WEIR_OK);
    for (int i = 0; i < 5; i++) assert_string_equal(string_list_get(&v.words, i), words[i]);
    char line[] = "IT'S \xff\xc4, \xc3\x89t\xc3\xa9 \xe2\x80 \xe2";
    known_words_line found;
    float x[8];
    known_words_fill(&v, line, (int64_t)sizeof line - 1, 8, x, &found);
    const float expected[] = {0, 0, 1, 4, 5, 7, 8, 2};
    assert_memory_equal(x, expected, sizeof x);
    assert_int_equal(found.invalid_bytes, 5);
    free(text);
    known_words_free(&v);
    imdb_free(&d);
}

static void test_refusals(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"", "word 0 of vocabulary is empty"},     {"a  b", "word 1 of vocabulary is empty"},
        {"a b ", "word 2 of vocabulary is empty"}, {"a b a", "word 2 of vocabulary is there twice"},
        {"a %4", "word 1 of vocabulary has a %"},  {"%4g", "word 0 of vocabulary has a %"},
        {"a% 41", "word 0 of vocabulary has a %"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        known_words v;
        assert_int_equal(known_words_read(wrong[i][0], &v), WEIR_ERROR_FORMAT);
        assert_non_null(strstr(weir_last_error(), wrong[i][1]));
        assert_null(v.words.bytes);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reviews), cmocka_unit_test(test_bytes),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

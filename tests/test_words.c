/* Text to words, and what the data sources share: tables, lists, checksums.
 * SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "train/data/md5.h"
#include "train/data/string_list.h"
#include "train/data/tokenize.h"
#include "train/data/word_table.h"
#include "train/model/checksum.h"

static void expect_normalised(const char *text, const char *expected) {
    char copy[1024];
    snprintf(copy, sizeof copy, "%s", text);
    text_normalise(copy, (int64_t)strlen(copy));
    assert_string_equal(copy, expected);
}

static void test_ascii(void **state) {
    (void)state;
    /* Keras' default filters, and the carriage return that Python's text files turn into one. */
    static const char filters[] = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r";
    for (int c = 0; c < 128; c++) {
        char text = (char)c, expected = (char)c;
        if (c >= 'A' && c <= 'Z') expected = (char)(c - 'A' + 'a');
        if (c != 0 && strchr(filters, c) != NULL) expected = ' ';
        text_normalise(&text, 1);
        assert_int_equal(text, expected);
    }
    expect_normalised("It's GREAT!<br /><br />10/10", "it's great  br    br   10 10");
}

/* Every letter of Latin-1 and Latin Extended-A but U+0130, whose small letter is two code points;
 * the second string is Python's lower() of the first. */
static void test_latin(void **state) {
    (void)state;
    expect_normalised("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîï"
                      "ðñòóôõö÷øùúûüýþÿĀāĂăĄąĆćĈĉĊċČčĎďĐđĒēĔĕĖėĘęĚěĜĝĞğ"
                      "ĠġĢģĤĥĦħĨĩĪīĬĭĮįıĲĳĴĵĶķĸĹĺĻļĽľĿŀŁłŃńŅņŇňŉŊŋŌōŎŏŐ"
                      "őŒœŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŦŧŨũŪūŬŭŮůŰűŲųŴŵŶŷŸŹźŻżŽžſ",
                      "àáâãäåæçèéêëìíîïðñòóôõö×øùúûüýþßàáâãäåæçèéêëìíîï"
                      "ðñòóôõö÷øùúûüýþÿāāăăąąććĉĉċċččďďđđēēĕĕėėęęěěĝĝğğ"
                      "ġġģģĥĥħħĩĩīīĭĭįįıĳĳĵĵķķĸĺĺļļľľŀŀłłńńņņňňŉŋŋōōŏŏő"
                      "őœœŕŕŗŗřřśśŝŝşşššţţťťŧŧũũūūŭŭůůűűųųŵŵŷŷÿźźżżžžſ");
    expect_normalised("\xc4\xb0", "\xc4\xb0");
    /* Not letters, other alphabets, and bytes that are no UTF-8. */
    static const char *const same[] = {
        "\xc2\xbf\xc3\x97", "\xce\x94\xd0\x94", "\xe2\x80\x99", "\xc3", "\x80\x9e", "\xff\xc4"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) expect_normalised(same[i], same[i]);
    expect_normalised("\xc3(\xc3Z", "\xc3 \xc3z");
}

static void test_invalid_bytes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t invalid;
    } cases[] = {
        {"", 0},
        {"plain text of more than eight bytes", 0},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xac", 0},
        {"\x80", 1},
        {"12345678\xff", 1},
        {"1234567\xff"
         "1234567\xff",
         2},
        {"\xc3", 1},
        {"\xc3(", 1},
        {"\xe2\x82", 2}, /* cut off */
        {"\xe2\x82x", 2},
        {"\xc0\xaf", 2}, /* longer than needed */
        {"\xe0\x9f\xbf", 3},
        {"\xe0\xa0\x80", 0},
        {"\xed\xa0\x80", 3}, /* a surrogate */
        {"\xed\x9f\xbf", 0},
        {"\xf0\x8f\xbf\xbf", 4},
        {"\xf4\x8f\xbf\xbf", 0},
        {"\xf4\x90\x80\x80", 4}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", 4},
        {"a\xc3\xa9\xa9z", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (text_invalid_bytes(cases[i].text, (int64_t)strlen(cases[i].text)) != cases[i].invalid)
            fail_msg("case %zu", i);
}

static void test_words_of_a_text(void **state) {
    (void)state;
    static const char text[] = "  a bc   def";
    const char *at = text, *end = text + sizeof text - 1;
    assert_ptr_equal(text_next_word(&at, end), text + 2);
    assert_ptr_equal(at, text + 3);
    assert_ptr_equal(text_next_word(&at, end), text + 4);
    assert_ptr_equal(text_next_word(&at, end), text + 9);
    assert_ptr_equal(at, end);
    assert_null(text_next_word(&at, end));
}

/* Words that share beginnings and ends, of lengths around the hash's eight bytes. */
static void test_word_table(void **state) {
    (void)state;
    enum { WORDS = 50000 };
    static char words[WORDS][40];
    word_table table = {0};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < WORDS; i++) {
            snprintf(words[i], sizeof words[i], "%.*s%d%.*s", i % 13, "abcdefghijklm", i, i % 7,
                     "nopqrst");
            const int64_t length = (int64_t)strlen(words[i]);
            const uint64_t hash = word_hash(words[i], length);
            assert_int_equal(word_table_find(&table, words[i], length, hash), i);
        }
        assert_int_equal(table.count, WORDS);
    }
    for (int i = 0; i < WORDS; i++) assert_ptr_equal(table.words[i].text, words[i]);
    word_table_free(&table);
    /* The same hash does not make the same word. */
    assert_int_equal(word_table_find(&table, "longer than 8", 13, 7), 0);
    assert_int_equal(word_table_find(&table, "longer than 9", 13, 7), 1);
    assert_int_equal(word_table_find(&table, "longer", 6, 7), 2);
    assert_int_equal(word_table_find(&table, "longer than 9", 13, 7), 1);
    word_table_free(&table);
}

/* The table takes words of up to 8 bytes for equal when hash and length are: no two may share one. */
static void test_short_hashes_are_one_to_one(void **state) {
    (void)state;
    for (int64_t length = 1; length <= 8; length++) {
        char a[8] = "abcdefg", b[8] = "abcdefg";
        for (int64_t i = 0; i < length; i++) {
            for (int c = 0; c < 256; c++) {
                b[i] = (char)c;
                if (a[i] != b[i]) assert_true(word_hash(a, length) != word_hash(b, length));
            }
            b[i] = a[i];
        }
    }
}

static void test_string_list(void **state) {
    (void)state;
    string_list list = {0};
    char text[32];
    assert_int_equal(string_list_bytes(&list), 0);
    assert_true(string_list_add(&list, "a\0b", 3));
    assert_true(string_list_add(&list, "", 0));
    for (int i = 2; i < 5000; i++) {
        snprintf(text, sizeof text, "%d", i);
        assert_true(string_list_add(&list, text, (int64_t)strlen(text)));
    }
    assert_int_equal(list.count, 5000);
    assert_int_equal(string_list_length(&list, 0), 3);
    assert_memory_equal(string_list_get(&list, 0), "a\0b", 4);
    assert_string_equal(string_list_get(&list, 1), "");
    for (int i = 2; i < 5000; i++) assert_int_equal(atoi(string_list_get(&list, i)), i);
    string_list_free(&list);
    assert_int_equal(list.count, 0);
}

static void test_checksum(void **state) {
    (void)state;
    unsigned char data[100];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)(i * 7);
    for (size_t n = 0; n <= sizeof data; n++) {
        const uint64_t sum = weir_checksum_add(0, data, n);
        assert_true(sum == weir_checksum_add(0, data, n));
        assert_true(sum != weir_checksum_add(1, data, n));
        if (n > 0) assert_true(sum != weir_checksum_add(0, data, n - 1));
        for (size_t i = 0; i < n; i++) {
            for (int bit = 0; bit < 8; bit++) {
                data[i] = (unsigned char)(data[i] ^ 1u << bit);
                assert_true(sum != weir_checksum_add(0, data, n));
                data[i] = (unsigned char)(data[i] ^ 1u << bit);
            }
        }
    }
    /* Zeros count, too. */
    const char zeros[64] = {0};
    assert_true(weir_checksum_add(0, zeros, 33) != weir_checksum_add(0, zeros, 34));
}

static void test_md5(void **state) {
    (void)state;
    /* RFC 1321, A.5, and lengths around the edges of padding and buffer (Python's hashlib). */
    static const struct {
        const char *data, *sum;
        int times;
    } vectors[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e", 1},
        {"abc", "900150983cd24fb0d6963f7d28e17f72", 1},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b", 1},
        {"1234567890", "57edf4a22be3c955ac49da2e2107b67a", 8},
        {"x", "04364420e25c512fd958a70738aa8f72", 55},
        {"x", "668a72d5ba17f08e62dabcafad6db14b", 56},
        {"x", "7dc2ca208106a2f703567bdff99d8981", 63},
        {"x", "c1bb4f81d892b2d57947682aeb252456", 64},
        {"x", "1bc932052302d074bdec39795fe00cf6", 65},
        {"x", "ec8f0dfbc74d91569e2db04e9d81d17e", 16383},
        {"x", "cc7fa4aff814016b4f2eff395e64ff7c", 16384},
        {"x", "81aec0416b844375f430dc4e9370e2da", 16385},
        {"x", "33766cd480de06a6b2e053eb8f67583e", 40000},
    };
    char path[] = "/tmp/weir-test-words-XXXXXX", text[MD5_TEXT];
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        for (int k = 0; k < vectors[i].times; k++) fputs(vectors[i].data, file);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(md5_file(path, text), WEIR_OK);
        assert_string_equal(text, vectors[i].sum);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(md5_file(path, text), WEIR_ERROR_SYSTEM);
    assert_non_null(strstr(weir_last_error(), path));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ascii),         cmocka_unit_test(test_latin),
        cmocka_unit_test(test_invalid_bytes), cmocka_unit_test(test_words_of_a_text),
        cmocka_unit_test(test_word_table),    cmocka_unit_test(test_short_hashes_are_one_to_one),
        cmocka_unit_test(test_string_list),   cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_md5),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

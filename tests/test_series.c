/* Reading, filling, generating and writing time series. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "train/data/number.h"
#include "train/data/series.h"
#include "train/data/sha256.h"
#include "train/data/timestamp.h"
#include "train/model/random.h"

static char path[] = "/tmp/weir-test-series-XXXXXX";

static void write_bytes(const char *text, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Reads a file that holds text; the header of most tests. */
#define HEAD "time,a,T (degC),b\n"

static weir_status read_text(const char *text, const series_options *o, series *s) {
    write_bytes(text, strlen(text));
    return series_read_csv(path, o, s);
}

/* The file is refused with this status, and the message names the place and says `message`. */
static void refused(const char *text, const series_options *o, weir_status expected,
                    const char *place, const char *message) {
    series s;
    char where[64];
    assert_int_equal(read_text(text, o, &s), expected);
    snprintf(where, sizeof where, "%s%s", path, place);
    if (strstr(weir_last_error(), where) == NULL || strstr(weir_last_error(), message) == NULL)
        fail_msg("\"%s\" does not contain \"%s\" and \"%s\"", weir_last_error(), where, message);
    assert_null(s.values);
}

static void expect_values(const series *s, const float *expected) {
    for (int64_t i = 0; i < s->rows * s->columns; i++)
        assert_float_equal(s->values[i], expected[i], 0);
}

static void test_plain_file(void **state) {
    (void)state;
    series s;
    assert_int_equal(read_text(HEAD "01.01.2009 00:10:00,1,2.5,-3\n"
                                    "01.01.2009 00:20:00,+4e-1,5.,.6\n",
                               NULL, &s),
                     WEIR_OK);
    assert_int_equal(s.rows, 2);
    assert_int_equal(s.columns, 3);
    assert_int_equal(s.target, 1);
    assert_string_equal(s.names[2], "b");
    assert_string_equal(s.source, path);
    assert_float_equal(s.step_seconds, 600, 0);
    assert_int_equal(s.first_time, 1230768600);
    expect_values(&s, (float[]){1, 2.5f, -3, 0.4f, 5, 0.6f});
    series_free(&s);
    series_free(&s);
}

static void test_other_line_ends_quotes_and_marks(void **state) {
    (void)state;
    static const char *const files[] = {
        "\xef\xbb\xbf" HEAD "01.01.2009 00:10,1,2,3\n",
        "\xef\xbb\xbf\"time, local\",a,T (degC),b\n01.01.2009 00:10,1,2,3\n",
        "time,a,T (degC),b\r\n2009-01-01T00:10:00Z,1,2,3\r\n\r\n",
        "\"time\",\"a\",\"T (degC)\",\"b\"\n\"2009-01-01 00:10\",\"1\",\"2\",\"3\"\n",
        "time, a , T (degC),b\n01.01.2009 00:10:00, 1, 2 ,3",
        "\"time\",\"a\",\"T (degC)\",\"b\"\r\n01.01.2009 00:10:00,1,2,\"3\"\r\n\n",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        series s;
        if (read_text(files[i], NULL, &s) != WEIR_OK) fail_msg("%zu: %s", i, weir_last_error());
        assert_int_equal(s.rows, 1);
        assert_string_equal(s.names[0], "a");
        assert_int_equal(s.first_time, 1230768600);
        expect_values(&s, (float[]){1, 2, 3});
        series_free(&s);
    }
}

static void test_quoted_names(void **state) {
    (void)state;
    series s;
    const series_options o = {.target = "a \"b\", c"};
    assert_int_equal(read_text("t,\"a \"\"b\"\", c\",d\n2009-01-01,1,2\n", &o, &s), WEIR_OK);
    assert_string_equal(s.names[0], "a \"b\", c");
    assert_int_equal(s.target, 0);
    series_free(&s);
}

static void test_columns(void **state) {
    (void)state;
    series s;
    const series_options o = {.columns = "b, a", .target = "a"};
    /* A column that is not used may hold anything. */
    assert_int_equal(read_text(HEAD "2009-01-01,1,x,3\n", &o, &s), WEIR_OK);
    assert_int_equal(s.columns, 2);
    assert_int_equal(s.target, 1);
    expect_values(&s, (float[]){3, 1});
    series_free(&s);
}

static void refused_columns(const char *columns, const char *target, const char *message) {
    series s;
    const series_options o = {.columns = columns, .target = target};
    assert_int_equal(read_text(HEAD "2009-01-01,1,2,3\n", &o, &s), WEIR_ERROR_ARGUMENT);
    if (strstr(weir_last_error(), message) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", weir_last_error(), message);
}

static void test_bad_columns(void **state) {
    (void)state;
    refused_columns("b,q", NULL, "--columns is \"q\"");
    refused_columns("b,q", NULL, "it has \"a\", \"T (degC)\", \"b\"");
    refused_columns("a,b,a", "a", "\"a\" twice");
    refused_columns("a,b", NULL, "leaves out the target \"T (degC)\"");
    refused_columns(NULL, "t", "--target is \"t\"");
    refused_columns("", NULL, "--columns is \"\"");
    refused_columns("a,", NULL, "--columns is \"\"");
    refused_columns("time", NULL, "--columns is \"time\"");
}

static void test_bad_headers(void **state) {
    (void)state;
    const weir_status format = WEIR_ERROR_FORMAT;
    refused("", NULL, format, "", " is empty");
    refused("\xef\xbb\xbf", NULL, format, "", " is empty");
    refused("\n\r\n", NULL, format, "", " is empty");
    refused(HEAD, NULL, format, "", "there is a header but no row");
    refused(HEAD "\n\n", NULL, format, "", "there is a header but no row");
    refused("time;a;b\n", NULL, format, ":1:1:", "(these look like semicolons)");
    refused("\"time\";\"a\"\n", NULL, format, ":1:7:", "(these look like semicolons)");
    refused("time,T (degC),a,T (degC)\n", NULL, format,
            ":1:17:", "columns 2 and 4 are both named \"T (degC)\"");
    refused("time,T (degC),,b\n", NULL, format, ":1:15:", "column 3 has no name");
    refused("time,\"T (degC),b\n", NULL, format, ":1:6:", "the quote is not closed");
}

static void test_bad_rows(void **state) {
    (void)state;
    const weir_status format = WEIR_ERROR_FORMAT;
#define ROW "01.01.2009 00:10:00,1,2,3\n"
    refused(HEAD ROW "01.01.2009 00:20:00,1,abc,3\n", NULL, format,
            ":3:23:", "\"abc\" in column \"T (degC)\" is not a number");
    refused(HEAD "01.01.2009 00:20:00,nan,2,3\n", NULL, format, ":2:21:", "\"nan\"");
    refused(HEAD "01.01.2009 00:20:00,1,inf,3\n", NULL, format, ":2:23:", "not a number");
    refused(HEAD "01.01.2009 00:20:00,1,2,1e999\n", NULL, format, ":2:25:", "too large");
    refused(HEAD "01.01.2009 00:20:00,1,2,1e39\n", NULL, format, ":2:25:", "too large");
    refused(HEAD "01.01.2009 00:20:00,1,0x10,3\n", NULL, format, ":2:23:", "not a number");
    refused(HEAD "01.01.2009 00:20:00,1,2 3,3\n", NULL, format, ":2:23:", "not a number");
    refused(HEAD "01.01.2009 00:20:00,1,2\n" ROW, NULL, format,
            ":2:23:", "3 cells, the header has 4");
    refused(HEAD ROW "01.01.2009 00:20:00,1,2", NULL, format, ":3:23:", "is it complete?");
    refused(HEAD ROW "01.01.2009 00:20:00,1,", NULL, format, ":3:23:", "is it complete?");
    refused(HEAD "01.01.2009 00:20:00,1,2,3,4,5\n", NULL, format,
            ":2:25:", "6 cells, the header has 4");
    refused(HEAD "\n" ROW, NULL, format, ":2:1:", "the line is empty");
    refused(HEAD "01.01.2009 00:20:00,\"1\"x,2,3\n", NULL, format, ":2:24:", "closing quote");
    refused(HEAD "01.13.2009 00:20:00,1,2,3\n", NULL, format, ":2:1:", "is not a time");
    refused(HEAD "1,2,3,4\n", NULL, format, ":2:1:", "yyyy-mm-dd");
}

static void test_unreadable_files(void **state) {
    (void)state;
    series s;
    assert_int_equal(series_read_csv("/tmp", NULL, &s), WEIR_ERROR_SYSTEM);
    assert_non_null(strstr(weir_last_error(), "is a directory"));
    assert_int_equal(series_read_csv("/no/such/file", NULL, &s), WEIR_ERROR_SYSTEM);
    assert_non_null(strstr(weir_last_error(), "/no/such/file: No such file"));
    assert_int_equal(series_read_csv("/dev/null", NULL, &s), WEIR_ERROR_SYSTEM);
    assert_non_null(strstr(weir_last_error(), "not a regular file"));
    if (geteuid() == 0) return; /* root may read everything */
    write_bytes(HEAD, strlen(HEAD));
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(series_read_csv(path, NULL, &s), WEIR_ERROR_SYSTEM);
    assert_non_null(strstr(weir_last_error(), "Permission denied"));
    assert_int_equal(chmod(path, 0600), 0);
}

static void test_bytes_that_are_no_text(void **state) {
    (void)state;
    series s;
    static const char text[] = HEAD "2009-01-01,1,2\0,3\n";
    write_bytes(text, sizeof text - 1);
    assert_int_equal(series_read_csv(path, NULL, &s), WEIR_ERROR_FORMAT);
    assert_non_null(strstr(weir_last_error(), ":2:14: \"2?\""));
}

static const char gaps[] = "t,T (degC),b\n"
                           "2009-01-01 00:00,-9999,1\n"
                           "2009-01-01 01:00,2,-9999.00\n"
                           "2009-01-01 02:00,,-9999\n"
                           "2009-01-01 03:00,,7\n"
                           "2009-01-01 04:00,8,\n";

static void test_missing_values(void **state) {
    (void)state;
    series s;
    series_options o = series_options_default();
    assert_int_equal(read_text(gaps, &o, &s), WEIR_OK);
    assert_int_equal(s.missing, 6);
    expect_values(&s, (float[]){2, 1, 2, 1, 2, 1, 2, 7, 8, 7});
    series_free(&s);

    o.missing = MISSING_INTERPOLATE;
    assert_int_equal(read_text(gaps, &o, &s), WEIR_OK);
    assert_int_equal(s.missing, 6);
    expect_values(&s, (float[]){2, 1, 2, 3, 4, 5, 6, 7, 8, 7});
    series_free(&s);

    o.missing = MISSING_ERROR;
    refused(gaps, &o, WEIR_ERROR_FORMAT, ":2:18:", "missing value");
    o.missing = MISSING_NONE;
    refused(gaps, &o, WEIR_ERROR_FORMAT, ":4:18:", "is empty");
    assert_int_equal(read_text("t,T (degC)\n2009-01-01,-9999\n", &o, &s), WEIR_OK);
    assert_int_equal(s.missing, 1);
    expect_values(&s, (float[]){-9999});
    series_free(&s);

    o = series_options_default();
    o.missing_value = 0;
    refused("t,T (degC)\n2009-01-01,0\n2009-01-02,-0\n", &o, WEIR_ERROR_FORMAT, "",
            "\"T (degC)\" has no value in any row");
}

static void test_irregular_times(void **state) {
    (void)state;
    series s;
    assert_int_equal(read_text("t,T (degC)\n"
                               "28.02.2020 23:00:00,1\n29.02.2020 00:00:00,1\n"
                               "29.02.2020 01:00:00,1\n29.02.2020 01:00:00,1\n"
                               "29.02.2020 00:30:00,1\n01.03.2020 00:00:00,1\n"
                               "01.03.2020 01:00:00,1\n01.03.2020 02:00:00,1\n",
                               NULL, &s),
                     WEIR_OK);
    assert_float_equal(s.step_seconds, 3600, 0);
    assert_int_equal(s.irregular_steps, 3);
    assert_int_equal(s.backward_steps, 2);
    series_free(&s);
}

static bool time_of(const char *text, int64_t *seconds) {
    return timestamp_parse(text, text + strlen(text), seconds);
}

static void test_times(void **state) {
    (void)state;
    int64_t t;
    char text[TIMESTAMP_LENGTH + 1] = "";
    assert_true(time_of("01.01.1970 00:00:00", &t));
    assert_int_equal(t, 0);
    assert_true(time_of("2016-12-31 23:59:59", &t));
    assert_int_equal(t, 1483228799);
    static const char *const bad[] = {"",
                                      "1.1.2009 00:00:00",
                                      "29.02.2019 00:00",
                                      "31.04.2009 00:00",
                                      "00.01.2009 00:00",
                                      "01.01.2009",
                                      "01.01.2009 24:00",
                                      "01.01.2009 00:60",
                                      "2009-01-01 00:00x",
                                      "2009-1-01",
                                      "29.02.1900 00:00",
                                      "2009-01-01T00:00:60",
                                      "01.01.2009T00:00"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (time_of(bad[i], &t)) fail_msg("\"%s\" was taken for a time", bad[i]);
    /* Every day of 400 years and some before 1970, there and back. */
    for (int64_t day = -40000; day < 146097; day++) {
        const int64_t seconds = day * 86400 + (day * 7919) % 86400;
        timestamp_format(seconds, text);
        if (!time_of(text, &t) || t != seconds)
            fail_msg("%s is not %lld", text, (long long)seconds);
    }
}

static void same_as_strtod(const char *text) {
    double value;
    assert_int_equal(number_parse(text, text + strlen(text), &value), NUMBER_OK);
    const double expected = strtod(text, NULL);
    if (memcmp(&value, &expected, sizeof value) != 0)
        fail_msg("%s gives %.17g, not %.17g", text, value, expected);
}

static void test_numbers(void **state) {
    (void)state;
    static const char *const good[] = {"0",
                                       "-0",
                                       "1",
                                       "996.52",
                                       "-8.02",
                                       ".5",
                                       "5.",
                                       "1e22",
                                       "1e23",
                                       "-9999.00",
                                       "1e-400",
                                       "9007199254740993",
                                       "9007199254740992.5",
                                       "0.1e-6",
                                       "123456789012345678901234567890",
                                       "4.9e-324",
                                       "2.2250738585072011e-308",
                                       "1.7976931348623157e308",
                                       "0e99999999999",
                                       "0.000000000000000000000000000000000000000000000000000001",
                                       "8.5e22",
                                       "1234567890123456789e-19"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) same_as_strtod(good[i]);
    static const char *const bad[] = {"",   "-",     ".",   "+.",  "e5",  "1e", "1e+", "--1",
                                      "1x", "1.2.3", "0x1", "nan", "inf", " 1", "1 ",  "1,5"};
    double value;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(number_parse(bad[i], bad[i] + strlen(bad[i]), &value), NUMBER_BAD);
    assert_int_equal(number_parse("1e309", &"1e309"[5], &value), NUMBER_RANGE);
    char text[64];
    for (uint64_t i = 0; i < 200000; i++) {
        const long long digits = (long long)(random_u64(1, 0, i) >> (random_u64(1, 1, i) % 60));
        const int exponent = (int)random_below(1, 2, i, 60) - 40;
        if (i % 2 == 0)
            snprintf(text, sizeof text, "%llde%d", digits, exponent);
        else
            snprintf(text, sizeof text, "%.*f", (int)(i % 19), (double)digits * 1e-9);
        same_as_strtod(text);
    }
}

static bool always(void) { return true; }

static void test_generated(void **state) {
    (void)state;
    series a, b, longer;
    assert_int_equal(series_generate(2000, 7, &a), WEIR_OK);
    assert_int_equal(series_generate(3000, 7, &longer), WEIR_OK);
    assert_int_equal(a.columns, 14);
    assert_true(a.generated);
    assert_string_equal(a.names[a.target], "T (degC)");
    assert_memory_equal(a.values, longer.values, 2000 * 14 * sizeof(float));
    series_free(&longer);
    assert_int_equal(series_generate(2000, 8, &b), WEIR_OK);
    assert_memory_not_equal(a.values, b.values, 2000 * 14 * sizeof(float));
    series_free(&b);
    /* Read back from its file it is the same, to the bit. */
    assert_int_equal(series_write_csv(&a, path, NULL), WEIR_OK);
    assert_int_equal(series_read_csv(path, NULL, &b), WEIR_OK);
    assert_int_equal(b.rows, 2000);
    assert_int_equal(b.missing, 0);
    assert_int_equal(b.irregular_steps, 0);
    assert_int_equal(b.first_time, a.first_time);
    assert_memory_equal(a.values, b.values, 2000 * 14 * sizeof(float));
    assert_int_equal(series_write_csv(&a, "/no/such/folder/x", NULL), WEIR_ERROR_SYSTEM);
    assert_int_equal(series_write_csv(&a, path, always), WEIR_ERROR_STATE);
    assert_int_equal(series_generate(0, 1, &longer), WEIR_ERROR_ARGUMENT);
    series_free(&a);
    series_free(&b);
}

/* The bits of the generated series are part of published results: they must stay. */
static void test_generated_bits(void **state) {
    (void)state;
    series s;
    sha256 sum;
    char text[SHA256_TEXT];
    assert_int_equal(series_generate(100000, 1, &s), WEIR_OK);
    sha256_start(&sum);
    for (int64_t i = 0; i < s.rows * s.columns; i++) {
        char value[32];
        sha256_add(&sum, value,
                   (size_t)snprintf(value, sizeof value, "%.2f,", (double)s.values[i]));
    }
    sha256_finish(&sum, text);
    assert_string_equal(text, "08afc58829f9741067b401e93dccf504d06bac07526b119f1c5b55312bae9f2e");
    series_free(&s);
}

static void test_sha256(void **state) {
    (void)state;
    /* FIPS 180-4 examples, and lengths around the padding's edge. */
    static const struct {
        const char *data, *sum;
        int times;
    } vectors[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 1},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 1},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", 1},
        {"aaaaaaaaaa", "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", 100000},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        sha256 s;
        char text[SHA256_TEXT];
        sha256_start(&s);
        for (int k = 0; k < vectors[i].times; k++)
            sha256_add(&s, vectors[i].data, strlen(vectors[i].data));
        sha256_finish(&s, text);
        assert_string_equal(text, vectors[i].sum);
    }
}

static int make_file(void **state) {
    (void)state;
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_file),
        cmocka_unit_test(test_other_line_ends_quotes_and_marks),
        cmocka_unit_test(test_quoted_names),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_bad_columns),
        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_bad_rows),
        cmocka_unit_test(test_unreadable_files),
        cmocka_unit_test(test_bytes_that_are_no_text),
        cmocka_unit_test(test_missing_values),
        cmocka_unit_test(test_irregular_times),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_generated_bits),
        cmocka_unit_test(test_sha256),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}

/* Command-line options from a table. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "train/cli/options.h"
#include "train/model/nearest.h"

enum { ARGUMENTS_MAX = 8 };

static struct {
    int64_t epochs;
    double rate;
    bool summary;
    const char *data, *model, *extra;
    int mode;
} got;

static char printed[8192]; /* what the last parse wrote to stdout and stderr */

/* Runs body with the file descriptor going to a file, and reads that into `printed`. */
static int parse_captured(const command_line *line, int argc, char **argv) {
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(NULL);
    const int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    const int status = options_parse(line, argc, argv);
    fflush(NULL);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    rewind(file);
    printed[fread(printed, 1, sizeof printed - 1, file)] = '\0';
    fclose(file);
    return status;
}

/* Parses the words of `arguments` (separated by blanks) with the table of all kinds. */
static int parse(const char *arguments) {
    static const char *const modes[] = {"hold", "error", NULL};
    static const char *const examples[] = {"weir train m", NULL};
    memset(&got, 0, sizeof got);
    got.epochs = 20;
    got.rate = 1e-3;
    const option table[] = {
        OPTION_GROUP("Training"),
        OPTION_INT("epochs", "N", &got.epochs, 1, 100, "how often"),
        OPTION_DOUBLE("rate", "X", &got.rate, -1, 10, "learning rate"),
        OPTION_FLAG("summary", &got.summary, "print the layers"),
        OPTION_GROUP("Data"),
        OPTION_STRING_DEFAULT("data", "FILE", &got.data, "the series", "generated"),
        OPTION_CHOICE("data-mode", &got.mode, modes, "what to do with holes"),
        OPTION_END};
    const positional names[] = {
        {"MODEL", &got.model, true, "the model"}, {"EXTRA", &got.extra, false, "something"}, {0}};
    const command_line line = {.command = "train",
                               .summary = "trains",
                               .options = table,
                               .positionals = names,
                               .examples = examples,
                               .notes = "A note."};
    static char words[256]; /* the values point into it */
    char *argv[ARGUMENTS_MAX + 2] = {words};
    int argc = 1;
    snprintf(words, sizeof words, "%s", arguments);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(argc <= ARGUMENTS_MAX);
        argv[argc++] = word;
    }
    return parse_captured(&line, argc, argv);
}

static void refused(const char *arguments, const char *message) {
    assert_int_equal(parse(arguments), 2);
    if (strstr(printed, message) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", printed, message);
    assert_non_null(strstr(printed, "weir train --help"));
}

static void test_values(void **state) {
    (void)state;
    assert_int_equal(parse("m"), -1);
    assert_string_equal(got.model, "m");
    assert_null(got.extra);
    assert_int_equal(got.epochs, 20);
    assert_false(got.summary);
    assert_int_equal(parse("--epochs 3 m --rate=-0.5 --summary --data x.csv e"), -1);
    assert_int_equal(got.epochs, 3);
    assert_float_equal(got.rate, -0.5, 0);
    assert_true(got.summary);
    assert_string_equal(got.data, "x.csv");
    assert_string_equal(got.extra, "e");
    assert_int_equal(parse("m --rate -1 --data-mode error"), -1);
    assert_float_equal(got.rate, -1, 0);
    assert_int_equal(got.mode, 1);
    assert_string_equal(printed, "");
}

static void test_forms(void **state) {
    (void)state;
    assert_int_equal(parse("m --ep 4 --epochs=5"), -1);
    assert_int_equal(got.epochs, 5);
    assert_int_equal(parse("--data=a=b m"), -1);
    assert_string_equal(got.data, "a=b");
    assert_int_equal(parse("--data= m"), -1);
    assert_string_equal(got.data, "");
    assert_int_equal(parse("--epochs 4 -- --rate -"), -1);
    assert_string_equal(got.model, "--rate");
    assert_string_equal(got.extra, "-");
    /* The whole name of one option is the beginning of another's. */
    assert_int_equal(parse("m --data f"), -1);
    assert_string_equal(got.data, "f");
}

static void test_errors(void **state) {
    (void)state;
    refused("", "MODEL is missing: the model");
    refused("a b c", "unexpected argument \"c\"");
    refused("m --epochs 0", "--epochs is \"0\", accepted: a whole number from 1 to 100");
    refused("m --epochs 101", "--epochs is \"101\"");
    refused("m --epochs 1.5", "--epochs is \"1.5\"");
    refused("m --epochs 99999999999999999999", "accepted: a whole number");
    refused("m --epochs=", "--epochs is \"\"");
    refused("m --epochs", "--epochs needs a value");
    refused("m --rate 1x", "--rate is \"1x\", accepted: a number from -1 to 10");
    refused("m --rate nan", "--rate is \"nan\"");
    refused("m --rate 11", "--rate is \"11\"");
    refused("m --data-mode none", "--data-mode is \"none\", accepted: hold, error");
    refused("m --summary=yes", "--summary takes no value, got \"yes\"");
    refused("m --epohcs 3", "unknown option --epohcs, did you mean --epochs?");
    refused("m --zzz 3", "unknown option --zzz\n");
    refused("m -e 3", "unknown option -e");
    refused("m --=3", "unknown option --=3");
    refused("m --dat f", "option --dat is ambiguous: --data or --data-mode");
}

static void test_help(void **state) {
    (void)state;
    assert_int_equal(parse("--epochs 3 --help --nonsense"), 0);
    static const char *const expected[] = {"weir train: trains\n",
                                           "Usage: weir train MODEL [EXTRA] [options]\n",
                                           "\nTraining:\n  --epochs N",
                                           "learning rate (default: 0.001)",
                                           "print the layers\n",
                                           "\nData:\n",
                                           "the series (default: generated)",
                                           "--data-mode hold|error",
                                           "(default: hold)",
                                           "Examples:\n  weir train m\n",
                                           "A note.\n"};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        if (strstr(printed, expected[i]) == NULL)
            fail_msg("\"%s\" is not in:\n%s", expected[i], printed);
    assert_int_equal(parse("-h"), 0);
}

static void test_nearest(void **state) {
    (void)state;
    static const char *const names[] = {"train", "eval", "compare", NULL};
    assert_string_equal(weir_nearest("tarin", names), "train");
    assert_string_equal(weir_nearest("evla", names), "eval");
    assert_string_equal(weir_nearest("compares", names), "compare");
    assert_null(weir_nearest("predict", names));
    assert_null(weir_nearest("", (const char *const[]){NULL}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),  cmocka_unit_test(test_forms),
        cmocka_unit_test(test_errors),  cmocka_unit_test(test_help),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

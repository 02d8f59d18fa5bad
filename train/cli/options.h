/* Command-line options from a table: parsing, error messages, --help.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_OPTIONS_H
#define WEIR_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A command describes its command line in a table whose entries point to the variables that receive
 * the values. A variable's value before the call is the default, and --help shows it.
 *
 *     static const char *const splits[] = {"val", "test", NULL};
 *     int64_t epochs = 20;
 *     double rate = 1e-3;
 *     bool summary = false;
 *     const char *data = NULL, *model = NULL;
 *     int split = 0;
 *     const option table[] = {
 *         OPTION_STRING("data", "FILE", &data, "the series, a CSV file"),
 *         OPTION_INT("epochs", "N", &epochs, 1, 100000, "how often to go through the steps"),
 *         OPTION_DOUBLE("rate", "X", &rate, 0, 10, "learning rate"),
 *         OPTION_CHOICE("split", &split, splits, "rows to evaluate"),
 *         OPTION_FLAG("summary", &summary, "print the layers and stop"),
 *         OPTION_END};
 *     const positional names[] = {{"MODEL", &model, true, "one of `weir models`"}, {0}};
 *     const command_line line = {.command = "train", .summary = "trains a model",
 *                                .options = table, .positionals = names, .examples = examples};
 *     int status = options_parse(&line, argc, argv);
 *     if (status >= 0) return status;
 *
 * Accepted: --name VALUE, --name=VALUE (an unambiguous beginning of a name will do), options and
 * positional arguments in any order, "--" before arguments that begin with a dash. A later option
 * overrides an earlier one.
 */

typedef enum option_type {
    OPTION_IS_END = 0,
    OPTION_IS_GROUP, /* a heading in --help */
    OPTION_IS_FLAG,
    OPTION_IS_INT,
    OPTION_IS_DOUBLE,
    OPTION_IS_STRING,
    OPTION_IS_CHOICE
} option_type;

typedef struct option {
    option_type type;
    const char *name;           /* without the dashes */
    const char *argument;       /* what the value is called in --help: "N", "FILE" */
    void *value;                /* bool, int64_t, double, const char * or int (index of choice) */
    double min, max;            /* accepted range of int and double, both ends included */
    const char *const *choices; /* ends with NULL */
    const char *help;
    const char *default_text; /* shown instead of the variable's value; "" shows none */
} option;

/* The last argument of the _DEFAULT forms is what --help shows as the default, for a variable whose
 * start value is a stand-in ("by the model", "all cores"). */
#define OPTION_GROUP(title) \
    { OPTION_IS_GROUP, NULL, NULL, NULL, 0, 0, NULL, title, NULL }
#define OPTION_FLAG(name, value, help) \
    { OPTION_IS_FLAG, name, NULL, value, 0, 0, NULL, help, NULL }
#define OPTION_INT(name, argument, value, min, max, help) \
    { OPTION_IS_INT, name, argument, value, min, max, NULL, help, NULL }
#define OPTION_INT_DEFAULT(name, argument, value, min, max, help, text) \
    { OPTION_IS_INT, name, argument, value, min, max, NULL, help, text }
#define OPTION_DOUBLE(name, argument, value, min, max, help) \
    { OPTION_IS_DOUBLE, name, argument, value, min, max, NULL, help, NULL }
#define OPTION_DOUBLE_DEFAULT(name, argument, value, min, max, help, text) \
    { OPTION_IS_DOUBLE, name, argument, value, min, max, NULL, help, text }
#define OPTION_STRING(name, argument, value, help) \
    { OPTION_IS_STRING, name, argument, value, 0, 0, NULL, help, NULL }
#define OPTION_STRING_DEFAULT(name, argument, value, help, text) \
    { OPTION_IS_STRING, name, argument, value, 0, 0, NULL, help, text }
#define OPTION_CHOICE(name, value, choices, help) \
    { OPTION_IS_CHOICE, name, NULL, value, 0, 0, choices, help, NULL }
#define OPTION_CHOICE_DEFAULT(name, value, choices, help, text) \
    { OPTION_IS_CHOICE, name, NULL, value, 0, 0, choices, help, text }
#define OPTION_END \
    { OPTION_IS_END, NULL, NULL, NULL, 0, 0, NULL, NULL, NULL }

typedef struct positional {
    const char *name; /* NULL ends the table */
    const char **value;
    bool required;
    const char *help;
} positional;

typedef struct command_line {
    const char *command; /* "train", "data fetch" */
    const char *summary; /* one line */
    const option *options;
    const positional *positionals; /* NULL: none */
    const char *const *examples;   /* whole command lines, ends with NULL; NULL: none */
    const char *notes;             /* paragraphs at the end of --help; may be NULL */
} command_line;

/*
 * Parses argv[1 ..]. Returns -1 when the command should go on, else the exit status to return: 0
 * after --help (printed to stdout), 2 after an error (printed to stderr: the option, the value
 * and what is accepted).
 */
int options_parse(const command_line *line, int argc, char **argv);

/* For what the table can't say (two options that exclude each other): prints "weir COMMAND:
 * MESSAGE" and where to find help, returns 2. */
__attribute__((format(printf, 2, 3))) int options_error(const command_line *line,
                                                        const char *format, ...);

#endif

/* Parsing of command-line options from a table. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/options_help.h"
#include "train/model/nearest.h"

enum { NAMES_MAX = 64 };

int options_error(const command_line *line, const char *format, ...) {
    va_list args;
    fprintf(stderr, "weir %s: ", line->command);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nTry: weir %s --help\n", line->command);
    return STATUS_USAGE;
}

static int unknown_option(const command_line *line, const char *given, const char *name) {
    const char *names[NAMES_MAX + 1] = {0};
    size_t n = 0;
    for (const option *o = line->options; o->type != OPTION_IS_END && n + 1 < NAMES_MAX; o++)
        if (o->type != OPTION_IS_GROUP) names[n++] = o->name;
    names[n] = "help";
    const char *nearest = weir_nearest(name, names);
    if (nearest != NULL)
        return options_error(line, "unknown option %s, did you mean --%s?", given, nearest);
    return options_error(line, "unknown option %s", given);
}

/* Finds the option called name[0 .. length), or the only one that begins so. Returns -1 and sets
 * *found, or the exit status. */
static int find_option(const command_line *line, const char *given, const char *name,
                       const option **found) {
    const option *first = NULL, *second = NULL;
    for (const option *o = line->options; o->type != OPTION_IS_END; o++) {
        if (o->type == OPTION_IS_GROUP) continue;
        if (strcmp(o->name, name) == 0) {
            *found = o;
            return -1;
        }
        if (strncmp(o->name, name, strlen(name)) != 0) continue;
        if (first == NULL)
            first = o;
        else
            second = o;
    }
    if (first == NULL || name[0] == '\0') return unknown_option(line, given, name);
    if (second != NULL)
        return options_error(line, "option %s is ambiguous: --%s or --%s", given, first->name,
                             second->name);
    *found = first;
    return -1;
}

static int set_int(const command_line *line, const option *o, const char *text) {
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    const bool number = end != text && *end == '\0';
    if (!number || errno == ERANGE || (double)value < o->min || (double)value > o->max)
        return options_error(line, "--%s is \"%s\", accepted: a whole number from %.0f to %.0f",
                             o->name, text, o->min, o->max);
    *(int64_t *)o->value = value;
    return -1;
}

static int set_double(const command_line *line, const option *o, const char *text) {
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || value < o->min || value > o->max)
        return options_error(line, "--%s is \"%s\", accepted: a number from %g to %g", o->name,
                             text, o->min, o->max);
    *(double *)o->value = value;
    return -1;
}

static int set_choice(const command_line *line, const option *o, const char *text) {
    for (int i = 0; o->choices[i] != NULL; i++) {
        if (strcmp(o->choices[i], text) == 0) {
            *(int *)o->value = i;
            return -1;
        }
    }
    char accepted[512] = "";
    for (int i = 0; o->choices[i] != NULL; i++) {
        const size_t used = strlen(accepted);
        snprintf(accepted + used, sizeof accepted - used, "%s%s", i == 0 ? "" : ", ",
                 o->choices[i]);
    }
    return options_error(line, "--%s is \"%s\", accepted: %s", o->name, text, accepted);
}

static int set_value(const command_line *line, const option *o, const char *text) {
    switch (o->type) {
    case OPTION_IS_INT: return set_int(line, o, text);
    case OPTION_IS_DOUBLE: return set_double(line, o, text);
    case OPTION_IS_CHOICE: return set_choice(line, o, text);
    case OPTION_IS_STRING: *(const char **)o->value = text; return -1;
    case OPTION_IS_FLAG:
    case OPTION_IS_GROUP:
    case OPTION_IS_END: break;
    }
    return -1;
}

/* One argument that begins with a dash; *i moves on when it takes the next one as its value. */
static int parse_option(const command_line *line, int argc, char **argv, int *i) {
    const char *given = argv[*i];
    if (strcmp(given, "-h") == 0 || strcmp(given, "--help") == 0) {
        options_print_help(line);
        return STATUS_OK;
    }
    char name[NAMES_MAX];
    const char *equals = strchr(given, '=');
    const size_t length = equals != NULL ? (size_t)(equals - given) : strlen(given);
    if (strncmp(given, "--", 2) != 0 || length - 2 >= sizeof name)
        return options_error(line, "unknown option %s", given);
    memcpy(name, given + 2, length - 2);
    name[length - 2] = '\0';

    const option *o = NULL;
    const int status = find_option(line, given, name, &o);
    if (status >= 0) return status;
    if (o->type == OPTION_IS_FLAG) {
        if (equals != NULL)
            return options_error(line, "--%s takes no value, got \"%s\"", o->name, equals + 1);
        *(bool *)o->value = true;
        return -1;
    }
    if (equals != NULL) return set_value(line, o, equals + 1);
    if (*i + 1 >= argc) return options_error(line, "--%s needs a value", o->name);
    *i += 1;
    return set_value(line, o, argv[*i]);
}

int options_parse(const command_line *line, int argc, char **argv) {
    static const positional none = {0};
    const positional *next = line->positionals != NULL ? line->positionals : &none;
    bool options_ended = false;
    for (int i = 1; i < argc; i++) {
        if (!options_ended && strcmp(argv[i], "--") == 0) {
            options_ended = true;
        } else if (!options_ended && argv[i][0] == '-' && argv[i][1] != '\0') {
            const int status = parse_option(line, argc, argv, &i);
            if (status >= 0) return status;
        } else {
            if (next->name == NULL)
                return options_error(line, "unexpected argument \"%s\"", argv[i]);
            *next->value = argv[i];
            next++;
        }
    }
    if (next->name != NULL && next->required)
        return options_error(line, "%s is missing: %s", next->name, next->help);
    return -1;
}

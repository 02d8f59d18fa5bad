/* --help from a table of options. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/options_help.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_COLUMN = 28, WIDTH = 96 };

/* Prints text after `used` columns, indented to TEXT_COLUMN and broken between words at WIDTH. */
static void print_wrapped(int used, const char *text) {
    if (used + 2 > TEXT_COLUMN) {
        putchar('\n');
        used = 0;
    }
    printf("%*s", TEXT_COLUMN - used, "");
    int column = TEXT_COLUMN;
    while (*text != '\0') {
        const int word = (int)strcspn(text, " ");
        if (column > TEXT_COLUMN && column + 1 + word > WIDTH) {
            printf("\n%*s", TEXT_COLUMN, "");
            column = TEXT_COLUMN;
        } else if (column > TEXT_COLUMN) {
            putchar(' ');
            column++;
        }
        printf("%.*s", word, text);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void default_text(const option *o, char *text, size_t size) {
    const char *string = NULL;
    text[0] = '\0';
    if (o->default_text != NULL) {
        snprintf(text, size, "%s", o->default_text);
        return;
    }
    switch (o->type) {
    case OPTION_IS_INT: snprintf(text, size, "%" PRId64, *(const int64_t *)o->value); break;
    case OPTION_IS_DOUBLE: snprintf(text, size, "%g", *(const double *)o->value); break;
    case OPTION_IS_CHOICE: string = o->choices[*(const int *)o->value]; break;
    case OPTION_IS_STRING: string = *(const char *const *)o->value; break;
    case OPTION_IS_FLAG:
    case OPTION_IS_GROUP:
    case OPTION_IS_END: break;
    }
    if (string != NULL) snprintf(text, size, "%s", string);
}

static void print_option(const option *o) {
    char left[128], choices[96] = "", preset[96], text[512];
    if (o->type == OPTION_IS_GROUP) {
        printf("\n%s:\n", o->help);
        return;
    }
    if (o->type == OPTION_IS_CHOICE) {
        for (int i = 0; o->choices[i] != NULL; i++) {
            const size_t used = strlen(choices);
            snprintf(choices + used, sizeof choices - used, "%s%s", i == 0 ? "" : "|",
                     o->choices[i]);
        }
    }
    const char *argument = o->argument != NULL ? o->argument : choices;
    const int used = snprintf(left, sizeof left, "  --%s%s%s", o->name,
                              argument[0] != '\0' ? " " : "", argument);
    fputs(left, stdout);
    default_text(o, preset, sizeof preset);
    if (preset[0] != '\0')
        snprintf(text, sizeof text, "%s (default: %s)", o->help, preset);
    else
        snprintf(text, sizeof text, "%s", o->help);
    print_wrapped(used, text);
}

void options_print_help(const command_line *line) {
    printf("weir %s: %s\n\nUsage: weir %s", line->command, line->summary, line->command);
    for (const positional *p = line->positionals; p != NULL && p->name != NULL; p++)
        printf(p->required ? " %s" : " [%s]", p->name);
    puts(" [options]");
    if (line->positionals != NULL && line->positionals->name != NULL) {
        puts("\nArguments:");
        for (const positional *p = line->positionals; p->name != NULL; p++)
            print_wrapped(printf("  %s", p->name), p->help);
    }
    if (line->options->type != OPTION_IS_GROUP) puts("\nOptions:");
    for (const option *o = line->options; o->type != OPTION_IS_END; o++) print_option(o);
    print_wrapped(printf("  --help"), "print this");
    if (line->examples != NULL) {
        puts("\nExamples:");
        for (const char *const *example = line->examples; *example != NULL; example++)
            printf("  %s\n", *example);
    }
    if (line->notes != NULL) printf("\n%s\n", line->notes);
}

/* weir data show: what is in the reviews, and single ones as a model sees them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/printable.h"
#include "train/cli/runtime_options.h"
#include "train/cli/text_task.h"

enum { LINE = 96 };

/* A review's index by the end of its file's name ("train/pos/0_9.txt"), or -1. */
static int64_t find_review(const imdb *d, const char *name) {
    for (int64_t i = 0; i < d->reviews; i++)
        if (strcmp(string_list_get(&d->names, i), name) == 0) return i;
    return -1;
}

static void print_frequent(const imdb *d, int64_t count) {
    char text[PRINTABLE];
    for (int64_t i = 0; i < count && i < d->words.count; i++)
        printf("%8lld  %-20s %lld times\n", (long long)i + IMDB_FIRST_WORD,
               printable(string_list_get(&d->words, i), text), (long long)d->word_counts[i]);
}

/* The review's words, those that a model does not know as "<unknown>". */
static void print_review(const imdb *d, int64_t i) {
    char text[PRINTABLE];
    const int64_t begin = d->offsets[i], end = d->offsets[i + 1];
    printf("\n%s: %s, %lld tokens\n", printable(string_list_get(&d->names, i), text),
           d->labels[i] ? "positive" : "negative", (long long)(end - begin));
    size_t column = 0;
    for (int64_t t = begin; t < end; t++) {
        const char *word = printable(imdb_word(d, imdb_token(d, d->tokens[t])), text);
        const size_t length = strlen(word);
        if (column > 0 && column + 1 + length > LINE) column = 0;
        if (t > begin) putchar(column > 0 ? ' ' : '\n');
        fputs(word, stdout);
        column += length + 1;
    }
    putchar('\n');
}

static int show(const text_arguments *a, weir_runtime *runtime, int64_t frequent,
                const char *name) {
    imdb d;
    weir_status status = text_load(a, runtime, &d);
    if (status != WEIR_OK) return command_failed("data show", status);
    const int64_t review = name != NULL ? find_review(&d, name) : -1;
    if (name != NULL && review < 0) {
        status = weir_fail(WEIR_ERROR_ARGUMENT,
                           "--review is \"%s\", but %s has no such file; it has %s, for example",
                           name, d.source, string_list_get(&d.names, 0));
    } else {
        text_print(&d, "data show");
        print_frequent(&d, frequent);
        if (review >= 0) print_review(&d, review);
    }
    imdb_free(&d);
    return status == WEIR_OK ? STATUS_OK : command_failed("data show", status);
}

int cmd_data_show(int argc, char **argv) {
    static const char *const examples[] = {
        "weir data show imdb --data data/aclImdb_v1.tar.gz",
        "weir data show imdb --data data/aclImdb_v1.tar.gz --review train/pos/0_9.txt",
        "weir data show imdb --generated --frequent 20", NULL};
    const char *set = NULL, *review = NULL;
    int64_t frequent = 10;
    text_arguments text = text_arguments_default();
    runtime_arguments machine = {0};
    const option table[] = {
        TEXT_OPTIONS(&text),
        OPTION_GROUP("What to show"),
        OPTION_INT("frequent", "N", &frequent, 0, 1e9, "the most frequent words and their numbers"),
        OPTION_STRING("review", "FILE", &review, "the words of this one, as a model sees them"),
        RUNTIME_OPTIONS(&machine),
        OPTION_END};
    const positional names[] = {{"SET", &set, true, "the data set: imdb"}, {0}};
    const command_line line = {.command = "data show",
                               .summary = "show what is in the reviews",
                               .options = table,
                               .positionals = names,
                               .examples = examples};
    const int parsed = options_parse(&line, argc, argv);
    if (parsed >= 0) return parsed;
    if (strcmp(set, "imdb") != 0)
        return options_error(&line, "data set is \"%s\", accepted: imdb", set);
    weir_runtime *runtime = NULL;
    const weir_status status = runtime_create(&machine, "data show", &runtime);
    if (status != WEIR_OK) return command_failed("data show", status);
    const int result = show(&text, runtime, frequent, review);
    weir_runtime_destroy(runtime);
    return result;
}

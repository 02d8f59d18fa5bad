/* The `weir` program: finds the command and runs it. SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "train/cli/commands.h"
#include "train/cli/options.h"
#include "train/cli/printable.h"
#include "train/model/nearest.h"
#include "weir/runtime.h"

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} command;

static const command commands[] = {
    {"train", cmd_train, "train a model on a time series"},
    {"compare", cmd_compare, "train a family of models on the same data, in one table"},
    {"report", cmd_report, "make a page with plots of what compare found"},
    {"eval", cmd_eval, "evaluate a saved model"},
    {"predict", cmd_predict, "what a saved model says of new data"},
    {"models", cmd_models, "list the built-in models, show their definitions"},
    {"convert", cmd_convert, "convert models and weights between Weir and Keras"},
    {"data", cmd_data, "download, generate and show data sets"},
    {"info", cmd_info, "what Weir found on this machine and how it would use it"},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_usage(FILE *to) {
    fputs("Usage: weir COMMAND [options]\n\nCommands:\n", to);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-10s%s\n", commands[i].name, commands[i].summary);
    fputs("\nweir COMMAND --help says more about one; weir --version prints the version.\n", to);
}

int command_failed(const char *name, weir_status status) {
    char message[PRINTABLE];
    fprintf(stderr, "weir %s: %s\n", name, printable(weir_last_error(), message));
    return status == WEIR_ERROR_ARGUMENT ? STATUS_USAGE : STATUS_FAILED;
}

static int unknown_command(const char *word) {
    const char *names[COMMAND_COUNT + 1] = {0};
    for (int i = 0; i < COMMAND_COUNT; i++) names[i] = commands[i].name;
    const char *nearest = weir_nearest(word, names);
    fprintf(stderr, "weir: unknown command \"%s\"", word);
    if (nearest != NULL) fprintf(stderr, ", did you mean %s?", nearest);
    fputs("\n\n", stderr);
    print_usage(stderr);
    return STATUS_USAGE;
}

/* A command that did its work but could not print the result has failed. */
static int output_finish(int status) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    fprintf(stderr, "weir: the output could not be written: %s\n", strerror(errno));
    return status == STATUS_OK ? STATUS_FAILED : status;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stderr);
        return STATUS_USAGE;
    }
    const char *word = argv[1];
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, word) == 0)
            return output_finish(commands[i].run(argc - 1, argv + 1));
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_usage(stdout);
        return output_finish(STATUS_OK);
    }
    if (strcmp(word, "--version") == 0) {
        printf("weir %s\n", weir_version());
        return output_finish(STATUS_OK);
    }
    return unknown_command(word);
}

/* The commands of the `weir` program and what they share. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_COMMANDS_H
#define WEIR_CLI_COMMANDS_H

#include "weir/status.h"

/* Exit statuses of every command. */
enum {
    STATUS_OK = 0,
    STATUS_FAILED = 1, /* the command could not do its work */
    STATUS_USAGE = 2   /* the command line is wrong: an option, its value, a command's name */
};

/* argv[0] is the command's name ("train"); returns the exit status. */
int cmd_info(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_models(int argc, char **argv);
int cmd_convert(int argc, char **argv);
int cmd_data(int argc, char **argv);
int cmd_data_show(int argc, char **argv); /* of `weir data` */

/* weir compare downsampling: argv[0] is "compare". */
int compare_downsampling(int argc, char **argv);

/*
 * Prints "weir COMMAND: MESSAGE" with weir_last_error() to stderr and returns the exit status:
 * STATUS_USAGE for WEIR_ERROR_ARGUMENT, else STATUS_FAILED.
 *     if (status != WEIR_OK) return command_failed("train", status);
 */
int command_failed(const char *command, weir_status status);

#endif

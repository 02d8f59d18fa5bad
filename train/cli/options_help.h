/* --help from a table of options. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_OPTIONS_HELP_H
#define WEIR_CLI_OPTIONS_HELP_H

#include "train/cli/options.h"

/* Prints usage, arguments, options with their defaults, and examples to stdout. */
void options_print_help(const command_line *line);

#endif

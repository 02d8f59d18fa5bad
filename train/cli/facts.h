/* What a result in JSON says of the run that it is from. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_FACTS_H
#define WEIR_CLI_FACTS_H

#include <cjson/cJSON.h>

#include "train/cli/task.h"

/* kind ("compare"), family ("jena"), the command line, version, time, machine and data. The caller's;
 * argv as the command got it. */
cJSON *facts_json(const char *kind, const char *family, const task *t, weir_runtime *rt, int argc,
                  char **argv);

/* Prints a JSON value to stdout. Errors: MEMORY. */
weir_status facts_print(const cJSON *json);

#endif

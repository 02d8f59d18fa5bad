/* The options of a command as JSON, to keep and to compare. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_OPTIONS_JSON_H
#define WEIR_CLI_OPTIONS_JSON_H

#include <cjson/cJSON.h>

#include "train/cli/options.h"
#include "weir/status.h"

/* {"epochs": 20, "data": "x.csv", "keras": "2", ...}: the values that the variables have now, but those
 * of the options in left_out (ends with NULL). A text that is not given is null; a choice must be made. */
cJSON *options_write(const option *table, const char *const *left_out);

/*
 * Sets the variables of the options that json has; texts point into it. Errors: FORMAT (an option that
 * the table does not have, or a value that is none of it).
 */
weir_status options_read(const option *table, const cJSON *json);

#endif

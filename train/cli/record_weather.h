/* The weather in a model file. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_RECORD_WEATHER_H
#define WEIR_CLI_RECORD_WEATHER_H

#include "train/cli/record.h"

void record_weather_write(const series *s, const windows *w, cJSON *json);
/* Errors: FORMAT, MEMORY. */
weir_status record_weather_read(const cJSON *json, record *out);

/* "... data.KEY must be EXPECTED" as FORMAT. */
weir_status record_wrong(const char *key, const char *expected);

#endif

/* What cJSON leaves to its user: numbers that round-trip exactly. SPDX-License-Identifier: Apache-2.0
 */
#ifndef WEIR_TRAIN_JSON_H
#define WEIR_TRAIN_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

/* A number with 17 digits, so that it reads back as the same double (cJSON's own writer may be an
 * ulp off), with a point in every locale. NULL: no memory. */
cJSON *weir_json_number(double value);

/*
 * Parses text[length] that holds one JSON value and nothing more. NULL: not JSON, then *at
 * (optional) is the offset where it stops being so.
 */
cJSON *weir_json_parse(const char *text, size_t length, size_t *at);

#endif

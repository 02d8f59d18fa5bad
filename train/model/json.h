/* What cJSON leaves to its user: numbers that round-trip exactly, and memory that is not there.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_JSON_H
#define WEIR_TRAIN_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

/*
 * As cJSON's functions, but a thread's failure to make or to add a value is kept in mind until it prints
 * the next JSON, which fails then: what lacks a part is never taken for the whole. None is checked at its
 * call. weir_json_add and _append take over the item.
 */
cJSON *weir_json_object(void);
cJSON *weir_json_array(void);
cJSON *weir_json_bool(bool value);
cJSON *weir_json_null(void);
cJSON *weir_json_string(const char *text);
cJSON *weir_json_copy(const cJSON *json);
void weir_json_add(cJSON *object, const char *key, cJSON *item);
void weir_json_add_string(cJSON *object, const char *key, const char *text);
void weir_json_add_bool(cJSON *object, const char *key, bool value);
void weir_json_add_null(cJSON *object, const char *key);
void weir_json_add_number(cJSON *object, const char *key, double value);
cJSON *weir_json_add_object(cJSON *object, const char *key);
cJSON *weir_json_add_array(cJSON *object, const char *key);
void weir_json_append(cJSON *array, cJSON *item);
/* On one line, or indented; for cJSON_free(). NULL: no memory, now or before. */
char *weir_json_print(const cJSON *json);
char *weir_json_print_lines(const cJSON *json);

/* A number with 17 digits, so that it reads back as the same double (cJSON's own writer may be an
 * ulp off), with a point in every locale. NULL: no memory. */
cJSON *weir_json_number(double value);

/*
 * Parses text[length] that holds one JSON value and nothing more. NULL: not JSON, then *at
 * (optional) is the offset where it stops being so.
 */
cJSON *weir_json_parse(const char *text, size_t length, size_t *at);

#endif

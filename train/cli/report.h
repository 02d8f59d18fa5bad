/* A page of results: DIR/index.html, made of the results in DIR. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_REPORT_H
#define WEIR_CLI_REPORT_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "weir/status.h"

/*
 * Makes the folder when it is not there. To be called before hours of training.
 * Errors: SYSTEM (no folder, not writable, no gnuplot), ARGUMENT (the name is too long).
 */
weir_status report_check(const char *dir);

/*
 * Keeps results (what --json prints: "kind" and "family" say which) as DIR/KIND-FAMILY.json, in the
 * place of earlier ones, and makes DIR/index.html of all that are there. Both files are replaced in one
 * step. Errors: FORMAT (names the file, what is missing), SYSTEM, MEMORY.
 */
weir_status report_add(const char *dir, const cJSON *results);
/* The page alone, from what is in the folder. Errors: those of report_add, ARGUMENT (there is nothing). */
weir_status report_build(const char *dir);

/* The part of the page for one file of results, as HTML; `index` tells the parts of a page apart.
 * Errors: FORMAT, SYSTEM, MEMORY. */
weir_status report_compare(const cJSON *results, int index, FILE *to);
weir_status report_downsampling(const cJSON *results, int index, FILE *to);

#endif

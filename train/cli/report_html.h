/* Text and numbers of results as HTML. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_REPORT_HTML_H
#define WEIR_CLI_REPORT_HTML_H

#include <cjson/cJSON.h>
#include <stdio.h>

#include "train/cli/plot.h"

/* Writes text so that a browser shows it as it is. */
void html_text(FILE *to, const char *text);

/* The member of an object; NAN, "" when it is not there or something else. */
double html_number(const cJSON *object, const char *key);
const char *html_string(const cJSON *object, const char *key);

/* <tr><th>...: names end with NULL. */
void html_head(FILE *to, const char *const *names);
/* <td>: a number with so many decimals, or a dash for NAN. */
void html_cell(FILE *to, double value, int decimals);

/* The heading of a part, what was run on what, and the command. */
void html_facts(const cJSON *results, const char *title, FILE *to);

/* A plot as <figure>. Errors: those of plot_write. */
weir_status html_figure(const plot *p, FILE *to);

#endif

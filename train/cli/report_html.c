/* Text and numbers of results as HTML. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/report_html.h"

#include <math.h>

void html_text(FILE *to, const char *text) {
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '&': fputs("&amp;", to); break;
        case '"': fputs("&quot;", to); break;
        default: fputc(*text, to);
        }
    }
}

double html_number(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

const char *html_string(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text ? text : "";
}

void html_head(FILE *to, const char *const *names) {
    fputs("<div class=\"wide\"><table>\n<thead><tr>", to);
    for (; *names; names++) fprintf(to, "<th scope=\"col\">%s</th>", *names);
    fputs("</tr></thead>\n<tbody>\n", to);
}

void html_cell(FILE *to, double value, int decimals) {
    if (isnan(value))
        fputs("<td>-</td>", to);
    else
        fprintf(to, "<td>%.*f</td>", decimals, value);
}

static void named(FILE *to, const char *name, const char *value) {
    if (*value == '\0') return;
    fprintf(to, "<dt>%s</dt><dd>", name);
    html_text(to, value);
    fputs("</dd>\n", to);
}

void html_facts(const cJSON *results, const char *title, FILE *to) {
    char machine[256];
    snprintf(machine, sizeof machine, "%.120s, %.0f threads, %.20s", html_string(results, "cpu"),
             html_number(results, "threads"), html_string(results, "isa"));
    fputs("<h2>", to);
    html_text(to, title);
    fputs("</h2>\n", to);
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(results, "generated")))
        fputs("<p class=\"warning\">Made-up data: this shows that the program works, not what the "
              "models are worth.</p>\n",
              to);
    fputs("<dl>\n", to);
    named(to, "data", html_string(results, "data"));
    named(to, "machine", machine);
    named(to, "finished", html_string(results, "finished"));
    fputs("</dl>\n<pre>", to);
    html_text(to, html_string(results, "command"));
    fputs("</pre>\n", to);
}

weir_status html_figure(const plot *p, FILE *to) {
    fputs("<figure>\n", to);
    const weir_status status = plot_write(p, to);
    fputs("</figure>\n", to);
    return status;
}

/* The part of a report that weir compare downsampling fills. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "train/cli/report.h"
#include "train/cli/report_html.h"

enum { ROWS_MAX = 64, MODELS = 2 };

typedef struct curve {
    const char *model;
    double steps[ROWS_MAX], values[ROWS_MAX];
    int count;
} curve;

/* One column of the rows, for each model. Returns the number of models. */
static int read_curves(const cJSON *rows, const char *column, curve curves[MODELS]) {
    int count = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        const char *model = html_string(row, "model");
        int i = 0;
        while (i < count && strcmp(curves[i].model, model) != 0) i++;
        if (i == MODELS) continue;
        if (i == count) curves[count++] = (curve){.model = model};
        curve *c = &curves[i];
        if (c->count == ROWS_MAX) continue;
        c->steps[c->count] = html_number(row, "steps");
        c->values[c->count++] = html_number(row, column);
    }
    return count;
}

static weir_status write_plot(const cJSON *rows, const char *column, const char *title, bool log_y,
                              int index, FILE *to) {
    curve curves[MODELS];
    char id[64];
    snprintf(id, sizeof id, "down%s%d", strncmp(column, "val", 3) == 0 ? "val" : column, index);
    id[strcspn(id, "_")] = 'x';
    plot p = {.id = id,
              .title = title,
              .log_x = true,
              .log_y = log_y,
              .count = read_curves(rows, column, curves)};
    for (int i = 0; i < p.count; i++)
        p.series[i] = (plot_series){.name = curves[i].model,
                                    .x = curves[i].steps,
                                    .y = curves[i].values,
                                    .count = curves[i].count,
                                    .colour = i};
    return html_figure(&p, to);
}

static void write_table(const cJSON *rows, bool classes, FILE *to) {
    const char *const names[] = {"steps",
                                 "model",
                                 "RNN steps",
                                 "ms/step",
                                 "plain over this",
                                 "memory, MiB",
                                 classes ? "validation accuracy" : "validation MAE",
                                 "hours for the book's training",
                                 NULL};
    html_head(to, names);
    const cJSON *row;
    cJSON_ArrayForEach(row, rows) {
        const double faster = html_number(row, "faster"), memory = html_number(row, "peak_mib");
        fprintf(to, "<tr><th scope=\"row\">%.0f</th><th scope=\"row\">", html_number(row, "steps"));
        html_text(to, html_string(row, "model"));
        fputs("</th>", to);
        html_cell(to, html_number(row, "recurrent_steps"), 0);
        html_cell(to, html_number(row, "step_ms"), 1);
        html_cell(to, faster > 0 ? faster : NAN, 2);
        html_cell(to, memory > 0 ? memory : NAN, 0);
        html_cell(to, html_number(row, classes ? "val_accuracy" : "val_loss"), 4);
        html_cell(to, html_number(row, "book_hours"), 2);
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table></div>\n", to);
}

weir_status report_downsampling(const cJSON *results, int index, FILE *to) {
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(results, "rows_by_length");
    if (!cJSON_IsArray(rows) || cJSON_GetArraySize(rows) == 0)
        return weir_fail(WEIR_ERROR_FORMAT, "rows_by_length is missing, accepted: a list of rows");
    const bool classes = !isnan(html_number(rows->child, "val_accuracy"));
    char title[96];
    snprintf(title, sizeof title, "What downsampling buys: %.40s", html_string(results, "family"));
    html_facts(results, title, to);
    write_table(rows, classes, to);
    fputs("<div class=\"plots\">\n", to);
    weir_status status =
        write_plot(rows, "step_ms", "ms per training step by length", true, index, to);
    if (status == WEIR_OK)
        status = write_plot(rows, "peak_mib", "MiB of the training by length", true, index, to);
    if (status == WEIR_OK)
        status = write_plot(rows, classes ? "val_accuracy" : "val_loss",
                            classes ? "validation accuracy by length" : "validation MAE by length",
                            false, index, to);
    fputs("</div>\n", to);
    return status;
}

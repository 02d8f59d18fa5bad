/* The part of a report that weir compare jena or imdb fills. SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/cli/report.h"
#include "train/cli/report_html.h"

enum { EPOCHS_MAX = 10000 };

/* One model: means over its seeds. */
typedef struct model {
    const char *name;
    double parameters, recurrent_steps, train_seconds, val_seconds, best_epoch;
    double val, low, high, test, permuted; /* accuracy or MAE */
    int seeds;
    int epochs;                     /* that all seeds have */
    double *epoch, *loss, *val_all; /* [epochs], in `curves` */
    double *curves;
} model;

typedef struct family {
    bool classes;
    model models[PLOT_SERIES_MAX];
    int count;
} family;

static void free_family(family *f) {
    for (int i = 0; i < f->count; i++) free(f->models[i].curves);
}

static int epochs_of(const cJSON *run) {
    const int n = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(run, "epochs"));
    return n < EPOCHS_MAX ? n : EPOCHS_MAX;
}

static model *find_model(family *f, const cJSON *run) {
    const char *name = html_string(run, "model");
    for (int i = 0; i < f->count; i++)
        if (strcmp(f->models[i].name, name) == 0) return &f->models[i];
    if (f->count == PLOT_SERIES_MAX) return NULL;
    model *m = &f->models[f->count++];
    *m = (model){.name = name, .low = INFINITY, .high = -INFINITY, .epochs = epochs_of(run)};
    return m;
}

static void add_run(const family *f, model *m, const cJSON *run) {
    const double val = html_number(run, f->classes ? "val_accuracy" : "val_mae");
    m->parameters = html_number(run, "parameters");
    m->recurrent_steps = html_number(run, "recurrent_steps");
    m->train_seconds += html_number(run, "train_seconds");
    m->val_seconds += html_number(run, "val_seconds");
    m->best_epoch += html_number(run, "best_epoch");
    m->val += val;
    m->low = fmin(m->low, val);
    m->high = fmax(m->high, val);
    m->test += html_number(run, f->classes ? "test_accuracy" : "test_mae");
    m->permuted += html_number(run, f->classes ? "permuted_accuracy" : "permuted_mae");
    if (epochs_of(run) < m->epochs) m->epochs = epochs_of(run);
    m->seeds++;
}

static weir_status allocate_curves(model *m) {
    const size_t n = (size_t)m->epochs;
    m->curves = calloc(3 * n + 1, sizeof *m->curves);
    if (!m->curves) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the curves of a report");
    m->epoch = m->curves;
    m->loss = m->epoch + n;
    m->val_all = m->loss + n;
    for (int i = 0; i < m->epochs; i++) m->epoch[i] = i + 1;
    return WEIR_OK;
}

static void add_curves(const family *f, model *m, const cJSON *run) {
    const cJSON *epoch = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(run, "epochs"), 0);
    for (int i = 0; i < m->epochs; i++, epoch = epoch->next) {
        m->loss[i] += html_number(epoch, "loss") / m->seeds;
        m->val_all[i] += html_number(epoch, f->classes ? "val_accuracy" : "val_loss") / m->seeds;
    }
}

static void finish_model(model *m) {
    double *const sums[] = {&m->train_seconds, &m->val_seconds, &m->best_epoch,
                            &m->val,           &m->test,        &m->permuted};
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) *sums[i] /= m->seeds;
    if (m->best_epoch > 0) return;
    m->train_seconds = m->best_epoch = NAN; /* nothing was trained */
}

static weir_status read_family(const cJSON *results, family *f) {
    const cJSON *run, *runs = cJSON_GetObjectItemCaseSensitive(results, "runs");
    if (!cJSON_IsArray(runs) || cJSON_GetArraySize(runs) == 0)
        return weir_fail(WEIR_ERROR_FORMAT, "runs is missing, accepted: a list of runs");
    f->classes = !isnan(html_number(runs->child, "val_accuracy"));
    cJSON_ArrayForEach(run, runs) {
        model *m = find_model(f, run);
        if (!m)
            return weir_fail(WEIR_ERROR_FORMAT, "runs has more than %d models", PLOT_SERIES_MAX);
        add_run(f, m, run);
    }
    for (int i = 0; i < f->count; i++) {
        const weir_status status = allocate_curves(&f->models[i]);
        if (status != WEIR_OK) return status;
    }
    cJSON_ArrayForEach(run, runs) add_curves(f, find_model(f, run), run);
    for (int i = 0; i < f->count; i++) finish_model(&f->models[i]);
    return WEIR_OK;
}

/* ---- the page ---- */

static void write_table(const family *f, FILE *to) {
    const char *const names[] = {"model",
                                 "parameters",
                                 "RNN steps",
                                 "s/epoch, training",
                                 "validation",
                                 f->classes ? "validation accuracy, best" : "validation MAE, best",
                                 "from",
                                 "to",
                                 "seeds",
                                 "epoch",
                                 f->classes ? "test accuracy" : "test MAE",
                                 "steps permuted",
                                 NULL};
    html_head(to, names);
    for (int i = 0; i < f->count; i++) {
        const model *m = &f->models[i];
        fputs("<tr><th scope=\"row\">", to);
        html_text(to, m->name);
        fputs("</th>", to);
        html_cell(to, m->parameters, 0);
        html_cell(to, m->recurrent_steps > 0 ? m->recurrent_steps : NAN, 0);
        html_cell(to, m->train_seconds, 2);
        html_cell(to, m->val_seconds, 2);
        html_cell(to, m->val, 4);
        html_cell(to, m->low, 4);
        html_cell(to, m->high, 4);
        html_cell(to, m->seeds, 0);
        html_cell(to, m->best_epoch, 1);
        html_cell(to, m->test, 4);
        html_cell(to, m->permuted, 4);
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table></div>\n<p>Means over the seeds. Test and permuted steps (validation "
          "samples with their steps in one shuffled order) are of the best epoch.</p>\n",
          to);
}

static weir_status write_curves(const family *f, bool validation, const char *title, const char *id,
                                FILE *to) {
    plot p = {.id = id, .title = title};
    double ends[2] = {1, 1}, level[PLOT_SERIES_MAX][2];
    for (int i = 0; i < f->count; i++)
        if (f->models[i].epochs > ends[1]) ends[1] = f->models[i].epochs;
    for (int i = 0; i < f->count; i++) {
        const model *m = &f->models[i];
        if (validation && m->epochs == 0) { /* nothing to train: the baseline */
            level[i][0] = level[i][1] = m->val;
            p.series[p.count++] =
                (plot_series){.name = m->name, .x = ends, .y = level[i], .count = 2, .colour = i};
            continue;
        }
        p.series[p.count++] = (plot_series){.name = m->name,
                                            .x = m->epoch,
                                            .y = validation ? m->val_all : m->loss,
                                            .count = m->epochs,
                                            .colour = i};
    }
    return html_figure(&p, to);
}

static weir_status write_cost(const family *f, const char *title, const char *id, FILE *to) {
    plot p = {.id = id, .title = title, .log_x = true, .points = true};
    for (int i = 0; i < f->count; i++) {
        const model *m = &f->models[i];
        p.series[p.count++] = (plot_series){
            .name = m->name, .x = &m->train_seconds, .y = &m->val, .count = 1, .colour = i};
    }
    return html_figure(&p, to);
}

static weir_status write_family(const cJSON *results, const family *f, int index, FILE *to) {
    const char *what = f->classes ? "validation accuracy" : "validation MAE";
    char title[96], id[32];
    snprintf(title, sizeof title, "Every model of the %.40s family",
             html_string(results, "family"));
    html_facts(results, title, to);
    write_table(f, to);
    fputs("<div class=\"plots\">\n", to);
    snprintf(id, sizeof id, "loss%d", index);
    weir_status status = write_curves(f, false, "training loss by epoch", id, to);
    snprintf(id, sizeof id, "val%d", index);
    snprintf(title, sizeof title, "%s by epoch", what);
    if (status == WEIR_OK) status = write_curves(f, true, title, id, to);
    snprintf(id, sizeof id, "cost%d", index);
    snprintf(title, sizeof title, "best %s by seconds to train an epoch", what);
    if (status == WEIR_OK) status = write_cost(f, title, id, to);
    fputs("</div>\n", to);
    return status;
}

weir_status report_compare(const cJSON *results, int index, FILE *to) {
    family *f = calloc(1, sizeof *f);
    if (!f) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a report");
    weir_status status = read_family(results, f);
    if (status == WEIR_OK) status = write_family(results, f, index, to);
    free_family(f);
    free(f);
    return status;
}

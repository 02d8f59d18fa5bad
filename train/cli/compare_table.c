/* The results of weir compare: a table, CSV, JSON. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/compare_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cli/summary.h"
#include "train/model/json.h"

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double compare_median(double *values, int64_t n) {
    if (n == 0) return 0;
    qsort(values, (size_t)n, sizeof *values, by_value);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Means over the rows of one model, which follow each other: count of them. */
typedef struct mean_row {
    compare_row mean;
    double epoch; /* mean of the best epochs */
    double val_low, val_high;
    int count;
} mean_row;

static void add_score(score *sum, const score *s) {
    sum->loss += s->loss;
    sum->accuracy += s->accuracy;
    sum->rounded += s->rounded;
}

static void divide_score(score *sum, int count) {
    sum->loss /= count;
    sum->accuracy /= count;
    sum->rounded /= count;
}

/* What decides between epochs and models. */
static double figure(const score_form *f, const score *s) {
    return f->classes ? s->accuracy : s->loss;
}

static mean_row average(const compare_row *rows, int count) {
    mean_row m = {.mean = rows[0], .val_low = INFINITY, .val_high = -INFINITY};
    compare_row *sum = &m.mean;
    sum->train_seconds = sum->val_seconds = 0;
    sum->val = sum->test = sum->permuted = (score){0};
    while (m.count < count && strcmp(rows[m.count].model, rows[0].model) == 0) {
        const compare_row *r = &rows[m.count++];
        sum->train_seconds += r->train_seconds;
        sum->val_seconds += r->val_seconds;
        add_score(&sum->val, &r->val);
        add_score(&sum->test, &r->test);
        add_score(&sum->permuted, &r->permuted);
        m.epoch += (double)r->best_epoch;
        m.val_low = fmin(m.val_low, figure(&r->form, &r->val));
        m.val_high = fmax(m.val_high, figure(&r->form, &r->val));
    }
    sum->train_seconds /= m.count;
    sum->val_seconds /= m.count;
    divide_score(&sum->val, m.count);
    divide_score(&sum->test, m.count);
    divide_score(&sum->permuted, m.count);
    m.epoch /= m.count;
    return m;
}

/* ---- text ---- */

enum { NAME = -22 }; /* the column of names */

static void print_figures(const mean_row *m) {
    const compare_row *r = &m->mean;
    char epoch[16] = "-";
    if (r->best_epoch > 0) snprintf(epoch, sizeof epoch, m->count > 1 ? "%.1f" : "%.0f", m->epoch);
    if (r->form.classes)
        printf("%9.4f%8.4f%7s%9.4f%8.4f%9.4f%+9.4f\n", r->val.accuracy, r->val.loss, epoch,
               r->test.accuracy, r->test.loss, r->permuted.accuracy,
               r->permuted.accuracy - r->val.accuracy);
    else
        printf("%9.4f%8.3f%7s%9.4f%8.3f%9.4f%+8.0f%%\n", r->val.loss, r->val.loss * r->form.std,
               epoch, r->test.loss, r->test.loss * r->form.std, r->permuted.loss,
               100 * (r->permuted.loss / r->val.loss - 1));
}

static void print_mean(const mean_row *m, double reference_seconds) {
    const compare_row *r = &m->mean;
    char parameters[32], steps[24] = "-", train[16] = "-", relative[16] = "-";
    if (r->recurrent_steps > 0)
        snprintf(steps, sizeof steps, "%lld", (long long)r->recurrent_steps);
    if (r->best_epoch > 0) {
        snprintf(train, sizeof train, "%.2f", r->train_seconds);
        if (reference_seconds > 0)
            snprintf(relative, sizeof relative, "%.2f", r->train_seconds / reference_seconds);
    }
    printf("%*s%10s%7s%9s%8.2f%9s", NAME, r->model,
           summary_count(r->parameters, parameters, sizeof parameters), steps, train,
           r->val_seconds, relative);
    print_figures(m);
    if (!isnan(r->val.rounded))
        printf("%*s%51s%.4f when outputs are rounded, as Keras 2 counts\n", NAME, "", "",
               r->val.rounded);
    if (m->count > 1)
        printf("%*s%51s%.4f to %.4f over %d seeds\n", NAME, "", "", m->val_low, m->val_high,
               m->count);
}

static void print_headings(const score_form *f, const char *short_name) {
    printf("\n%*s%10s%7s%17s%9s%24s%17s%18s\n", NAME, "", "", "RNN", "seconds/epoch", "time /",
           f->classes ? "validation, best" : "validation MAE, best",
           f->classes ? "test" : "test MAE", "steps permuted");
    const char *first = f->classes ? "accuracy" : "norm.", *second = f->classes ? "loss" : f->unit;
    printf("%*s%10s%7s%9s%8s%9s%9s%8s%7s%9s%8s%9s%9s\n", NAME, "model", "params", "steps", "train",
           "val", short_name, first, second, "epoch", first, second, first, "change");
}

void compare_print(const compare_row *rows, int count, const char *reference,
                   const char *short_name) {
    double seconds = 0;
    for (int i = 0; i < count;) {
        const mean_row m = average(rows + i, count - i);
        if (strcmp(m.mean.model, reference) == 0) seconds = m.mean.train_seconds;
        i += m.count;
    }
    print_headings(&rows[0].form, short_name);
    for (int i = 0; i < count;) {
        const mean_row m = average(rows + i, count - i);
        print_mean(&m, seconds);
        i += m.count;
    }
}

/* ---- for programs ---- */

typedef struct named_number {
    const char *key;
    double value;
} named_number;

enum { NUMBERS_MAX = 16 };

/* The fields of a row but its model; returns how many. */
static int numbers_of(const compare_row *r, named_number out[NUMBERS_MAX]) {
    const named_number all[] = {{"seed", (double)r->seed},
                                {"parameters", (double)r->parameters},
                                {"keras", r->keras},
                                {"recurrent_steps", (double)r->recurrent_steps},
                                {"train_seconds", r->train_seconds},
                                {"val_seconds", r->val_seconds},
                                {"best_epoch", (double)r->best_epoch}};
    const named_number weather[] = {
        {"lookback", (double)r->lookback}, {"step", (double)r->step},
        {"val_mae", r->val.loss},          {"val_mae_units", r->val.loss * r->form.std},
        {"test_mae", r->test.loss},        {"test_mae_units", r->test.loss * r->form.std},
        {"permuted_mae", r->permuted.loss}};
    const named_number text[] = {
        {"steps", (double)r->T},     {"val_accuracy", r->val.accuracy},
        {"val_loss", r->val.loss},   {"test_accuracy", r->test.accuracy},
        {"test_loss", r->test.loss}, {"permuted_accuracy", r->permuted.accuracy}};
    const named_number rounded = {"val_accuracy_rounded", r->val.rounded};
    const int common = sizeof all / sizeof all[0];
    const int own = (int)((r->form.classes ? sizeof text : sizeof weather) / sizeof *text);
    memcpy(out, all, sizeof all);
    memcpy(out + common, r->form.classes ? text : weather, (size_t)own * sizeof *out);
    if (!r->form.classes) return common + own;
    out[common + own] = rounded;
    return common + own + 1;
}

void compare_print_csv(const compare_row *rows, int count) {
    named_number numbers[NUMBERS_MAX];
    int n = numbers_of(&rows[0], numbers);
    printf("model");
    for (int k = 0; k < n; k++) printf(",%s", numbers[k].key);
    for (int i = 0; i < count; i++) {
        n = numbers_of(&rows[i], numbers);
        printf("\n%s", rows[i].model);
        for (int k = 0; k < n; k++) {
            if (isnan(numbers[k].value))
                printf(",");
            else
                printf(",%.15g", numbers[k].value);
        }
    }
    puts("");
}

static cJSON *row_json(const compare_row *r) {
    named_number numbers[NUMBERS_MAX];
    const int n = numbers_of(r, numbers);
    cJSON *json = weir_json_object();
    weir_json_add_string(json, "model", r->model);
    for (int k = 0; k < n; k++)
        if (!isnan(numbers[k].value))
            weir_json_add(json, numbers[k].key, weir_json_number(numbers[k].value));
    weir_json_add(json, "epochs", history_rows_json(&r->epochs));
    return json;
}

cJSON *compare_json(const compare_row *rows, int count) {
    cJSON *list = weir_json_array();
    for (int i = 0; i < count; i++) weir_json_append(list, row_json(&rows[i]));
    return list;
}

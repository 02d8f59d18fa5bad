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

static mean_row average(const compare_row *rows, int count) {
    mean_row m = {.mean = rows[0], .val_low = INFINITY, .val_high = -INFINITY};
    double train = 0, val_seconds = 0, val = 0, test = 0, permuted = 0, epoch = 0;
    while (m.count < count && strcmp(rows[m.count].model, rows[0].model) == 0) {
        const compare_row *r = &rows[m.count++];
        train += r->train_seconds;
        val_seconds += r->val_seconds;
        val += r->val_mae;
        test += r->test_mae;
        permuted += r->permuted_mae;
        epoch += (double)r->best_epoch;
        m.val_low = fmin(m.val_low, r->val_mae);
        m.val_high = fmax(m.val_high, r->val_mae);
    }
    m.mean.train_seconds = train / m.count;
    m.mean.val_seconds = val_seconds / m.count;
    m.mean.val_mae = val / m.count;
    m.mean.test_mae = test / m.count;
    m.mean.permuted_mae = permuted / m.count;
    m.epoch = epoch / m.count;
    return m;
}

static void print_mean(const mean_row *m, double gru_seconds) {
    const compare_row *r = &m->mean;
    char parameters[32], steps[24] = "-", epoch[16] = "-", train[16] = "-", relative[16] = "-";
    if (r->recurrent_steps > 0)
        snprintf(steps, sizeof steps, "%lld", (long long)r->recurrent_steps);
    if (r->best_epoch > 0) {
        snprintf(epoch, sizeof epoch, m->count > 1 ? "%.1f" : "%.0f", m->epoch);
        snprintf(train, sizeof train, "%.2f", r->train_seconds);
        if (gru_seconds > 0)
            snprintf(relative, sizeof relative, "%.2f", r->train_seconds / gru_seconds);
    }
    printf("%-15s%9s%7s%9s%8.2f%9s%9.4f%8.3f%7s%9.4f%8.3f%9.4f%+8.0f%%\n", r->model,
           summary_count(r->parameters, parameters, sizeof parameters), steps, train,
           r->val_seconds, relative, r->val_mae, r->val_mae * r->std, epoch, r->test_mae,
           r->test_mae * r->std, r->permuted_mae, 100 * (r->permuted_mae / r->val_mae - 1));
    if (m->count > 1)
        printf("%-15s%57s%.4f to %.4f over %d seeds\n", "", "", m->val_low, m->val_high, m->count);
}

void compare_print(const compare_row *rows, int count, const char *unit) {
    double gru_seconds = 0;
    for (int i = 0; i < count;) {
        const mean_row m = average(rows + i, count - i);
        if (strcmp(m.mean.model, "jena-gru") == 0) gru_seconds = m.mean.train_seconds;
        i += m.count;
    }
    printf("\n%-15s%9s%7s%17s%9s%24s%17s%18s\n", "", "", "RNN", "seconds/epoch", "time /",
           "validation MAE, best", "test MAE", "steps permuted");
    printf("%-15s%9s%7s%9s%8s%9s%9s%8s%7s%9s%8s%9s%9s\n", "model", "params", "steps", "train",
           "val", "GRU", "norm.", unit, "epoch", "norm.", unit, "norm.", "change");
    for (int i = 0; i < count;) {
        const mean_row m = average(rows + i, count - i);
        print_mean(&m, gru_seconds);
        i += m.count;
    }
}

void compare_print_csv(const compare_row *rows, int count) {
    puts("model,seed,parameters,recurrent_steps,lookback,step,train_seconds,val_seconds,val_mae,"
         "val_mae_units,best_epoch,test_mae,test_mae_units,permuted_mae");
    for (int i = 0; i < count; i++) {
        const compare_row *r = &rows[i];
        printf("%s,%lld,%lld,%lld,%lld,%lld,%.3f,%.3f,%.9g,%.9g,%lld,%.9g,%.9g,%.9g\n", r->model,
               (long long)r->seed, (long long)r->parameters, (long long)r->recurrent_steps,
               (long long)r->lookback, (long long)r->step, r->train_seconds, r->val_seconds,
               r->val_mae, r->val_mae * r->std, (long long)r->best_epoch, r->test_mae,
               r->test_mae * r->std, r->permuted_mae);
    }
}

static cJSON *row_json(const compare_row *r) {
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"seed", (double)r->seed},
                   {"parameters", (double)r->parameters},
                   {"recurrent_steps", (double)r->recurrent_steps},
                   {"lookback", (double)r->lookback},
                   {"step", (double)r->step},
                   {"train_seconds", r->train_seconds},
                   {"val_seconds", r->val_seconds},
                   {"val_mae", r->val_mae},
                   {"val_mae_units", r->val_mae * r->std},
                   {"best_epoch", (double)r->best_epoch},
                   {"test_mae", r->test_mae},
                   {"test_mae_units", r->test_mae * r->std},
                   {"permuted_mae", r->permuted_mae}};
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "model", r->model);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        cJSON_AddItemToObject(json, numbers[i].key, weir_json_number(numbers[i].value));
    return json;
}

weir_status compare_print_json(const compare_row *rows, int count, const cJSON *facts) {
    cJSON *json = cJSON_Duplicate(facts, 1);
    cJSON *list = cJSON_AddArrayToObject(json, "runs");
    for (int i = 0; i < count; i++) cJSON_AddItemToArray(list, row_json(&rows[i]));
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    if (!text) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the results");
    puts(text);
    cJSON_free(text);
    return WEIR_OK;
}

/* The curve of weir compare downsampling: a table, CSV. SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "train/cli/downsampling.h"
#include "train/model/json.h"

/* The book's training: 20 epochs of 500 steps. */
enum { BOOK_STEPS = 20 * 500 };

static double book_hours(const downsampling_row *r) { return r->step_ms * BOOK_STEPS / 3.6e6; }

/* The first length at which the book's training takes more than an hour; 0: none. */
static int64_t impractical(const downsampling_results *r, const char *model) {
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->rows[i].model, model) == 0 && book_hours(&r->rows[i]) > 1)
            return r->rows[i].T;
    return 0;
}

static void print_limit(const downsampling_results *r, const char *model) {
    const int64_t T = impractical(r, model);
    if (T > 0)
        printf("%s: 20 epochs of 500 steps take more than an hour from %lld steps on\n", model,
               (long long)T);
    else
        printf("%s: 20 epochs of 500 steps take less than an hour at every length\n", model);
}

/* The plain model's row of the same length comes right before. */
static double ratio(const downsampling_results *r, int i) {
    const downsampling_row *row = &r->rows[i], *plain = row - 1;
    return i > 0 && plain->T == row->T ? plain->step_ms / row->step_ms : 0;
}

static void print_row(const downsampling_results *r, int i) {
    const downsampling_row *row = &r->rows[i];
    char speed[24] = "", memory[24] = "-", text[SCORE_TEXT];
    if (ratio(r, i) > 0) snprintf(speed, sizeof speed, "%.1f", ratio(r, i));
    if (row->peak_bytes > 0)
        snprintf(memory, sizeof memory, "%.0f", (double)row->peak_bytes / 0x1p20);
    printf("%8lld%11lld  %-15s%8lld%10.1f%9s%9s%8.2f  %s\n", (long long)row->T,
           (long long)row->lookback, row->model, (long long)row->recurrent_steps, row->step_ms,
           speed, memory, book_hours(row), score_short(&r->task.form, &row->val, text));
}

void downsampling_print(const downsampling_plan *plan, const downsampling_results *r) {
    printf("training %lld epochs at each length, seed %lld\n", (long long)plan->epochs,
           (long long)plan->seed);
    if (plan->text)
        puts("samples  a review and, in front of it, whole others of its class until the length is "
             "full");
    else
        puts("samples  10 days in finer steps while the rows allow it, then more days; all lengths "
             "are\n         validated on the same hours");
    printf("\n%8s%11s  %-15s%8s%10s%9s%9s%8s  %s\n", "steps", "rows", "model", "RNN", "ms/step",
           "faster", "MiB", "hours", "validation, best");
    for (int i = 0; i < r->count; i++) print_row(r, i);
    puts("\nRNN: steps that it walks. ms/step: a training step. faster: the plain model's time "
         "over\n"
         "the other's. MiB: the most memory of the training, beyond the data. hours: 20 epochs of "
         "500\n"
         "steps, at that speed.");
    if (r->count < 2) return;
    print_limit(r, r->rows[0].model);
    print_limit(r, r->rows[1].model);
}

/* ---- for programs ---- */

typedef struct named_number {
    const char *key;
    double value;
} named_number;

enum { NUMBERS = 12 };

/* The fields of row i but its model. */
static void numbers_of(const downsampling_results *r, int i, named_number out[NUMBERS]) {
    const downsampling_row *row = &r->rows[i];
    const score_form *form = &r->task.form;
    const named_number all[NUMBERS] = {
        {"steps", (double)row->T},
        {"lookback", (double)row->lookback},
        {"row_step", (double)row->step},
        {"recurrent_steps", (double)row->recurrent_steps},
        {"parameters", (double)row->parameters},
        {"step_ms", row->step_ms},
        {"faster", ratio(r, i)},
        {"peak_mib", (double)row->peak_bytes / 0x1p20},
        {"book_hours", book_hours(row)},
        {"val_loss", row->val.loss},
        {form->classes ? "val_accuracy" : "val_units",
         form->classes ? row->val.accuracy : row->val.loss * form->std},
        {"best_epoch", (double)row->best_epoch}};
    memcpy(out, all, sizeof all);
}

void downsampling_print_csv(const downsampling_results *r) {
    named_number numbers[NUMBERS];
    for (int i = 0; i < r->count; i++) {
        numbers_of(r, i, numbers);
        if (i == 0) {
            printf("model");
            for (int k = 0; k < NUMBERS; k++) printf(",%s", numbers[k].key);
            puts("");
        }
        printf("%s", r->rows[i].model);
        for (int k = 0; k < NUMBERS; k++) printf(",%.9g", numbers[k].value);
        puts("");
    }
}

cJSON *downsampling_json(const downsampling_results *r) {
    named_number numbers[NUMBERS];
    cJSON *list = weir_json_array();
    for (int i = 0; i < r->count; i++) {
        cJSON *row = weir_json_object();
        weir_json_add_string(row, "model", r->rows[i].model);
        numbers_of(r, i, numbers);
        for (int k = 0; k < NUMBERS; k++)
            weir_json_add(row, numbers[k].key, weir_json_number(numbers[k].value));
        weir_json_append(list, row);
    }
    return list;
}

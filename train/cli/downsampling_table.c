/* The curve of weir compare downsampling: a table, CSV. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/cli/downsampling.h"

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

void downsampling_print_csv(const downsampling_results *r) {
    const bool classes = r->task.form.classes;
    printf("model,steps,lookback,row_step,recurrent_steps,parameters,step_ms,faster,peak_mib,"
           "book_hours,val_loss,%s,best_epoch\n",
           classes ? "val_accuracy" : "val_units");
    for (int i = 0; i < r->count; i++) {
        const downsampling_row *row = &r->rows[i];
        printf("%s,%lld,%lld,%lld,%lld,%lld,%.3f,%.3f,%.1f,%.4f,%.9g,%.9g,%lld\n", row->model,
               (long long)row->T, (long long)row->lookback, (long long)row->step,
               (long long)row->recurrent_steps, (long long)row->parameters, row->step_ms,
               ratio(r, i), (double)row->peak_bytes / 0x1p20, book_hours(row), row->val.loss,
               classes ? row->val.accuracy : row->val.loss * r->task.form.std,
               (long long)row->best_epoch);
    }
}

/* weir predict: the opinion of reviews, one in each line. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "train/cli/lines.h"
#include "train/cli/predict.h"
#include "train/cli/printable.h"
#include "train/model/json.h"

enum { BATCH = 128 }; /* changes no bit of the result */

/* Of all lines: what should be known, and the first line that has it. */
typedef struct remarks {
    int64_t empty, first_empty;
    int64_t invalid, first_invalid;
} remarks;

typedef struct opinions {
    const predict_run *run;
    known_words words;
    lines from;
    known_words_line found[BATCH];
    int64_t number[BATCH], count; /* lines that wait */
    float *x, y[BATCH];
    remarks remarks;
} opinions;

static weir_status check(const predict_arguments *a) {
    const series_arguments s = series_arguments_default();
    const char *foreign = a->rolling                                     ? "--rolling"
                          : a->last > 0                                  ? "--last"
                          : a->stream                                    ? "--stream"
                          : a->series.missing_value != s.missing_value   ? "--missing"
                          : a->series.missing != s.missing               ? "--missing-policy"
                          : a->data.generated                            ? "--generated"
                          : a->data.generated_seed >= 0                  ? "--generated-seed"
                          : a->series.generated_rows != s.generated_rows ? "--generated-rows"
                                                                         : NULL;
    if (!foreign) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT, "%s is not an option of reviews", foreign);
}

static weir_status start(const predict_run *run, opinions *o) {
    weir_status status = check(run->a);
    if (status == WEIR_OK)
        status = record_read_words(run->trained.model, &run->trained.record, &o->words);
    if (status == WEIR_OK) status = lines_open(run->a->data.file, &o->from);
    if (status != WEIR_OK) return status;
    o->x = malloc((size_t)(BATCH * run->trained.record.max_len) * sizeof *o->x);
    return o->x ? WEIR_OK : weir_fail(WEIR_ERROR_MEMORY, "no memory for %d reviews", BATCH);
}

/* The probability that the review is positive: the loss says what the model's number is. */
static double probability(const opinions *o, float y) {
    if (o->run->trained.record.loss == WEIR_BCE_LOGITS) return 1 / (1 + exp(-(double)y));
    return y < 0 ? 0 : y > 1 ? 1 : (double)y;
}

static weir_status print_line(const opinions *o, int64_t i) {
    const double p = probability(o, o->y[i]);
    if (!o->run->a->json) {
        printf("%.5f %s\n", p, p > 0.5 ? "positive" : "negative");
        return WEIR_OK;
    }
    cJSON *json = weir_json_object();
    weir_json_add(json, "line", weir_json_number((double)o->number[i]));
    weir_json_add(json, "positive", weir_json_number(p));
    weir_json_add(json, "words", weir_json_number((double)o->found[i].words));
    weir_json_add(json, "unknown", weir_json_number((double)o->found[i].unknown));
    return predict_print(json);
}

static weir_status flush(opinions *o) {
    weir_status status = weir_model_predict(o->run->trained.model, o->count, o->x, o->y);
    if (status == WEIR_OK) status = predict_check(o->run, o->y, o->count);
    for (int64_t i = 0; i < o->count && status == WEIR_OK; i++) status = print_line(o, i);
    o->count = 0;
    fflush(stdout);
    return status;
}

static void take(opinions *o, char *text, int64_t bytes) {
    const int64_t T = o->run->trained.record.max_len, i = o->count++;
    known_words_line *found = &o->found[i];
    remarks *k = &o->remarks;
    o->number[i] = o->from.number;
    known_words_fill(&o->words, text, bytes, T, o->x + i * T, found);
    if (found->words == 0 && k->empty++ == 0) k->first_empty = o->from.number;
    if (found->invalid_bytes > 0 && k->invalid == 0) k->first_invalid = o->from.number;
    k->invalid += found->invalid_bytes;
}

/* A line is answered before the next one is waited for; lines that are there are answered together. */
static weir_status answer(opinions *o) {
    char *text;
    int64_t bytes;
    while (!ferror(stdout)) {
        weir_status status = lines_next(&o->from, &text, &bytes);
        if (status != WEIR_OK || !text) return status;
        take(o, text, bytes);
        if (o->count < BATCH && lines_at_hand(&o->from)) continue;
        status = flush(o);
        if (status != WEIR_OK) return status;
    }
    return WEIR_OK;
}

static void print_remarks(const opinions *o) {
    const remarks *k = &o->remarks;
    char name[PRINTABLE];
    printable(o->from.name, name);
    if (k->empty > 0)
        fprintf(stderr,
                "weir predict: warning: %s: lines without a word: %lld, the first is line %lld\n",
                name, (long long)k->empty, (long long)k->first_empty);
    if (k->invalid > 0)
        fprintf(stderr,
                "weir predict: warning: %s: bytes that are no UTF-8: %lld, the first in line %lld; "
                "taken for letters, as in training\n",
                name, (long long)k->invalid, (long long)k->first_invalid);
}

weir_status predict_reviews(const predict_run *run) {
    opinions *o = calloc(1, sizeof *o);
    if (!o) return weir_fail(WEIR_ERROR_MEMORY, "no memory for %d reviews", BATCH);
    o->run = run;
    o->from.fd = -1;
    weir_status status = start(run, o);
    if (status == WEIR_OK && !o->from.owned && isatty(o->from.fd))
        fputs("weir predict: reading reviews, one in each line, until Ctrl-D\n", stderr);
    if (status == WEIR_OK) {
        const weir_status end = answer(o);
        /* What came before a line that is refused is answered. */
        status = o->count > 0 ? flush(o) : WEIR_OK;
        if (end != WEIR_OK) status = end;
        print_remarks(o);
    }
    lines_close(&o->from);
    known_words_free(&o->words);
    free(o->x);
    free(o);
    return status;
}

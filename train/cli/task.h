/* What a model is for: the weather tomorrow, or the opinion of a review. SPDX-License-Identifier: Apache-2.0
 */
#ifndef WEIR_CLI_TASK_H
#define WEIR_CLI_TASK_H

#include "train/cli/score.h"
#include "train/cli/text_task.h"
#include "train/cli/weather.h"
#include "train/data/source.h"
#include "weir/model.h"

typedef struct task_arguments {
    data_arguments data;
    series_arguments series;
    window_arguments window;
    text_arguments text;
    int64_t max_len; /* of a review; 0: the model's own */
} task_arguments;

task_arguments task_arguments_default(void);

#define TASK_SOURCE_OPTIONS(t)                                                                  \
    DATA_OPTIONS(&(t)->data), SERIES_OPTIONS(&(t)->series), OPTION_GROUP("Reviews (imdb-...)"), \
        TEXT_SOURCE_OPTIONS(&(t)->text)
#define TASK_OPTIONS(t)                                                                   \
    DATA_OPTIONS(&(t)->data), SERIES_OPTIONS(&(t)->series), WINDOW_OPTIONS(&(t)->window), \
        OPTION_GROUP("Reviews (imdb-...)"), TEXT_SOURCE_OPTIONS(&(t)->text),              \
        OPTION_INT_DEFAULT("max-len", "N", &(t)->max_len, 1, 1e6,                         \
                           "last tokens of a review that a model reads; shorter reviews " \
                           "are padded in front",                                         \
                           "500"),                                                        \
        TEXT_READING_OPTIONS(&(t)->text)

/* The data, and samples of them. A zeroed task may be freed. */
typedef struct task {
    bool text; /* reviews, else the weather */
    series s;
    windows w;
    imdb d;
    source from;
    score_form form;
} task;

/*
 * Reads or generates the data. Errors: ARGUMENT (not exactly one of --data and --generated; an option
 * that is the other task's), those of weather.h and text_task.h.
 */
weir_status task_load(const task_arguments *a, bool is_text, weir_runtime *rt, task *out);
/* The samples of a loaded task as a model reads them; may be called again for another model. Errors:
 * those of windows.h, MEMORY. */
weir_status task_sample(const task_arguments *a, const weir_builtin *model, task *t);
/* The weather's samples by other options; mean_std as windows_create has it. */
weir_status task_windows(task *t, const window_options *o, const double *mean_std);
/* All windows of the series whose target it reaches, as the test split. Errors: those of windows.h, ARGUMENT
 * (there is none). */
weir_status task_windows_whole(task *t, const window_options *o, const double *mean_std);
void task_free(task *t);

/* Steps of an epoch: those given, 0 for the task's own number. Errors: ARGUMENT (more than an epoch
 * of reviews has). */
weir_status task_steps(const task *t, int64_t batch_size, int64_t given, int64_t *steps);

/* Of all samples and the numbers they are made of, to recognise data by wherever they lie. */
uint64_t task_checksum(const task *t);

/* Sets what the data decide: T, C_in, target, V. */
void task_model_options(const task *t, weir_model_options *o);
/* The same without data: those of the Jena file, or what was given for reviews. Errors: ARGUMENT. */
weir_status task_shape(const task_arguments *a, const weir_builtin *model, weir_model_options *o);

/* The data in words; the data and the samples. */
void task_print_data(const task *t, const task_arguments *a, const char *command);
void task_print(const task *t, const task_arguments *a, const char *command);

#endif

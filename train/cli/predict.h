/* The parts of weir predict. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_PREDICT_H
#define WEIR_CLI_PREDICT_H

#include "train/cli/runtime_options.h"
#include "train/cli/trained.h"

typedef struct predict_arguments {
    const char *file;
    data_arguments data;
    series_arguments series;
    int64_t last; /* windows of a rolling forecast; 0: all */
    bool rolling, stream, json;
    runtime_arguments runtime;
} predict_arguments;

typedef struct predict_run {
    const predict_arguments *a;
    weir_runtime *runtime;
    trained trained;
} predict_run;

/* Each prints what it finds. Errors: those of the data and of the model, ARGUMENT (an option that does
 * not fit), FORMAT (the model gives no finite number). */
weir_status predict_weather(const predict_run *r);
weir_status predict_reviews(const predict_run *r);
weir_status predict_stream(const predict_run *r);

/* FORMAT unless all of y[n] is finite. */
weir_status predict_check(const predict_run *r, const float *y, int64_t n);
/* Adds a time as ISO 8601. */
void predict_add_time(cJSON *json, const char *key, int64_t time);
/* Prints the object on a line and frees it. Errors: MEMORY. */
weir_status predict_print(cJSON *json);

#endif

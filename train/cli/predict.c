/* weir predict. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/predict.h"

#include <math.h>
#include <stdio.h>

#include "train/cli/commands.h"
#include "train/data/timestamp.h"
#include "train/model/json.h"

static const char *const examples[] = {
    "weir predict jena-conv-gru.safetensors --data jena_climate_2009_2016.csv",
    "weir predict jena-gru.safetensors --data hourly.csv --last 24 --json",
    "tail -n 2000 -f station.csv | weir predict jena-conv-gru.safetensors --stream",
    "weir predict imdb-lstm.safetensors < reviews.txt",
    NULL,
};

static int parse(predict_arguments *a, int argc, char **argv) {
    *a = (predict_arguments){.data = {.generated_seed = -1}, .series = series_arguments_default()};
    const option table[] = {
        OPTION_GROUP("Data"),
        OPTION_STRING_DEFAULT("data", "PATH", &a->data.file,
                              "weather: a CSV file with the columns of the training; reviews: a "
                              "text file, a review in each line, or - for standard input",
                              "reviews, --stream: standard input"),
        OPTION_FLAG("json", &a->json, "print JSON, an object in each line"),
        OPTION_GROUP("Weather (jena-...)"),
        OPTION_FLAG("rolling", &a->rolling, "forecasts from every row that a window fits before"),
        OPTION_INT_DEFAULT("last", "N", &a->last, 1, 1e9, "of these the last N", "all"),
        OPTION_FLAG("stream", &a->stream,
                    "read rows as they come, from standard input or --data, and go on forecasting"),
        OPTION_DOUBLE("missing", "VALUE", &a->series.missing_value, -1e30, 1e30,
                      "stands for a missing value (an empty cell is missing too)"),
        OPTION_CHOICE("missing-policy", &a->series.missing, weather_missing_policies,
                      "what becomes of a missing value"),
        OPTION_FLAG("generated", &a->data.generated, "made-up weather in place of --data"),
        OPTION_INT_DEFAULT("generated-seed", "N", &a->data.generated_seed, 0, 1e15,
                           "which made-up weather", "0"),
        OPTION_INT("generated-rows", "N", &a->series.generated_rows, 1, SERIES_GENERATE_MAX,
                   "rows of it, every 10 minutes"),
        RUNTIME_OPTIONS(&a->runtime),
        OPTION_END};
    const positional names[] = {{"FILE", &a->file, true, "a model that weir train saved"}, {0}};
    const command_line line = {
        .command = "predict",
        .summary =
            "Forecast the weather after the end of a series, or tell the opinion of reviews.",
        .options = table,
        .positionals = names,
        .examples = examples,
        .notes = "Of a review: the probability that it is positive. Columns, windows, words and "
                 "normalisation are those of the training, and so should --missing be."};
    return options_parse(&line, argc, argv);
}

weir_status predict_check(const predict_run *r, const float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(y[i]))
            return weir_fail(WEIR_ERROR_FORMAT,
                             "%s gives %g: its weights do not give finite numbers", r->a->file,
                             (double)y[i]);
    return WEIR_OK;
}

void predict_add_time(cJSON *json, const char *key, int64_t time) {
    char text[TIMESTAMP_LENGTH + 1];
    timestamp_format_iso(time, text);
    weir_json_add_string(json, key, text);
}

weir_status predict_print(cJSON *json) {
    char *text = weir_json_print(json);
    cJSON_Delete(json);
    if (!text) return weir_fail(WEIR_ERROR_MEMORY, "no memory for JSON");
    puts(text);
    cJSON_free(text);
    return WEIR_OK;
}

int cmd_predict(int argc, char **argv) {
    predict_arguments a;
    const int parsed = parse(&a, argc, argv);
    if (parsed >= 0) return parsed;
    predict_run r = {.a = &a};
    weir_status status = runtime_create(&a.runtime, "predict", &r.runtime);
    if (status == WEIR_OK) status = trained_load(r.runtime, a.file, &r.trained);
    if (status == WEIR_OK)
        status = r.trained.record.text ? predict_reviews(&r)
                 : a.stream            ? predict_stream(&r)
                                       : predict_weather(&r);
    const int result = status == WEIR_OK ? STATUS_OK : command_failed("predict", status);
    trained_free(&r.trained);
    weir_runtime_destroy(r.runtime);
    return result;
}

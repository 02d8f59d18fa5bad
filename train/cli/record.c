/* What a model file knows of its data and its training. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/record.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cli/record_weather.h"
#include "train/model/json.h"
#include "train/model/utf8.h"

/* ---- writing ---- */

const char *record_vocabulary(const imdb *d, char text[17]) {
    snprintf(text, 17, "%016" PRIx64, d->vocabulary);
    return text;
}

static void write_reviews(const task *t, cJSON *json) {
    char vocabulary[17];
    weir_json_add(json, "reviews", weir_json_number((double)t->d.reviews));
    weir_json_add(json, "max_len", weir_json_number((double)t->from.T));
    weir_json_add(json, "max_features", weir_json_number((double)t->d.o.max_features));
    weir_json_add(json, "val_fraction", weir_json_number(t->d.o.val_fraction));
    weir_json_add(json, "split_seed", weir_json_number((double)t->d.o.seed));
    weir_json_add_string(json, "vocabulary", record_vocabulary(&t->d, vocabulary));
}

/* A file's name in UTF-8, whatever it is: ? for each byte that is in none. The caller's. */
static char *source_name(const char *name) {
    const size_t size = strlen(name) + 1;
    char *text = malloc(size);
    if (!text) return NULL;
    memcpy(text, name, size);
    for (int64_t left = (int64_t)size - 1, i = 0; left > 0;) {
        const int64_t bytes = weir_utf8_bytes(text + i, left);
        if (bytes == 0) text[i] = '?';
        i += bytes > 0 ? bytes : 1;
        left = (int64_t)size - 1 - i;
    }
    return text;
}

cJSON *record_data(const task *t) {
    char checksum[17];
    cJSON *json = weir_json_object();
    weir_json_add_string(json, "task", t->text ? "imdb" : "jena");
    char *from = source_name(t->text ? t->d.source : t->s.source);
    weir_json_add_string(json, "source", from ? from : "");
    free(from);
    weir_json_add_bool(json, "generated", t->text ? t->d.generated : t->s.generated);
    snprintf(checksum, sizeof checksum, "%016" PRIx64, task_checksum(t));
    weir_json_add_string(json, "checksum", checksum);
    if (t->text)
        write_reviews(t, json);
    else
        record_weather_write(&t->s, &t->w, json);
    return json;
}

weir_status record_attach(weir_model *model, const char *key, const cJSON *json) {
    char *text = json ? weir_json_print(json) : NULL;
    if (!text) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the metadata %s", key);
    weir_status status = weir_model_set_metadata(model, key, text);
    cJSON_free(text);
    return status;
}

static const char words_key[] = "vocabulary";

weir_status record_attach_words(weir_model *model, const imdb *d) {
    const size_t most = (size_t)8 << 20; /* the header of a model file may have 16 MB */
    char *text = known_words_write(d);
    if (!text) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the metadata %s", words_key);
    const weir_status status =
        weir_model_set_metadata(model, words_key, strlen(text) <= most ? text : NULL);
    free(text);
    return status;
}

/* ---- reading ---- */

static bool read_whole(const cJSON *json, const char *key, double max, int64_t *out) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    const double value = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (!(value >= 0 && value <= max) || floor(value) != value) return false;
    *out = (int64_t)value;
    return true;
}

static weir_status read_reviews(const cJSON *json, record *out) {
    if (!read_whole(json, "max_len", 1e15, &out->max_len))
        return record_wrong("max_len", "a whole number");
    if (!read_whole(json, "max_features", IMDB_FEATURES_LIMIT, &out->max_features))
        return record_wrong("max_features", "a whole number, at most 16777216");
    if (!read_whole(json, "split_seed", 1e15, &out->split_seed))
        return record_wrong("split_seed", "a whole number");
    const cJSON *fraction = cJSON_GetObjectItemCaseSensitive(json, "val_fraction");
    if (!cJSON_IsNumber(fraction) || !(fraction->valuedouble >= 0 && fraction->valuedouble < 1))
        return record_wrong("val_fraction", "a number, 0 or more and below 1");
    out->val_fraction = fraction->valuedouble;
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "vocabulary"));
    if (!text || strlen(text) >= sizeof out->vocabulary)
        return record_wrong("vocabulary", "a text of at most 16 bytes");
    strcpy(out->vocabulary, text);
    return WEIR_OK;
}

static weir_status read_data(const cJSON *json, record *out) {
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "task"));
    out->text = name && strcmp(name, "imdb") == 0;
    return out->text ? read_reviews(json, out) : record_weather_read(json, out);
}

/* A file that names no loss is from before there was another than MAE. */
static weir_status read_loss(const weir_model *model, record *out) {
    const char *text = weir_model_metadata(model, "training");
    cJSON *json = text ? weir_json_parse(text, strlen(text), NULL) : NULL;
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "loss"));
    int loss = name ? 0 : WEIR_MAE;
    while (name && loss < WEIR_LOSS_COUNT && strcmp(weir_loss_name((weir_loss)loss), name) != 0)
        loss++;
    cJSON_Delete(json);
    if (loss == WEIR_LOSS_COUNT)
        return weir_fail(WEIR_ERROR_FORMAT,
                         "the model file's metadata: training.loss is not known");
    out->loss = (weir_loss)loss;
    return WEIR_OK;
}

weir_status record_read(const weir_model *model, record *out) {
    *out = (record){0};
    const char *text = weir_model_metadata(model, "data");
    if (!text)
        return weir_fail(WEIR_ERROR_FORMAT,
                         "the model file does not say what data it was trained on (no metadata "
                         "\"data\")");
    cJSON *json = weir_json_parse(text, strlen(text), NULL);
    if (!json) return weir_fail(WEIR_ERROR_FORMAT, "the model file's metadata: data is not JSON");
    weir_status status = read_data(json, out);
    cJSON_Delete(json);
    if (status == WEIR_OK) status = read_loss(model, out);
    if (status != WEIR_OK) record_free(out);
    return status;
}

weir_status record_read_words(const weir_model *model, const record *r, known_words *out) {
    const char *text = weir_model_metadata(model, words_key);
    *out = (known_words){0};
    if (!text)
        return weir_fail(WEIR_ERROR_FORMAT,
                         "the model file does not hold the words it was trained on (no metadata "
                         "\"%s\"): train it again with this version of weir",
                         words_key);
    weir_status status = known_words_read(text, out);
    if (status != WEIR_OK) return status;
    char checksum[17];
    snprintf(checksum, sizeof checksum, "%016" PRIx64, out->checksum);
    if (strcmp(checksum, r->vocabulary) == 0 &&
        out->words.count <= r->max_features - IMDB_FIRST_WORD)
        return WEIR_OK;
    const int64_t count = out->words.count;
    known_words_free(out);
    return weir_fail(WEIR_ERROR_FORMAT,
                     "the model file's metadata: the %lld words of %s have the checksum %s, "
                     "accepted: at most %lld words with the checksum %s, that of the training",
                     (long long)count, words_key, checksum,
                     (long long)(r->max_features - IMDB_FIRST_WORD), r->vocabulary);
}

void record_free(record *r) {
    for (int64_t i = 0; r->names && i < r->columns; i++) free(r->names[i]);
    free(r->names);
    free(r->joined);
    free(r->mean_std);
    *r = (record){0};
}

/* The history of a training run, as CSV or JSON. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/history.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/cli/names.h"
#include "train/model/atomic_file.h"
#include "train/model/json.h"

weir_status history_check_path(const char *path) {
    if (name_ends(path, ".csv") || name_ends(path, ".json")) return WEIR_OK;
    return weir_fail(WEIR_ERROR_ARGUMENT,
                     "--history is %s, accepted: a name that ends with .csv or .json", path);
}

weir_status history_add(history *h, const epoch_result *r) {
    epoch_result *rows = realloc(h->rows, ((size_t)h->count + 1) * sizeof *rows);
    if (!rows) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the history");
    h->rows = rows;
    h->rows[h->count++] = *r;
    return WEIR_OK;
}

void history_free(history *h) {
    free(h->rows);
    *h = (history){0};
}

static const char *second_name(const history *h) {
    return h->form.classes ? "val_accuracy" : "val_units";
}

static double second_value(const history *h, const epoch_result *r) {
    return h->form.classes ? r->val.accuracy : score_units(&h->form, r->val.loss);
}

static char *csv_text(const history *h) {
    const size_t line = 192;
    char *text = malloc(((size_t)h->count + 1) * line);
    if (!text) return NULL;
    char *at = text;
    const bool rounds = h->count > 0 && !isnan(h->rows[0].val.rounded);
    at += snprintf(at, line, "epoch,loss,val_loss,%s,train_seconds,val_seconds%s\n", second_name(h),
                   rounds ? ",val_accuracy_rounded" : "");
    for (int64_t i = 0; i < h->count; i++) {
        const epoch_result *r = &h->rows[i];
        /* 9 digits tell every float32 apart. */
        at += snprintf(at, line, "%lld,%.9g,%.9g,%.9g,%.3f,%.3f", (long long)r->epoch, r->loss,
                       r->val.loss, second_value(h, r), r->train_seconds, r->val_seconds);
        if (rounds) at += snprintf(at, line, ",%.9g", r->val.rounded);
        *at++ = '\n';
    }
    *at = '\0';
    return text;
}

static cJSON *row_json(const history *h, const epoch_result *r) {
    cJSON *row = weir_json_object();
    weir_json_add(row, "epoch", weir_json_number((double)r->epoch));
    weir_json_add(row, "loss", weir_json_number(r->loss));
    weir_json_add(row, "val_loss", weir_json_number(r->val.loss));
    weir_json_add(row, second_name(h), weir_json_number(second_value(h, r)));
    if (!isnan(r->val.rounded))
        weir_json_add(row, "val_accuracy_rounded", weir_json_number(r->val.rounded));
    weir_json_add(row, "train_seconds", weir_json_number(r->train_seconds));
    weir_json_add(row, "val_seconds", weir_json_number(r->val_seconds));
    return row;
}

cJSON *history_rows_json(const history *h) {
    cJSON *rows = weir_json_array();
    for (int64_t i = 0; i < h->count; i++) weir_json_append(rows, row_json(h, &h->rows[i]));
    return rows;
}

static char *json_text(const history *h, const cJSON *facts) {
    cJSON *json = weir_json_copy(facts);
    weir_json_add(json, "epochs", history_rows_json(h));
    char *text = weir_json_print_lines(json);
    cJSON_Delete(json);
    return text;
}

weir_status history_write(const history *h, const cJSON *facts, const char *path) {
    const bool csv = name_ends(path, ".csv");
    char *text = csv ? csv_text(h) : json_text(h, facts);
    if (!text) return weir_fail(WEIR_ERROR_MEMORY, "no memory for the history");
    const chunk parts[] = {{text, strlen(text)}, {"\n", csv ? 0 : 1}};
    weir_status status = weir_atomic_file_write(path, parts, 2);
    if (csv)
        free(text);
    else
        cJSON_free(text);
    return status;
}

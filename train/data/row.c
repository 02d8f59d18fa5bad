/* A row of a CSV file: its time and its numbers. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/row.h"

#include <float.h>
#include <math.h>

#include "train/data/number.h"
#include "train/data/timestamp.h"

static weir_status bad_cell(const row_reader *r, const csv_cell *cell, int64_t column,
                            const char *what) {
    char text[CSV_SHOWN];
    return csv_fail(&r->file, cell->begin, "\"%s\" in column \"%s\" %s", csv_show(cell, text),
                    r->head.names[column], what);
}

/* A cell that holds no value: NaN marks it until the policy has been applied. */
static weir_status take_missing(row_reader *r, const csv_cell *cell, int64_t column, float *value) {
    if (r->options->missing == MISSING_ERROR)
        return bad_cell(r, cell, column, "is a missing value, and missing values are refused");
    r->missing_cells++;
    *value = NAN;
    return WEIR_OK;
}

static weir_status take_value(row_reader *r, const csv_cell *cell, int64_t column, float *value) {
    const missing_policy policy = r->options->missing;
    double number;
    if (cell->begin == cell->end) {
        if (policy == MISSING_NONE)
            return bad_cell(r, cell, column, "is empty, and missing values are not filled");
        return take_missing(r, cell, column, value);
    }
    switch (number_parse(cell->begin, cell->end, &number)) {
    case NUMBER_BAD: return bad_cell(r, cell, column, "is not a number");
    case NUMBER_RANGE: return bad_cell(r, cell, column, "is too large or too long a number");
    case NUMBER_OK: break;
    }
    if (number == r->options->missing_value && policy != MISSING_NONE)
        return take_missing(r, cell, column, value);
    if (fabs(number) > FLT_MAX) return bad_cell(r, cell, column, "is too large a number");
    if (number == r->options->missing_value) r->missing_cells++;
    *value = (float)number;
    return WEIR_OK;
}

/* The line had `cells` cells when it ended, or more than the header. */
static weir_status wrong_count(row_reader *r, int64_t cells, csv_cell last) {
    const char *at = last.begin;
    const bool file_ended = !r->lines && r->file.next == r->file.data + r->file.size;
    while (!last.last) {
        const weir_status status = csv_take_cell(&r->file, &last);
        if (status != WEIR_OK) return status;
        cells++;
    }
    const char *hint = "";
    if (cells < r->head.count && file_ended) hint = "; the file ends here, is it complete?";
    if (cells == 1 && last.begin == last.end)
        return csv_fail(&r->file, at, "the line is empty, but rows follow");
    return csv_fail(&r->file, at, "the row has %lld cell%s, the header has %lld%s",
                    (long long)cells, cells == 1 ? "" : "s", (long long)r->head.count, hint);
}

weir_status row_read(row_reader *r, int64_t *time, float *values) {
    csv_cell cell;
    for (int64_t column = 0; column < r->head.count; column++) {
        weir_status status = csv_take_cell(&r->file, &cell);
        if (status != WEIR_OK) return status;
        if (cell.last != (column == r->head.count - 1)) return wrong_count(r, column + 1, cell);
        if (column == 0) {
            if (!timestamp_parse(cell.begin, cell.end, time))
                return bad_cell(r, &cell, column, "is not a time, accepted: " TIMESTAMP_ACCEPTED);
            continue;
        }
        const int64_t to = r->head.to[column];
        if (to < 0) continue;
        status = take_value(r, &cell, column, values + to);
        if (status != WEIR_OK) return status;
    }
    return WEIR_OK;
}

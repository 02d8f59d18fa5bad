/* The Jena climate file from its public place. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "train/data/fetch_archive.h"
#include "train/data/jena.h"
#include "train/data/series.h"
#include "train/data/timestamp.h"
#include "train/data/unpack.h"

enum { MOST_BYTES = 100000000 }; /* the file has 43 million */

/* What the first row is known to hold. */
static const char first_time[] = "01.01.2009 00:10:00";
static const struct {
    const char *column;
    float value;
} first_row[] = {{"p (mbar)", 996.52f}, {"T (degC)", -8.02f},    {"Tdew (degC)", -8.90f},
                 {"rh (%)", 93.30f},    {"VPmax (mbar)", 3.33f}, {"wv (m/s)", 1.03f}};

static weir_status check_header(const series *s, const char *path) {
    if (s->columns != JENA_COLUMNS)
        return weir_fail(WEIR_ERROR_FORMAT, "%s has %lld columns beside the times, not %d", path,
                         (long long)s->columns, JENA_COLUMNS);
    for (int i = 0; i < JENA_COLUMNS; i++)
        if (strcmp(s->names[i], jena_columns[i]) != 0)
            return weir_fail(WEIR_ERROR_FORMAT, "%s: column %d is \"%s\", not \"%s\"", path, i + 2,
                             s->names[i], jena_columns[i]);
    return WEIR_OK;
}

static weir_status check_first_row(const series *s, const char *path) {
    char time[TIMESTAMP_LENGTH + 1] = "";
    timestamp_format(s->first_time, time);
    if (strcmp(time, first_time) != 0)
        return weir_fail(WEIR_ERROR_FORMAT, "%s begins at %s, not at %s", path, time, first_time);
    for (size_t i = 0; i < sizeof first_row / sizeof first_row[0]; i++) {
        int64_t column = 0;
        while (strcmp(s->names[column], first_row[i].column) != 0) column++;
        if (s->values[column] != first_row[i].value)
            return weir_fail(WEIR_ERROR_FORMAT, "%s: \"%s\" is %g in the first row, not %g", path,
                             first_row[i].column, (double)s->values[column],
                             (double)first_row[i].value);
    }
    return WEIR_OK;
}

static weir_status check_csv(const char *path) {
    series s;
    weir_status status = series_read_csv(path, NULL, &s);
    if (status != WEIR_OK) /* no option of the user's is to blame */
        return weir_fail(WEIR_ERROR_FORMAT, "%s", weir_last_error());
    status = check_header(&s, path);
    if (status == WEIR_OK) status = check_first_row(&s, path);
    if (status == WEIR_OK && s.rows != JENA_ROWS)
        status = weir_fail(WEIR_ERROR_FORMAT, "%s has %lld rows, not %d", path, (long long)s.rows,
                           JENA_ROWS);
    series_free(&s);
    return status;
}

/* Compares the archive with the sum recorded at the first download, if there is one. */
static weir_status check_sum(const char *archive, const char *record, bool was_there,
                             fetch_result *result) {
    char recorded[SHA256_TEXT] = "";
    const weir_status status = sha256_file(archive, result->sha256);
    if (status != WEIR_OK) return status;
    FILE *file = fopen(record, "r");
    result->recorded = file == NULL;
    if (file == NULL && errno == ENOENT) return WEIR_OK;
    if (file == NULL) return weir_fail(WEIR_ERROR_SYSTEM, "%s: %s", record, strerror(errno));
    const bool read = fread(recorded, 1, sizeof recorded - 1, file) == sizeof recorded - 1;
    fclose(file);
    if (read && strcmp(recorded, result->sha256) == 0) return WEIR_OK;
    char kept[FETCH_NOTE];
    return weir_fail(WEIR_ERROR_FORMAT,
                     "%s has the sha256 %s, but %s recorded %s at the first download. Delete "
                     "the record if the new file is right%s",
                     archive, result->sha256, record, read ? recorded : "none",
                     fetch_set_aside(archive, was_there, kept));
}

/* In the form that sha256sum --check reads. */
static weir_status record_sum(const char *record, const char *sum) {
    FILE *file = fopen(record, "w");
    if (file != NULL) {
        fprintf(file, "%s  %s\n", sum, JENA_ZIP);
        if (fclose(file) == 0) return WEIR_OK;
    }
    return weir_fail(WEIR_ERROR_SYSTEM, "%s: writing: %s", record, strerror(errno));
}

/* Unpacks beside the place and moves the file there when it has passed the checks. */
static weir_status unpack_checked(const char *archive, const char *csv) {
    char part[FETCH_PATH + 8];
    snprintf(part, sizeof part, "%s.part", csv);
    weir_status status = unpack_file(archive, JENA_CSV, MOST_BYTES, part);
    if (status == WEIR_OK) status = check_csv(part);
    if (status == WEIR_OK && rename(part, csv) != 0)
        status = weir_fail(WEIR_ERROR_SYSTEM, "%s: renaming: %s", part, strerror(errno));
    if (status != WEIR_OK) unlink(part);
    return status;
}

weir_status fetch_jena(const char *dir, const char *url, download_progress_fn *progress, void *user,
                       fetch_result *result) {
    char archive[FETCH_PATH], record[FETCH_PATH];
    bool archive_was_there = false;
    *result = (fetch_result){0};
    weir_status status = fetch_path(dir, JENA_CSV, result->file);
    if (status == WEIR_OK) status = fetch_path(dir, JENA_ZIP, archive);
    if (status == WEIR_OK) status = fetch_path(dir, JENA_ZIP ".sha256", record);
    if (status != WEIR_OK) return status;
    result->was_there = fetch_exists(result->file);
    if (result->was_there) return check_csv(result->file);

    status = fetch_archive(dir, url, archive, progress, user, &archive_was_there);
    if (status != WEIR_OK) return status;
    status = check_sum(archive, record, archive_was_there, result);
    if (status != WEIR_OK) return status;
    status = unpack_checked(archive, result->file);
    if (status == WEIR_OK && result->recorded) status = record_sum(record, result->sha256);
    /* What was downloaded and is no good would be in the way of the next attempt. */
    if (status == WEIR_ERROR_FORMAT && !archive_was_there) unlink(archive);
    return status;
}

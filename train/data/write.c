/* Writing a series as a CSV file. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/data/series.h"
#include "train/data/timestamp.h"
#include "train/model/atomic_file.h"

static void write_header(const series *s, FILE *file) {
    fputs("\"Date Time\"", file);
    for (int64_t i = 0; i < s->columns; i++) {
        fputs(",\"", file);
        for (const char *c = s->names[i]; *c != '\0'; c++) {
            if (*c == '"') fputc('"', file);
            fputc(*c, file);
        }
        fputc('"', file);
    }
    fputc('\n', file);
}

static void write_rows(const series *s, bool (*stopped)(void), FILE *file) {
    for (int64_t row = 0; row < s->rows && !ferror(file); row++) {
        if (stopped != NULL && stopped()) return;
        char time[TIMESTAMP_LENGTH];
        timestamp_format(s->first_time + row * (int64_t)s->step_seconds, time);
        fwrite(time, 1, sizeof time, file);
        for (int64_t i = 0; i < s->columns; i++)
            fprintf(file, ",%.2f", (double)s->values[row * s->columns + i]);
        fputc('\n', file);
    }
}

static weir_status system_error(const char *path, const char *doing) {
    return weir_fail(WEIR_ERROR_SYSTEM, "%s: %s: %s", path, doing, strerror(errno));
}

weir_status series_write_csv(const series *s, const char *path, bool (*stopped)(void)) {
    weir_status status = weir_atomic_file_check(path);
    if (status != WEIR_OK) return status;
    /* Written under another name first: a stop in between leaves no half a file under this one, and
     * two runs do not mix. */
    const size_t size = strlen(path) + sizeof ".part-" + 20;
    char *part = malloc(size);
    if (part == NULL) return weir_fail(WEIR_ERROR_MEMORY, "no memory for a file name");
    snprintf(part, size, "%s.part-%ld", path, (long)getpid());
    FILE *file = fopen(part, "w");
    if (file == NULL) {
        status = system_error(path, "creating it");
    } else {
        write_header(s, file);
        write_rows(s, stopped, file);
        const bool failed = ferror(file) != 0;
        if (fclose(file) != 0 || failed) status = system_error(path, "writing");
        if (status == WEIR_OK && stopped != NULL && stopped())
            status = weir_fail(WEIR_ERROR_STATE, "%s: stopped while writing", path);
        if (status == WEIR_OK && rename(part, path) != 0) status = system_error(path, "renaming");
        if (status != WEIR_OK) unlink(part);
    }
    free(part);
    return status;
}

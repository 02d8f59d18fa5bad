/* The header line of a CSV file and the choice of columns. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_HEADER_H
#define WEIR_TRAIN_HEADER_H

#include "train/data/csv.h"
#include "train/data/series.h"

typedef struct header {
    int64_t count;  /* columns of the file, the times included */
    char **names;   /* [count], owned */
    int64_t *to;    /* [count]: column of the series, or -1 when it is not used; owned */
    int64_t used;   /* columns of the series */
    int64_t target; /* column of the series */
} header;

/* Takes the header line and finds the columns that the options name. Errors: FORMAT (no header, a
 * column without a name or with another's), ARGUMENT (unknown column), MEMORY. */
weir_status header_read(csv_file *file, const series_options *options, header *head);
/* The header of a file that has none: times, then these columns. Errors: MEMORY. */
weir_status header_make(char *const *names, int64_t columns, int64_t target, header *head);
/* Copies the names of the used columns, their number and the target into the series. */
weir_status header_names(const header *head, series *s);
void header_free(header *head);

#endif

/* The Jena climate file from its public place. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_FETCH_H
#define WEIR_TRAIN_FETCH_H

#include <stdbool.h>

#include "train/data/download.h"
#include "train/data/sha256.h"

#define JENA_URL "https://storage.googleapis.com/tensorflow/tf-keras-datasets/" JENA_ZIP
#define JENA_ZIP JENA_CSV ".zip"
#define JENA_CSV "jena_climate_2009_2016.csv"
#define JENA_ROWS 420551

enum { FETCH_PATH = 4096 };

typedef struct fetch_result {
    char csv[FETCH_PATH];     /* the file to train on */
    char sha256[SHA256_TEXT]; /* of the archive; empty when the file was there already */
    bool was_there, recorded; /* nothing was done; the sha256 was recorded for the first time */
} fetch_result;

/*
 * Brings JENA_CSV into dir (made if missing): downloads the archive unless dir holds it, unpacks
 * it, checks header, first row and number of rows. The archive's sha256 is recorded in JENA_ZIP
 * ".sha256" the first time and compared from then on. A file that is there is only checked.
 * Errors: UNSUPPORTED (built without the fetch feature), SYSTEM, FORMAT, MEMORY.
 */
weir_status fetch_jena(const char *dir, const char *url, download_progress_fn *progress, void *user,
                       fetch_result *result);

#endif

/* Data sets from their public places. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_FETCH_H
#define WEIR_TRAIN_FETCH_H

#include <stdbool.h>

#include "train/data/download.h"
#include "train/data/md5.h"
#include "train/data/sha256.h"

/* The Jena climate file. */
#define JENA_URL "https://storage.googleapis.com/tensorflow/tf-keras-datasets/" JENA_ZIP
#define JENA_ZIP JENA_CSV ".zip"
#define JENA_CSV "jena_climate_2009_2016.csv"
#define JENA_ROWS 420551

/* The IMDB reviews. */
#define IMDB_URL "https://ai.stanford.edu/~amaas/data/sentiment/" IMDB_ARCHIVE
#define IMDB_ARCHIVE "aclImdb_v1.tar.gz"
#define IMDB_MD5 "7c2ac02c03563afcf9b574c7e56c153a"
#define IMDB_REVIEWS 25000 /* to train on, and as many for the test */

enum { FETCH_PATH = 4096 };

typedef struct fetch_result {
    char file[FETCH_PATH];    /* to train on */
    char sha256[SHA256_TEXT]; /* Jena: of the archive; empty when the file was there already */
    char md5[MD5_TEXT];       /* IMDB: of the archive */
    bool was_there;           /* nothing was downloaded */
    bool recorded;            /* Jena: the sha256 was recorded for the first time */
} fetch_result;

/*
 * Brings JENA_CSV into dir (made if missing): downloads the archive unless dir holds it, unpacks
 * it, checks header, first row and number of rows. The archive's sha256 is recorded in JENA_ZIP
 * ".sha256" the first time and compared from then on. A file that is there is only checked.
 * Errors: UNSUPPORTED (built without the fetch feature), SYSTEM, FORMAT, MEMORY.
 */
weir_status fetch_jena(const char *dir, const char *url, download_progress_fn *progress, void *user,
                       fetch_result *result);

/*
 * Brings IMDB_ARCHIVE into dir (made if missing): downloads it unless dir holds it, compares its MD5
 * with `md5` (NULL: it is not compared) and counts the reviews in it. Errors: as fetch_jena.
 */
weir_status fetch_imdb(const char *dir, const char *url, const char *md5,
                       download_progress_fn *progress, void *user, fetch_result *result);

#endif

/* What fetching any data set begins with. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_FETCH_ARCHIVE_H
#define WEIR_TRAIN_FETCH_ARCHIVE_H

#include "train/data/fetch.h"

bool fetch_exists(const char *path);

/* Makes dir if it is missing and downloads url to `path`, which lies in it, unless that exists:
 * *was_there says so. Errors: SYSTEM, MEMORY. */
weir_status fetch_archive(const char *dir, const char *url, const char *path,
                          download_progress_fn *progress, void *user, bool *was_there);

/* "dir/name" into path. Errors: SYSTEM (it does not fit, with room for an ending). */
weir_status fetch_path(const char *dir, const char *name, char path[FETCH_PATH]);

#endif

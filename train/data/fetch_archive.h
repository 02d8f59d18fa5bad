/* What fetching any data set begins with. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_FETCH_ARCHIVE_H
#define WEIR_TRAIN_FETCH_ARCHIVE_H

#include "train/data/fetch.h"

enum { FETCH_NOTE = FETCH_PATH + 64 };

bool fetch_exists(const char *path);

/* Makes dir if it is missing and downloads url to `path`, which lies in it, unless that exists:
 * *was_there says so. Errors: SYSTEM, MEMORY. */
weir_status fetch_archive(const char *dir, const char *url, const char *path,
                          download_progress_fn *progress, void *user, bool *was_there);

/* Moves a download whose checksum is not the expected one out of the way of the next: to path.bad. A
 * wrong checksum must not cost the download. Returns ", kept as path.bad", or "" when it stays (it was
 * there before) or had to be deleted. */
const char *fetch_set_aside(const char *path, bool was_there, char text[FETCH_NOTE]);

/* "dir/name" into path. Errors: SYSTEM (it does not fit, with room for an ending). */
weir_status fetch_path(const char *dir, const char *name, char path[FETCH_PATH]);

#endif

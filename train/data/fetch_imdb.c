/* The IMDB reviews from their public place. SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <string.h>
#include <unistd.h>

#include "train/data/fetch_archive.h"
#include "train/data/imdb.h"

static weir_status check_sum(const char *md5, fetch_result *result) {
    const weir_status status = md5_file(result->file, result->md5);
    char kept[FETCH_NOTE];
    if (status != WEIR_OK || md5 == NULL || strcmp(md5, result->md5) == 0) return status;
    return weir_fail(WEIR_ERROR_FORMAT,
                     "%s has the MD5 %s, not %s: it is another file, or damaged%s", result->file,
                     result->md5, md5, fetch_set_aside(result->file, result->was_there, kept));
}

static weir_status check_reviews(const char *path) {
    imdb d;
    imdb_options o = imdb_options_default();
    o.cache = false; /* nothing is to stay when the file is no good */
    const weir_status status = imdb_load(path, &o, &d);
    if (status != WEIR_OK) return status;
    const int64_t training = d.training, test = d.reviews - d.training;
    imdb_free(&d);
    if (training == IMDB_REVIEWS && test == IMDB_REVIEWS) return WEIR_OK;
    return weir_fail(WEIR_ERROR_FORMAT,
                     "%s has %lld reviews to train on and %lld for the test, not %d each", path,
                     (long long)training, (long long)test, IMDB_REVIEWS);
}

weir_status fetch_imdb(const char *dir, const char *url, const char *md5,
                       download_progress_fn *progress, void *user, fetch_result *result) {
    *result = (fetch_result){0};
    weir_status status = fetch_path(dir, IMDB_ARCHIVE, result->file);
    if (status == WEIR_OK)
        status = fetch_archive(dir, url, result->file, progress, user, &result->was_there);
    if (status != WEIR_OK) return status;
    status = check_sum(md5, result);
    if (status != WEIR_OK) return status;
    status = check_reviews(result->file);
    /* What was downloaded and is no good would be in the way of the next attempt. */
    if (status == WEIR_ERROR_FORMAT && !result->was_there) unlink(result->file);
    return status;
}

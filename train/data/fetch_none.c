/* weir data fetch in a build without libcurl or libarchive. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/fetch.h"

static weir_status unsupported(const char *dir, const char *url, const char *verb) {
    return weir_fail(WEIR_ERROR_UNSUPPORTED,
                     "this build has no libcurl and libarchive (configure with -Dfetch=enabled). "
                     "%s %s into %s by other means",
                     verb, url, dir);
}

weir_status fetch_jena(const char *dir, const char *url, download_progress_fn *progress, void *user,
                       fetch_result *result) {
    (void)progress, (void)user, (void)result;
    return unsupported(dir, url, "Download and unzip");
}

weir_status fetch_imdb(const char *dir, const char *url, const char *md5,
                       download_progress_fn *progress, void *user, fetch_result *result) {
    (void)md5, (void)progress, (void)user, (void)result;
    return unsupported(dir, url, "Download and unpack");
}

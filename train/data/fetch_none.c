/* weir data fetch in a build without libcurl or libarchive. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/fetch.h"

weir_status fetch_jena(const char *dir, const char *url, download_progress_fn *progress, void *user,
                       fetch_result *result) {
    (void)progress, (void)user, (void)result;
    return weir_fail(WEIR_ERROR_UNSUPPORTED,
                     "this build has no libcurl and libarchive (configure with -Dfetch=enabled). "
                     "Download and unzip %s into %s by other means",
                     url, dir);
}

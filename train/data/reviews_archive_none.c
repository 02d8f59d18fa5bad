/* Reviews of an archive in a build without libarchive. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/reviews.h"

weir_status reviews_read_archive(const char *path, const void *data, size_t bytes, review_list *r) {
    (void)data, (void)bytes;
    *r = (review_list){0};
    return weir_fail(
        WEIR_ERROR_UNSUPPORTED,
        "this build has no libarchive and zlib (configure with -Dfetch=enabled) and can't read "
        "%s: unpack it and name the folder",
        path);
}

/* Reviews joined into samples of any length. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_JOINED_REVIEWS_H
#define WEIR_TRAIN_JOINED_REVIEWS_H

#include "train/data/source.h"

/*
 * As source_reviews, but in the place of padding come the reviews of the same class and split that are
 * before a row's own in the order of rows, whole ones, the nearest next to it; the first of them may
 * lack its beginning. So there are as many samples as reviews, all T steps hold words, and
 * neighbouring samples share reviews. Padded only where a class has less than T tokens. Errors: MEMORY.
 */
weir_status source_joined_reviews(const imdb *d, int64_t T, source *out);

#endif

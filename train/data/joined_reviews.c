/* Reviews joined into samples of any length. SPDX-License-Identifier: Apache-2.0 */
#include "train/data/joined_reviews.h"

#include <stdlib.h>

/* before[r], behind the order of an epoch: the row of the same class and split in front of r; of the
 * first one, the last. */
static const int64_t *before(const source *s) { return s->order + source_count(s, SPLIT_TRAIN); }

static void link_rows(const imdb *d, int64_t *previous) {
    for (int s = 0; s < SPLIT_COUNT; s++) {
        int64_t first[2] = {-1, -1}, last[2] = {-1, -1};
        for (int64_t r = d->first[s]; r < d->end[s]; r++) {
            const int class = d->labels[d->order[r]];
            if (first[class] < 0) first[class] = r;
            previous[r] = last[class];
            last[class] = r;
        }
        for (int class = 0; class < 2; class ++)
            if (first[class] >= 0) previous[first[class]] = last[class];
    }
}

/* The last tokens of the row's own review, then those in front; returns how many steps are left. */
static int64_t fill_backwards(const source *s, int64_t row, float *x) {
    const imdb *d = s->data;
    int64_t left = s->T, r = row;
    do {
        const int64_t review = d->order[r], begin = d->offsets[review];
        for (int64_t i = d->offsets[review + 1]; i > begin && left > 0;)
            x[--left] = (float)imdb_token(d, d->tokens[--i]);
        r = before(s)[r];
    } while (left > 0 && r != row);
    return left;
}

static void fill(const source *s, const int64_t *r, int64_t n, float *x, float *target) {
    const imdb *d = s->data;
    for (int64_t i = 0; i < n; i++, x += s->T) {
        for (int64_t left = fill_backwards(s, r[i], x); left > 0;) x[--left] = IMDB_PADDING;
        target[i] = (float)d->labels[d->order[r[i]]];
    }
}

weir_status source_joined_reviews(const imdb *d, int64_t T, source *out) {
    weir_status status = source_reviews(d, T, out);
    if (status != WEIR_OK) return status;
    const int64_t shuffled = source_count(out, SPLIT_TRAIN);
    int64_t *order = realloc(out->order, (size_t)(shuffled + d->reviews) * sizeof *order);
    if (!order) {
        source_free(out);
        return weir_fail(WEIR_ERROR_MEMORY, "no memory for the order of the reviews");
    }
    link_rows(d, order + shuffled);
    out->order = order;
    out->fill = fill;
    return WEIR_OK;
}

/* What a misspelt name was to be. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/nearest.h"

#include <stdint.h>
#include <string.h>

enum { LENGTH_MAX = 64 }; /* of a name; longer ones are never the nearest */

/* Insertions, deletions and replacements that turn a into b (Levenshtein). */
static size_t edit_distance(const char *a, const char *b) {
    size_t row[LENGTH_MAX + 1];
    const size_t n = strlen(b);
    if (n > LENGTH_MAX) return SIZE_MAX;
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            const size_t above = row[j + 1];
            size_t best = diagonal + (a[i] != b[j]);
            if (above + 1 < best) best = above + 1;
            if (row[j] + 1 < best) best = row[j] + 1;
            row[j + 1] = best;
            diagonal = above;
        }
    }
    return row[n];
}

const char *weir_nearest(const char *word, const char *const *names) {
    const char *best = NULL;
    size_t least = strlen(word) / 3 + 1; /* more than that is not a misspelling */
    for (; *names != NULL; names++) {
        const size_t distance = edit_distance(word, *names);
        if (distance <= least && (best == NULL || distance < least)) {
            best = *names;
            least = distance;
        }
    }
    return best;
}

/* What a misspelt name was to be. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_NEAREST_H
#define WEIR_TRAIN_NEAREST_H

/* Of names, which end with NULL, the one with the fewest letters to change, or NULL when they all differ
 * in more than a third of the word's letters and one. */
const char *weir_nearest(const char *word, const char *const *names);

#endif

/* Two layers that one op computes. SPDX-License-Identifier: Apache-2.0 */
#include "train/model/pair.h"

const layer_pair *weir_pair_find(const layer *first, const layer *second) {
    static const layer_pair *const pairs[] = {&weir_pair_conv_pool, &weir_pair_token_conv};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i]->fits(first, second)) return pairs[i];
    return NULL;
}

/* Options that Keras writes and that Weir has in one form only. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_DEFINITION_FIXED_H
#define WEIR_TRAIN_DEFINITION_FIXED_H

#include "train/model/json.h"
#include "weir/model.h"

/* Stands for Bidirectional where a kind is asked for. */
#define DEFINITION_WRAPPER WEIR_LAYER_KIND_COUNT

/*
 * False: layers of this kind have no such option. Else *status says whether its value is the one that
 * Weir has: OK, or FORMAT with the path, the key and what is accepted.
 */
bool weir_definition_fixed(weir_layer_kind kind, const cJSON *json, const char *path,
                           weir_status *status);

#endif

/* What a checkpoint of weir train knows beside the model. SPDX-License-Identifier: Apache-2.0
 *
 * The metadata "checkpoint", JSON: model (the built-in one's name, or null), name, options, recipe, epoch,
 * best_epoch, best, history; "data" as in every model file.
 */
#ifndef WEIR_CLI_RUN_STATE_H
#define WEIR_CLI_RUN_STATE_H

#include <cjson/cJSON.h>

#include "train/cli/history.h"

/* Reads the header alone: what the tensors hold is not looked at. Both are the caller's to delete, NULL
 * after an error. Errors: SYSTEM, FORMAT (no checkpoint of weir train). */
weir_status run_state_open(const char *path, cJSON **state, cJSON **data);

/* {"epoch", "best_epoch", "best", "history"} added to json. */
void run_state_write(const trainer *t, const history *h, cJSON *json);
/* The same back into a trainer whose best_parameters are there, and an empty history. best: of the best
 * epoch, may be NULL. Errors: FORMAT, MEMORY. */
weir_status run_state_read(const cJSON *json, const float *best, trainer *t, history *h);

/* Whether the data, and the options but the free ones, are those of the checkpoint at path. Errors:
 * ARGUMENT (names what differs and both values), MEMORY. */
weir_status run_state_compare_data(const char *path, const cJSON *stored, const cJSON *now);
weir_status run_state_compare_options(const char *path, const cJSON *stored, const cJSON *now,
                                      const char *const *free_ones);

#endif

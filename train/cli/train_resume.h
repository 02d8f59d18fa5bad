/* weir train --resume: options and model of a checkpoint. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_TRAIN_RESUME_H
#define WEIR_CLI_TRAIN_RESUME_H

#include "train/cli/train_arguments.h"

/* Options that a checkpoint does not keep: they decide nothing, or are of one call. */
extern const char *const train_not_kept[];

/* Reads what a->resume has beside the model, and sets a to what the run was started with. Errors:
 * SYSTEM, FORMAT. */
weir_status train_resume_open(train_arguments *a, const option *table);
/* After the command line was parsed over that: whether it fits. Errors: ARGUMENT (names what differs). */
weir_status train_resume_check(train_arguments *a, const option *table);

#endif

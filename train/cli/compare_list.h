/* The models of a comparison, by name or file. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_COMPARE_LIST_H
#define WEIR_CLI_COMPARE_LIST_H

#include "train/cli/compare_models.h"

/*
 * Names with commas between -> plan->models; a name that ends in .json is a definition of the user's.
 * plan->task and plan->options are set. Errors: ARGUMENT (unknown, of the other task, twice, too many,
 * none; a definition that can't be compared), those of user_model_read.
 */
weir_status compare_list(const char *names, const char *family, bool text, compare_plan *plan);
void compare_list_free(compare_plan *plan);

#endif

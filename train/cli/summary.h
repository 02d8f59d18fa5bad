/* The table of a model's layers. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_SUMMARY_H
#define WEIR_CLI_SUMMARY_H

#include "weir/model.h"

/* Layers with output shapes and parameters, and their sum, to stdout. */
void summary_print(const weir_model *model);

/* 107585 as "107,585", in buffer[size]. */
const char *summary_count(int64_t count, char *buffer, size_t size);

#endif

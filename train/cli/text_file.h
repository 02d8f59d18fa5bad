/* Text files as a whole. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_TEXT_FILE_H
#define WEIR_CLI_TEXT_FILE_H

#include <stddef.h>

#include "weir/status.h"

/*
 * The file with a zero byte behind it, for the caller to free(), and its length; NULL on failure. Errors:
 * SYSTEM (can't be read; errno is what the system says), FORMAT (more than `most` bytes), MEMORY; each
 * names the path.
 */
weir_status text_file_read(const char *path, size_t most, char **text, size_t *length);

#endif

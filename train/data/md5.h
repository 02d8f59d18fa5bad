/* MD5, for files that were published with one: it finds damage, not malice.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_MD5_H
#define WEIR_TRAIN_MD5_H

#include "weir/status.h"

enum { MD5_TEXT = 33 }; /* 32 hexadecimal digits and a zero */

/* Of a file's content. Errors: SYSTEM. */
weir_status md5_file(const char *path, char text[MD5_TEXT]);

#endif

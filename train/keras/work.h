/* weir-keras read and write. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_KERAS_WORK_H
#define WEIR_KERAS_WORK_H

/* From stdin to stdout, as stream.h has it. */
void keras_read(void);
void keras_write(void);

#endif

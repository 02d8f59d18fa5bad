/* Text from files, made safe for a terminal. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_PRINTABLE_H
#define WEIR_CLI_PRINTABLE_H

enum { PRINTABLE = 1200 };

/*
 * The text with '?' for every control character: a name in a CSV or model file could otherwise
 * retitle or repaint the terminal. What does not fit is cut off. UTF-8 passes.
 */
const char *printable(const char *text, char buffer[PRINTABLE]);

#endif

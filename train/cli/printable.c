/* Text from files, made safe for a terminal. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/printable.h"

#include <stdbool.h>
#include <stddef.h>

/* U+0080 to U+009F, in UTF-8, are control characters as well. */
static bool begins_control(const unsigned char *c) {
    return *c < ' ' || *c == 127 || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f);
}

const char *printable(const char *text, char buffer[PRINTABLE]) {
    const unsigned char *from = (const unsigned char *)text;
    size_t n = 0;
    for (; *from != '\0' && n + 1 < PRINTABLE; from++) {
        const bool control = begins_control(from);
        if (control && *from == 0xc2) from++;
        buffer[n++] = control ? '?' : (char)*from;
    }
    buffer[n] = '\0';
    return buffer;
}

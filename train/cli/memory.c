/* How much memory this process holds: Linux' /proc. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/memory.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool can_reset;

/* "VmHWM:     1234 kB" of the status. */
static int64_t field(const char *name) {
    FILE *file = fopen("/proc/self/status", "r");
    if (!file) return 0;
    char line[256];
    long long kilobytes = 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0)
            sscanf(line + strlen(name), ": %lld kB", &kilobytes);
    fclose(file);
    return (int64_t)kilobytes * 1024;
}

int64_t memory_now(void) { return field("VmRSS"); }

int64_t memory_peak(void) { return can_reset ? field("VmHWM") : 0; }

void memory_reset_peak(void) {
    FILE *file = fopen("/proc/self/clear_refs", "w");
    can_reset = file && fputs("5", file) >= 0;
    if (file && fclose(file) != 0) can_reset = false;
}

/* The CPU quota of this process's cgroup. SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/parts.h"

enum { PATH_BYTES = 4096 };

/* Reads up to two numbers or "max" (as -1). Returns how many were there. */
static int read_numbers(const char *directory, const char *name, double values[2]) {
    char path[2 * PATH_BYTES], words[2][32];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    const int n = fscanf(file, "%31s %31s", words[0], words[1]);
    fclose(file);
    for (int i = 0; i < n; i++)
        values[i] = strcmp(words[i], "max") == 0 ? -1 : strtod(words[i], NULL);
    return n < 0 ? 0 : n;
}

static double quota_of(const char *directory, bool version2) {
    double v[2] = {-1, -1}, period[2] = {-1, -1};
    if (version2) {
        if (read_numbers(directory, "cpu.max", v) < 2) return 0;
    } else {
        if (read_numbers(directory, "cpu.cfs_quota_us", v) < 1) return 0;
        if (read_numbers(directory, "cpu.cfs_period_us", period) < 1) return 0;
        v[1] = period[0];
    }
    return v[0] > 0 && v[1] > 0 ? v[0] / v[1] : 0;
}

/* The smallest quota from `mount`/`group` up to the mount: each level limits those below it. */
static double smallest_quota(const char *mount, const char *group, bool version2) {
    char path[PATH_BYTES];
    if ((size_t)snprintf(path, sizeof path, "%s%s", mount, group) >= sizeof path) return 0;
    const size_t top = strlen(mount);
    double smallest = 0;
    for (;;) {
        const double quota = quota_of(path, version2);
        if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
        char *slash = strrchr(path, '/');
        if (strlen(path) <= top || !slash) return smallest;
        *slash = '\0';
    }
}

/* True when `name` is one of the comma-separated `list`. */
static bool listed(const char *list, const char *name) {
    const size_t n = strlen(name);
    for (const char *p = list; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
        if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0')) return true;
    return false;
}

double weir_cgroup_quota(const char *root) {
    char path[PATH_BYTES], mount[PATH_BYTES], *line = NULL;
    size_t bytes = 0;
    double smallest = 0;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    while (getline(&line, &bytes, file) > 0) { /* hierarchy:controllers:path */
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group) continue;
        *group++ = '\0';
        controllers++;
        const bool version2 = *controllers == '\0';
        if (!version2 && !listed(controllers, "cpu")) continue;
        if (strcmp(group, "/") == 0) group = "";
        if (version2)
            snprintf(mount, sizeof mount, "%s/sys/fs/cgroup", root);
        else
            snprintf(mount, sizeof mount, "%s/sys/fs/cgroup/cpu", root);
        const double quota = smallest_quota(mount, group, version2);
        if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
    }
    free(line);
    fclose(file);
    return smallest;
}

/* What this process's cgroup grants: CPUs and memory. SPDX-License-Identifier: Apache-2.0 */
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

/* What one group grants, 0: no limit. */
typedef double limit_fn(const char *directory, bool version2);

static double cpus_of(const char *directory, bool version2) {
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

static double memory_of(const char *directory, bool version2) {
    double v[2] = {-1, -1};
    read_numbers(directory, version2 ? "memory.max" : "memory.limit_in_bytes", v);
    return v[0] > 0 ? v[0] : 0;
}

/* The smallest limit from `mount`/`group` up to the mount: each level limits those below it. */
static double smallest_limit(const char *mount, const char *group, bool version2, limit_fn *limit) {
    char path[PATH_BYTES];
    if ((size_t)snprintf(path, sizeof path, "%s%s", mount, group) >= sizeof path) return 0;
    const size_t top = strlen(mount);
    double smallest = 0;
    for (;;) {
        const double here = limit(path, version2);
        if (here > 0 && (smallest == 0 || here < smallest)) smallest = here;
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

static double cgroup_limit(const char *root, const char *controller, limit_fn *limit) {
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
        if (!version2 && !listed(controllers, controller)) continue;
        if (strcmp(group, "/") == 0) group = "";
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s%s", root, version2 ? "" : "/",
                 version2 ? "" : controller);
        const double here = smallest_limit(mount, group, version2, limit);
        if (here > 0 && (smallest == 0 || here < smallest)) smallest = here;
    }
    free(line);
    fclose(file);
    return smallest;
}

double weir_cgroup_quota(const char *root) { return cgroup_limit(root, "cpu", cpus_of); }

int64_t weir_cgroup_memory(const char *root) {
    const double bytes = cgroup_limit(root, "memory", memory_of);
    return bytes < 0x1p62 ? (int64_t)bytes : 0; /* version 1 says "no limit" by a huge number */
}

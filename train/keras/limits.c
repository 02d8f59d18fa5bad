/* What weir-keras may use. SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE

#include "train/keras/limits.h"

#include <sys/resource.h>
#include <unistd.h>

#include "train/keras/answer.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif
#else
enum { SANITIZED = 0 };
#endif

static void limit_to(int resource, int64_t value) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) answer_fail(WEIR_ERROR_SYSTEM, "no limits to be had");
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max <= (rlim_t)value) return;
    limit.rlim_cur = (rlim_t)value;
    limit.rlim_max = resource == RLIMIT_CPU ? limit.rlim_cur + 1 : limit.rlim_cur; /* SIGXCPU */
    if (setrlimit(resource, &limit) != 0)
        answer_fail(WEIR_ERROR_SYSTEM, "limit %d can't be set to %lld", resource, (long long)value);
}

void limits_set(int64_t file_bytes, int64_t limit) {
    const int64_t base = INT64_C(256) << 20;
    closefrom(STDERR_FILENO + 1); /* whatever the caller left open */
    limit_to(RLIMIT_CORE, 0);
    limit_to(RLIMIT_FSIZE, 0);
    limit_to(RLIMIT_NOFILE, 0); /* a file may name others: external links and storage */
    limit_to(RLIMIT_CPU, 4 + file_bytes / (4 << 20)); /* HDF5 can be made to run in circles */
    /* A sanitizer maps terabytes. */
    if (!SANITIZED) limit_to(RLIMIT_AS, base + file_bytes + 3 * limit);
}

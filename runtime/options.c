/* Options of a runtime and the environment variables that stand in for them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/parts.h"

enum { MAX_THREADS = 4096 };

const char *weir_isa_name(weir_isa isa) {
    static const char *const names[] = {"scalar", "generic", "avx2", "avx512"};
    if (isa == WEIR_ISA_AUTO) return "auto";
    return isa >= 0 && isa < WEIR_ISA_COUNT ? names[isa] : "unknown";
}

const char *weir_threading_name(weir_threading threading) {
    switch (threading) {
    case WEIR_THREADING_AUTO: return "auto";
    case WEIR_THREADING_POOL: return "pool";
    case WEIR_THREADING_OPENMP: return "openmp";
    }
    return "unknown";
}

const char *weir_bind_name(weir_bind bind) {
    switch (bind) {
    case WEIR_BIND_AUTO: return "auto";
    case WEIR_BIND_COMPACT: return "compact";
    case WEIR_BIND_SPREAD: return "spread";
    case WEIR_BIND_NONE: return "none";
    }
    return "unknown";
}

weir_runtime_options weir_runtime_options_default(void) {
    return (weir_runtime_options){
        .isa = WEIR_ISA_AUTO, .threading = WEIR_THREADING_AUTO, .bind = WEIR_BIND_AUTO};
}

void weir_warn(const weir_runtime_options *options, const char *format, ...) {
    if (!options->warning) return;
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    options->warning(options->warning_user, message);
}

/* An environment variable that is set to the empty string counts as not set. */
static const char *environment(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* Writes the index of the variable's value in names[n], or leaves *choice when it is not set. */
static weir_status choose(const char *variable, const char *const *names, int n, int *choice) {
    const char *value = environment(variable);
    if (!value) return WEIR_OK;
    char accepted[128] = "";
    for (int i = 0; i < n; i++) {
        if (strcmp(value, names[i]) == 0) {
            *choice = i;
            return WEIR_OK;
        }
        const size_t used = strlen(accepted);
        snprintf(accepted + used, sizeof accepted - used, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    return weir_fail(WEIR_ERROR_ARGUMENT, "%s is \"%s\", accepted: %s", variable, value, accepted);
}

static bool built_in(weir_isa isa) {
    switch (isa) {
#ifdef WEIR_HAVE_GENERIC
    case WEIR_ISA_GENERIC: return true;
#endif
#ifdef WEIR_HAVE_AVX2
    case WEIR_ISA_AVX2: return true;
#endif
#ifdef WEIR_HAVE_AVX512
    case WEIR_ISA_AVX512: return true;
#endif
    default: return isa == WEIR_ISA_SCALAR;
    }
}

const char *weir_isa_why_not(weir_isa isa) {
    const char *reason = NULL;
    if (!weir_cpu_has(isa, &reason)) return reason;
    return built_in(isa) ? NULL : "not in this build";
}

static weir_status resolve_isa(weir_isa *isa) {
    if (*isa < WEIR_ISA_AUTO || *isa >= WEIR_ISA_COUNT)
        return weir_fail(WEIR_ERROR_ARGUMENT, "isa is %d, accepted: -1 to %d", (int)*isa,
                         WEIR_ISA_COUNT - 1);
    const char *source = "isa";
    if (*isa == WEIR_ISA_AUTO) {
        static const char *const names[] = {"scalar", "generic", "avx2", "avx512"};
        int choice = WEIR_ISA_AUTO;
        const weir_status status = choose("WEIR_ISA", names, WEIR_ISA_COUNT, &choice);
        if (status != WEIR_OK) return status;
        *isa = (weir_isa)choice;
        source = "WEIR_ISA";
    }
    if (*isa == WEIR_ISA_AUTO) {
        *isa = WEIR_ISA_AVX512;
        while (*isa > WEIR_ISA_SCALAR && weir_isa_why_not(*isa)) --*isa;
        return WEIR_OK;
    }
    const char *why_not = weir_isa_why_not(*isa);
    if (!why_not) return WEIR_OK;
    char accepted[64] = "";
    for (weir_isa i = WEIR_ISA_SCALAR; i < WEIR_ISA_COUNT; i++) {
        const size_t used = strlen(accepted);
        if (!weir_isa_why_not(i))
            snprintf(accepted + used, sizeof accepted - used, "%s%s", used > 0 ? ", " : "",
                     weir_isa_name(i));
    }
    return weir_fail(WEIR_ERROR_UNSUPPORTED, "%s is \"%s\", which can't run here: %s; accepted: %s",
                     source, weir_isa_name(*isa), why_not, accepted);
}

static weir_status resolve_threads(int *threads) {
    if (*threads < 0 || *threads > MAX_THREADS)
        return weir_fail(WEIR_ERROR_ARGUMENT, "threads is %d, accepted: 0 (automatic) to %d",
                         *threads, MAX_THREADS);
    const char *value = environment("WEIR_THREADS");
    if (*threads > 0 || !value) return WEIR_OK;
    char *end;
    errno = 0;
    const long n = strtol(value, &end, 10);
    if (errno || *end || value[0] < '0' || value[0] > '9' || n < 1 || n > MAX_THREADS)
        return weir_fail(WEIR_ERROR_ARGUMENT, "WEIR_THREADS is \"%s\", accepted: 1 to %d", value,
                         MAX_THREADS);
    *threads = (int)n;
    return WEIR_OK;
}

static weir_status resolve_threading(weir_threading *threading) {
    static const char *const names[] = {"pool", "openmp"};
    if (*threading < WEIR_THREADING_AUTO || *threading > WEIR_THREADING_OPENMP)
        return weir_fail(WEIR_ERROR_ARGUMENT, "threading is %d, accepted: -1 to 1",
                         (int)*threading);
    if (*threading == WEIR_THREADING_AUTO) {
        int choice = WEIR_THREADING_POOL;
        const weir_status status = choose("WEIR_THREADING", names, 2, &choice);
        if (status != WEIR_OK) return status;
        *threading = (weir_threading)choice;
    }
    if (*threading == WEIR_THREADING_OPENMP && !weir_openmp_available())
        return weir_fail(WEIR_ERROR_UNSUPPORTED,
                         "threading is \"openmp\", which is not in this build; accepted: pool");
    return WEIR_OK;
}

static weir_status resolve_bind(weir_bind *bind) {
    static const char *const names[] = {"compact", "spread", "none"};
    if (*bind < WEIR_BIND_AUTO || *bind > WEIR_BIND_NONE)
        return weir_fail(WEIR_ERROR_ARGUMENT, "bind is %d, accepted: -1 to 2", (int)*bind);
    if (*bind != WEIR_BIND_AUTO) return WEIR_OK;
    int choice = WEIR_BIND_AUTO;
    const weir_status status = choose("WEIR_BIND", names, 3, &choice);
    *bind = (weir_bind)choice;
    return status;
}

weir_status weir_options_resolve(weir_runtime_options *options) {
    weir_status status = resolve_threads(&options->threads);
    if (status == WEIR_OK) status = resolve_isa(&options->isa);
    if (status == WEIR_OK) status = resolve_threading(&options->threading);
    if (status == WEIR_OK) status = resolve_bind(&options->bind);
    return status;
}

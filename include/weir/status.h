/* Status codes and error messages. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_STATUS_H
#define WEIR_STATUS_H

#if defined(__GNUC__)
#define WEIR_API __attribute__((visibility("default")))
#else
#define WEIR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What a call that can fail returns. Nothing in the library prints, exits or aborts. */
typedef enum weir_status {
    WEIR_OK = 0,
    WEIR_ERROR_ARGUMENT,    /* an argument is outside what the function accepts */
    WEIR_ERROR_MEMORY,      /* memory could not be had */
    WEIR_ERROR_UNSUPPORTED, /* valid, but not in this build or not on this machine */
    WEIR_ERROR_SYSTEM,      /* the operating system refused (thread, file, binding) */
    WEIR_ERROR_FORMAT,      /* a file's content is not what it should be */
    WEIR_ERROR_STATE        /* the object can't do this now (runtime used after fork, ...) */
} weir_status;

/* Name of a status: "ok", "argument", ... Never NULL. Static storage. */
WEIR_API const char *weir_status_name(weir_status status);

/*
 * Message of the last call that failed on this thread: it names the offending value and what is
 * accepted. Empty string if none failed. Owned by the library, valid until the next failing call on
 * this thread.
 */
WEIR_API const char *weir_last_error(void);

/*
 * Records the message for weir_last_error() and returns status, for code built on Weir that reports
 * as Weir does: return weir_fail(WEIR_ERROR_ARGUMENT, "K is %lld, accepted: 1 or more", K);
 * An argument may be weir_last_error() itself, to put a message around another.
 */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
WEIR_API weir_status
weir_fail(weir_status status, const char *format, ...);

#ifdef __cplusplus
}
#endif
#endif

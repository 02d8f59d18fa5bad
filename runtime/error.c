/* Status names and the message of the last failure on each thread.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/runtime.h"

static _Thread_local char last_error[1024];
static _Thread_local bool muted;

const char *weir_status_name(weir_status status) {
    switch (status) {
    case WEIR_OK: return "ok";
    case WEIR_ERROR_ARGUMENT: return "argument";
    case WEIR_ERROR_MEMORY: return "memory";
    case WEIR_ERROR_UNSUPPORTED: return "unsupported";
    case WEIR_ERROR_SYSTEM: return "system";
    case WEIR_ERROR_FORMAT: return "format";
    case WEIR_ERROR_STATE: return "state";
    }
    return "unknown";
}

const char *weir_last_error(void) { return last_error; }

void weir_errors_mute(bool mute) { muted = mute; }

weir_status weir_fail(weir_status status, const char *format, ...) {
    if (muted) return status;
    char message[sizeof last_error]; /* an argument may point into last_error */
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    memcpy(last_error, message, sizeof message);
    return status;
}

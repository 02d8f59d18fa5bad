/* Sleeping on a 32-bit word, and a pause for spinning. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_FUTEX_H
#define WEIR_FUTEX_H

#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Sleeps if *word is still `value`, until a wake. May return without a reason. */
static inline void weir_futex_wait(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

/* The same for ns at most. */
static inline void weir_futex_wait_for(_Atomic uint32_t *word, uint32_t value, int64_t ns) {
    const struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
#ifdef SYS_futex_time64 /* 32-bit systems: SYS_futex takes a time of the old form there */
    if (sizeof time.tv_sec > sizeof(long)) {
        syscall(SYS_futex_time64, word, FUTEX_WAIT_PRIVATE, value, &time, NULL, 0);
        return;
    }
#endif
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &time, NULL, 0);
}

static inline void weir_futex_wake(_Atomic uint32_t *word, int threads) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, threads, NULL, NULL, 0);
}

static inline void weir_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif

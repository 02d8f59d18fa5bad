/* What a runtime needs to know about fork(). SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>

#include "runtime/parts.h"

static pthread_once_t watch_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t memory = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint forks;

void weir_memory_lock(void) { pthread_mutex_lock(&memory); }
void weir_memory_unlock(void) { pthread_mutex_unlock(&memory); }

static void in_child(void) {
    atomic_fetch_add(&forks, 1);
    weir_memory_unlock();
}

static void watch_forks(void) { pthread_atfork(weir_memory_lock, weir_memory_unlock, in_child); }

unsigned weir_fork_count(void) {
    pthread_once(&watch_once, watch_forks);
    return atomic_load_explicit(&forks, memory_order_relaxed);
}

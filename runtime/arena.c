/* Memory of a runtime: tensors and scratch. SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/parts.h"

enum {
    HUGE_PAGE = 2 << 20, /* from this size on, memory comes in units of it */
    TOUCH_FLOATS = 16384 /* at least so many by one worker */
};

struct weir_block {
    struct weir_block *next;
    void *memory;
    int64_t bytes;
    bool used;
};

/* Asking for more than the machine has would succeed, and the first touch would end the process. */
static bool machine_has(int64_t bytes) {
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages <= 0 || page <= 0 || bytes / page < pages;
}

static struct weir_block *block_new(int64_t bytes) {
    if (!machine_has(bytes)) return NULL;
    const int64_t unit = bytes >= HUGE_PAGE ? HUGE_PAGE : WEIR_CACHE_LINE;
    const int64_t rounded = bytes > 0 ? (bytes + unit - 1) / unit * unit : unit;
    struct weir_block *block = malloc(sizeof *block);
    void *memory = aligned_alloc((size_t)unit, (size_t)rounded);
    if (!block || !memory) {
        free(block);
        free(memory);
        return NULL;
    }
    /* Only a hint: without huge pages the memory is as good, and slower. */
    if (unit == HUGE_PAGE) madvise(memory, (size_t)rounded, MADV_HUGEPAGE);
    *block = (struct weir_block){.memory = memory, .bytes = rounded, .used = true};
    return block;
}

static void block_free(struct weir_block *block) {
    free(block->memory);
    free(block);
}

static void free_list(struct weir_block *list) {
    while (list) {
        struct weir_block *next = list->next;
        block_free(list);
        list = next;
    }
}

void weir_arena_destroy(weir_arena *arena) {
    free_list(arena->tensors);
    free_list(arena->scratch);
}

static void touch(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    memset((float *)arg + begin, 0, (size_t)(end - begin) * sizeof(float));
}

weir_status weir_tensor_alloc(weir_runtime *runtime, int64_t floats, float **tensor) {
    if (!runtime || !tensor)
        return weir_fail(WEIR_ERROR_ARGUMENT, "%s is NULL", runtime ? "tensor" : "runtime");
    *tensor = NULL;
    if (floats < 0)
        return weir_fail(WEIR_ERROR_ARGUMENT, "floats is %" PRId64 ", accepted: 0 or more", floats);
    const bool countable = floats <= INT64_MAX / 4 - HUGE_PAGE;
    struct weir_block *block = countable ? block_new(4 * floats) : NULL;
    if (!block)
        return weir_fail(WEIR_ERROR_MEMORY,
                         "no memory for a tensor of %" PRId64 " floats, %.0f bytes", floats,
                         4.0 * (double)floats);
    const weir_status status =
        weir_parallel_for(runtime, floats, TOUCH_FLOATS, touch, block->memory);
    if (status != WEIR_OK) {
        block_free(block);
        return status;
    }
    weir_memory_lock();
    block->next = runtime->arena.tensors;
    runtime->arena.tensors = block;
    weir_memory_unlock();
    *tensor = block->memory;
    return WEIR_OK;
}

void weir_tensor_free(weir_runtime *runtime, float *tensor) {
    if (!tensor) return;
    weir_memory_lock();
    struct weir_block **link = &runtime->arena.tensors;
    while (*link && (*link)->memory != tensor) link = &(*link)->next;
    struct weir_block *block = *link;
    if (block) *link = block->next;
    weir_memory_unlock();
    if (block) block_free(block);
}

/* The smallest free block of at least `bytes`, else the largest free one, else none. */
static struct weir_block **best_fit(weir_arena *arena, int64_t bytes) {
    struct weir_block **best = NULL;
    for (struct weir_block **link = &arena->scratch; *link; link = &(*link)->next) {
        if ((*link)->used) continue;
        const bool fits = (*link)->bytes >= bytes;
        const bool best_fits = best && (*best)->bytes >= bytes;
        const bool smaller = best && (*link)->bytes < (*best)->bytes;
        if (!best || (fits && !best_fits) || (fits == best_fits && smaller == fits)) best = link;
    }
    return best;
}

void *weir_scratch_get(weir_runtime *runtime, int64_t bytes) {
    weir_arena *arena = &runtime->arena;
    if (bytes < 0) return NULL;
    weir_memory_lock();
    struct weir_block **link = best_fit(arena, bytes);
    struct weir_block *block = link ? *link : NULL;
    if (block && block->bytes < bytes) {
        /* Replace what is too small, so that growing calls don't leave a trail of blocks. */
        *link = block->next;
        block_free(block);
        block = NULL;
    }
    if (!block) {
        block = block_new(bytes);
        if (block) {
            block->next = arena->scratch;
            arena->scratch = block;
        }
    }
    if (block) block->used = true;
    weir_memory_unlock();
    return block ? block->memory : NULL;
}

void weir_scratch_put(weir_runtime *runtime, void *scratch) {
    if (!scratch) return;
    weir_memory_lock();
    for (struct weir_block *block = runtime->arena.scratch; block; block = block->next)
        if (block->memory == scratch) block->used = false;
    weir_memory_unlock();
}

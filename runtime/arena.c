/* Memory of a runtime: tensors and scratch. SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runtime/parts.h"

enum {
    HUGE_PAGE = 2 << 20,   /* from this size on, memory comes in units of it */
    TOUCH_BYTES = 64 << 10 /* at least so many by one worker */
};

struct weir_block {
    struct weir_block *next;
    void *memory;
    int64_t bytes;
    int node; /* whose memory this is, -1 any */
    bool used, mapped;
};

/* Asking for more than there is would succeed, and the first touch would end the process. */
void weir_arena_create(weir_arena *arena) {
    const int64_t pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const int64_t limit = weir_cgroup_memory("");
    arena->most = pages > 0 && page > 0 ? pages * page : INT64_MAX / 2;
    if (limit > 0 && limit < arena->most) arena->most = limit;
}

/* Whole huge pages of its own: what is bound to a node is nothing else's, before or after. */
static void *map(int64_t bytes) {
    const size_t more = (size_t)bytes + HUGE_PAGE;
    char *start = mmap(NULL, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return NULL;
    const size_t before = -(uintptr_t)start % HUGE_PAGE;
    if (before > 0) munmap(start, before);
    munmap(start + before + bytes, HUGE_PAGE - before);
    return start + before;
}

/* Not zeroed, not yet in the runtime's lists, but counted. The memory lock must be held. */
static struct weir_block *block_new(weir_runtime *r, int64_t bytes, bool mapped) {
    weir_arena *arena = &r->arena;
    const int64_t unit = mapped ? HUGE_PAGE : WEIR_CACHE_LINE;
    if (bytes > arena->most - arena->bytes) return NULL;
    const int64_t rounded = bytes > 0 ? (bytes + unit - 1) / unit * unit : unit;
    struct weir_block *block = malloc(sizeof *block);
    if (!block) return NULL;
    void *memory = mapped ? map(rounded) : aligned_alloc((size_t)unit, (size_t)rounded);
    if (!memory) {
        free(block);
        return NULL;
    }
    arena->bytes += rounded;
    *block = (struct weir_block){
        .memory = memory, .bytes = rounded, .node = -1, .used = true, .mapped = mapped};
    return block;
}

static void block_free(weir_arena *arena, struct weir_block *block) {
    arena->bytes -= block->bytes;
    if (block->mapped)
        munmap(block->memory, (size_t)block->bytes);
    else
        free(block->memory);
    free(block);
}

static void free_list(weir_arena *arena, struct weir_block *list) {
    while (list) {
        struct weir_block *next = list->next;
        block_free(arena, list);
        list = next;
    }
}

void weir_arena_destroy(weir_arena *arena) {
    free_list(arena, arena->tensors);
    free_list(arena, arena->scratch);
}

/* True for whoever comes first. */
static bool first(bool *warned) {
    weir_memory_lock();
    const bool before = *warned;
    *warned = true;
    weir_memory_unlock();
    return !before;
}

/* Only a hint: without huge pages the memory is as good, and slower. */
static void ask_huge_pages(weir_runtime *r, const struct weir_block *block) {
    if (madvise(block->memory, (size_t)block->bytes, MADV_HUGEPAGE) == 0) return;
    const int error = errno;
    if (first(&r->arena.warned_huge))
        weir_warn(&r->options, "no huge pages for memory: %s; going on with small ones",
                  strerror(error));
}

/* Binds what the workers of each node own, in steps of `unit`, to where that node's memory is. */
static void bind_to_nodes(weir_runtime *r, const struct weir_block *block, int64_t units,
                          int64_t unit) {
    for (int i = 0; i < r->node_count; i++) {
        int64_t begin, end;
        const int arena = r->nodes[i].arena;
        if (arena < 0 || weir_runtime_node_share(r, i, units, &begin, &end) != WEIR_OK ||
            begin == end)
            continue;
        char *piece = (char *)block->memory + begin * unit;
        if (weir_topology_bind_memory(r->topology, piece, (end - begin) * unit, arena) == WEIR_OK)
            continue;
        /* Now the first touch decides, and a huge page could lie across the border of two workers. */
        if (unit < HUGE_PAGE) madvise(block->memory, (size_t)block->bytes, MADV_NOHUGEPAGE);
        if (first(&r->arena.warned_node))
            weir_warn(&r->options, "%s; its memory stays where it is first used",
                      weir_last_error());
        return;
    }
}

static void touch(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    memset((char *)arg + begin, 0, (size_t)(end - begin));
}

weir_status weir_tensor_alloc(weir_runtime *r, int64_t floats, float **tensor) {
    if (!r || !tensor)
        return weir_fail(WEIR_ERROR_ARGUMENT, "%s is NULL", r ? "tensor" : "runtime");
    *tensor = NULL;
    if (floats < 0)
        return weir_fail(WEIR_ERROR_ARGUMENT, "floats is %" PRId64 ", accepted: 0 or more", floats);
    const bool several = r->binds;
    const bool countable = floats <= INT64_MAX / 8;
    const int64_t bytes = countable ? 4 * floats : INT64_MAX;
    const bool mapped = bytes >= (several ? TOUCH_BYTES : HUGE_PAGE);
    /* Few enough cuts that a node's share is right to a sixteenth, with pages as large as that allows. */
    const int64_t unit = several && bytes / HUGE_PAGE >= 8 * r->homes ? HUGE_PAGE : TOUCH_BYTES;
    weir_memory_lock();
    struct weir_block *block = countable ? block_new(r, bytes, mapped) : NULL;
    weir_memory_unlock();
    if (!block)
        return weir_fail(WEIR_ERROR_MEMORY,
                         "no memory for a tensor of %" PRId64 " floats, %.0f bytes", floats,
                         4.0 * (double)floats);
    if (mapped) ask_huge_pages(r, block);
    if (mapped && several) bind_to_nodes(r, block, (bytes - 1) / unit + 1, unit);
    const weir_status status = weir_parallel_own(r, bytes, unit, touch, block->memory);
    weir_memory_lock();
    if (status == WEIR_OK) {
        block->next = r->arena.tensors;
        r->arena.tensors = block;
        *tensor = block->memory;
    } else {
        block_free(&r->arena, block);
    }
    weir_memory_unlock();
    return status;
}

void weir_tensor_free(weir_runtime *runtime, float *tensor) {
    if (!tensor) return;
    weir_memory_lock();
    struct weir_block **link = &runtime->arena.tensors;
    while (*link && (*link)->memory != tensor) link = &(*link)->next;
    struct weir_block *block = *link;
    if (block) {
        *link = block->next;
        block_free(&runtime->arena, block);
    }
    weir_memory_unlock();
}

/* The smallest free block of the node of at least `bytes`, else the largest free one, else none. */
static struct weir_block **best_fit(weir_arena *arena, int64_t bytes, int node) {
    struct weir_block **best = NULL;
    for (struct weir_block **link = &arena->scratch; *link; link = &(*link)->next) {
        if ((*link)->used || (*link)->node != node) continue;
        const bool fits = (*link)->bytes >= bytes;
        const bool best_fits = best && (*best)->bytes >= bytes;
        const bool smaller = best && (*link)->bytes < (*best)->bytes;
        if (!best || (fits && !best_fits) || (fits == best_fits && smaller == fits)) best = link;
    }
    return best;
}

/* New memory for scratch. That of a node is bound before anything touches it. */
static struct weir_block *scratch_new(weir_runtime *r, int64_t bytes, int node) {
    struct weir_block *block = block_new(r, bytes, bytes >= HUGE_PAGE || node >= 0);
    if (!block) return NULL;
    block->node = node;
    if (bytes >= HUGE_PAGE) madvise(block->memory, (size_t)block->bytes, MADV_HUGEPAGE);
    if (node < 0) return block;
    /* Where it can't be bound, its first user is on the node. */
    weir_errors_mute(true);
    weir_topology_bind_memory(r->topology, block->memory, block->bytes, node);
    weir_errors_mute(false);
    return block;
}

void *weir_scratch_on(weir_runtime *runtime, int64_t bytes, int node) {
    weir_arena *arena = &runtime->arena;
    if (bytes < 0) return NULL;
    weir_memory_lock();
    struct weir_block **link = best_fit(arena, bytes, node);
    struct weir_block *block = link ? *link : NULL;
    if (block && block->bytes < bytes) {
        /* Replace what is too small, so that growing calls don't leave a trail of blocks. */
        *link = block->next;
        block_free(arena, block);
        block = NULL;
    }
    if (!block) {
        block = scratch_new(runtime, bytes, node);
        if (block) {
            block->next = arena->scratch;
            arena->scratch = block;
        }
    }
    if (block) block->used = true;
    weir_memory_unlock();
    return block ? block->memory : NULL;
}

void *weir_scratch_get(weir_runtime *runtime, int64_t bytes) {
    return weir_scratch_on(runtime, bytes, -1);
}

void weir_scratch_put(weir_runtime *runtime, void *scratch) {
    if (!scratch) return;
    weir_memory_lock();
    for (struct weir_block *block = runtime->arena.scratch; block; block = block->next)
        if (block->memory == scratch) block->used = false;
    weir_memory_unlock();
}

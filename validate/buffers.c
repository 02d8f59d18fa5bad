/* Memory of a case: guard pages, canaries, poison. SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "validate/check.h"

/* A quiet NaN that no kernel computes from other numbers. Read by mistake, it spoils the result. */
#define POISON 0x7fe5a5a5u

enum { SPARE_BYTES = 1 << 16 }; /* the largest that is kept for the next case */

typedef enum buffer_kind { BUFFER_INPUT, BUFFER_OUTPUT, BUFFER_PLAIN } buffer_kind;

struct buffer {
    buffer *next;
    buffer_kind kind;
    const char *name;
    char *map; /* the first guard page; plain memory: the block */
    size_t map_bytes, page;
    char *data;
    size_t bytes;
    bool at_end;
    int displaced;  /* elements */
    size_t element; /* bytes */
};

void poison(float *a, int64_t n) {
    const uint32_t bits = POISON;
    for (int64_t i = 0; i < n; i++) memcpy(&a[i], &bits, sizeof bits);
}

bool is_poison_byte(const uint8_t *p) {
    const uint32_t bits = POISON;
    return *p == ((const uint8_t *)&bits)[(uintptr_t)p % sizeof bits];
}

bool is_poison(float a) {
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits == POISON;
}

static void out_of_memory(size_t bytes) {
    fprintf(stderr, "weir-validate: no memory for %zu bytes\n", bytes);
    exit(1);
}

static buffer *buffer_add(context *c, buffer_kind kind, const char *name) {
    buffer *b = calloc(1, sizeof *b);
    if (!b) out_of_memory(sizeof *b);
    b->kind = kind;
    b->name = name;
    b->next = c->buffers;
    c->buffers = b;
    return b;
}

/* Memory of finished cases, between its guard pages. The system's part in making it anew is most of
 * the work of a small case, above all in an emulator. */
static buffer *spare;

static void map_new(buffer *b, size_t bytes) {
    b->map_bytes = bytes;
    for (buffer **link = &spare; *link; link = &(*link)->next) {
        buffer *s = *link;
        if (s->map_bytes != bytes) continue;
        b->map = s->map;
        *link = s->next;
        free(s);
        return;
    }
    b->map = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b->map == MAP_FAILED ||
        mprotect(b->map + b->page, bytes - 2 * b->page, PROT_READ | PROT_WRITE))
        out_of_memory(bytes);
}

static void map_free(buffer *b) {
    if (b->map_bytes > SPARE_BYTES) {
        munmap(b->map, b->map_bytes);
        free(b);
        return;
    }
    b->next = spare;
    spare = b;
}

static void *guarded_new(context *c, buffer_kind kind, const char *name, int64_t n,
                         size_t element) {
    buffer *b = buffer_add(c, kind, name);
    b->page = (size_t)sysconf(_SC_PAGESIZE);
    b->element = element;
    b->bytes = (size_t)n * element;
    b->at_end = rng_chance(&c->rng, 60);
    b->displaced = rng_chance(&c->rng, 50) ? (int)rng_range(&c->rng, 1, 15) : 0;
    size_t shift = (size_t)b->displaced * element;
    size_t inner = (b->bytes + shift + b->page) / b->page * b->page;
    map_new(b, inner + 2 * b->page);
    char *begin = b->map + b->page;
    poison((float *)(void *)begin, (int64_t)(inner / sizeof(float)));
    b->data = b->at_end ? begin + inner - b->bytes - shift : begin + shift;
    return b->data;
}

float *input_new(context *c, const char *name, int64_t n) {
    return guarded_new(c, BUFFER_INPUT, name, n, sizeof(float));
}

float *output_new(context *c, const char *name, int64_t n) {
    return guarded_new(c, BUFFER_OUTPUT, name, n, sizeof(float));
}

float *scratch_new(context *c, int64_t n) {
    const int64_t line = 64 / (int64_t)sizeof(float);
    return guarded_new(c, BUFFER_OUTPUT, "scratch", (n + line - 1) / line, 64);
}

uint8_t *bytes_input_new(context *c, const char *name, int64_t n) {
    return guarded_new(c, BUFFER_INPUT, name, n, 1);
}

uint8_t *bytes_output_new(context *c, const char *name, int64_t n) {
    return guarded_new(c, BUFFER_OUTPUT, name, n, 1);
}

static void *block_new(context *c, size_t bytes) {
    buffer *b = buffer_add(c, BUFFER_PLAIN, "");
    b->map = malloc(bytes ? bytes : 1);
    if (!b->map) out_of_memory(bytes);
    return b->map;
}

float *plain_new(context *c, int64_t n) {
    float *a = block_new(c, (size_t)n * sizeof *a);
    poison(a, n);
    return a;
}

double *double_new(context *c, int64_t n) {
    double *a = block_new(c, (size_t)n * sizeof *a);
    for (int64_t i = 0; i < n; i++) a[i] = 0;
    return a;
}

float *tensor_new(context *c, const char *name, int64_t n) {
    float *a = input_new(c, name, n);
    values_fill(&c->rng, c->values, a, n);
    return a;
}

float *abs_new(context *c, const float *from, int64_t n) {
    if (!from) return NULL;
    float *a = plain_new(c, n);
    for (int64_t i = 0; i < n; i++) a[i] = fabsf(from[i]);
    return a;
}

static void inputs_protect(context *c, int protection) {
    for (buffer *b = c->buffers; b; b = b->next)
        if (b->kind == BUFFER_INPUT && b->map_bytes > 2 * b->page &&
            mprotect(b->map + b->page, b->map_bytes - 2 * b->page, protection))
            out_of_memory(b->map_bytes);
}

void inputs_lock(context *c) {
    if (c->locks++ == 0) inputs_protect(c, PROT_READ);
}

void inputs_unlock(context *c) {
    if (--c->locks == 0) inputs_protect(c, PROT_READ | PROT_WRITE);
}

static bool poisoned(const char *begin, const char *end) {
    size_t bytes = (size_t)(end - begin), period = sizeof(float);
    for (size_t i = 0; i < bytes && i < period; i++)
        if (!is_poison_byte((const uint8_t *)begin + i)) return false;
    return bytes <= period || !memcmp(begin, begin + period, bytes - period);
}

void canaries_check(context *c) {
    for (const buffer *b = c->buffers; b; b = b->next) {
        if (b->kind != BUFFER_OUTPUT) continue;
        const char *begin = b->map + b->page, *end = b->map + b->map_bytes - b->page;
        if (!poisoned(begin, b->data)) fail(c, "%s: wrote before its first element", b->name);
        if (!poisoned(b->data + b->bytes, end))
            fail(c, "%s: wrote after its last element", b->name);
    }
}

void buffers_free(context *c) {
    if (c->locks) inputs_protect(c, PROT_READ | PROT_WRITE); /* a fault came between */
    c->locks = 0;
    while (c->buffers) {
        buffer *b = c->buffers;
        c->buffers = b->next;
        if (b->kind == BUFFER_PLAIN) {
            free(b->map);
            free(b);
        } else {
            map_free(b);
        }
    }
}

void address_describe(const context *c, const void *address, char *text, size_t size) {
    const char *p = address;
    for (const buffer *b = c->buffers; b; b = b->next) {
        if (b->kind == BUFFER_PLAIN || p < b->map || p >= b->map + b->map_bytes) continue;
        if (p < b->data) {
            snprintf(text, size, "%td bytes before %s", b->data - p, b->name);
        } else if (p >= b->data + b->bytes) {
            snprintf(text, size, "%td bytes after the end of %s", p - (b->data + b->bytes),
                     b->name);
        } else {
            snprintf(text, size, "a write to the input %s, element %td", b->name,
                     (p - b->data) / (ptrdiff_t)b->element);
        }
        return;
    }
    snprintf(text, size, "address %p, in no buffer of the case", address);
}

/* The newest of a name stands for all: they are what the last call had. */
static bool is_hidden(const context *c, const buffer *b) {
    for (const buffer *a = c->buffers; a != b; a = a->next)
        if (!strcmp(a->name, b->name)) return true;
    return b->kind == BUFFER_PLAIN;
}

void buffers_describe(const context *c, char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (const buffer *b = c->buffers; b && used < size; b = b->next) {
        if (is_hidden(c, b)) continue;
        int n = snprintf(text + used, size - used, "%s%s %s%c%d", used ? ", " : "", b->name,
                         b->at_end ? "end" : "start", b->at_end ? '-' : '+', b->displaced);
        if (n > 0) used += (size_t)n;
    }
}

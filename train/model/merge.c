/* The two directions of a bidirectional layer. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "train/model/merge.h"

enum { ADD_GRAIN = 8192 };

typedef struct merge_call {
    const merge *m;
    const float *forward, *backward, *dy;
    float *y, *d_forward, *d_backward;
} merge_call;

static void merge_samples(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const merge_call *c = arg;
    const int64_t T = c->m->T, H = c->m->H, C = c->m->concat ? 2 * H : H;
    for (int64_t n = begin; n < end; n++) {
        for (int64_t t = 0; t < T; t++) {
            const float *f = c->forward + (n * T + t) * H,
                        *b = c->backward + (n * T + T - 1 - t) * H;
            float *y = c->y + (n * T + t) * C;
            if (c->m->concat) {
                memcpy(y, f, (size_t)H * sizeof *y);
                memcpy(y + H, b, (size_t)H * sizeof *y);
            } else {
                for (int64_t i = 0; i < H; i++) y[i] = f[i] + b[i];
            }
        }
    }
}

weir_status weir_merge_fwd(weir_runtime *rt, const merge *m, const float *forward,
                           const float *backward, float *y) {
    merge_call c = {.m = m, .forward = forward, .backward = backward, .y = y};
    return weir_parallel_for(rt, m->N, 1, merge_samples, &c);
}

static void split_samples(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const merge_call *c = arg;
    const int64_t T = c->m->T, H = c->m->H, C = c->m->concat ? 2 * H : H;
    const size_t bytes = (size_t)H * sizeof *c->dy;
    for (int64_t n = begin; n < end; n++) {
        for (int64_t t = 0; t < T; t++) {
            const float *dy = c->dy + (n * T + t) * C;
            memcpy(c->d_forward + (n * T + t) * H, dy, bytes);
            memcpy(c->d_backward + (n * T + T - 1 - t) * H, dy + C - H, bytes);
        }
    }
}

weir_status weir_merge_bwd(weir_runtime *rt, const merge *m, const float *dy, float *d_forward,
                           float *d_backward) {
    merge_call c = {.m = m, .dy = dy, .d_forward = d_forward, .d_backward = d_backward};
    return weir_parallel_for(rt, m->N, 1, split_samples, &c);
}

typedef struct add_call {
    const float *x;
    float *sum;
} add_call;

static void add(void *arg, int64_t begin, int64_t end, int worker) {
    (void)worker;
    const add_call *c = arg;
    for (int64_t i = begin; i < end; i++) c->sum[i] += c->x[i];
}

weir_status weir_merge_add(weir_runtime *rt, int64_t floats, const float *x, float *sum) {
    add_call c = {.x = x, .sum = sum};
    return weir_parallel_for(rt, floats, ADD_GRAIN, add, &c);
}

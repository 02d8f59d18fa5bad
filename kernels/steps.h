/* Steps of samples: which are passed over, and spans of those that are not.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_STEPS_H
#define WEIR_STEPS_H

#include <stdbool.h>

#include "kernels/gru.h"

/* Where a recurrent layer finds its steps: s counts them as they are processed. */
typedef struct step_order {
    const uint8_t *mask; /* [N][T] by time, 0: the step is passed over; NULL: none is */
    int64_t T;
    bool backwards;
} step_order;

/* n T + the time of step s of sample n. */
static inline int64_t step_index(const step_order *of, int64_t n, int64_t s) {
    return n * of->T + (of->backwards ? of->T - 1 - s : s);
}
static inline bool step_passed(const step_order *of, int64_t n, int64_t s) {
    return of->mask && !of->mask[step_index(of, n, s)];
}

/* Consecutive steps of a sample, none of them passed over. */
typedef struct span {
    int64_t n, s0, steps;
} span;

/* Spans that one pass over a weight gradient takes in, consecutive in the order of the sums. */
typedef struct spans {
    int64_t count, steps;
    span of[GRU_STRIPS];
} spans;

/* A walk over steps s0 <= s < s1 of samples up to n1; the next step is s of sample n. */
typedef struct span_walk {
    step_order of;
    int64_t n, n1, s, s0, s1;
} span_walk;

/* The steps that begin at the walk's place, `room` at most. */
static inline int64_t span_length(const span_walk *w, int64_t room) {
    int64_t most = w->s1 - w->s < room ? w->s1 - w->s : room, length = 0;
    if (!w->of.mask) return most;
    while (length < most && !step_passed(&w->of, w->n, w->s + length)) length++;
    return length;
}

/* The next spans in order, as many as one pass takes. */
static inline void spans_fill(spans *k, span_walk *w) {
    k->count = k->steps = 0;
    while (w->n < w->n1 && k->count < GRU_STRIPS && k->steps < GRU_CHUNK) {
        int64_t length = span_length(w, GRU_CHUNK - k->steps);
        if (length > 0) k->of[k->count++] = (span){w->n, w->s, length};
        k->steps += length;
        w->s += length > 0 ? length : 1;
        if (w->s < w->s1) continue;
        w->s = w->s0;
        w->n++;
    }
}

#endif

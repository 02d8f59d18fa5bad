/* The part of a parallel loop that one thread runs. SPDX-License-Identifier: Apache-2.0 */
#include "runtime/parts.h"

static _Thread_local weir_outside here;

weir_outside weir_enter(const weir_runtime *runtime, int worker) {
    weir_outside outside = here;
    outside.denormals = weir_denormals_flush();
    here.runtime = runtime;
    here.worker = worker;
    return outside;
}

void weir_leave(weir_outside outside) {
    weir_denormals_restore(outside.denormals);
    here = outside;
}

int weir_inside(const weir_runtime *runtime) { return here.runtime == runtime ? here.worker : -1; }

void weir_loop_part(const weir_loop *loop, int64_t parts, int64_t part, int worker) {
    const int64_t units = weir_loop_units(loop);
    const int64_t first = weir_split(units, parts, part);
    const int64_t last = weir_split(units, parts, part + 1);
    if (first == last) return;
    /* The last unit may be shorter than grain. */
    loop->fn(loop->arg, first * loop->grain, last == units ? loop->count : last * loop->grain,
             worker);
}

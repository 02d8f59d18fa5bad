/* Parallel loops on OpenMP. SPDX-License-Identifier: Apache-2.0 */
#include "runtime/parts.h"

#ifdef _OPENMP
#include <omp.h>

bool weir_openmp_available(void) { return true; }

void weir_openmp_run(int threads, const weir_loop *loop) {
    /* One unit is for the caller: the others need not wake. */
#pragma omp parallel num_threads(threads) if (weir_loop_units(loop) > 1)
    {
        const int worker = omp_get_thread_num();
        const weir_outside outside = weir_enter(loop->runtime, worker);
        /* OpenMP may have started fewer threads than were asked for. */
        weir_loop_part(loop, omp_get_num_threads(), worker, worker);
        weir_leave(outside);
    }
}

#else

bool weir_openmp_available(void) { return false; }

void weir_openmp_run(int threads, const weir_loop *loop) {
    (void)threads;
    weir_loop_part(loop, 1, 0, 0);
}

#endif

/* Where the threads of a backend run. SPDX-License-Identifier: Apache-2.0 */
#include "team.h"

#include <sched.h>

#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

namespace bench {

/* The processors of this process, as they were before anything was bound. */
static const cpu_set_t &allowed() {
    static const cpu_set_t set = [] {
        cpu_set_t at_start;
        CPU_ZERO(&at_start);
        sched_getaffinity(0, sizeof at_start, &at_start);
        return at_start;
    }();
    return set;
}

bool team_bind_thread(int place) {
    const int count = CPU_COUNT(&allowed());
    if (count == 0) return false;
    int left = place % count, processor = 0;
    while (!CPU_ISSET(processor, &allowed()) || left-- > 0) processor++;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}

void team_unbind_main() { sched_setaffinity(0, sizeof(cpu_set_t), &allowed()); }

void team_bind_openmp([[maybe_unused]] int threads) {
    team_unbind_main(); /* threads that start now inherit the set */
#ifdef _OPENMP
    omp_set_num_threads(threads);
#pragma omp parallel num_threads(threads)
    team_bind_thread(omp_get_thread_num());
#endif
}

} // namespace bench

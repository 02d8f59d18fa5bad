/* Where the threads of a backend run. SPDX-License-Identifier: Apache-2.0
 *
 * Two thread pools share the main thread. Left alone, the scheduler sometimes keeps the main thread
 * and an OpenMP worker on one processor, and every parallel region then lasts a time slice. So both
 * backends get the same places: thread i runs on the i-th processor this process may use.
 */
#ifndef WEIR_BENCH_TEAM_H
#define WEIR_BENCH_TEAM_H

namespace bench {

/* The main thread may run anywhere again: before a runtime is created, which looks at that. */
void team_unbind_main();
/* Binds the calling thread to a place; the main thread's is 0. False where the system refuses. */
bool team_bind_thread(int place);
/* Sets the number of OpenMP threads and binds them, the main thread included. */
void team_bind_openmp(int threads);

} // namespace bench
#endif

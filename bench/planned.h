/* A training step on a machine that isn't here, from its plan. SPDX-License-Identifier: Apache-2.0
 *
 * HWLOC_SYNTHETIC describes the machine; the runtime plans for it: workers, shares, memory. The linker
 * puts planned.cpp between the library and its parallel calls, and between the library and its memory
 * (--wrap). Then one thread runs the share of one worker after the other:
 *   time   each share is timed. What a call takes on that machine is the time of its slowest worker, and
 *          the step's critical path is the sum over its calls, with what lies between them
 *   trace  before each share, all memory of the runtime is locked; the fault of each page it touches says
 *          which node used it. A page lies where the runtime has bound it, or with the node that touched it
 *          first. Bytes cross between nodes where a node touches a page of another
 * Not modelled: workers that take from others, the cost of fork and join, caches shared or not, bandwidth.
 */
#ifndef WEIR_BENCH_PLANNED_H
#define WEIR_BENCH_PLANNED_H

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "weir/runtime.h"

namespace bench {

/* What one step costs. */
struct StepTime {
    double critical =
        0; /* seconds: the slowest worker of each call, and what is between the calls */
    double between = 0; /* the latter alone: the caller's */
    double work = 0;    /* seconds of all workers together */
    int calls = 0;      /* parallel ones */
};

struct StepTraffic {
    double bytes = 0; /* of the pages that the nodes touch, once for each parallel call and node */
    double crossing = 0;  /* of those that lie on another node */
    double unplanned = 0; /* the same if all memory lay on node 0 */
};

class PlannedMachine {
  public:
    PlannedMachine(int nodes, int cores_of_node);
    ~PlannedMachine();
    PlannedMachine(const PlannedMachine &) = delete;
    PlannedMachine &operator=(const PlannedMachine &) = delete;

    weir_runtime *runtime() const;
    int workers() const;
    /* The least over the repetitions, for each share. Every step makes the same calls. */
    StepTime time(const std::function<void()> &step, int repetitions);
    /* Pages are followed from create() on, which allocates; the second of two steps counts. */
    StepTraffic trace(const std::function<void()> &create, const std::function<void()> &step);

    struct Plan;

  private:
    std::unique_ptr<Plan> plan;
};

} // namespace bench
#endif

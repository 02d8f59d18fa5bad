/* One benchmark: prepared, compared, timed. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_ENTRY_H
#define WEIR_BENCH_ENTRY_H

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "harness.h"
#include "peer.h"
#include "roofline.h"

namespace bench {

struct Entry {
    const Backend *backend;
    std::string name;
    Work work;
    std::string error;
};

/* "conv1d_fwd/avx2/N:128/T:240/.../threads:2" */
std::string full_name(const Group &group, const Backend &backend);

/* Makes the machine the backend's own: its threads in their places, the others asleep. */
void enter(const Backend &backend, bool quick);

/* How often the system took a processor from a thread of this process that wanted to go on. */
double preemptions();

/* The tensors of a group and its prepared entries, whose results all agree. */
class Bench {
  public:
    /* peer: for backends of the peer program; may be null. */
    Bench(const Group &group, Peer *peer, bool quick);
    /* Sets the work, or the error when it can't be done or gives another result. */
    void prepare(Entry &entry);
    /* The body of a benchmark. A peer that fails sets the error. */
    void time(benchmark::State &state, Entry &entry, const Roofline &roofline) const;

  private:
    const Group &group;
    Peer *const peer;
    const bool quick;
    const std::unique_ptr<Case> tensors;
    std::string reference_name; /* backend of the reference */
    Results reference;
};

} // namespace bench
#endif

/* The least time that an operation can take on this machine. SPDX-License-Identifier: Apache-2.0
 *
 * All rates are measured when the program starts, in well under a second: FMA peak, read bandwidth of
 * each level of memory, and the activations of the operations that have some.
 */
#ifndef WEIR_BENCH_ROOFLINE_H
#define WEIR_BENCH_ROOFLINE_H

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "harness.h"
#include "json.h"
#include "machine.h"

namespace bench {

/* The bound of one operation, and which resource it is. seconds 0: unknown. */
struct Bound {
    double seconds = 0;
    std::string by; /* "FMA", "FMA+act", or the level of memory in which the tensors fit */
};

class Roofline {
  public:
    /* Measures the activations that the groups have. */
    Roofline(const Options &options, const std::vector<Group> &groups);
    /* FLOP/s; 0: unknown. For other libraries the best instruction set of the machine. */
    double peak(const Backend &backend) const;
    /* The larger of flops / peak + activations and bytes / bandwidth. */
    Bound bound(const Group &group, const Backend &backend) const;
    /* The bandwidth of memory depends on the neighbours of the minute: measures it again before a group
     * that needs it; the best counts. */
    void refresh(const Group &group);
    /* Prints them and adds them to Google Benchmark's context. */
    void describe() const;
    JsonObject json() const;

  private:
    using Key = std::pair<weir_isa, int>; /* and threads */
    struct Level {
        MemoryLevel memory;
        double bytes_per_second;
    };
    void measure_activation(weir_isa isa, weir_activation activation);
    weir_isa isa_of(const Backend &backend) const;

    weir_machine_info info;
    std::map<Key, double> flops_per_second;
    std::map<Key, std::vector<Level>> levels;
    std::map<std::pair<weir_isa, weir_activation>, double> elements_per_second; /* of one thread */
    weir_isa best = WEIR_ISA_SCALAR;
};

} // namespace bench
#endif

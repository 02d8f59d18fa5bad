/* FMA peak and read bandwidth of the machine. SPDX-License-Identifier: Apache-2.0 */
#include <algorithm>
#include <thread>

#include "harness.h"
#include "machine.h"
#include "team.h"

namespace bench {
namespace {

/* The same work on every thread of the backend; long enough that starting them does not count. */
template <class Body> void on_threads(int threads, const Body &body) {
    std::vector<std::thread> team;
    const auto placed = [&](int i) {
        team_bind_thread(i);
        body(i);
    };
    for (int i = 1; i < threads; i++) team.emplace_back(placed, i);
    placed(0);
    for (std::thread &thread : team) thread.join();
}

constexpr int64_t fma_rounds = 2000000;

class Fma : public Case {
  public:
    Work prepare(const Backend &backend) override {
        return {[backend] {
                    on_threads(backend.threads, [&](int) { fma_run(backend.isa, fma_rounds); });
                },
                {},
                ""};
    }
};

constexpr double read_bytes = 512e6; /* per run and thread, about */

class Read : public Case {
  public:
    Read(int64_t bytes, int threads) : floats(bytes / 512 * 128), buffers() {
        for (int i = 0; i < threads; i++)
            buffers.push_back(random_tensor(floats, static_cast<unsigned>(i)));
    }
    Work prepare(const Backend &backend) override {
        const auto rounds =
            static_cast<int64_t>(read_bytes / (4.0 * static_cast<double>(floats))) + 1;
        return {[this, backend, rounds] {
                    on_threads(backend.threads, [&](int i) {
                        read_run(backend.isa, buffers[static_cast<size_t>(i)].data(), floats,
                                 rounds);
                    });
                },
                {},
                ""};
    }

  private:
    int64_t floats;
    std::vector<Tensor> buffers;
};

/* One group per number of threads: the work, and so the rates, grow with it. */
void add_fma(std::vector<Group> &list, const Options &options, weir_isa isa) {
    for (const Backend &backend : weir_backends(options)) {
        if (backend.isa != isa) continue;
        Group group;
        group.op = "fma";
        group.backends = {backend};
        group.flops = fma_flops(isa, fma_rounds) * backend.threads;
        group.open = [] { return std::make_unique<Fma>(); };
        list.push_back(group);
    }
}

void add_read(std::vector<Group> &list, const Options &options, weir_isa isa,
              const std::string &level, int64_t bytes) {
    for (const Backend &backend : weir_backends(options)) {
        if (backend.isa != isa || bytes < 512) continue;
        Group group;
        group.op = "read_" + level;
        group.shape = "KiB:" + std::to_string(bytes / 1024);
        group.backends = {backend};
        const int64_t floats = bytes / 512 * 128;
        const auto rounds =
            static_cast<int64_t>(read_bytes / (4.0 * static_cast<double>(floats))) + 1;
        group.bytes = 4.0 * static_cast<double>(floats * rounds) * backend.threads;
        const int threads = backend.threads;
        group.open = [bytes, threads] { return std::make_unique<Read>(bytes, threads); };
        list.push_back(group);
    }
}

std::vector<Group> groups(const Options &options) {
    weir_machine_info info;
    check(weir_machine_describe(&info));
    std::vector<Group> list;
    for (const weir_isa isa : options.isas) {
        if (!machine_has(isa)) continue;
        add_fma(list, options, isa);
        add_read(list, options, isa, "L1", info.l1d_bytes / 2);
        add_read(list, options, isa, "L2", info.l2_bytes / 2);
        add_read(list, options, isa, "L3", info.l3_bytes / 4);
        add_read(list, options, isa, "memory", std::max<int64_t>(4 * info.l3_bytes, 128 << 20));
    }
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"machine", "", "", bench::groups});
}

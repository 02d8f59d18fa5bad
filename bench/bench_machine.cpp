/* FMA peak and read bandwidth of the machine. SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"
#include "machine.h"

namespace bench {
namespace {

/* Long enough that starting the threads does not count. */
template <class Body> void on_threads(int threads, const Body &body) {
    time_together(
        threads, [](int) {}, body);
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

/* Passes over `floats` that make about 512 MB per run and thread. */
int64_t rounds_of(int64_t floats) { return (512 << 20) / (4 * floats) + 1; }

class Read : public Case {
  public:
    Read(int64_t bytes, int threads) : floats(bytes / 512 * 128), buffers() {
        for (int i = 0; i < threads; i++)
            buffers.push_back(random_tensor(floats, static_cast<unsigned>(i)));
    }
    Work prepare(const Backend &backend) override {
        const int64_t rounds = rounds_of(floats);
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

/* One group per number of threads and level. */
void add_reads(std::vector<Group> &list, const Options &options, weir_isa isa,
               const weir_machine_info &info) {
    for (const Backend &backend : weir_backends(options)) {
        if (backend.isa != isa) continue;
        const int threads = backend.threads;
        for (const MemoryLevel &level : memory_levels(info, threads)) {
            Group group;
            group.op = std::string("read_") + level.name;
            group.shape = "KiB:" + std::to_string(level.buffer / 1024);
            group.backends = {backend};
            group.bounded = false;
            const int64_t floats = level.buffer / 512 * 128;
            group.bytes = 4.0 * static_cast<double>(floats * rounds_of(floats)) * threads;
            group.open = [=] { return std::make_unique<Read>(level.buffer, threads); };
            list.push_back(group);
        }
    }
}

std::vector<Group> groups(const Options &options) {
    weir_machine_info info;
    check(weir_machine_describe(&info));
    std::vector<Group> list;
    for (const weir_isa isa : options.isas) {
        if (!machine_has(isa)) continue;
        add_fma(list, options, isa);
        add_reads(list, options, isa, info);
    }
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"machine", "", "", bench::groups});
}

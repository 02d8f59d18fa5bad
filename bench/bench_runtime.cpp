/* The thread pool beside OpenMP: fork and join, even and uneven work. SPDX-License-Identifier: Apache-2.0
 *
 * Backends: pool and openmp are weir_parallel_for on the two threadings of the runtime; omp is the
 * compiler's own parallel loop (static schedule; dynamic for uneven work).
 */
#include "harness.h"

namespace bench {
namespace {

/* A chain of dependent multiply-adds, so that the compiler can't shorten it. */
uint64_t spin(int64_t steps) {
    uint64_t state = static_cast<uint64_t>(steps);
    for (int64_t i = 0; i < steps; i++) state = state * 6364136223846793005u + 1;
    return state;
}

enum Kind { EMPTY, EVEN, UNEVEN };

struct Loop {
    Kind kind;
    int64_t count;
    Tensor out;
    void item(int64_t i) {
        if (kind == EMPTY) return;
        const int64_t steps = kind == EVEN ? 400 : 4 * i; /* about 1 us, and 0 to 2 */
        out[static_cast<size_t>(i)] = static_cast<float>(spin(steps) >> 40);
    }
    static void range(void *arg, int64_t begin, int64_t end, int) {
        for (int64_t i = begin; i < end; i++) static_cast<Loop *>(arg)->item(i);
    }
};

void run_omp([[maybe_unused]] Loop &loop, [[maybe_unused]] int threads) {
    const int64_t count = loop.count;
    if (loop.kind == UNEVEN) {
#pragma omp parallel for schedule(dynamic) num_threads(threads)
        for (int64_t i = 0; i < count; i++) loop.item(i);
    } else {
#pragma omp parallel for schedule(static) num_threads(threads)
        for (int64_t i = 0; i < count; i++) loop.item(i);
    }
}

class LoopCase : public Case {
  public:
    LoopCase(Kind kind, int64_t count) : loop{kind, count, zero_tensor(count)} {}
    Work prepare(const Backend &backend) override {
        const auto results = [this] { return Results{{"out", loop.out}}; };
        if (backend.library == Backend::OPENMP) {
            const int threads = backend.threads;
            return {[this, threads] { run_omp(loop, threads); }, results, ""};
        }
        weir_runtime *rt = runtime_of(backend);
        return {[this, rt] { check(weir_parallel_for(rt, loop.count, 1, Loop::range, &loop)); },
                results, ""};
    }

  private:
    Loop loop;
};

std::vector<Backend> loop_backends(const Options &options) {
    std::vector<Backend> backends;
    for (const int threads : options.threads) {
        Backend backend;
        backend.threads = threads;
        backend.name = "pool";
        backends.push_back(backend);
#ifdef _OPENMP
        backend.threading = WEIR_THREADING_OPENMP;
        backend.name = "openmp";
        backends.push_back(backend);
        backend.library = Backend::OPENMP;
        backend.name = "omp";
        backends.push_back(backend);
#endif
    }
    return backends;
}

std::vector<Group> groups(const Options &options) {
    const struct {
        const char *op;
        Kind kind;
        int64_t count;
    } loops[] = {
        {"fork_join", EMPTY, 2}, {"empty", EMPTY, 1024},  {"even", EVEN, 16},
        {"even", EVEN, 1024},    {"uneven", UNEVEN, 200},
    };
    std::vector<Group> list;
    for (const auto &loop : loops) {
        Group group;
        group.op = loop.op;
        group.shape = "count:" + std::to_string(loop.count);
        group.backends = loop_backends(options);
        group.open = [loop] { return std::make_unique<LoopCase>(loop.kind, loop.count); };
        list.push_back(group);
    }
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv, {"runtime", "", "omp", bench::groups});
}

/* The thread pool beside OpenMP: fork, join, barrier, uneven work. SPDX-License-Identifier: Apache-2.0
 *
 * Backends: pool and openmp are weir_parallel_for on the two threadings of the runtime; libgomp and
 * libomp are the compiler's own parallel region on that OpenMP runtime (a loop with static schedule;
 * dynamic for uneven work).
 *
 *   fork_join  as many empty items as threads, each the share of one: a thread that is late finds its
 *              item done by another. OpenMP: an empty parallel region
 *   barrier    the same, but an item waits until all have begun: no thread can be left out. OpenMP: a
 *              parallel region with a barrier in it
 */
#include <atomic>

#include <sched.h>

#include "harness.h"
#include "member.h"

namespace bench {
namespace {

/* A chain of dependent multiply-adds, so that the compiler can't shorten it. */
uint64_t spin(int64_t steps) {
    uint64_t state = static_cast<uint64_t>(steps);
    for (int64_t i = 0; i < steps; i++) state = state * 6364136223846793005u + 1;
    return state;
}

enum Kind { FORK_JOIN, BARRIER, EMPTY, EVEN, UNEVEN };

struct Loop {
    Kind kind;
    int64_t count;
    int threads;
    Tensor out;
    /* How many have begun, of all calls since the last reset. */
    alignas(128) std::atomic<int64_t> arrived{0};

    void meet() {
        const int64_t all = (arrived.fetch_add(1) / threads + 1) * threads;
        for (int spins = 0; arrived.load(std::memory_order_acquire) < all; spins++)
            if (spins > 1000) sched_yield(); /* more threads than processors */
    }
    void item(int64_t i) {
        if (kind == BARRIER) meet();
        if (kind != EVEN && kind != UNEVEN) return;
        const int64_t steps = kind == EVEN ? 400 : 4 * i; /* about 1 us, and 0 to 2 */
        out[static_cast<size_t>(i)] = static_cast<float>(spin(steps) >> 40);
    }
    static void range(void *arg, int64_t begin, int64_t end, int) {
        for (int64_t i = begin; i < end; i++) static_cast<Loop *>(arg)->item(i);
    }
};

void run_omp([[maybe_unused]] Loop &loop) {
    [[maybe_unused]] const int64_t count = loop.count;
    switch (loop.kind) {
    case FORK_JOIN:
#pragma omp parallel num_threads(loop.threads)
    {
        /* so that the region is not left out */
        std::atomic_signal_fence(std::memory_order_seq_cst);
    } break;
    case BARRIER:
#pragma omp parallel num_threads(loop.threads)
    {
#pragma omp barrier
    } break;
    case UNEVEN:
#pragma omp parallel for schedule(dynamic) num_threads(loop.threads)
        for (int64_t i = 0; i < count; i++) loop.item(i);
        break;
    default:
#pragma omp parallel for schedule(static) num_threads(loop.threads)
        for (int64_t i = 0; i < count; i++) loop.item(i);
    }
}

class LoopCase : public Case {
  public:
    LoopCase(Kind the_kind, int64_t the_count) : kind(the_kind), count(the_count) {}
    Work prepare(const Backend &backend) override {
        loops.push_back(std::make_unique<Loop>());
        Loop *loop = loops.back().get();
        loop->kind = kind;
        loop->threads = backend.threads;
        loop->count = count > 0 ? count : backend.threads;
        loop->out = zero_tensor(loop->count);
        const auto results = [this, loop] {
            return count > 0 ? Results{{"out", loop->out}} : Results{};
        };
        if (backend.library == Backend::OPENMP) return {[loop] { run_omp(*loop); }, results, ""};
        weir_runtime *rt = runtime_of(backend);
        return {[loop, rt] { check(weir_parallel_for(rt, loop->count, 1, Loop::range, loop)); },
                results, ""};
    }

  private:
    const Kind kind;
    const int64_t count; /* 0: one for each thread */
    std::vector<std::unique_ptr<Loop>> loops;
};

std::vector<Backend> loop_backends(const Options &options) {
    std::vector<Backend> backends;
    for (const int threads : options.threads) {
        Backend backend;
        backend.threads = threads;
        backend.name = "pool";
        backends.push_back(backend);
        if (openmp_name().empty()) continue;
        backend.threading = WEIR_THREADING_OPENMP;
        backend.name = "openmp";
        backends.push_back(backend);
        backend.library = Backend::OPENMP;
        backend.name = openmp_name();
        backends.push_back(backend);
        if (options.peer.empty()) continue;
        backend.peer = true;
        backend.name = "libomp";
        backends.push_back(backend);
    }
    return backends;
}

std::vector<Group> groups(const Options &options) {
    const struct {
        const char *op;
        Kind kind;
        int64_t count;
    } loops[] = {
        {"fork_join", FORK_JOIN, 0}, {"barrier", BARRIER, 0}, {"empty", EMPTY, 1024},
        {"even", EVEN, 16},          {"even", EVEN, 1024},    {"uneven", UNEVEN, 200},
    };
    std::vector<Group> list;
    for (const auto &loop : loops) {
        Group group;
        group.op = loop.op;
        group.shape = "count:" + (loop.count > 0 ? std::to_string(loop.count) : "threads");
        group.backends = loop_backends(options);
        group.open = [loop] { return std::make_unique<LoopCase>(loop.kind, loop.count); };
        list.push_back(group);
    }
    return list;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_area(argc, argv,
                           {"runtime", "", bench::openmp_name(), bench::groups, {1, 2, 4}});
}

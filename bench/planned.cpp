/* A training step on a machine that isn't here, from its plan. SPDX-License-Identifier: Apache-2.0 */
#include "planned.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include "harness.h"

/* What the linker puts itself before, and the library's own. */
extern "C" {
weir_status __real_weir_parallel_for(weir_runtime *, int64_t, int64_t, weir_range_fn *, void *);
weir_status __real_weir_tensor_alloc(weir_runtime *, int64_t, float **);
void *__real_weir_scratch_get(weir_runtime *, int64_t);
void *__real_weir_scratch_on(weir_runtime *, int64_t, int);
void *__real_aligned_alloc(size_t, size_t);
void __real_free(void *);
int __real_munmap(void *, size_t);
unsigned weir_denormals_flush(void);

weir_status __wrap_weir_parallel_for(weir_runtime *, int64_t, int64_t, weir_range_fn *, void *);
weir_status __wrap_weir_parallel_own(weir_runtime *, int64_t, int64_t, weir_range_fn *, void *);
weir_status __wrap_weir_team_create(weir_runtime *);
bool __wrap_weir_topology_synthetic(const void *);
weir_status __wrap_weir_topology_bind_memory(const void *, void *, int64_t, int);
weir_status __wrap_weir_tensor_alloc(weir_runtime *, int64_t, float **);
void *__wrap_weir_scratch_get(weir_runtime *, int64_t);
void *__wrap_weir_scratch_on(weir_runtime *, int64_t, int);
void *__wrap_aligned_alloc(size_t, size_t);
void __wrap_free(void *);
int __wrap_munmap(void *, size_t);
}

namespace bench {
namespace {

constexpr uintptr_t PAGE = 4096, HUGE_PAGE = 512 * PAGE;

/* Memory of the runtime, whole pages. */
struct Region {
    uintptr_t begin, end;
    uintptr_t unit;              /* its pages are this large where first touch decides */
    std::vector<int> home;       /* node of each page, -1 not yet touched */
    std::vector<char> used;      /* since it was locked */
    std::vector<uint64_t> users; /* nodes in this call, a bit each */
};

struct Bound {
    uintptr_t begin, end;
    int node;
};

/* All memory that is followed. A fault looks here, so nothing in it lies in what is locked. */
std::vector<Region> regions;
std::vector<Bound> bounds;
bool following = false;

size_t page_of(const Region &region, uintptr_t address) { return (address - region.begin) / PAGE; }

void protect(const Region &region, int access) {
    mprotect(reinterpret_cast<void *>(region.begin), region.end - region.begin, access);
}

void on_fault(int signal, siginfo_t *info, void *) {
    const uintptr_t address = reinterpret_cast<uintptr_t>(info->si_addr);
    for (Region &region : regions) {
        if (address < region.begin || address >= region.end) continue;
        region.used[page_of(region, address)] = 1;
        mprotect(reinterpret_cast<void *>(address / PAGE * PAGE), PAGE, PROT_READ | PROT_WRITE);
        return;
    }
    ::signal(signal, SIG_DFL); /* a real one */
}

void forget(uintptr_t begin, uintptr_t end) {
    const auto overlaps = [&](const auto &r) { return r.begin < end && begin < r.end; };
    for (const Region &region : regions)
        if (overlaps(region)) protect(region, PROT_READ | PROT_WRITE);
    regions.erase(std::remove_if(regions.begin(), regions.end(), overlaps), regions.end());
    bounds.erase(std::remove_if(bounds.begin(), bounds.end(), overlaps), bounds.end());
}

/* untouched: node of pages that are not bound, -1 the first that touches them. */
void follow(const void *memory, int64_t bytes, int untouched) {
    if (!following || !memory || bytes == 0) return;
    const uintptr_t begin = reinterpret_cast<uintptr_t>(memory);
    const uintptr_t end = (begin + static_cast<uintptr_t>(bytes) + PAGE - 1) / PAGE * PAGE;
    for (const Region &region : regions)
        if (region.begin == begin && region.end >= end) return; /* scratch, again */
    std::vector<int> known;
    for (const Region &region : regions)
        if (region.begin == begin) known = region.home;
    regions.erase(std::remove_if(regions.begin(), regions.end(),
                                 [&](const Region &r) { return r.begin == begin; }),
                  regions.end());
    const size_t pages = (end - begin) / PAGE;
    Region region{begin,
                  end,
                  begin % HUGE_PAGE == 0 ? HUGE_PAGE : PAGE,
                  known,
                  std::vector<char>(pages),
                  std::vector<uint64_t>(pages)};
    region.home.resize(pages, untouched);
    for (const Bound &bound : bounds)
        for (uintptr_t at = std::max(begin, bound.begin); at < std::min(end, bound.end); at += PAGE)
            region.home[page_of(region, at)] = bound.node;
    regions.push_back(region);
}

void set_access(int access) {
    for (const Region &region : regions) protect(region, access);
}

/* Of what this node has touched since the last call of this function. */
void count(int node, StepTraffic &traffic) {
    for (Region &region : regions) {
        for (size_t i = 0; i < region.used.size(); i++) {
            if (!region.used[i]) continue;
            region.used[i] = 0;
            const size_t unit = region.unit / PAGE, first = i / unit * unit;
            if (region.home[i] < 0)
                std::fill(region.home.begin() + static_cast<long>(first),
                          region.home.begin() +
                              static_cast<long>(std::min(first + unit, region.home.size())),
                          node);
            const uint64_t bit = uint64_t{1} << node;
            if (region.users[i] & bit) continue;
            region.users[i] |= bit;
            traffic.bytes += PAGE;
            if (region.home[i] != node) traffic.crossing += PAGE;
            if (node != 0) traffic.unplanned += PAGE;
        }
    }
}

void end_of_call() {
    for (Region &region : regions) std::fill(region.users.begin(), region.users.end(), 0);
}

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

weir_runtime *create(const std::string &machine, int workers) {
    setenv("HWLOC_SYNTHETIC", machine.c_str(), 1);
    weir_runtime_options options = weir_runtime_options_default();
    options.threading = WEIR_THREADING_POOL;
    options.bind = WEIR_BIND_COMPACT;
    options.threads = workers;
    weir_runtime *runtime = nullptr;
    const weir_status status = weir_runtime_create(&options, &runtime);
    unsetenv("HWLOC_SYNTHETIC");
    check(status);
    return runtime;
}

using Owned = std::unique_ptr<weir_runtime, decltype(&weir_runtime_destroy)>;

} // namespace

struct PlannedMachine::Plan {
    Owned runtime{nullptr, weir_runtime_destroy},
        shares{nullptr,
               weir_runtime_destroy}; /* the machine; one with a node for each of its workers */
    std::vector<int> node;            /* of each worker */
    bool tracing = false;
    int running = -1; /* the worker whose share runs */
    size_t call = 0;
    std::vector<std::vector<double>> seconds; /* least of each call and worker */
    double in_calls = 0;                      /* seconds of this step */
    StepTraffic traffic;

    void share(int worker, int64_t count, int64_t grain, weir_range_fn *fn, void *arg) {
        int64_t begin = 0, end = 0;
        check(weir_runtime_node_share(shares.get(), worker, (count - 1) / grain + 1, &begin, &end));
        if (begin == end) return;
        running = worker;
        if (tracing) set_access(PROT_NONE);
        const double start = now();
        fn(arg, begin * grain, std::min(end * grain, count), worker);
        const double took = now() - start;
        if (tracing) bench::count(node[static_cast<size_t>(worker)], traffic);
        running = -1;
        double &least = seconds[call][static_cast<size_t>(worker)];
        least = least < 0 ? took : std::min(least, took);
        in_calls += took;
    }
    void run(int64_t count, int64_t grain, weir_range_fn *fn, void *arg) {
        if (tracing) bench::count(0, traffic); /* what the caller did since the last call */
        end_of_call();
        if (call == seconds.size()) seconds.emplace_back(node.size(), -1.0);
        for (size_t w = 0; w < node.size(); w++) share(static_cast<int>(w), count, grain, fn, arg);
        end_of_call();
        call++;
        if (tracing) set_access(PROT_NONE);
    }
};

/* The machine whose turn it is. */
static PlannedMachine::Plan *active = nullptr;

PlannedMachine::PlannedMachine(int nodes, int cores_of_node) {
    const std::string size = std::to_string(nodes), cores = std::to_string(cores_of_node);
    const int all = nodes * cores_of_node;
    plan = std::make_unique<Plan>();
    plan->runtime.reset(create("node:" + size + " core:" + cores + " pu:1", all));
    plan->shares.reset(create("node:" + std::to_string(all) + " core:1 pu:1", all));
    for (int w = 0; w < weir_runtime_threads(plan->runtime.get()); w++) {
        weir_worker_info info;
        check(weir_runtime_worker(plan->runtime.get(), w, &info));
        plan->node.push_back(info.node);
    }
    if (workers() != all || workers() != weir_runtime_nodes(plan->shares.get()))
        throw std::runtime_error("the plan has " + std::to_string(workers()) + " workers, not " +
                                 std::to_string(all));
    weir_denormals_flush();
}

PlannedMachine::~PlannedMachine() = default;
weir_runtime *PlannedMachine::runtime() const { return plan->runtime.get(); }
int PlannedMachine::workers() const { return static_cast<int>(plan->node.size()); }

StepTime PlannedMachine::time(const std::function<void()> &step, int repetitions) {
    active = plan.get();
    step(); /* allocates */
    plan->seconds.clear();
    StepTime result;
    result.between = 1e9;
    for (int i = 0; i < repetitions; i++) {
        plan->call = 0;
        plan->in_calls = 0;
        const double start = now();
        step();
        result.between = std::min(result.between, now() - start - plan->in_calls);
    }
    active = nullptr;
    result.calls = static_cast<int>(plan->seconds.size());
    result.critical = result.work = result.between;
    for (const auto &call : plan->seconds) {
        result.critical += std::max(0.0, *std::max_element(call.begin(), call.end()));
        for (const double share : call) result.work += std::max(0.0, share);
    }
    return result;
}

StepTraffic PlannedMachine::trace(const std::function<void()> &create_all,
                                  const std::function<void()> &step) {
    struct sigaction action = {}, before;
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGSEGV, &action, &before);
    active = plan.get();
    plan->tracing = following = true;
    create_all();
    step();
    bench::count(0, plan->traffic);
    end_of_call();
    plan->traffic = {};
    set_access(PROT_NONE);
    step();
    bench::count(0, plan->traffic);
    set_access(PROT_READ | PROT_WRITE);
    plan->tracing = following = false;
    active = nullptr;
    regions.clear();
    bounds.clear();
    sigaction(SIGSEGV, &before, nullptr);
    return plan->traffic;
}

} // namespace bench

/* ---- between the library and its parallel calls -------------------------------------------------- */

weir_status __wrap_weir_parallel_for(weir_runtime *runtime, int64_t count, int64_t grain,
                                     weir_range_fn *fn, void *arg) {
    bench::PlannedMachine::Plan *plan = bench::active;
    if (!plan || runtime != plan->runtime.get())
        return __real_weir_parallel_for(runtime, count, grain, fn, arg);
    if (count == 0) return WEIR_OK;
    if (plan->running >= 0) /* inside another: inline */
        fn(arg, 0, count, plan->running);
    else
        plan->run(count, grain, fn, arg);
    return WEIR_OK;
}

/* Tensors are zeroed so: nothing to learn, follow() knows where they are. */
weir_status __wrap_weir_parallel_own(weir_runtime *, int64_t count, int64_t, weir_range_fn *fn,
                                     void *arg) {
    if (count > 0) fn(arg, 0, count, 0);
    return WEIR_OK;
}

/* No threads; memory as if the machine were real. */
weir_status __wrap_weir_team_create(weir_runtime *) { return WEIR_OK; }
bool __wrap_weir_topology_synthetic(const void *) { return false; }

/* ---- between the library and its memory ---------------------------------------------------------- */

weir_status __wrap_weir_topology_bind_memory(const void *, void *memory, int64_t bytes, int node) {
    const auto begin = reinterpret_cast<uintptr_t>(memory);
    if (bench::following)
        bench::bounds.push_back({begin, begin + static_cast<uintptr_t>(bytes), node});
    return WEIR_OK;
}

weir_status __wrap_weir_tensor_alloc(weir_runtime *runtime, int64_t floats, float **tensor) {
    const weir_status status = __real_weir_tensor_alloc(runtime, floats, tensor);
    if (status == WEIR_OK) bench::follow(*tensor, 4 * floats, 0); /* small: worker 0 zeroed it */
    return status;
}

void *__wrap_weir_scratch_get(weir_runtime *runtime, int64_t bytes) {
    void *memory = __real_weir_scratch_get(runtime, bytes);
    bench::follow(memory, bytes, -1);
    return memory;
}

void *__wrap_weir_scratch_on(weir_runtime *runtime, int64_t bytes, int node) {
    void *memory = __real_weir_scratch_on(runtime, bytes, node);
    bench::follow(memory, bytes, node);
    return memory;
}

/* Whole pages, so that nothing else is locked with them. */
void *__wrap_aligned_alloc(size_t, size_t bytes) {
    return __real_aligned_alloc(bench::PAGE, (bytes + bench::PAGE - 1) / bench::PAGE * bench::PAGE);
}

void __wrap_free(void *memory) {
    const auto begin = reinterpret_cast<uintptr_t>(memory);
    if (bench::following && memory) bench::forget(begin, begin + 1);
    __real_free(memory);
}

int __wrap_munmap(void *memory, size_t bytes) {
    const auto begin = reinterpret_cast<uintptr_t>(memory);
    if (bench::following) bench::forget(begin, begin + bytes);
    return __real_munmap(memory, bytes);
}

/* One benchmark: prepared, compared, timed. SPDX-License-Identifier: Apache-2.0 */
#include "entry.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <stdexcept>
#include <thread>

#include "team.h"

namespace bench {

std::string full_name(const Group &group, const Backend &backend) {
    return group.op + "/" + backend.name + (group.shape.empty() ? "" : "/") + group.shape +
           "/threads:" + std::to_string(backend.threads);
}

void enter(const Backend &backend, bool quick) {
    static int previous = -1;
    const int now = (backend.library * 2 + backend.threading) * 2 + backend.peer;
    if (backend.library == Backend::WEIR) {
        runtime_of(backend);
        if (backend.threading == WEIR_THREADING_POOL) team_bind_thread(0);
    }
    const bool openmp =
        backend.library != Backend::WEIR || backend.threading == WEIR_THREADING_OPENMP;
    if (openmp && !backend.peer) team_bind_openmp(backend.threads);
    /* libgomp's threads spin for some milliseconds after their last work. */
    if (previous != now && !quick) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    previous = now;
}

double preemptions() {
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_nivcsw);
}

/* Empty when the outputs agree. The bound is loose: it finds wrong results, not rounding. */
static std::string disagreement(const std::string &name_a, const Results &a,
                                const std::string &name_b, const Results &b) {
    if (a.empty() || b.empty()) return "";
    for (size_t i = 0; i < a.size(); i++) {
        const Tensor &u = a[i].second, &v = b.at(i).second;
        float largest = 0, difference = 0;
        bool finite = u.size() == v.size();
        for (size_t j = 0; finite && j < u.size(); j++) {
            largest = std::max(largest, std::fabs(u[j]));
            difference = std::max(difference, std::fabs(u[j] - v[j]));
            finite = std::isfinite(u[j]) && std::isfinite(v[j]);
        }
        if (finite && difference <= 1e-3f * largest) continue;
        return a[i].first + " of " + name_a + " and " + name_b + " differs by " +
               std::to_string(difference) + ", its largest value is " + std::to_string(largest);
    }
    return "";
}

Bench::Bench(const Group &the_group, Peer *the_peer, bool is_quick)
    : group(the_group), peer(the_peer), quick(is_quick), tensors(group.open()) {}

void Bench::prepare(Entry &entry) {
    const Backend &backend = *entry.backend;
    try {
        enter(backend, quick);
        if (backend.peer) { /* compares with Weir in its own process */
            entry.work = peer->prepare(group, backend);
            return;
        }
        entry.work = tensors->prepare(backend);
        entry.work.run();
        if (!entry.work.results) return;
        if (reference.empty()) {
            reference = entry.work.results();
            reference_name = backend.name;
        } else {
            entry.error =
                disagreement(reference_name, reference, backend.name, entry.work.results());
        }
    } catch (const std::exception &e) {
        entry.error = e.what();
    }
}

static double time_elsewhere(benchmark::State &state, Entry &entry) {
    double interruptions = 0;
    try {
        entry.work.run_elsewhere(1);
        while (state.KeepRunningBatch(state.max_iterations)) {
            const Measured measured = entry.work.run_elsewhere(state.max_iterations);
            state.SetIterationTime(measured.seconds);
            interruptions += measured.preemptions;
        }
    } catch (const std::exception &e) {
        entry.error = e.what();
        state.SkipWithError(entry.error.c_str());
    }
    return interruptions;
}

void Bench::time(benchmark::State &state, Entry &entry, const Roofline &roofline) const {
    enter(*entry.backend, quick);
    double interruptions = 0;
    if (entry.backend->peer) {
        interruptions = time_elsewhere(state, entry);
    } else {
        entry.work.run();
        const double before = preemptions();
        for (auto _ : state) entry.work.run();
        interruptions = preemptions() - before;
    }
    const auto rate = benchmark::Counter::kIsIterationInvariantRate;
    const auto add = [&](const char *name, double amount) {
        if (amount > 0) state.counters[name] = benchmark::Counter(amount, rate);
    };
    state.counters["preemptions/s"] =
        benchmark::Counter(interruptions, benchmark::Counter::kIsRate);
    const double peak = roofline.peak(*entry.backend);
    add("GFLOP/s", group.flops / 1e9);
    if (peak > 0) add("%peak", 100 * group.flops / peak);
    add("GB/s", group.bytes / 1e9);
    add("%roofline", 100 * roofline.bound(group, *entry.backend).seconds);
    add("samples/s", group.samples);
    if (!entry.work.implementation.empty()) state.SetLabel(entry.work.implementation);
}

} // namespace bench

/* What sleeping threads cost: the way back to work, and CPU time. SPDX-License-Identifier: Apache-2.0
 *
 * After a rest in which the threads have gone to sleep:
 *   wake   from a parallel call until the last of the threads is in its body. Each item waits there for
 *          the others, so none is left out
 *   call   an empty parallel call from begin to end: what its caller notices. A thread that is late finds
 *          its item done by another, where the threading can do that
 * And CPU time of the threads other than the caller: in the first half second after a call, and in the
 * half second after that, per second.
 */
#include <sched.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <thread>

#include "entry.h"
#include "figures.h"
#include "options.h"

namespace bench {
namespace {

const char *const help_text =
    "Usage: bench_idle [option]...\n"
    "  --backend LIST    default: all there are of pool, libgomp, libomp\n"
    "  --threads N       default: the cores allowed\n"
    "  --rests N         after which a call is timed; default 500\n"
    "  --quick           a few: times mean little\n"
    "  --benchmark_out FILE (JSON)\n";

struct Settings {
    FigureOptions common;
    int rests = 500;
};

Settings parse(int argc, char **argv) {
    Settings s;
    s.common = parse_figure_options(argc, argv, help_text, [&](Words &words) {
        std::string value;
        if (!words.take("--rests", &value)) return false;
        s.rests = parse_number("--rests", value, 1);
        return true;
    });
    if (s.common.quick) s.rests = std::min(s.rests, 10);
    return s;
}

double seconds_of(clockid_t clock) {
    timespec t;
    clock_gettime(clock, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

void rest(double seconds) { std::this_thread::sleep_for(std::chrono::duration<double>(seconds)); }

/* ---- the process whose threads sleep ------------------------------------------------------------- */

class Sleeper {
  public:
    explicit Sleeper(const FigureOptions &options) : threads(options.threads) {
        Backend backend;
        backend.threads = threads;
        backend.threading = options.backends.front().threading;
        runtime = runtime_of(backend);
        enter(backend, true); /* thread i in its place */
        call(empty);
    }
    /* request: wake COUNT, call COUNT, or idle. */
    std::vector<double> answer(const std::string &request) {
        std::istringstream words(request);
        std::string what;
        int count = 0;
        words >> what >> count;
        if (what == "idle") return idle();
        std::vector<double> list;
        while (count-- > 0) list.push_back(what == "wake" ? wake() : empty_call());
        return list;
    }

  private:
    using Body = weir_range_fn;
    void call(Body *body) { check(weir_parallel_for(runtime, threads, 1, body, this)); }
    static void empty(void *, int64_t, int64_t, int) {}
    static void meet(void *self, int64_t begin, int64_t end, int) {
        Sleeper &sleeper = *static_cast<Sleeper *>(self);
        if (end - begin != 1) return; /* all items on one thread: nobody else can come */
        if (sleeper.arrived.fetch_add(1) + 1 == sleeper.threads)
            sleeper.last = seconds_of(CLOCK_MONOTONIC);
        for (int spins = 0; sleeper.arrived.load() < sleeper.threads; spins++)
            if (spins > 1000) sched_yield();
    }
    /* Longer than the pool and a passive OpenMP keep their threads awake. */
    void sleep() { rest(2e-3); }
    double wake() {
        sleep();
        arrived = 0;
        const double start = seconds_of(CLOCK_MONOTONIC);
        call(meet);
        return last - start;
    }
    double empty_call() {
        sleep();
        const double start = seconds_of(CLOCK_MONOTONIC);
        call(empty);
        return seconds_of(CLOCK_MONOTONIC) - start;
    }
    /* CPU time of the other threads while this one sleeps. */
    double others_in(double seconds) {
        const auto others = [] {
            return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - seconds_of(CLOCK_THREAD_CPUTIME_ID);
        };
        const double before = others();
        rest(seconds);
        return std::max(0.0, others() - before) / seconds;
    }
    std::vector<double> idle() {
        call(empty);
        const double first = others_in(0.5), later = others_in(0.5);
        return {first, later};
    }

    const int threads;
    weir_runtime *runtime;
    std::atomic<int> arrived{0};
    double last = 0;
};

/* ---- the process that measures ------------------------------------------------------------------- */

/* asleep: its threads sleep 2 ms after a call. */
FigureRow measure(Member &member, const std::string &name, const Settings &s, bool asleep) {
    std::vector<double> wakes, calls;
    if (asleep) {
        wakes = member.ask("wake " + std::to_string(s.rests));
        calls = member.ask("call " + std::to_string(s.rests));
    }
    const auto us = [&](const std::vector<double> &list, double q) {
        return asleep ? 1e6 * quantile(list, q) : -1;
    };
    const std::vector<double> idle = member.ask("idle");
    FigureRow row{"idle", "rest:2ms", name, s.common.threads, quantile(wakes, 0.5), {}};
    row.figures = {
        {"wake us", "%.1f", us(wakes, 0.5)},    {"wake p99", "%.1f", us(wakes, 0.99)},
        {"call us", "%.1f", us(calls, 0.5)},    {"call p99", "%.1f", us(calls, 0.99)},
        {"CPU ms/s", "%.3f", 1e3 * idle.at(0)}, {"later ms/s", "%.3f", 1e3 * idle.at(1)}};
    return row;
}

int run(const Settings &s) {
    if (s.common.serve >= 0) {
        Sleeper sleeper(s.common);
        serve_requests(s.common.serve, "", [&](const std::string &request) {
            return numbers_text(sleeper.answer(request));
        });
        return 0;
    }
    const std::vector<std::string> arguments{"--threads", std::to_string(s.common.threads)};
    Figures figures("idle", s.common);
    for (const Threading &backend : s.common.backends) {
        const bool pool = backend.threading == WEIR_THREADING_POOL;
        {
            Member member(backend, arguments);
            figures.add(measure(member, backend.name, s, pool));
        }
        if (pool) continue;
        Member passive(backend, arguments, {"OMP_WAIT_POLICY=passive"});
        figures.add(measure(passive, backend.name + " passive", s, true));
    }
    std::printf(
        "\nwake: from a call until the last thread is in its body, 2 ms after the call before; "
        "call: an empty call\nfrom begin to end; CPU: of the threads other than the caller, in "
        "the half second after a call, and later.\npassive: OMP_WAIT_POLICY=passive; without, "
        "OpenMP's threads don't sleep that soon.\n");
    figures.write();
    return 0;
}

} // namespace
} // namespace bench

int main(int argc, char **argv) {
    return bench::run_figures("idle", [&] { return bench::run(bench::parse(argc, argv)); });
}

/* The least time that an operation can take on this machine. SPDX-License-Identifier: Apache-2.0 */
#include "roofline.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "onednn.h"
#include "team.h"

namespace bench {

Roofline::Roofline(const Options &options, const std::vector<Group> &groups) {
    check(weir_machine_describe(&info));
    if (!options.roofline) return;
    std::set<weir_activation> activations;
    for (const Group &group : groups)
        for (const auto &part : group.activations) activations.insert(part.first);
    for (const weir_isa isa : {WEIR_ISA_AVX2, WEIR_ISA_AVX512}) {
        if (!info.isa_available[isa] || !machine_has(isa)) continue;
        best = isa;
        for (const int threads : options.threads) {
            flops_per_second[{isa, threads}] = fma_peak(isa, threads);
            for (const MemoryLevel &level : memory_levels(info, threads))
                levels[{isa, threads}].push_back(
                    {level, read_bandwidth(isa, threads, level.buffer)});
        }
        for (const weir_activation activation : activations) measure_activation(isa, activation);
    }
}

/* The public operation on one thread, over an array that stays in the L1 cache. */
void Roofline::measure_activation(weir_isa isa, weir_activation activation) {
    using clock = std::chrono::steady_clock;
    constexpr int64_t floats = 2048;
    constexpr int rounds = 200;
    Backend backend;
    backend.isa = isa;
    weir_runtime *rt = runtime_of(backend);
    const Tensor x = random_tensor(floats, 1, 4.0f);
    Tensor y = zero_tensor(floats);
    team_bind_thread(0);
    double least = 1e9;
    for (int trial = 0; trial < 10; trial++) {
        const auto start = clock::now();
        for (int i = 0; i < rounds; i++)
            check(weir_activation_fwd(rt, activation, floats, x.data(), y.data()));
        least = std::min(least, std::chrono::duration<double>(clock::now() - start).count());
    }
    team_unbind_main();
    elements_per_second[{isa, activation}] = static_cast<double>(floats) * rounds / least;
}

weir_isa Roofline::isa_of(const Backend &backend) const {
    return backend.library == Backend::WEIR ? backend.isa : best;
}

double Roofline::peak(const Backend &backend) const {
    const auto known = flops_per_second.find({isa_of(backend), backend.threads});
    return known == flops_per_second.end() ? 0 : known->second;
}

Bound Roofline::bound(const Group &group, const Backend &backend) const {
    if (!group.bounded) return {};
    const double flops = peak(backend);
    Bound bound;
    if (flops > 0 && group.flops > 0) bound = {group.flops / flops, "FMA"};
    for (const auto &part : group.activations) {
        const auto rate = elements_per_second.find({isa_of(backend), part.first});
        if (rate == elements_per_second.end()) return {};
        bound.seconds += part.second / (rate->second * backend.threads);
        bound.by = "FMA+act";
    }
    const auto measured = levels.find({isa_of(backend), backend.threads});
    if (measured == levels.end()) return bound;
    for (const Level &level : measured->second) {
        if (group.bytes > static_cast<double>(level.memory.capacity)) continue;
        const double seconds = group.bytes / level.bytes_per_second;
        if (seconds > bound.seconds) bound = {seconds, level.memory.name};
        break;
    }
    return bound;
}

void Roofline::refresh(const Group &group) {
    for (auto &measured : levels) {
        if (measured.second.size() < 2) continue;
        const Level &last_cache = measured.second.end()[-2];
        Level &memory = measured.second.back();
        if (group.bytes <= static_cast<double>(last_cache.memory.capacity)) continue;
        memory.bytes_per_second = std::max(
            memory.bytes_per_second,
            read_bandwidth(measured.first.first, measured.first.second, memory.memory.buffer));
    }
}

static void say(const std::string &name, const std::string &value) {
    std::printf("%s: %s\n", name.c_str(), value.c_str());
    benchmark::AddCustomContext(name, value);
}

void Roofline::describe() const {
    double load = 0;
    if (getloadavg(&load, 1) == 1 && load > 0.5)
        std::printf("disturbed: the load is %.1f before the first benchmark\n", load);
    for (const auto &peak : flops_per_second) {
        char value[160];
        int end = std::snprintf(value, sizeof value, "%.1f GFLOP/s; reads", peak.second / 1e9);
        for (const Level &level : levels.at(peak.first))
            end += std::snprintf(value + end, sizeof value - static_cast<size_t>(end), " %s %.0f",
                                 level.memory.name, level.bytes_per_second / 1e9);
        std::snprintf(value + end, sizeof value - static_cast<size_t>(end), " GB/s");
        say(std::string("FMA peak ") + weir_isa_name(peak.first.first) +
                " threads:" + std::to_string(peak.first.second),
            value);
    }
    for (const auto &rate : elements_per_second) {
        char value[32];
        std::snprintf(value, sizeof value, "%.2f G elements/s", rate.second / 1e9);
        say(std::string(weir_activation_name(rate.first.second)) + " " +
                weir_isa_name(rate.first.first) + " threads:1",
            value);
    }
}

JsonObject Roofline::json() const {
    std::vector<JsonObject> peaks, bandwidths, activations;
    for (const auto &peak : flops_per_second) {
        const std::string isa = weir_isa_name(peak.first.first);
        const int threads = peak.first.second;
        peaks.push_back(JsonObject()
                            .text("isa", isa)
                            .number("threads", threads)
                            .number("flops_per_second", peak.second));
        for (const Level &level : levels.at(peak.first))
            bandwidths.push_back(JsonObject()
                                     .text("isa", isa)
                                     .number("threads", threads)
                                     .text("level", level.memory.name)
                                     .number("bytes_per_second", level.bytes_per_second));
    }
    for (const auto &rate : elements_per_second)
        activations.push_back(JsonObject()
                                  .text("isa", weir_isa_name(rate.first.first))
                                  .text("activation", weir_activation_name(rate.first.second))
                                  .number("elements_per_second", rate.second));
    return JsonObject()
        .text("cpu", info.cpu_model)
        .number("cores", info.cores)
        .number("cores_allowed", info.cores_allowed)
        .number("numa_nodes", info.numa_nodes)
        .number("l1d_bytes", static_cast<double>(info.l1d_bytes))
        .number("l2_bytes", static_cast<double>(info.l2_bytes))
        .number("l3_bytes", static_cast<double>(info.l3_bytes))
        .number("memory_bytes", static_cast<double>(info.memory_bytes))
        .array("peaks", peaks)
        .array("bandwidths", bandwidths)
        .array("activations", activations);
}

} // namespace bench

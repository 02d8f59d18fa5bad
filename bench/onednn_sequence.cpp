/* A sequence of oneDNN primitives with its memory. SPDX-License-Identifier: Apache-2.0 */
#include "onednn_sequence.h"

#include <algorithm>
#include <chrono>

#include "onednn.h"

namespace bench {

bool onednn_available() { return true; }

std::string onednn_description() {
    const dnnl::version_t *v = dnnl::version();
    std::string isa = "other ISA";
    switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41: isa = "sse41"; break;
    case dnnl::cpu_isa::avx: isa = "avx"; break;
    case dnnl::cpu_isa::avx2: isa = "avx2"; break;
    case dnnl::cpu_isa::avx2_vnni: isa = "avx2_vnni"; break;
    case dnnl::cpu_isa::avx512_core: isa = "avx512_core"; break;
    case dnnl::cpu_isa::avx512_core_vnni: isa = "avx512_core_vnni"; break;
    case dnnl::cpu_isa::avx512_core_bf16: isa = "avx512_core_bf16"; break;
    default: break;
    }
    return std::to_string(v->major) + "." + std::to_string(v->minor) + "." +
           std::to_string(v->patch) + ", " + isa +
           (v->cpu_runtime == DNNL_RUNTIME_OMP ? ", OpenMP" : ", not OpenMP: threads unknown");
}

Sequence::Sequence(bool time_reorders) : plain(time_reorders), stream(cpu()) {}

memory Sequence::input(const float *data, const memory::desc &layout, const memory::desc &wanted) {
    memory given(layout, cpu(), const_cast<float *>(data));
    if (layout == wanted) return given;
    const memory converted = empty(wanted);
    if (plain)
        reorder(given, converted);
    else
        reorder_now(given, converted);
    return converted;
}

memory Sequence::output(const std::string &name, const memory::desc &layout,
                        const memory::desc &made) {
    const memory written = empty(made);
    std::fill_n(static_cast<char *>(written.get_data_handle()), made.get_size(), char{0});
    outputs.push_back({name, written, layout == made ? written : empty(layout)});
    return written;
}

memory Sequence::adapt(const memory &given, const memory::desc &wanted) {
    if (given.get_desc() == wanted) return given;
    const memory converted = empty(wanted);
    reorder(given, converted);
    return converted;
}

void Sequence::reorder(memory from, memory to) {
    steps.push_back(
        {dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}, "reorder"});
}

void Sequence::reorder_now(memory from, memory to) {
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
}

void Sequence::run() {
    for (const Step &step : steps) step.primitive.execute(stream, step.arguments);
    stream.wait();
}

void Sequence::run_once() {
    run();
    steps.clear();
    outputs.clear();
}

Results Sequence::results() {
    Results list;
    for (const Output &o : outputs) {
        if (!plain && !o.same()) reorder_now(o.written, o.result);
        const auto *begin = static_cast<const float *>(o.result.get_data_handle());
        list.emplace_back(o.name,
                          Tensor(begin, begin + o.result.get_desc().get_size() / sizeof *begin));
    }
    return list;
}

std::string Sequence::implementation() const {
    std::string text;
    for (size_t i = 0, next; i < steps.size(); i = next) {
        const std::string &name = steps[i].implementation;
        for (next = i + 1; next < steps.size() && steps[next].implementation == name;) next++;
        if (i > 0) text += ", ";
        if (next - i > 1) text += std::to_string(next - i) + " x ";
        text += name;
    }
    return text;
}

Work Sequence::finish(const std::shared_ptr<Sequence> &sequence, const std::string &note) {
    if (sequence->plain)
        for (const Output &o : sequence->outputs)
            if (!o.same()) sequence->reorder(o.written, o.result);
    return {[sequence] { sequence->run(); }, [sequence] { return sequence->results(); },
            sequence->implementation() + note};
}

double quick_time(const Work &work) {
    using clock = std::chrono::steady_clock;
    double best = 1e9;
    for (int i = 0; i < 5; i++) {
        const auto start = clock::now();
        work.run();
        best = std::min(best, std::chrono::duration<double>(clock::now() - start).count());
    }
    return best;
}

} // namespace bench

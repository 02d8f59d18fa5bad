/* A sequence of oneDNN primitives with its memory. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_ONEDNN_SEQUENCE_H
#define WEIR_BENCH_ONEDNN_SEQUENCE_H

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "harness.h"
#include "onednn_api.h"

namespace bench {

inline memory::desc dense(const memory::dims &dims, tag layout) {
    return memory::desc(dims, memory::data_type::f32, layout);
}

class Sequence {
  public:
    /* plain: inputs and outputs are in Weir's layout, the reorders belong to every run. */
    explicit Sequence(bool plain);

    memory empty(const memory::desc &md) const { return memory(md, cpu()); }
    memory zeros(const memory::desc &md) const {
        const memory m = empty(md);
        std::fill_n(static_cast<char *>(m.get_data_handle()), md.get_size(), char{0});
        return m;
    }
    /* A tensor in Weir's layout as the primitive wants it: reordered now, or in every run. */
    memory input(const float *data, const memory::desc &layout, const memory::desc &wanted);
    /* Zeroed memory to write to, returned by results() in Weir's layout. */
    memory output(const std::string &name, const memory::desc &layout, const memory::desc &made);
    /* Converts between two primitives if need be: in every run. */
    memory adapt(const memory &given, const memory::desc &wanted);

    template <class Descriptor, class Primitive>
    void add(const Descriptor &pd, const Primitive &primitive,
             const std::unordered_map<int, memory> &arguments) {
        steps.push_back({primitive, arguments, pd.impl_info_str()});
    }

    /* Runs what was added so far once and drops it: the forward pass before a backward one. */
    void run_once();
    void run();
    Results results();
    /* What the implementations are: "jit:avx2", "2 x jit:avx2, reorder". */
    std::string implementation() const;

    /* After the last primitive. note: appended to the implementation. */
    static Work finish(const std::shared_ptr<Sequence> &sequence, const std::string &note);

  private:
    struct Step {
        dnnl::primitive primitive;
        std::unordered_map<int, memory> arguments;
        std::string implementation;
    };
    struct Output {
        std::string name;
        memory written, result;
        bool same() const { return written.get() == result.get(); }
    };
    void reorder(memory from, memory to);
    void reorder_now(memory from, memory to);

    bool plain;
    dnnl::stream stream;
    std::vector<Step> steps;
    std::vector<Output> outputs;
};

/* Seconds of one run, the best of a few. */
double quick_time(const Work &work);

/*
 * What "any" chooses is not always fastest. Prepares both that and channels-last data, and keeps the
 * faster.
 */
template <class Prepare> Work best_layout(const Prepare &prepare) {
    Work any = prepare(tag::any, ""), last = prepare(tag::nwc, " (nwc)");
    return quick_time(any) <= quick_time(last) ? any : last;
}

} // namespace bench
#endif

/* oneDNN 2.x and 3.x behind one interface. SPDX-License-Identifier: Apache-2.0 */
#include "onednn.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <unordered_map>

namespace bench {

using dnnl::memory;
using tag = memory::format_tag;

static const dnnl::engine &cpu() {
    static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

/* ---- what changed between 2.x and 3.x: descriptors of operations went away ---- */

#if DNNL_VERSION_MAJOR >= 3
using PoolFwd = dnnl::pooling_forward;
using PoolBwd = dnnl::pooling_backward;

template <class P, class... A>
static typename P::primitive_desc describe(const dnnl::primitive_attr &attr, const A &...a) {
    return typename P::primitive_desc(cpu(), a..., attr);
}
template <class P, class Hint, class... A>
static typename P::primitive_desc describe_bwd(const Hint &hint, const A &...a) {
    return typename P::primitive_desc(cpu(), a..., hint);
}
static void append_relu(dnnl::post_ops &ops) {
    ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
}
static dnnl::eltwise_forward::primitive_desc describe_relu(const memory::desc &md) {
    return describe<dnnl::eltwise_forward>({}, dnnl::prop_kind::forward_training,
                                           dnnl::algorithm::eltwise_relu_use_dst_for_bwd, md, md);
}
static dnnl::eltwise_backward::primitive_desc describe_relu_bwd(const memory::desc &md) {
    return describe_bwd<dnnl::eltwise_backward>(
        describe_relu(md), dnnl::algorithm::eltwise_relu_use_dst_for_bwd, md, md, md);
}
#else
using PoolFwd = dnnl::pooling_v2_forward;
using PoolBwd = dnnl::pooling_v2_backward;

template <class P, class... A>
static typename P::primitive_desc describe(const dnnl::primitive_attr &attr, const A &...a) {
    return typename P::primitive_desc(typename P::desc(a...), attr, cpu());
}
template <class P, class Hint, class... A>
static typename P::primitive_desc describe_bwd(const Hint &hint, const A &...a) {
    return typename P::primitive_desc(typename P::desc(a...), cpu(), hint);
}
static void append_relu(dnnl::post_ops &ops) {
    ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
}
static dnnl::eltwise_forward::primitive_desc describe_relu(const memory::desc &md) {
    return describe<dnnl::eltwise_forward>({}, dnnl::prop_kind::forward_training,
                                           dnnl::algorithm::eltwise_relu_use_dst_for_bwd, md);
}
static dnnl::eltwise_backward::primitive_desc describe_relu_bwd(const memory::desc &md) {
    return describe_bwd<dnnl::eltwise_backward>(
        describe_relu(md), dnnl::algorithm::eltwise_relu_use_dst_for_bwd, md, md);
}
#endif

bool onednn_available() { return true; }

std::string onednn_description() {
    const dnnl::version_t *v = dnnl::version();
    std::string isa = "other";
    const dnnl::cpu_isa effective = dnnl::get_effective_cpu_isa();
    if (effective == dnnl::cpu_isa::avx2) isa = "avx2";
    if (effective == dnnl::cpu_isa::avx512_core) isa = "avx512_core";
    if (effective == dnnl::cpu_isa::avx512_core_vnni) isa = "avx512_core_vnni";
    if (effective == dnnl::cpu_isa::avx512_core_bf16) isa = "avx512_core_bf16";
    return std::to_string(v->major) + "." + std::to_string(v->minor) + "." +
           std::to_string(v->patch) + ", " + isa +
           (v->cpu_runtime == DNNL_RUNTIME_OMP ? ", OpenMP" : ", not OpenMP");
}

void onednn_set_threads(int threads) { omp_set_num_threads(threads); }

/* ---- a sequence of primitives with its memory ---- */

static memory::desc dense(const memory::dims &dims, tag layout) {
    return memory::desc(dims, memory::data_type::f32, layout);
}

namespace {

class Sequence {
  public:
    explicit Sequence(bool time_reorders) : plain(time_reorders), stream(cpu()) {}

    memory empty(const memory::desc &md) { return memory(md, cpu()); }

    /* A tensor in Weir's layout as the primitive wants it: reordered now, or in every run. */
    memory input(const float *data, const memory::desc &layout, const memory::desc &wanted) {
        memory given(layout, cpu(), const_cast<float *>(data));
        if (layout == wanted) return given;
        memory converted = empty(wanted);
        if (plain) {
            reorder(given, converted);
        } else {
            dnnl::reorder(given, converted).execute(stream, given, converted);
            stream.wait();
        }
        return converted;
    }

    /* Memory that is written, to be returned as a result in Weir's layout. */
    memory output(const std::string &name, const memory::desc &layout, const memory::desc &made) {
        const memory written = empty(made);
        std::fill_n(static_cast<char *>(written.get_data_handle()), made.get_size(), char{0});
        const memory result = layout == made ? written : empty(layout);
        outputs.push_back({name, written, result});
        return written;
    }

    /* md as `wanted`, converted between two primitives if need be: always timed. */
    memory adapt(const memory &given, const memory::desc &wanted) {
        if (given.get_desc() == wanted) return given;
        const memory converted = empty(wanted);
        reorder(given, converted);
        return converted;
    }

    template <class Descriptor, class Primitive>
    void add(const Descriptor &pd, const Primitive &primitive,
             const std::unordered_map<int, memory> &arguments) {
        steps.push_back({primitive, arguments});
        if (!implementation.empty()) implementation += ' ';
        implementation += pd.impl_info_str();
    }

    void reorder(const memory &from, const memory &to) {
        memory source = from, target = to;
        steps.push_back({dnnl::reorder(source, target), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}}});
        if (!implementation.empty()) implementation += ' ';
        implementation += "+reorder";
    }

    void run() {
        for (const Step &step : steps) step.primitive.execute(stream, step.arguments);
        stream.wait();
    }

    /* What was added so far is done once, not timed; its results are not compared. */
    void run_once() {
        run();
        steps.clear();
        outputs.clear();
        implementation.clear();
    }

    /* To be called after the last primitive. */
    void finish() {
        if (!plain) return;
        for (const Output &o : outputs)
            if (o.written.get() != o.result.get()) reorder(o.written, o.result);
    }

    Results results() {
        Results list;
        for (const Output &o : outputs) {
            if (!plain && o.written.get() != o.result.get()) {
                memory source = o.written, target = o.result;
                dnnl::reorder(source, target).execute(stream, source, target);
                stream.wait();
            }
            const auto *begin = static_cast<const float *>(o.result.get_data_handle());
            list.emplace_back(o.name,
                              Tensor(begin, begin + o.result.get_desc().get_size() / sizeof *begin));
        }
        return list;
    }

    std::string implementation;

  private:
    struct Step {
        dnnl::primitive primitive;
        std::unordered_map<int, memory> arguments;
    };
    struct Output {
        std::string name;
        memory written, result;
    };
    bool plain;
    dnnl::stream stream;
    std::vector<Step> steps;
    std::vector<Output> outputs;
};

} // namespace

static Work work_of(const std::shared_ptr<Sequence> &sequence, const std::string &note) {
    sequence->finish();
    return {[sequence] { sequence->run(); }, [sequence] { return sequence->results(); },
            sequence->implementation + note};
}

/* Seconds of one run: the best of a few. */
static double quick_time(const Work &work) {
    using clock = std::chrono::steady_clock;
    double best = 1e9;
    for (int i = 0; i < 4; i++) {
        const auto start = clock::now();
        work.run();
        best = std::min(best, std::chrono::duration<double>(clock::now() - start).count());
    }
    return best;
}

/*
 * Its "any" is not always its fastest layout. Prepares both, channels-last data and whatever the
 * primitive asks for, and keeps the faster.
 */
template <class Prepare> static Work best_layout(const Prepare &prepare) {
    Work any = prepare(tag::any), last = prepare(tag::nwc);
    return quick_time(any) <= quick_time(last) ? any : last;
}

/* ---- convolution ---- */

namespace {

/* Descriptors of a convolution: in Weir's layout, and with what oneDNN may choose. */
struct Conv {
    Conv(const weir_conv1d &p, tag data)
        : x(dense({p.N, p.C_in, p.T}, tag::nwc)),
          y(dense({p.N, p.C_out, weir_conv1d_t_out(&p)}, tag::nwc)),
          w(dense({p.C_out, p.C_in, p.K}, tag::wio)), b(dense({p.C_out}, tag::x)),
          any_x(dense({p.N, p.C_in, p.T}, data)),
          any_y(dense({p.N, p.C_out, weir_conv1d_t_out(&p)}, data)),
          any_w(dense({p.C_out, p.C_in, p.K}, tag::any)), strides{p.S}, dilates{p.D - 1} {}

    dnnl::convolution_forward::primitive_desc fwd() const {
        dnnl::post_ops ops;
        append_relu(ops);
        dnnl::primitive_attr attr;
        attr.set_post_ops(ops);
        return describe<dnnl::convolution_forward>(
            attr, dnnl::prop_kind::forward_training, dnnl::algorithm::convolution_direct, any_x,
            any_w, b, any_y, strides, dilates, none, none);
    }
    dnnl::convolution_backward_data::primitive_desc bwd_data() const {
        return describe_bwd<dnnl::convolution_backward_data>(
            fwd(), dnnl::algorithm::convolution_direct, any_x, any_w, any_y, strides, dilates,
            none, none);
    }
    dnnl::convolution_backward_weights::primitive_desc bwd_weights() const {
        return describe_bwd<dnnl::convolution_backward_weights>(
            fwd(), dnnl::algorithm::convolution_direct, any_x, any_w, b, any_y, strides, dilates,
            none, none);
    }

    memory::desc x, y, w, b, any_x, any_y, any_w;
    memory::dims strides, dilates, none{0};
};

} // namespace

static const char *layout_note(tag data) { return data == tag::nwc ? " (nwc)" : ""; }

Work onednn_conv1d_fwd(const Backend &backend, const weir_conv1d &p, const float *x,
                       const float *w, const float *b) {
    const auto prepare = [&](tag data) {
        const Conv c(p, data);
        const auto pd = c.fwd();
        const auto s = std::make_shared<Sequence>(backend.plain);
        const memory src = s->input(x, c.x, pd.src_desc());
        const memory weights = s->input(w, c.w, pd.weights_desc());
        const memory bias = s->input(b, c.b, pd.bias_desc());
        const memory dst = s->output("y", c.y, pd.dst_desc());
        s->add(pd, dnnl::convolution_forward(pd),
               {{DNNL_ARG_SRC, src},
                {DNNL_ARG_WEIGHTS, weights},
                {DNNL_ARG_BIAS, bias},
                {DNNL_ARG_DST, dst}});
        return work_of(s, layout_note(data));
    };
    return best_layout(prepare);
}

Work onednn_conv1d_bwd_data(const Backend &backend, const weir_conv1d &p, const float *dy,
                            const float *w) {
    const auto prepare = [&](tag data) {
        const Conv c(p, data);
        const auto pd = c.bwd_data();
        const auto s = std::make_shared<Sequence>(backend.plain);
        const memory diff_dst = s->input(dy, c.y, pd.diff_dst_desc());
        const memory weights = s->input(w, c.w, pd.weights_desc());
        const memory diff_src = s->output("dx", c.x, pd.diff_src_desc());
        s->add(pd, dnnl::convolution_backward_data(pd),
               {{DNNL_ARG_DIFF_DST, diff_dst},
                {DNNL_ARG_WEIGHTS, weights},
                {DNNL_ARG_DIFF_SRC, diff_src}});
        return work_of(s, layout_note(data));
    };
    return best_layout(prepare);
}

Work onednn_conv1d_bwd_weights(const Backend &backend, const weir_conv1d &p, const float *x,
                               const float *dy) {
    const auto prepare = [&](tag data) {
        const Conv c(p, data);
        const auto pd = c.bwd_weights();
        const auto s = std::make_shared<Sequence>(backend.plain);
        const memory src = s->input(x, c.x, pd.src_desc());
        const memory diff_dst = s->input(dy, c.y, pd.diff_dst_desc());
        const memory diff_weights = s->output("dw", c.w, pd.diff_weights_desc());
        const memory diff_bias = s->output("db", c.b, pd.diff_bias_desc());
        s->add(pd, dnnl::convolution_backward_weights(pd),
               {{DNNL_ARG_SRC, src},
                {DNNL_ARG_DIFF_DST, diff_dst},
                {DNNL_ARG_DIFF_WEIGHTS, diff_weights},
                {DNNL_ARG_DIFF_BIAS, diff_bias}});
        return work_of(s, layout_note(data));
    };
    return best_layout(prepare);
}

/* ---- pooling ---- */

static PoolFwd::primitive_desc describe_pool(weir_pool_kind kind, int64_t P, int64_t S,
                                             const memory::desc &src, const memory::desc &dst) {
    const memory::dims none{0}, width{P}, stride{S};
    const auto algorithm = kind == WEIR_POOL_MAX ? dnnl::algorithm::pooling_max
                                                 : dnnl::algorithm::pooling_avg_exclude_padding;
    return describe<PoolFwd>({}, dnnl::prop_kind::forward_training, algorithm, src, dst, stride,
                             width, none, none, none);
}

static PoolBwd::primitive_desc describe_pool_bwd(weir_pool_kind kind, int64_t P, int64_t S,
                                                 const memory::desc &src, const memory::desc &dst,
                                                 const PoolFwd::primitive_desc &hint) {
    const memory::dims none{0}, width{P}, stride{S};
    const auto algorithm = kind == WEIR_POOL_MAX ? dnnl::algorithm::pooling_max
                                                 : dnnl::algorithm::pooling_avg_exclude_padding;
    return describe_bwd<PoolBwd>(hint, algorithm, src, dst, stride, width, none, none, none);
}

/* Adds the forward pass; returns its workspace (empty for the average). */
static memory add_pool_fwd(Sequence &s, const PoolFwd::primitive_desc &pd, const memory &src,
                           const memory &dst) {
    std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, src}, {DNNL_ARG_DST, dst}};
    memory workspace;
    if (pd.workspace_desc().get_size() > 0) {
        workspace = s.empty(pd.workspace_desc());
        arguments.emplace(DNNL_ARG_WORKSPACE, workspace);
    }
    s.add(pd, PoolFwd(pd), arguments);
    return workspace;
}

static void add_pool_bwd(Sequence &s, const PoolBwd::primitive_desc &pd, const memory &diff_dst,
                         const memory &workspace, const memory &diff_src) {
    std::unordered_map<int, memory> arguments{{DNNL_ARG_DIFF_DST, diff_dst},
                                              {DNNL_ARG_DIFF_SRC, diff_src}};
    if (pd.workspace_desc().get_size() > 0) arguments.emplace(DNNL_ARG_WORKSPACE, workspace);
    s.add(pd, PoolBwd(pd), arguments);
}

/* Pooling takes the layout it is given: try blocks of channels and channels last. */
template <class Prepare> static Work best_pool_layout(const weir_pool &p, const Prepare &prepare) {
    Work best = prepare(tag::nwc, " (nwc)");
    const auto consider = [&](tag layout, const char *note) {
        Work other = prepare(layout, note);
        if (quick_time(other) < quick_time(best)) best = other;
    };
    if (p.C % 8 == 0) consider(tag::nCw8c, " (nCw8c)");
    if (p.C % 16 == 0) consider(tag::nCw16c, " (nCw16c)");
    return best;
}

Work onednn_pool_fwd(const Backend &backend, const weir_pool &p, const float *x) {
    const auto prepare = [&](tag layout, const char *note) {
        const memory::dims src_dims{p.N, p.C, p.T}, dst_dims{p.N, p.C, weir_pool_t_out(&p)};
        const auto pd = describe_pool(p.kind, p.P, p.S, dense(src_dims, layout),
                                      dense(dst_dims, layout));
        const auto s = std::make_shared<Sequence>(backend.plain);
        const memory src = s->input(x, dense(src_dims, tag::nwc), pd.src_desc());
        const memory dst = s->output("y", dense(dst_dims, tag::nwc), pd.dst_desc());
        add_pool_fwd(*s, pd, src, dst);
        return work_of(s, note);
    };
    return best_pool_layout(p, prepare);
}

Work onednn_pool_bwd(const Backend &backend, const weir_pool &p, const float *x, const float *dy) {
    const auto prepare = [&](tag layout, const char *note) {
        const memory::dims src_dims{p.N, p.C, p.T}, dst_dims{p.N, p.C, weir_pool_t_out(&p)};
        const memory::desc src_md = dense(src_dims, layout), dst_md = dense(dst_dims, layout);
        const auto fwd = describe_pool(p.kind, p.P, p.S, src_md, dst_md);
        const auto pd = describe_pool_bwd(p.kind, p.P, p.S, src_md, dst_md, fwd);
        const auto s = std::make_shared<Sequence>(backend.plain);
        const memory src = s->input(x, dense(src_dims, tag::nwc), src_md);
        const memory workspace = add_pool_fwd(*s, fwd, src, s->empty(dst_md));
        s->run_once();
        const memory diff_dst = s->input(dy, dense(dst_dims, tag::nwc), dst_md);
        const memory diff_src = s->output("dx", dense(src_dims, tag::nwc), src_md);
        add_pool_bwd(*s, pd, diff_dst, workspace, diff_src);
        return work_of(s, note);
    };
    return best_pool_layout(p, prepare);
}

/* ---- the downsampling block ---- */

namespace {

/* The parts of the block that the backward pass needs. */
struct Block {
    const weir_conv1d &p;
    const Conv conv;
    std::shared_ptr<Sequence> s;
    memory src, y, workspace;
    memory::desc pooled, plain_pooled;

    Block(const weir_conv1d &shape, int64_t P, tag data, bool plain)
        : p(shape), conv(shape, data), s(std::make_shared<Sequence>(plain)),
          plain_pooled(
              dense({p.N, p.C_out, (weir_conv1d_t_out(&p) - P) / P + 1}, tag::nwc)) {}

    PoolFwd::primitive_desc fwd(int64_t P, const float *x, const float *w, const float *b) {
        const auto pd = conv.fwd();
        src = s->input(x, conv.x, pd.src_desc());
        y = s->empty(pd.dst_desc());
        const memory weights = s->input(w, conv.w, pd.weights_desc());
        const memory bias = s->input(b, conv.b, pd.bias_desc());
        s->add(pd, dnnl::convolution_forward(pd),
               {{DNNL_ARG_SRC, src},
                {DNNL_ARG_WEIGHTS, weights},
                {DNNL_ARG_BIAS, bias},
                {DNNL_ARG_DST, y}});
        const auto pool = describe_pool(WEIR_POOL_MAX, P, P, pd.dst_desc(),
                                        dense(plain_pooled_dims(P), tag::any));
        pooled = pool.dst_desc();
        workspace = add_pool_fwd(*s, pool, y, s->output("y", plain_pooled, pooled));
        return pool;
    }

    memory::dims plain_pooled_dims(int64_t P) const {
        return {p.N, p.C_out, (weir_conv1d_t_out(&p) - P) / P + 1};
    }

    void bwd(int64_t P, bool with_dx, const PoolFwd::primitive_desc &pool, const float *w,
             const float *dy) {
        const memory diff_pooled = s->input(dy, plain_pooled, pooled);
        const memory diff_y = s->empty(y.get_desc());
        add_pool_bwd(*s,
                     describe_pool_bwd(WEIR_POOL_MAX, P, P, y.get_desc(), pooled, pool),
                     diff_pooled, workspace, diff_y);
        const auto relu = describe_relu_bwd(y.get_desc());
        s->add(relu, dnnl::eltwise_backward(relu),
               {{DNNL_ARG_DST, y}, {DNNL_ARG_DIFF_DST, diff_y}, {DNNL_ARG_DIFF_SRC, diff_y}});
        bwd_weights(diff_y);
        if (with_dx) bwd_data(w, diff_y);
    }

    void bwd_weights(const memory &diff_y) {
        const auto pd = conv.bwd_weights();
        s->add(pd, dnnl::convolution_backward_weights(pd),
               {{DNNL_ARG_SRC, s->adapt(src, pd.src_desc())},
                {DNNL_ARG_DIFF_DST, s->adapt(diff_y, pd.diff_dst_desc())},
                {DNNL_ARG_DIFF_WEIGHTS, s->output("dw", conv.w, pd.diff_weights_desc())},
                {DNNL_ARG_DIFF_BIAS, s->output("db", conv.b, pd.diff_bias_desc())}});
    }

    void bwd_data(const float *w, const memory &diff_y) {
        const auto pd = conv.bwd_data();
        s->add(pd, dnnl::convolution_backward_data(pd),
               {{DNNL_ARG_DIFF_DST, s->adapt(diff_y, pd.diff_dst_desc())},
                {DNNL_ARG_WEIGHTS, s->input(w, conv.w, pd.weights_desc())},
                {DNNL_ARG_DIFF_SRC, s->output("dx", conv.x, pd.diff_src_desc())}});
    }
};

} // namespace

Work onednn_block(const Backend &backend, const weir_conv1d &p, int64_t P, bool with_dx,
                  const float *x, const float *w, const float *b, const float *dy) {
    const auto prepare = [&](tag data) {
        Block block(p, P, data, backend.plain);
        const auto pool = block.fwd(P, x, w, b);
        block.bwd(P, with_dx, pool, w, dy);
        return work_of(block.s, layout_note(data));
    };
    return best_layout(prepare);
}

/* ---- GRU ---- */

namespace {

/* Descriptors of a GRU: in Weir's layout, and with what oneDNN may choose. */
struct Gru {
    explicit Gru(const weir_gru &p)
        : bias_rows(p.reset_after ? 4 : 3), x(dense({p.T, p.N, p.C_in}, tag::ntc)),
          y(dense({p.T, p.N, p.H}, tag::ntc)), w(dense({1, 1, p.C_in, 3, p.H}, tag::ldigo)),
          u(dense({1, 1, p.H, 3, p.H}, tag::ldigo)), b(dense({1, 1, bias_rows, p.H}, tag::ldgo)),
          any_x(dense({p.T, p.N, p.C_in}, tag::any)), any_y(dense({p.T, p.N, p.H}, tag::any)),
          any_w(dense({1, 1, p.C_in, 3, p.H}, tag::any)),
          any_u(dense({1, 1, p.H, 3, p.H}, tag::any)) {}

    int64_t bias_rows;
    memory::desc x, y, w, u, b, any_x, any_y, any_w, any_u, none;
};

/* What the forward pass leaves for the backward pass. */
struct GruState {
    memory x, y, workspace, b;
};

} // namespace

/* Weir's [2][3H] (reset after) as oneDNN's four rows: z and r have one bias, the sum. */
static Tensor gru_bias(const weir_gru &p, const float *b) {
    if (!p.reset_after) return Tensor(b, b + 3 * p.H);
    Tensor rows(static_cast<size_t>(4 * p.H));
    const auto at = [&](int64_t i) -> float & { return rows[static_cast<size_t>(i)]; };
    for (int64_t i = 0; i < 2 * p.H; i++) at(i) = b[i] + b[3 * p.H + i];
    for (int64_t i = 0; i < p.H; i++) {
        at(2 * p.H + i) = b[2 * p.H + i];
        at(3 * p.H + i) = b[5 * p.H + i];
    }
    return rows;
}

template <class Fwd>
static typename Fwd::primitive_desc describe_gru(const Gru &g) {
    return describe<Fwd>({}, dnnl::prop_kind::forward_training,
                         dnnl::rnn_direction::unidirectional_left2right, g.any_x, g.none, g.any_w,
                         g.any_u, g.b, g.any_y, g.none);
}

template <class Fwd>
static GruState add_gru_fwd(Sequence &s, const Gru &g, const typename Fwd::primitive_desc &pd,
                            const weir_gru_tensors &t, const Tensor &bias) {
    GruState state;
    state.x = s.input(t.x, g.x, pd.src_layer_desc());
    state.y = s.output("y", g.y, pd.dst_layer_desc());
    state.workspace = s.empty(pd.workspace_desc());
    state.b = s.empty(pd.bias_desc());
    std::copy(bias.begin(), bias.end(), static_cast<float *>(state.b.get_data_handle()));
    s.add(pd, Fwd(pd),
          {{DNNL_ARG_SRC_LAYER, state.x},
           {DNNL_ARG_WEIGHTS_LAYER, s.input(t.w, g.w, pd.weights_layer_desc())},
           {DNNL_ARG_WEIGHTS_ITER, s.input(t.u, g.u, pd.weights_iter_desc())},
           {DNNL_ARG_BIAS, state.b},
           {DNNL_ARG_DST_LAYER, state.y},
           {DNNL_ARG_WORKSPACE, state.workspace}});
    return state;
}

template <class Fwd, class Bwd>
static Work prepare_gru_bwd(bool plain, const weir_gru &p, const weir_gru_tensors &t,
                            const float *dy) {
    const Gru g(p);
    const auto fwd = describe_gru<Fwd>(g);
    const auto pd = describe_bwd<Bwd>(
        fwd, dnnl::prop_kind::backward, dnnl::rnn_direction::unidirectional_left2right, g.any_x,
        g.none, g.any_w, g.any_u, g.b, g.any_y, g.none, g.any_x, g.none, g.any_w, g.any_u, g.b,
        g.any_y, g.none);
    const auto s = std::make_shared<Sequence>(plain);
    const GruState state = add_gru_fwd<Fwd>(*s, g, fwd, t, gru_bias(p, t.b));
    s->run_once();
    s->add(pd, Bwd(pd),
           {{DNNL_ARG_SRC_LAYER, s->adapt(state.x, pd.src_layer_desc())},
            {DNNL_ARG_WEIGHTS_LAYER, s->input(t.w, g.w, pd.weights_layer_desc())},
            {DNNL_ARG_WEIGHTS_ITER, s->input(t.u, g.u, pd.weights_iter_desc())},
            {DNNL_ARG_BIAS, state.b},
            {DNNL_ARG_DST_LAYER, s->adapt(state.y, pd.dst_layer_desc())},
            {DNNL_ARG_WORKSPACE, state.workspace},
            {DNNL_ARG_DIFF_DST_LAYER, s->input(dy, g.y, pd.diff_dst_layer_desc())},
            {DNNL_ARG_DIFF_SRC_LAYER, s->output("dx", g.x, pd.diff_src_layer_desc())},
            {DNNL_ARG_DIFF_WEIGHTS_LAYER, s->output("dw", g.w, pd.diff_weights_layer_desc())},
            {DNNL_ARG_DIFF_WEIGHTS_ITER, s->output("du", g.u, pd.diff_weights_iter_desc())},
            {DNNL_ARG_DIFF_BIAS, s->output("db", g.b, pd.diff_bias_desc())}});
    return work_of(s, "");
}

template <class Fwd>
static Work prepare_gru_fwd(bool plain, const weir_gru &p, const weir_gru_tensors &t) {
    const Gru g(p);
    const auto s = std::make_shared<Sequence>(plain);
    add_gru_fwd<Fwd>(*s, g, describe_gru<Fwd>(g), t, gru_bias(p, t.b));
    return work_of(s, "");
}

Work onednn_gru_fwd(const Backend &backend, const weir_gru &p, const weir_gru_tensors &t) {
    return p.reset_after ? prepare_gru_fwd<dnnl::lbr_gru_forward>(backend.plain, p, t)
                         : prepare_gru_fwd<dnnl::gru_forward>(backend.plain, p, t);
}

Work onednn_gru_bwd(const Backend &backend, const weir_gru &p, const weir_gru_tensors &t,
                    const float *dy) {
    return p.reset_after ? prepare_gru_bwd<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(
                               backend.plain, p, t, dy)
                         : prepare_gru_bwd<dnnl::gru_forward, dnnl::gru_backward>(backend.plain,
                                                                                  p, t, dy);
}

} // namespace bench

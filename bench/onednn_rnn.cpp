/* Vanilla RNN of oneDNN. SPDX-License-Identifier: Apache-2.0
 *
 * The state before the first step is given, as zeros: see onednn_lstm.cpp.
 */
#include <algorithm>

#include "onednn.h"
#include "onednn_sequence.h"

namespace bench {

namespace {

/* Descriptors: in Weir's layout, and with what oneDNN may choose. */
struct Rnn {
    explicit Rnn(const weir_rnn &p)
        : x(dense({p.T, p.N, p.C_in}, tag::ntc)), y(dense({p.T, p.N, p.H}, tag::ntc)),
          w(dense({1, 1, p.C_in, 1, p.H}, tag::ldigo)), u(dense({1, 1, p.H, 1, p.H}, tag::ldigo)),
          b(dense({1, 1, 1, p.H}, tag::ldgo)), state(dense({1, 1, p.N, p.H}, tag::ldnc)),
          any_x(dense({p.T, p.N, p.C_in}, tag::any)), any_y(dense({p.T, p.N, p.H}, tag::any)),
          any_w(dense({1, 1, p.C_in, 1, p.H}, tag::any)),
          any_u(dense({1, 1, p.H, 1, p.H}, tag::any)) {}

    memory::desc x, y, w, u, b, state, any_x, any_y, any_w, any_u, none;
};

/* What the forward pass leaves for the backward pass. */
struct RnnState {
    memory x, y, workspace, b, h0;
};

} // namespace

static dnnl::vanilla_rnn_forward::primitive_desc describe_rnn(const Rnn &g, dnnl::prop_kind kind) {
    return describe<dnnl::vanilla_rnn_forward>(
        {}, kind, dnnl::algorithm::eltwise_tanh, dnnl::rnn_direction::unidirectional_left2right,
        g.any_x, g.state, g.any_w, g.any_u, g.b, g.any_y, g.none);
}

static RnnState add_rnn_fwd(Sequence &s, const Rnn &g,
                            const dnnl::vanilla_rnn_forward::primitive_desc &pd, const weir_rnn &p,
                            const weir_rnn_tensors &t) {
    RnnState state;
    state.x = s.input(t.x, g.x, pd.src_layer_desc());
    state.y = s.output("y", g.y, pd.dst_layer_desc());
    if (pd.workspace_desc().get_size() > 0) state.workspace = s.empty(pd.workspace_desc());
    state.h0 = s.zeros(pd.src_iter_desc());
    state.b = s.empty(pd.bias_desc());
    std::copy(t.b, t.b + p.H, static_cast<float *>(state.b.get_data_handle()));
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC_LAYER, state.x},
        {DNNL_ARG_SRC_ITER, state.h0},
        {DNNL_ARG_WEIGHTS_LAYER, s.input(t.w, g.w, pd.weights_layer_desc())},
        {DNNL_ARG_WEIGHTS_ITER, s.input(t.u, g.u, pd.weights_iter_desc())},
        {DNNL_ARG_BIAS, state.b},
        {DNNL_ARG_DST_LAYER, state.y}};
    if (state.workspace) arguments.emplace(DNNL_ARG_WORKSPACE, state.workspace);
    s.add(pd, dnnl::vanilla_rnn_forward(pd), arguments);
    return state;
}

Work onednn_rnn_fwd(const Backend &backend, const weir_rnn &p, const weir_rnn_tensors &t,
                    bool training) {
    const Rnn g(p);
    const auto s = std::make_shared<Sequence>(backend.plain);
    const auto kind =
        training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    add_rnn_fwd(*s, g, describe_rnn(g, kind), p, t);
    return Sequence::finish(s, "");
}

Work onednn_rnn_bwd(const Backend &backend, const weir_rnn &p, const weir_rnn_tensors &t,
                    const float *dy) {
    const Rnn g(p);
    const auto fwd = describe_rnn(g, dnnl::prop_kind::forward_training);
    const auto pd = describe_bwd<dnnl::vanilla_rnn_backward>(
        fwd, dnnl::prop_kind::backward, dnnl::algorithm::eltwise_tanh,
        dnnl::rnn_direction::unidirectional_left2right, g.any_x, g.state, g.any_w, g.any_u, g.b,
        g.any_y, g.none, g.any_x, g.state, g.any_w, g.any_u, g.b, g.any_y, g.none);
    const auto s = std::make_shared<Sequence>(backend.plain);
    const RnnState state = add_rnn_fwd(*s, g, fwd, p, t);
    s->run_once();
    s->add(pd, dnnl::vanilla_rnn_backward(pd),
           {{DNNL_ARG_SRC_LAYER, s->adapt(state.x, pd.src_layer_desc())},
            {DNNL_ARG_SRC_ITER, state.h0},
            {DNNL_ARG_DIFF_SRC_ITER, s->zeros(pd.diff_src_iter_desc())},
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
    return Sequence::finish(s, "");
}

} // namespace bench

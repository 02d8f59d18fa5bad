/* LSTM of oneDNN: gates in Weir's order. SPDX-License-Identifier: Apache-2.0
 *
 * The states before the first step are given, as zeros: without them the gradient of the recurrent
 * weights that oneDNN 2.6.3 gives is wrong (a sequence of one step has one).
 */
#include "onednn.h"
#include "onednn_sequence.h"

namespace bench {

namespace {

/* Descriptors of an LSTM: in Weir's layout, and with what oneDNN may choose. */
struct Lstm {
    explicit Lstm(const weir_lstm &p)
        : x(dense({p.T, p.N, p.C_in}, tag::ntc)), y(dense({p.T, p.N, p.H}, tag::ntc)),
          w(dense({1, 1, p.C_in, 4, p.H}, tag::ldigo)), u(dense({1, 1, p.H, 4, p.H}, tag::ldigo)),
          b(dense({1, 1, 4, p.H}, tag::ldgo)), state(dense({1, 1, p.N, p.H}, tag::ldnc)),
          any_x(dense({p.T, p.N, p.C_in}, tag::any)), any_y(dense({p.T, p.N, p.H}, tag::any)),
          any_w(dense({1, 1, p.C_in, 4, p.H}, tag::any)),
          any_u(dense({1, 1, p.H, 4, p.H}, tag::any)) {}

    memory::desc x, y, w, u, b, state, any_x, any_y, any_w, any_u, none;
};

/* What the forward pass leaves for the backward pass. */
struct LstmState {
    memory x, y, workspace, b, h0, c0;
};

using Fwd = dnnl::lstm_forward;
using Bwd = dnnl::lstm_backward;

} // namespace

static Fwd::primitive_desc describe_lstm(const Lstm &l, dnnl::prop_kind kind) {
    return describe<Fwd>({}, kind, dnnl::rnn_direction::unidirectional_left2right, l.any_x, l.state,
                         l.state, l.any_w, l.any_u, l.b, l.any_y, l.none, l.none);
}

static LstmState add_lstm_fwd(Sequence &s, const Lstm &l, const Fwd::primitive_desc &pd,
                              const weir_lstm_tensors &t) {
    LstmState state;
    state.x = s.input(t.x, l.x, pd.src_layer_desc());
    state.y = s.output("y", l.y, pd.dst_layer_desc());
    if (pd.workspace_desc().get_size() > 0) state.workspace = s.empty(pd.workspace_desc());
    state.h0 = s.zeros(pd.src_iter_desc());
    state.c0 = s.zeros(pd.src_iter_c_desc());
    state.b = s.input(t.b, l.b, pd.bias_desc());
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC_LAYER, state.x},
        {DNNL_ARG_SRC_ITER, state.h0},
        {DNNL_ARG_SRC_ITER_C, state.c0},
        {DNNL_ARG_WEIGHTS_LAYER, s.input(t.w, l.w, pd.weights_layer_desc())},
        {DNNL_ARG_WEIGHTS_ITER, s.input(t.u, l.u, pd.weights_iter_desc())},
        {DNNL_ARG_BIAS, state.b},
        {DNNL_ARG_DST_LAYER, state.y}};
    if (state.workspace) arguments.emplace(DNNL_ARG_WORKSPACE, state.workspace);
    s.add(pd, Fwd(pd), arguments);
    return state;
}

Work onednn_lstm_fwd(const Backend &backend, const weir_lstm &p, const weir_lstm_tensors &t,
                     bool training) {
    const Lstm l(p);
    const auto kind =
        training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    const auto s = std::make_shared<Sequence>(backend.plain);
    add_lstm_fwd(*s, l, describe_lstm(l, kind), t);
    return Sequence::finish(s, "");
}

Work onednn_lstm_bwd(const Backend &backend, const weir_lstm &p, const weir_lstm_tensors &t,
                     const float *dy) {
    const Lstm l(p);
    const auto fwd = describe_lstm(l, dnnl::prop_kind::forward_training);
    const auto pd = describe_bwd<Bwd>(
        fwd, dnnl::prop_kind::backward, dnnl::rnn_direction::unidirectional_left2right, l.any_x,
        l.state, l.state, l.any_w, l.any_u, l.b, l.any_y, l.none, l.none, l.any_x, l.state, l.state,
        l.any_w, l.any_u, l.b, l.any_y, l.none, l.none);
    const auto s = std::make_shared<Sequence>(backend.plain);
    const LstmState state = add_lstm_fwd(*s, l, fwd, t);
    s->run_once();
    s->add(pd, Bwd(pd),
           {{DNNL_ARG_SRC_LAYER, s->adapt(state.x, pd.src_layer_desc())},
            {DNNL_ARG_SRC_ITER, state.h0},
            {DNNL_ARG_SRC_ITER_C, state.c0},
            {DNNL_ARG_DIFF_SRC_ITER, s->zeros(pd.diff_src_iter_desc())},
            {DNNL_ARG_DIFF_SRC_ITER_C, s->zeros(pd.diff_src_iter_c_desc())},
            {DNNL_ARG_WEIGHTS_LAYER, s->input(t.w, l.w, pd.weights_layer_desc())},
            {DNNL_ARG_WEIGHTS_ITER, s->input(t.u, l.u, pd.weights_iter_desc())},
            {DNNL_ARG_BIAS, state.b},
            {DNNL_ARG_DST_LAYER, s->adapt(state.y, pd.dst_layer_desc())},
            {DNNL_ARG_WORKSPACE, state.workspace},
            {DNNL_ARG_DIFF_DST_LAYER, s->input(dy, l.y, pd.diff_dst_layer_desc())},
            {DNNL_ARG_DIFF_SRC_LAYER, s->output("dx", l.x, pd.diff_src_layer_desc())},
            {DNNL_ARG_DIFF_WEIGHTS_LAYER, s->output("dw", l.w, pd.diff_weights_layer_desc())},
            {DNNL_ARG_DIFF_WEIGHTS_ITER, s->output("du", l.u, pd.diff_weights_iter_desc())},
            {DNNL_ARG_DIFF_BIAS, s->output("db", l.b, pd.diff_bias_desc())}});
    return Sequence::finish(s, "");
}

} // namespace bench

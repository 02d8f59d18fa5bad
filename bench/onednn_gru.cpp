/* GRU of oneDNN. SPDX-License-Identifier: Apache-2.0 */
#include <algorithm>

#include "onednn.h"
#include "onednn_sequence.h"

namespace bench {

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
static typename Fwd::primitive_desc describe_gru(const Gru &g, dnnl::prop_kind kind) {
    return describe<Fwd>({}, kind, dnnl::rnn_direction::unidirectional_left2right, g.any_x, g.none,
                         g.any_w, g.any_u, g.b, g.any_y, g.none);
}

template <class Fwd>
static GruState add_gru_fwd(Sequence &s, const Gru &g, const typename Fwd::primitive_desc &pd,
                            const weir_gru_tensors &t, const Tensor &bias) {
    GruState state;
    state.x = s.input(t.x, g.x, pd.src_layer_desc());
    state.y = s.output("y", g.y, pd.dst_layer_desc());
    if (pd.workspace_desc().get_size() > 0) state.workspace = s.empty(pd.workspace_desc());
    state.b = s.empty(pd.bias_desc());
    std::copy(bias.begin(), bias.end(), static_cast<float *>(state.b.get_data_handle()));
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC_LAYER, state.x},
        {DNNL_ARG_WEIGHTS_LAYER, s.input(t.w, g.w, pd.weights_layer_desc())},
        {DNNL_ARG_WEIGHTS_ITER, s.input(t.u, g.u, pd.weights_iter_desc())},
        {DNNL_ARG_BIAS, state.b},
        {DNNL_ARG_DST_LAYER, state.y}};
    if (state.workspace) arguments.emplace(DNNL_ARG_WORKSPACE, state.workspace);
    s.add(pd, Fwd(pd), arguments);
    return state;
}

template <class Fwd, class Bwd>
static Work prepare_gru_bwd(bool plain, const weir_gru &p, const weir_gru_tensors &t,
                            const float *dy) {
    const Gru g(p);
    const auto fwd = describe_gru<Fwd>(g, dnnl::prop_kind::forward_training);
    const auto pd = describe_bwd<Bwd>(fwd, dnnl::prop_kind::backward,
                                      dnnl::rnn_direction::unidirectional_left2right, g.any_x,
                                      g.none, g.any_w, g.any_u, g.b, g.any_y, g.none, g.any_x,
                                      g.none, g.any_w, g.any_u, g.b, g.any_y, g.none);
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
    return Sequence::finish(s, "");
}

template <class Fwd>
static Work prepare_gru_fwd(bool plain, const weir_gru &p, const weir_gru_tensors &t,
                            dnnl::prop_kind kind) {
    const Gru g(p);
    const auto s = std::make_shared<Sequence>(plain);
    add_gru_fwd<Fwd>(*s, g, describe_gru<Fwd>(g, kind), t, gru_bias(p, t.b));
    return Sequence::finish(s, "");
}

Work onednn_gru_fwd(const Backend &backend, const weir_gru &p, const weir_gru_tensors &t,
                    bool training) {
    const auto kind =
        training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    return p.reset_after ? prepare_gru_fwd<dnnl::lbr_gru_forward>(backend.plain, p, t, kind)
                         : prepare_gru_fwd<dnnl::gru_forward>(backend.plain, p, t, kind);
}

Work onednn_gru_bwd(const Backend &backend, const weir_gru &p, const weir_gru_tensors &t,
                    const float *dy) {
    return p.reset_after
               ? prepare_gru_bwd<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(backend.plain, p, t,
                                                                                dy)
               : prepare_gru_bwd<dnnl::gru_forward, dnnl::gru_backward>(backend.plain, p, t, dy);
}

} // namespace bench

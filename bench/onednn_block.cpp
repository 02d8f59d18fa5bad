/* The downsampling block as separate primitives of oneDNN. SPDX-License-Identifier: Apache-2.0 */
#include "onednn.h"
#include "onednn_parts.h"

namespace bench {

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
          plain_pooled(dense({p.N, p.C_out, (weir_conv1d_t_out(&p) - P) / P + 1}, tag::nwc)) {}

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
        add_pool_bwd(*s, describe_pool_bwd(WEIR_POOL_MAX, P, P, y.get_desc(), pooled, pool),
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
    const auto prepare = [&](tag data, const char *note) {
        Block block(p, P, data, backend.plain);
        const auto pool = block.fwd(P, x, w, b);
        block.bwd(P, with_dx, pool, w, dy);
        return Sequence::finish(block.s, note);
    };
    return best_layout(prepare);
}

} // namespace bench

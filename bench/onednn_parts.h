/* Descriptors of oneDNN's convolution and pooling, shared by the ops and the block.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_ONEDNN_PARTS_H
#define WEIR_BENCH_ONEDNN_PARTS_H

#include "onednn_sequence.h"
#include "weir/ops.h"

namespace bench {

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
        return describe<dnnl::convolution_forward>(attr, dnnl::prop_kind::forward_training,
                                                   dnnl::algorithm::convolution_direct, any_x,
                                                   any_w, b, any_y, strides, dilates, none, none);
    }
    dnnl::convolution_backward_data::primitive_desc bwd_data() const {
        return describe_bwd<dnnl::convolution_backward_data>(
            fwd(), dnnl::algorithm::convolution_direct, any_x, any_w, any_y, strides, dilates, none,
            none);
    }
    dnnl::convolution_backward_weights::primitive_desc bwd_weights() const {
        return describe_bwd<dnnl::convolution_backward_weights>(
            fwd(), dnnl::algorithm::convolution_direct, any_x, any_w, b, any_y, strides, dilates,
            none, none);
    }

    memory::desc x, y, w, b, any_x, any_y, any_w;
    memory::dims strides, dilates, none{0};
};

inline PoolFwd::primitive_desc describe_pool(weir_pool_kind kind, int64_t P, int64_t S,
                                             const memory::desc &src, const memory::desc &dst) {
    const memory::dims none{0}, width{P}, stride{S};
    const auto algorithm = kind == WEIR_POOL_MAX ? dnnl::algorithm::pooling_max
                                                 : dnnl::algorithm::pooling_avg_exclude_padding;
    return describe<PoolFwd>({}, dnnl::prop_kind::forward_training, algorithm, src, dst, stride,
                             width, none, none, none);
}

inline PoolBwd::primitive_desc describe_pool_bwd(weir_pool_kind kind, int64_t P, int64_t S,
                                                 const memory::desc &src, const memory::desc &dst,
                                                 const PoolFwd::primitive_desc &hint) {
    const memory::dims none{0}, width{P}, stride{S};
    const auto algorithm = kind == WEIR_POOL_MAX ? dnnl::algorithm::pooling_max
                                                 : dnnl::algorithm::pooling_avg_exclude_padding;
    return describe_bwd<PoolBwd>(hint, algorithm, src, dst, stride, width, none, none, none);
}

/* Adds the forward pass; returns its workspace (empty for the average). */
inline memory add_pool_fwd(Sequence &s, const PoolFwd::primitive_desc &pd, const memory &src,
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

inline void add_pool_bwd(Sequence &s, const PoolBwd::primitive_desc &pd, const memory &diff_dst,
                         const memory &workspace, const memory &diff_src) {
    std::unordered_map<int, memory> arguments{{DNNL_ARG_DIFF_DST, diff_dst},
                                              {DNNL_ARG_DIFF_SRC, diff_src}};
    if (pd.workspace_desc().get_size() > 0) arguments.emplace(DNNL_ARG_WORKSPACE, workspace);
    s.add(pd, PoolBwd(pd), arguments);
}

} // namespace bench
#endif

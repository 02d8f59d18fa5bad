/* Stands in for onednn.cpp in a build without oneDNN. SPDX-License-Identifier: Apache-2.0 */
#include "onednn.h"

#include <stdexcept>

namespace bench {

bool onednn_available() { return false; }
std::string onednn_description() { return "not in this build"; }

static Work none() { throw std::runtime_error("oneDNN is not in this build"); }

Work onednn_conv1d_fwd(const Backend &, const weir_conv1d &, const float *, const float *,
                       const float *) {
    return none();
}
Work onednn_conv1d_bwd_data(const Backend &, const weir_conv1d &, const float *, const float *) {
    return none();
}
Work onednn_conv1d_bwd_weights(const Backend &, const weir_conv1d &, const float *, const float *) {
    return none();
}
Work onednn_block(const Backend &, const weir_conv1d &, int64_t, bool, const float *, const float *,
                  const float *, const float *) {
    return none();
}
Work onednn_pool_fwd(const Backend &, const weir_pool &, const float *) { return none(); }
Work onednn_pool_bwd(const Backend &, const weir_pool &, const float *, const float *) {
    return none();
}
Work onednn_gru_fwd(const Backend &, const weir_gru &, const weir_gru_tensors &, bool) {
    return none();
}
Work onednn_gru_bwd(const Backend &, const weir_gru &, const weir_gru_tensors &, const float *) {
    return none();
}
Work onednn_lstm_fwd(const Backend &, const weir_lstm &, const weir_lstm_tensors &, bool) {
    return none();
}
Work onednn_lstm_bwd(const Backend &, const weir_lstm &, const weir_lstm_tensors &, const float *) {
    return none();
}
Work onednn_rnn_fwd(const Backend &, const weir_rnn &, const weir_rnn_tensors &, bool) {
    return none();
}
Work onednn_rnn_bwd(const Backend &, const weir_rnn &, const weir_rnn_tensors &, const float *) {
    return none();
}

} // namespace bench

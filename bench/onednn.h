/* oneDNN as comparison backend, free of its types. SPDX-License-Identifier: Apache-2.0
 *
 * Each function prepares one operation on plain tensors in Weir's layout, which must live as long as
 * the Work. Primitives are created once. Without Backend::plain oneDNN chooses its layouts and
 * reorders are not timed; with it the inputs and outputs of every run are plain, and reorders are.
 * All padding is valid. Errors are thrown as std::runtime_error.
 */
#ifndef WEIR_BENCH_ONEDNN_H
#define WEIR_BENCH_ONEDNN_H

#include <string>

#include "harness.h"

namespace bench {

bool onednn_available();
/* "oneDNN 2.6.3, OpenMP, AVX-512, ..." */
std::string onednn_description();

/* act(x * w + b) with ReLU. */
Work onednn_conv1d_fwd(const Backend &backend, const weir_conv1d &p, const float *x, const float *w,
                       const float *b);
Work onednn_conv1d_bwd_data(const Backend &backend, const weir_conv1d &p, const float *dy,
                            const float *w);
Work onednn_conv1d_bwd_weights(const Backend &backend, const weir_conv1d &p, const float *x,
                               const float *dy);
/* conv1d + bias + ReLU, max-pool of width P, and all of it backward; dx only if with_dx. */
Work onednn_block(const Backend &backend, const weir_conv1d &p, int64_t P, bool with_dx,
                  const float *x, const float *w, const float *b, const float *dy);

Work onednn_pool_fwd(const Backend &backend, const weir_pool &p, const float *x);
Work onednn_pool_bwd(const Backend &backend, const weir_pool &p, const float *x, const float *dy);

/* training: keeps what the backward pass needs. */
Work onednn_gru_fwd(const Backend &backend, const weir_gru &p, const weir_gru_tensors &t,
                    bool training);
Work onednn_gru_bwd(const Backend &backend, const weir_gru &p, const weir_gru_tensors &t,
                    const float *dy);
Work onednn_lstm_fwd(const Backend &backend, const weir_lstm &p, const weir_lstm_tensors &t,
                     bool training);
Work onednn_lstm_bwd(const Backend &backend, const weir_lstm &p, const weir_lstm_tensors &t,
                     const float *dy);

Work onednn_rnn_fwd(const Backend &backend, const weir_rnn &p, const weir_rnn_tensors &t,
                    bool training);
Work onednn_rnn_bwd(const Backend &backend, const weir_rnn &p, const weir_rnn_tensors &t,
                    const float *dy);

} // namespace bench
#endif

/* A convolution and a pooling step shorten a sequence, and a GRU reads the short one.
 * SPDX-License-Identifier: Apache-2.0
 *
 * cc downsample.c $(pkg-config --cflags --libs weir)
 */
#include <stdio.h>
#include <weir/weir.h>

enum { N = 128, T = 720, C = 14, H = 32, K = 5 }; /* batch, time, channels, units, width */

static float x[N * T * C], w[K * C * H], b[H], pooled[N * T * H];
static float gru_w[H * 3 * H], gru_u[H * 3 * H], gru_b[3 * H], state[N * H];

/* Numbers in place of data and trained weights: the same on every run, in [-scale, scale). */
static void fill(float *a, size_t n, float scale) {
    unsigned s = 1;
    for (size_t i = 0; i < n; i++) {
        s = s * 1664525u + 1013904223u;
        a[i] = scale * ((float)(s >> 8) / (float)(1 << 23) - 1.0f);
    }
}

static weir_status shorten_and_read(weir_runtime *rt, int64_t *steps) {
    weir_conv1d conv = {.N = N, .T = T, .C_in = C, .C_out = H, .K = K, .S = 1, .D = 1};
    conv.activation = WEIR_RELU;
    weir_conv1d_pool block = {.conv = conv, .P = 3};
    *steps = weir_conv1d_pool_t_out(&block);
    weir_gru gru = {.N = N, .T = *steps, .C_in = H, .H = H};
    gru.activation = WEIR_TANH, gru.recurrent = WEIR_SIGMOID;
    weir_gru_tensors tensors = {.x = pooled, .w = gru_w, .u = gru_u, .b = gru_b};

    weir_status status = weir_conv1d_pool_fwd(rt, &block, x, w, b, pooled, NULL);
    if (!status) status = weir_gru_fwd(rt, &gru, &tensors, state, NULL);
    return status;
}

int main(void) {
    weir_runtime *rt = NULL;
    int64_t steps = 0;
    fill(x, N * T * C, 1.0f);
    fill(w, K * C * H, 0.2f);
    fill(gru_w, H * 3 * H, 0.3f);
    fill(gru_u, H * 3 * H, 0.3f);
    weir_status status = weir_runtime_create(NULL, &rt); /* one pinned worker for each core */
    if (!status) status = shorten_and_read(rt, &steps);
    if (status) {
        fprintf(stderr, "downsample: %s\n", weir_last_error());
        return 1;
    }
    printf("%d steps became %d; kernels %s, %d threads; first state %.6f\n", T, (int)steps,
           weir_isa_name(weir_runtime_isa(rt)), weir_runtime_threads(rt), (double)state[0]);
    weir_runtime_destroy(rt);
    return 0;
}

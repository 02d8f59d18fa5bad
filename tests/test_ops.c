/* The ops by hand-computed cases, their error messages and their empty batches.
 * SPDX-License-Identifier: Apache-2.0 */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "weir/weir.h"

typedef struct fixture {
    weir_runtime *rt[WEIR_ISA_COUNT];
    int count;
} fixture;

static fixture all;

static int create_runtimes(void **state) {
    (void)state;
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        weir_runtime_options options = weir_runtime_options_default();
        options.isa = (weir_isa)isa;
        options.threads = 2;
        weir_status status = weir_runtime_create(&options, &all.rt[all.count]);
        if (status == WEIR_OK)
            all.count++;
        else if (status != WEIR_ERROR_UNSUPPORTED || isa == WEIR_ISA_SCALAR)
            return -1;
    }
    return 0;
}

static int destroy_runtimes(void **state) {
    (void)state;
    for (int i = 0; i < all.count; i++) weir_runtime_destroy(all.rt[i]);
    return 0;
}

static void assert_floats(const float *a, const float *expected, int n) {
    for (int i = 0; i < n; i++) assert_float_equal(a[i], expected[i], 1e-6f);
}

/* x = 1 2 3 4 5 6, w = 1 10 100: y is a number whose digits are the window's steps. */
static void test_conv1d_fwd(void **state) {
    (void)state;
    static const struct {
        int64_t S, D;
        weir_padding padding;
        int t_out;
        float y[6];
    } cases[] = {
        {1, 1, WEIR_VALID, 4, {321, 432, 543, 654}},
        {1, 1, WEIR_SAME, 6, {210, 321, 432, 543, 654, 65}},
        {1, 1, WEIR_CAUSAL, 6, {100, 210, 321, 432, 543, 654}},
        {2, 1, WEIR_VALID, 2, {321, 543}},
        {2, 1, WEIR_SAME, 3, {321, 543, 65}}, /* one step of padding, at the end */
        {1, 2, WEIR_VALID, 2, {531, 642}},
        {1, 2, WEIR_CAUSAL, 6, {100, 200, 310, 420, 531, 642}},
        {2, 2, WEIR_CAUSAL, 3, {100, 310, 531}},
    };
    const float x[6] = {1, 2, 3, 4, 5, 6}, w[3] = {1, 10, 100}, b[1] = {0.5f};
    for (int i = 0; i < all.count; i++)
        for (size_t j = 0; j < sizeof cases / sizeof *cases; j++) {
            weir_conv1d p = {1, 6, 1, 1, 3, cases[j].S, cases[j].D, cases[j].padding, WEIR_LINEAR};
            float y[6];
            assert_int_equal(weir_conv1d_t_out(&p), cases[j].t_out);
            assert_int_equal(weir_conv1d_fwd(all.rt[i], &p, x, w, NULL, y), WEIR_OK);
            assert_floats(y, cases[j].y, cases[j].t_out);
            assert_int_equal(weir_conv1d_fwd(all.rt[i], &p, x, w, b, y), WEIR_OK);
            for (int t = 0; t < cases[j].t_out; t++) y[t] -= 0.5f;
            assert_floats(y, cases[j].y, cases[j].t_out);
        }
}

/* Terms outside x are left out, not multiplied by zero: an infinite weight there does no harm. */
static void test_conv1d_padding_is_skipped(void **state) {
    (void)state;
    const float x[2] = {1, 2}, w[3] = {INFINITY, 1, INFINITY};
    weir_conv1d p = {1, 1, 1, 1, 3, 1, 1, WEIR_SAME, WEIR_LINEAR};
    for (int i = 0; i < all.count; i++) {
        float y[1], dx[1];
        assert_int_equal(weir_conv1d_fwd(all.rt[i], &p, x, w, NULL, y), WEIR_OK);
        assert_float_equal(y[0], 1, 0);
        assert_int_equal(weir_conv1d_bwd_data(all.rt[i], &p, x, w, dx), WEIR_OK);
        assert_float_equal(dx[0], 1, 0);
    }
}

static void test_conv1d_bwd(void **state) {
    (void)state;
    const float x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, dy[4] = {1, 10, 100, 1000}, w[2] = {2, 3};
    weir_conv1d p = {2, 4, 1, 1, 2, 2, 1, WEIR_VALID, WEIR_RELU};
    const float dx_expected[8] = {2, 3, 20, 30, 200, 300, 2000, 3000};
    const float dw_expected[2] = {1 + 30 + 500 + 7000, 2 + 40 + 600 + 8000};
    for (int i = 0; i < all.count; i++) {
        float dx[8], dw[2], db[1];
        assert_int_equal(weir_conv1d_bwd_data(all.rt[i], &p, dy, w, dx), WEIR_OK);
        assert_floats(dx, dx_expected, 8);
        assert_int_equal(weir_conv1d_bwd_weights(all.rt[i], &p, x, dy, dw, db), WEIR_OK);
        assert_floats(dw, dw_expected, 2);
        assert_float_equal(db[0], 1111, 0);
    }
}

/* 4096 rows are summed as a tree of leaves; small integers make every order exact. */
static void test_conv1d_bwd_weights_tree(void **state) {
    (void)state;
    static float x[4096 * 2], dy[4096 * 3];
    float expected[6] = {0}, expected_b[3] = {0};
    for (int r = 0; r < 4096; r++) {
        for (int i = 0; i < 2; i++) x[r * 2 + i] = (float)((r * 5 + i) % 7 - 3);
        for (int o = 0; o < 3; o++) dy[r * 3 + o] = (float)((r * 3 + o) % 5 - 2);
        for (int o = 0; o < 3; o++) expected_b[o] += dy[r * 3 + o];
        for (int q = 0; q < 6; q++) expected[q] += x[r * 2 + q / 3] * dy[r * 3 + q % 3];
    }
    weir_dense p = {4096, 2, 3, WEIR_LINEAR};
    for (int i = 0; i < all.count; i++) {
        float dw[6], db[3];
        assert_int_equal(weir_dense_bwd_weights(all.rt[i], &p, x, dy, dw, db), WEIR_OK);
        assert_floats(dw, expected, 6);
        assert_floats(db, expected_b, 3);
    }
}

/* The sum of both leaves is a denormal number: flushed, as every sum. */
static void test_bias_gradient_flushes(void **state) {
    (void)state;
    float x[256] = {0}, dy[256] = {0};
    dy[0] = 1.5f * FLT_MIN;
    dy[200] = -FLT_MIN;
    weir_dense p = {256, 1, 1, WEIR_LINEAR};
    for (int i = 0; i < all.count; i++) {
        float dw[1], db[1];
        assert_int_equal(weir_dense_bwd_weights(all.rt[i], &p, x, dy, dw, db), WEIR_OK);
        assert_true(db[0] == 0);
    }
}

/* A stride beyond the sequence takes its first step only; a dilation of a kernel of width 1 has no
 * effect. Neither may overflow. */
static void test_conv1d_huge_stride(void **state) {
    (void)state;
    static float x[2 * 24 * 3], dy[2 * 2], w[3 * 2];
    for (int q = 0; q < 2 * 24 * 3; q++) x[q] = (float)(q % 7 - 3);
    for (int q = 0; q < 4; q++) dy[q] = (float)(q + 1);
    for (int q = 0; q < 6; q++) w[q] = (float)(q - 2);
    for (int i = 0; i < all.count; i++) {
        weir_conv1d p = {2, 24, 3, 2, 1, 24, 1, WEIR_VALID, WEIR_LINEAR};
        float y[2][4], dx[2][2 * 24 * 3], dw[2][6], db[2][2];
        for (int huge = 0; huge < 2; huge++) {
            if (huge) p.S = p.D = INT64_MAX;
            assert_int_equal(weir_conv1d_t_out(&p), 1);
            assert_int_equal(weir_conv1d_fwd(all.rt[i], &p, x, w, NULL, y[huge]), WEIR_OK);
            assert_int_equal(weir_conv1d_bwd_data(all.rt[i], &p, dy, w, dx[huge]), WEIR_OK);
            assert_int_equal(weir_conv1d_bwd_weights(all.rt[i], &p, x, dy, dw[huge], db[huge]),
                             WEIR_OK);
        }
        assert_memory_equal(y[0], y[1], sizeof y[0]);
        assert_memory_equal(dx[0], dx[1], sizeof dx[0]);
        assert_memory_equal(dw[0], dw[1], sizeof dw[0]);
        assert_memory_equal(db[0], db[1], sizeof db[0]);
    }
}

/* Only k = 1 of a huge dilation reaches x; rows of one phase of dx are then whole tiles. */
static void test_conv1d_huge_dilation(void **state) {
    (void)state;
    static float x[64 * 3], w[2 * 3 * 5];
    for (int q = 0; q < 64 * 3; q++) x[q] = (float)(q % 7 - 3);
    for (int q = 0; q < 2 * 3 * 5; q++) w[q] = (float)(q % 11 - 4);
    for (int i = 0; i < all.count; i++) {
        weir_conv1d p = {1, 64, 3, 5, 2, 2, 65, WEIR_CAUSAL, WEIR_LINEAR};
        float y[2][32 * 5], dx[2][64 * 3], dw[2][2 * 3 * 5];
        for (int huge = 0; huge < 2; huge++) {
            if (huge) p.D = INT64_MAX / 4;
            assert_int_equal(weir_conv1d_fwd(all.rt[i], &p, x, w, NULL, y[huge]), WEIR_OK);
            assert_int_equal(weir_conv1d_bwd_data(all.rt[i], &p, y[0], w, dx[huge]), WEIR_OK);
            assert_int_equal(weir_conv1d_bwd_weights(all.rt[i], &p, x, y[0], dw[huge], NULL),
                             WEIR_OK);
        }
        assert_memory_equal(y[0], y[1], sizeof y[0]);
        assert_memory_equal(dx[0], dx[1], sizeof dx[0]);
        assert_memory_equal(dw[0], dw[1], sizeof dw[0]);
    }
}

static void test_pool_huge_stride(void **state) {
    (void)state;
    const float x[5] = {1, 2, 6, 4, 8}, dy[1] = {6};
    for (int i = 0; i < all.count; i++)
        for (int kind = 0; kind < WEIR_POOL_KIND_COUNT; kind++)
            for (int padding = WEIR_VALID; padding <= WEIR_SAME; padding++) {
                weir_pool p = {(weir_pool_kind)kind, 1, 5, 1, 3, INT64_MAX, (weir_padding)padding};
                float y[1], dx[5];
                uint8_t winner[1];
                assert_int_equal(weir_pool_t_out(&p), 1);
                assert_int_equal(weir_pool_fwd(all.rt[i], &p, x, y, winner), WEIR_OK);
                assert_floats(y, (float[]){kind == WEIR_POOL_MAX ? 6 : 3}, 1);
                assert_int_equal(weir_pool_bwd(all.rt[i], &p, dy, winner, dx), WEIR_OK);
                if (kind == WEIR_POOL_MAX)
                    assert_floats(dx, (float[]){0, 0, 6, 0, 0}, 5);
                else
                    assert_floats(dx, (float[]){2, 2, 2, 0, 0}, 5);
            }
}

static void test_pool_winner_bytes(void **state) {
    (void)state;
    weir_pool p = {WEIR_POOL_MAX, 2, 600, 3, 256, 256, WEIR_VALID};
    assert_int_equal(weir_pool_winner_bytes(&p), 2 * 2 * 3);
    p.P = 257;
    assert_int_equal(weir_pool_winner_bytes(&p), 2 * 2 * 3 * 4);
    p.kind = WEIR_POOL_AVG;
    assert_int_equal(weir_pool_winner_bytes(&p), 0);
    p.S = 0;
    assert_int_equal(weir_pool_winner_bytes(&p), 0);
}

/* The last step of a window of 256, and of 257, counted from the first step inside x. */
static void test_pool_wide_winner(void **state) {
    (void)state;
    float x[300], y[1], dx[300];
    const float dy[1] = {7};
    for (int t = 0; t < 300; t++) x[t] = (float)(t % 257);
    for (int i = 0; i < all.count; i++)
        for (int64_t P = 256; P <= 257; P++) {
            weir_pool p = {WEIR_POOL_MAX, 1, 300, 1, P, 300, WEIR_VALID};
            int32_t winner[1];
            assert_int_equal(weir_pool_fwd(all.rt[i], &p, x, y, winner), WEIR_OK);
            assert_int_equal(P == 256 ? *(uint8_t *)winner : winner[0], P - 1);
            assert_int_equal(weir_pool_bwd(all.rt[i], &p, dy, winner, dx), WEIR_OK);
            for (int64_t t = 0; t < 300; t++)
                assert_float_equal(dx[t], (t == P - 1 ? 7.0f : 0.0f), 0);
        }
}

static void test_dense(void **state) {
    (void)state;
    const float x[4] = {1, 2, 3, 4}, w[6] = {1, 0, -2, 0, 1, -1}, b[3] = {10, 20, 0};
    const float y_expected[6] = {11, 22, 0, 13, 24, 0};
    const float dy[6] = {1, 2, 3, 4, 5, 6};
    const float dx_expected[4] = {-5, -1, -8, -1}, dw_expected[6] = {13, 17, 21, 18, 24, 30};
    weir_dense p = {2, 2, 3, WEIR_RELU};
    for (int i = 0; i < all.count; i++) {
        float y[6], dx[4], dw[6];
        assert_int_equal(weir_dense_fwd(all.rt[i], &p, x, w, b, y), WEIR_OK);
        assert_floats(y, y_expected, 6);
        assert_int_equal(weir_dense_bwd_data(all.rt[i], &p, dy, w, dx), WEIR_OK);
        assert_floats(dx, dx_expected, 4);
        assert_int_equal(weir_dense_bwd_weights(all.rt[i], &p, x, dy, dw, NULL), WEIR_OK);
        assert_floats(dw, dw_expected, 6);
    }
}

static void test_pool_max(void **state) {
    (void)state;
    /* Windows of 3 every 2 steps, the middle step shared; the first of equal steps wins. */
    const float x[5] = {1, 4, 4, 2, NAN}, dy[2] = {10, 1};
    const uint8_t winner_expected[2] = {1, 2};
    const float dx_expected[5] = {0, 10, 0, 0, 1};
    weir_pool p = {WEIR_POOL_MAX, 1, 5, 1, 3, 2, WEIR_VALID};
    for (int i = 0; i < all.count; i++) {
        float y[2], dx[5];
        uint8_t winner[2];
        assert_int_equal(weir_pool_fwd(all.rt[i], &p, x, y, winner), WEIR_OK);
        assert_float_equal(y[0], 4, 0);
        assert_true(isnan(y[1]));
        assert_memory_equal(winner, winner_expected, sizeof winner);
        assert_int_equal(weir_pool_bwd(all.rt[i], &p, dy, winner, dx), WEIR_OK);
        assert_floats(dx, dx_expected, 5);
    }
}

static void test_pool_max_first_nan_stays(void **state) {
    (void)state;
    const float x[4] = {5, NAN, NAN, 9};
    weir_pool p = {WEIR_POOL_MAX, 1, 4, 1, 4, 4, WEIR_VALID};
    for (int i = 0; i < all.count; i++) {
        float y[1];
        uint8_t winner[1];
        assert_int_equal(weir_pool_fwd(all.rt[i], &p, x, y, winner), WEIR_OK);
        assert_true(isnan(y[0]));
        assert_int_equal(winner[0], 1);
        assert_int_equal(weir_pool_fwd(all.rt[i], &p, x, y, NULL), WEIR_OK);
        assert_true(isnan(y[0]));
    }
}

static void test_pool_avg_same(void **state) {
    (void)state;
    /* T_out = 2, no step of padding in front, one at the end: windows 0..2 and 3..4. */
    const float x[5] = {1, 2, 6, 4, 8}, dy[2] = {3, 4};
    const float y_expected[2] = {3, 6}, dx_expected[5] = {1, 1, 1, 2, 2};
    weir_pool p = {WEIR_POOL_AVG, 1, 5, 1, 3, 3, WEIR_SAME};
    for (int i = 0; i < all.count; i++) {
        float y[2], dx[5];
        assert_int_equal(weir_pool_t_out(&p), 2);
        assert_int_equal(weir_pool_fwd(all.rt[i], &p, x, y, NULL), WEIR_OK);
        assert_floats(y, y_expected, 2);
        assert_int_equal(weir_pool_bwd(all.rt[i], &p, dy, NULL, dx), WEIR_OK);
        assert_floats(dx, dx_expected, 5);
    }
}

static void test_activation(void **state) {
    (void)state;
    const float x[3] = {-4, 0, 1.25f}, one[3] = {1, 1, 1};
    static const float y_expected[WEIR_ACTIVATION_COUNT][3] = {
        {-4, 0, 1.25f},
        {0, 0, 1.25f},
        {-0.999329300f, 0, 0.848283640f},
        {0.017986210f, 0.5f, 0.777299861f},
        {0, 0.5f, 0.75f},
        {0, 0.5f, 0.708333333f},
    };
    static const float dx_expected[WEIR_ACTIVATION_COUNT][3] = {
        {1, 1, 1},
        {0, 0, 1},
        {0.001340950f, 1, 0.280414866f},
        {0.017662706f, 0.25f, 0.173104787f},
        {0, 0.2f, 0.2f},
        {0, 1.0f / 6, 1.0f / 6},
    };
    for (int i = 0; i < all.count; i++)
        for (int a = 0; a < WEIR_ACTIVATION_COUNT; a++) {
            float y[3], dx[3];
            assert_int_equal(weir_activation_fwd(all.rt[i], (weir_activation)a, 3, x, y), WEIR_OK);
            assert_floats(y, y_expected[a], 3);
            assert_int_equal(weir_activation_bwd(all.rt[i], (weir_activation)a, 3, y, one, dx),
                             WEIR_OK);
            assert_floats(dx, dx_expected[a], 3);
        }
}

static void test_loss(void **state) {
    (void)state;
    const float y[4] = {1, 2, 3, 4}, target[4] = {3, 2, 2, 8};
    const float mae_expected[4] = {-0.25f, 0, 0.25f, -0.25f};
    const float mse_expected[4] = {-1, 0, 0.5f, -2};
    for (int i = 0; i < all.count; i++) {
        double loss;
        float dy[4];
        assert_int_equal(weir_loss_eval(all.rt[i], WEIR_MAE, 4, y, target, &loss, dy), WEIR_OK);
        assert_true(loss == 1.75);
        assert_floats(dy, mae_expected, 4);
        assert_int_equal(weir_loss_eval(all.rt[i], WEIR_MSE, 4, y, target, &loss, dy), WEIR_OK);
        assert_true(loss == 5.25);
        assert_floats(dy, mse_expected, 4);
        assert_int_equal(weir_loss_eval(all.rt[i], WEIR_MSE, 4, y, target, &loss, NULL), WEIR_OK);
        assert_int_equal(weir_loss_eval(all.rt[i], WEIR_MSE, 0, NULL, NULL, &loss, NULL), WEIR_OK);
        assert_true(loss == 0);
    }
}

/* Probabilities on a border of the clip and beyond it; logits so large that e^y has no float. */
static void test_binary_crossentropy(void **state) {
    (void)state;
    const float y[4] = {0.5f, 1, -3, 0.25f}, target[4] = {1, 0, 1, 0};
    const float slopes[4] = {-0.5f, 0, 0, 1 / 3.0f};
    const float logits[4] = {0, 1000, -1000, 2}, logit_slopes[4] = {-0.125f, 0.25f, 0, 0.2201993f};
    const float logit_target[4] = {1, 0, 0, 0};
    for (int i = 0; i < all.count; i++) {
        double loss;
        float dy[4];
        assert_int_equal(weir_loss_eval(all.rt[i], WEIR_BCE, 4, y, target, &loss, dy), WEIR_OK);
        assert_true(fabs(loss - (0.6931472 + 15.9423852 + 16.1180956 + 0.2876821) / 4) < 1e-6);
        assert_floats(dy, slopes, 4);
        assert_int_equal(
            weir_loss_eval(all.rt[i], WEIR_BCE_LOGITS, 4, logits, logit_target, &loss, dy),
            WEIR_OK);
        assert_true(fabs(loss - (0.6931472 + 1000 + 0 + 2.1269280) / 4) < 1e-6);
        assert_floats(dy, logit_slopes, 4);
        const float none[1] = {NAN};
        for (int kind = WEIR_BCE; kind <= WEIR_BCE_LOGITS; kind++) {
            assert_int_equal(weir_loss_eval(all.rt[i], (weir_loss)kind, 1, none, target, &loss, dy),
                             WEIR_OK);
            assert_true(isnan(loss) && isnan(dy[0]));
        }
    }
}

static void test_rmsprop(void **state) {
    (void)state;
    /* v = 0.75 4 + 0.25 16 = 7; 3 or so with g = 0. */
    const float g[2] = {4, 0};
    for (int i = 0; i < all.count; i++) {
        float v[2] = {4, 4}, p[2] = {1, 1};
        weir_rmsprop o = {.rate = 0.5f, .rho = 0.75f, .epsilon = 2, .epsilon_inside = false};
        assert_int_equal(weir_rmsprop_step(all.rt[i], &o, 2, g, v, p), WEIR_OK);
        assert_floats(v, (float[]){7, 3}, 2);
        assert_floats(p, (float[]){1 - 2 / (2.6457513f + 2), 1}, 2);
        v[0] = 4, p[0] = 1;
        o.epsilon_inside = true;
        assert_int_equal(weir_rmsprop_step(all.rt[i], &o, 1, g, v, p), WEIR_OK);
        assert_floats(p, (float[]){1 - 2 / 3.0f}, 1);
    }
}

static void test_adam(void **state) {
    (void)state;
    /* At step 1 from zero moments, m / (1 - beta1) = g and v / (1 - beta2) = g^2: a step of rate. */
    const float g[2] = {4, -0.5f};
    weir_adam o = {.rate = 0.125f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = FLT_MIN};
    for (int i = 0; i < all.count; i++) {
        float m[2] = {0}, v[2] = {0}, p[2] = {1, 1};
        assert_int_equal(weir_adam_step(all.rt[i], &o, 1, 2, g, m, v, p), WEIR_OK);
        assert_floats(m, (float[]){0.4f, -0.05f}, 2);
        assert_floats(v, (float[]){0.016f, 0.00025f}, 2);
        assert_floats(p, (float[]){0.875f, 1.125f}, 2);
    }
}

/* What is not element by element: Adam's rate, the mean of a loss. */
static void test_rounding_of_the_caller(void **state) {
    (void)state;
    const float y[3] = {1, 2, 4.1f}, target[3] = {0.3f, 0, 2}, g[3] = {0.1f, 0.7f, -0.2f};
    const weir_adam o = {.rate = 0.01f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-7f};
    for (int i = 0; i < all.count; i++) {
        double loss[2];
        float p[2][3] = {{0}}, before = 0;
        for (int upward = 0; upward < 2; upward++) {
            float m[3] = {0}, v[3] = {0};
            fesetround(upward ? FE_UPWARD : FE_TONEAREST);
            weir_status status =
                weir_loss_eval(all.rt[i], WEIR_MSE, 3, y, target, &loss[upward], NULL);
            for (int step = 1; step <= 20 && status == WEIR_OK; step++)
                status = weir_adam_step(all.rt[i], &o, step, 3, g, m, v, p[upward]);
            fesetround(FE_TONEAREST);
            assert_int_equal(status, WEIR_OK);
            assert_true(p[upward][0] < before);
        }
        assert_true(loss[0] == loss[1]);
        assert_memory_equal(p[0], p[1], sizeof p[0]);
    }
}

static void test_empty_batch(void **state) {
    (void)state;
    weir_conv1d conv = {0, 9, 2, 3, 2, 1, 1, WEIR_SAME, WEIR_TANH};
    weir_dense dense = {0, 2, 3, WEIR_LINEAR};
    weir_pool pool = {WEIR_POOL_MAX, 0, 9, 2, 3, 3, WEIR_VALID};
    const float zero[12] = {0};
    for (int i = 0; i < all.count; i++) {
        weir_runtime *rt = all.rt[i];
        float dw[12], db[3] = {1, 1, 1};
        for (int q = 0; q < 12; q++) dw[q] = 1;
        assert_int_equal(weir_conv1d_fwd(rt, &conv, NULL, dw, NULL, NULL), WEIR_OK);
        assert_int_equal(weir_conv1d_bwd_data(rt, &conv, NULL, dw, NULL), WEIR_OK);
        assert_int_equal(weir_conv1d_bwd_weights(rt, &conv, NULL, NULL, dw, db), WEIR_OK);
        assert_memory_equal(dw, zero, sizeof dw);
        assert_memory_equal(db, zero, sizeof db);
        dw[0] = 1;
        assert_int_equal(weir_dense_bwd_weights(rt, &dense, NULL, NULL, dw, NULL), WEIR_OK);
        assert_float_equal(dw[0], 0, 0);
        assert_int_equal(weir_pool_fwd(rt, &pool, NULL, NULL, NULL), WEIR_OK);
        assert_int_equal(weir_pool_bwd(rt, &pool, NULL, NULL, NULL), WEIR_OK);
    }
}

static void assert_refused(weir_status status, const char *message) {
    assert_int_equal(status, WEIR_ERROR_ARGUMENT);
    assert_string_equal(weir_last_error(), message);
}

static void test_conv1d_messages(void **state) {
    (void)state;
    const weir_conv1d good = {1, 6, 1, 1, 3, 1, 1, WEIR_VALID, WEIR_LINEAR};
    weir_runtime *rt = all.rt[0];
    float x[6] = {0}, w[3] = {0}, y[6];
    weir_conv1d p = good;
    p.S = 0;
    assert_refused(weir_conv1d_fwd(rt, &p, x, w, NULL, y),
                   "conv1d_fwd: S is 0, accepted: 1 or more");
    assert_int_equal(weir_conv1d_t_out(&p), 0);
    p = good;
    p.D = 3;
    assert_refused(
        weir_conv1d_bwd_data(rt, &p, x, w, y),
        "conv1d_bwd_data: T is 6, accepted with padding valid: (K - 1) D + 1 = 7 or more");
    p.D = INT64_MAX / 2;
    p.padding = WEIR_CAUSAL;
    assert_int_equal(weir_conv1d_fwd(rt, &p, x, w, NULL, y), WEIR_ERROR_ARGUMENT);
    p = good;
    p.padding = (weir_padding)3;
    assert_refused(weir_conv1d_fwd(rt, &p, x, w, NULL, y),
                   "conv1d_fwd: padding is 3, accepted: 0 to 2");
    p = good;
    p.N = INT64_MAX / 5;
    assert_int_equal(weir_conv1d_fwd(rt, &p, x, w, NULL, y), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), "1844674407370955161 x 6 x 1 floats"));
    assert_refused(weir_conv1d_bwd_weights(rt, &good, NULL, y, w, NULL),
                   "conv1d_bwd_weights: x is NULL, accepted: a pointer to it");
    assert_int_equal(weir_conv1d_fwd(NULL, &good, x, w, NULL, y), WEIR_ERROR_ARGUMENT);
    assert_int_equal(weir_conv1d_fwd(rt, NULL, x, w, NULL, y), WEIR_ERROR_ARGUMENT);
}

static void test_conv1d_pool_messages(void **state) {
    (void)state;
    const weir_conv1d conv = {1, 6, 1, 1, 3, 1, 1, WEIR_VALID, WEIR_RELU};
    weir_conv1d_pool p = {conv, 5};
    float a[6] = {0};
    uint8_t winner[4] = {0};
    weir_runtime *rt = all.rt[0];
    assert_int_equal(weir_conv1d_pool_t_out(&p), 0);
    assert_refused(weir_conv1d_pool_fwd(rt, &p, a, a, NULL, a, winner),
                   "conv1d_pool_fwd: P is 5, accepted: 1 to 4");
    p.P = 2;
    assert_int_equal(weir_conv1d_pool_t_out(&p), 2);
    assert_refused(weir_conv1d_pool_bwd(rt, &p, a, a, a, NULL, a, NULL, a, NULL),
                   "conv1d_pool_bwd: winner is NULL, accepted: a pointer to it");
    assert_refused(weir_conv1d_pool_bwd(rt, &p, a, NULL, a, winner, a, a, a, NULL),
                   "conv1d_pool_bwd: w is NULL, accepted: a pointer to it");
    p.conv.activation = WEIR_TANH;
    assert_refused(weir_conv1d_pool_fwd(rt, &p, a, a, NULL, a, winner),
                   "conv1d_pool_fwd: activation (0 linear, 1 relu) is 2, accepted: 0 to 1");
}

static void test_pool_messages(void **state) {
    (void)state;
    weir_runtime *rt = all.rt[0];
    float x[6] = {0}, y[6];
    weir_pool p = {WEIR_POOL_MAX, 1, 6, 1, 7, 1, WEIR_VALID};
    assert_refused(weir_pool_fwd(rt, &p, x, y, NULL),
                   "pool_fwd: P (at most T with padding valid) is 7, accepted: 1 to 6");
    p.padding = WEIR_CAUSAL;
    assert_int_equal(weir_pool_fwd(rt, &p, x, y, NULL), WEIR_ERROR_ARGUMENT);
    p.padding = WEIR_SAME;
    assert_refused(weir_pool_bwd(rt, &p, x, NULL, y),
                   "pool_bwd: winner is NULL, accepted: a pointer to it");
    p.P = (int64_t)INT32_MAX + 1;
    assert_int_equal(weir_pool_bwd(rt, &p, x, NULL, y), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), "P (with winner) is 2147483648"));
}

static void test_other_messages(void **state) {
    (void)state;
    weir_runtime *rt = all.rt[0];
    float a[1] = {0};
    double loss;
    assert_refused(weir_activation_fwd(rt, (weir_activation)6, 1, a, a),
                   "activation_fwd: activation is 6, accepted: 0 to 5");
    assert_refused(weir_loss_eval(rt, WEIR_MAE, -1, a, a, &loss, NULL),
                   "loss_eval: n is -1, accepted: 0 or more");
    assert_refused(weir_loss_eval(rt, WEIR_LOSS_COUNT, 1, a, a, &loss, NULL),
                   "loss_eval: kind is 4, accepted: 0 to 3");
    weir_rmsprop rmsprop = {.rate = 1, .rho = 1.5f, .epsilon = 0};
    assert_refused(weir_rmsprop_step(rt, &rmsprop, 1, a, a, a),
                   "rmsprop_step: rho is 1.5, accepted: 0 to 1");
    weir_adam adam = {.rate = NAN, .beta1 = 0.5f, .beta2 = 0.5f, .epsilon = 1};
    assert_refused(weir_adam_step(rt, &adam, 1, 1, a, a, a, a),
                   "adam_step: rate is nan, accepted: finite, 0 or more");
    adam.rate = 1;
    assert_refused(weir_adam_step(rt, &adam, 0, 1, a, a, a, a),
                   "adam_step: step is 0, accepted: 1 or more");
}

/* Of conv1d, which does the work, no message speaks. */
static void test_dense_messages(void **state) {
    (void)state;
    weir_runtime *rt = all.rt[0];
    float a[1] = {0};
    weir_dense p = {1, 0, 1, WEIR_LINEAR};
    assert_refused(weir_dense_fwd(rt, &p, a, a, a, a), "dense_fwd: C_in is 0, accepted: 1 or more");
    p.C_in = 1;
    assert_refused(weir_dense_fwd(rt, &p, NULL, a, a, a),
                   "dense_fwd: x is NULL, accepted: a pointer to it");
    assert_refused(weir_dense_bwd_data(NULL, &p, a, a, a),
                   "dense_bwd_data: rt is NULL, accepted: a pointer to it");
    assert_refused(weir_dense_bwd_weights(rt, &p, a, NULL, a, a),
                   "dense_bwd_weights: dy is NULL, accepted: a pointer to it");
    p.N = INT64_MAX / 2;
    assert_refused(weir_dense_fwd(rt, &p, a, a, a, a),
                   "dense_fwd: x[N][C_in] has 4611686018427387903 x 1 x 1 floats, accepted: "
                   "2305843009213693951 in all or fewer");
    p = (weir_dense){1, INT64_MAX / 16, 16, WEIR_LINEAR};
    assert_refused(weir_dense_bwd_data(rt, &p, a, a, a),
                   "dense_bwd_data: w[C_in][C_out] has 576460752303423487 x 16 x 1 floats, "
                   "accepted: 2305843009213693951 in all or fewer");
}

static void test_epsilon_messages(void **state) {
    (void)state;
    weir_runtime *rt = all.rt[0];
    const float refused[4] = {0, 1e-40f, INFINITY, NAN}, g[1] = {0};
    for (int i = 0; i < 4; i++) {
        float m[1] = {0}, v[1] = {0}, p[1] = {1};
        weir_rmsprop rmsprop = {.rate = 1, .rho = 0.5f, .epsilon = refused[i]};
        weir_adam adam = {.rate = 1, .beta1 = 0.5f, .beta2 = 0.5f, .epsilon = refused[i]};
        for (int inside = 0; inside < 2; inside++) {
            rmsprop.epsilon_inside = inside;
            assert_int_equal(weir_rmsprop_step(rt, &rmsprop, 1, g, v, p), WEIR_ERROR_ARGUMENT);
            assert_non_null(strstr(weir_last_error(), "rmsprop_step: epsilon is "));
        }
        assert_int_equal(weir_adam_step(rt, &adam, 1, 1, g, m, v, p), WEIR_ERROR_ARGUMENT);
        assert_non_null(strstr(weir_last_error(), "adam_step: epsilon is "));
        assert_true(p[0] == 1);
    }
    weir_adam adam = {.rate = 1, .beta1 = 0.5f, .beta2 = 0.5f, .epsilon = 0};
    float a[1] = {0};
    assert_refused(weir_adam_step(rt, &adam, 1, 1, a, a, a, a),
                   "adam_step: epsilon is 0, accepted: 1.17549e-38 to 3.40282e+38");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv1d_fwd),
        cmocka_unit_test(test_conv1d_padding_is_skipped),
        cmocka_unit_test(test_conv1d_bwd),
        cmocka_unit_test(test_conv1d_bwd_weights_tree),
        cmocka_unit_test(test_bias_gradient_flushes),
        cmocka_unit_test(test_conv1d_huge_stride),
        cmocka_unit_test(test_conv1d_huge_dilation),
        cmocka_unit_test(test_pool_huge_stride),
        cmocka_unit_test(test_pool_winner_bytes),
        cmocka_unit_test(test_pool_wide_winner),
        cmocka_unit_test(test_dense),
        cmocka_unit_test(test_pool_max),
        cmocka_unit_test(test_pool_max_first_nan_stays),
        cmocka_unit_test(test_pool_avg_same),
        cmocka_unit_test(test_activation),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_binary_crossentropy),
        cmocka_unit_test(test_rmsprop),
        cmocka_unit_test(test_adam),
        cmocka_unit_test(test_rounding_of_the_caller),
        cmocka_unit_test(test_empty_batch),
        cmocka_unit_test(test_conv1d_messages),
        cmocka_unit_test(test_conv1d_pool_messages),
        cmocka_unit_test(test_pool_messages),
        cmocka_unit_test(test_other_messages),
        cmocka_unit_test(test_dense_messages),
        cmocka_unit_test(test_epsilon_messages),
    };
    return cmocka_run_group_tests(tests, create_runtimes, destroy_runtimes);
}

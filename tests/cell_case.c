/* A recurrent layer with all its tensors, and the checks that GRU, LSTM and SimpleRNN share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/cell_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/runtime.h"

weir_runtime *cell_runtimes[WEIR_ISA_COUNT];

int cell_runtimes_create(void **state) {
    (void)state;
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        weir_runtime_options options = weir_runtime_options_default();
        options.isa = (weir_isa)isa;
        options.threads = isa % 2 + 1;
        weir_status status = weir_runtime_create(&options, &cell_runtimes[isa]);
        if (status && status != WEIR_ERROR_UNSUPPORTED) return -1;
    }
    return cell_runtimes[WEIR_ISA_SCALAR] ? 0 : -1;
}

int cell_runtimes_destroy(void **state) {
    (void)state;
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) weir_runtime_destroy(cell_runtimes[isa]);
    return 0;
}

/* ---- parameters and tensors ---- */

static weir_lstm lstm_of(const weir_gru *p) {
    return (weir_lstm){.N = p->N,
                       .T = p->T,
                       .C_in = p->C_in,
                       .H = p->H,
                       .activation = p->activation,
                       .recurrent = p->recurrent,
                       .go_backwards = p->go_backwards,
                       .return_sequences = p->return_sequences,
                       .mask_gates = p->mask_gates};
}

static weir_rnn rnn_of(const weir_gru *p) {
    return (weir_rnn){.N = p->N,
                      .T = p->T,
                      .C_in = p->C_in,
                      .H = p->H,
                      .activation = p->activation,
                      .go_backwards = p->go_backwards,
                      .return_sequences = p->return_sequences,
                      .mask_gates = p->mask_gates};
}

static int64_t reserve_floats(cell_kind kind, const weir_gru *p) {
    const weir_lstm lstm = lstm_of(p);
    const weir_rnn rnn = rnn_of(p);
    if (kind == CELL_LSTM) return weir_lstm_reserve_floats(&lstm);
    return kind == CELL_RNN ? weir_rnn_reserve_floats(&rnn) : weir_gru_reserve_floats(p);
}

static uint32_t random_state;

static float uniform(float low, float high) {
    random_state = random_state * 1664525u + 1013904223u;
    return low + (high - low) * (float)(random_state >> 8) * 0x1p-24f;
}

static void sizes(cell_case *g) {
    const weir_gru *p = &g->p;
    const int64_t gates = g->kind == CELL_GRU    ? 3
                          : g->kind == CELL_LSTM ? 4
                                                 : 1,
                  row = gates * p->H;
    const int64_t state = p->N * p->H, c = g->kind == CELL_LSTM ? state : 0;
    int64_t *n = g->n;
    n[X] = n[DX] = p->N * p->T * p->C_in;
    n[W] = n[DW] = p->C_in * row;
    n[U] = n[DU] = p->H * row;
    n[B] = n[DB] = (g->kind == CELL_GRU && p->reset_after ? 2 : 1) * row;
    n[H0] = n[DH0] = state;
    n[C0] = n[DC0] = n[C_LAST] = c;
    n[MASK_X] = p->N * p->mask_gates * p->C_in;
    n[MASK_H] = p->N * p->mask_gates * p->H;
    n[Y] = n[DY] = p->N * (p->return_sequences ? p->T : 1) * p->H;
    n[RESERVE] = reserve_floats(g->kind, p);
}

cell_case cell_new(cell_kind kind, weir_gru p, bool steps, uint32_t seed) {
    cell_case g = {.kind = kind, .p = p};
    sizes(&g);
    random_state = seed;
    for (int i = 0; i < TENSORS; i++) {
        g.v[i] = malloc((size_t)(g.n[i] + 1) * sizeof(float));
        assert_non_null(g.v[i]);
        float scale = i == W || i == U ? 1.0f / sqrtf((float)(p.C_in + p.H)) : 1.0f;
        for (int64_t k = 0; k < g.n[i]; k++) {
            bool mask = i == MASK_X || i == MASK_H;
            g.v[i][k] = mask ? (uniform(0, 1) < 0.4f ? 0.0f : 1.0f / 0.6f) : uniform(-scale, scale);
        }
    }
    if (!steps) return g;
    g.step_mask = malloc((size_t)(p.N * p.T) + 1);
    assert_non_null(g.step_mask);
    for (int64_t i = 0; i < p.N * p.T; i++) g.step_mask[i] = uniform(0, 1) < 0.4f ? 0 : 255;
    return g;
}

void cell_free(cell_case *g) {
    for (int i = 0; i < TENSORS; i++) free(g->v[i]);
    free(g->step_mask);
}

/* ---- the ops ---- */

/* The LSTM's tensors; the others have them but for c. */
static weir_lstm_tensors tensors(const cell_case *g) {
    bool masks = g->p.mask_gates > 0;
    return (weir_lstm_tensors){.x = g->v[X],
                               .w = g->v[W],
                               .u = g->v[U],
                               .b = g->v[B],
                               .h0 = g->v[H0],
                               .c0 = g->v[C0],
                               .mask_x = masks ? g->v[MASK_X] : NULL,
                               .mask_h = masks ? g->v[MASK_H] : NULL,
                               .step_mask = g->step_mask};
}

static weir_gru_tensors gru_tensors(const cell_case *g) {
    const weir_lstm_tensors t = tensors(g);
    return (weir_gru_tensors){.x = t.x,
                              .w = t.w,
                              .u = t.u,
                              .b = t.b,
                              .h0 = t.h0,
                              .mask_x = t.mask_x,
                              .mask_h = t.mask_h,
                              .step_mask = t.step_mask};
}

static weir_rnn_tensors rnn_tensors(const cell_case *g) {
    const weir_lstm_tensors t = tensors(g);
    return (weir_rnn_tensors){.x = t.x,
                              .w = t.w,
                              .u = t.u,
                              .b = t.b,
                              .h0 = t.h0,
                              .mask_x = t.mask_x,
                              .mask_h = t.mask_h,
                              .step_mask = t.step_mask};
}

weir_status cell_fwd(const cell_case *g, weir_runtime *rt, float *reserve) {
    if (g->kind == CELL_GRU) {
        const weir_gru_tensors t = gru_tensors(g);
        return weir_gru_fwd(rt, &g->p, &t, g->v[Y], reserve);
    }
    if (g->kind == CELL_LSTM) {
        const weir_lstm p = lstm_of(&g->p);
        const weir_lstm_tensors t = tensors(g);
        return weir_lstm_fwd(rt, &p, &t, g->v[Y], g->v[C_LAST], reserve);
    }
    const weir_rnn p = rnn_of(&g->p);
    const weir_rnn_tensors t = rnn_tensors(g);
    return weir_rnn_fwd(rt, &p, &t, g->v[Y], reserve);
}

weir_status cell_bwd(const cell_case *g, weir_runtime *rt) {
    float *const *v = g->v;
    if (g->kind == CELL_GRU) {
        const weir_gru_tensors t = gru_tensors(g);
        const weir_gru_gradients d = {
            .dy = v[DY], .dx = v[DX], .dh0 = v[DH0], .dw = v[DW], .du = v[DU], .db = v[DB]};
        return weir_gru_bwd(rt, &g->p, &t, v[RESERVE], &d);
    }
    if (g->kind == CELL_LSTM) {
        const weir_lstm p = lstm_of(&g->p);
        const weir_lstm_tensors t = tensors(g);
        const weir_lstm_gradients d = {.dy = v[DY],
                                       .dx = v[DX],
                                       .dh0 = v[DH0],
                                       .dc0 = v[DC0],
                                       .dw = v[DW],
                                       .du = v[DU],
                                       .db = v[DB]};
        return weir_lstm_bwd(rt, &p, &t, v[RESERVE], &d);
    }
    const weir_rnn p = rnn_of(&g->p);
    const weir_rnn_tensors t = rnn_tensors(g);
    const weir_rnn_gradients d = {
        .dy = v[DY], .dx = v[DX], .dh0 = v[DH0], .dw = v[DW], .du = v[DU], .db = v[DB]};
    return weir_rnn_bwd(rt, &p, &t, v[RESERVE], &d);
}

void cell_forward(const cell_case *g, weir_isa isa) {
    assert_int_equal(cell_fwd(g, cell_runtimes[isa], g->v[RESERVE]), WEIR_OK);
}

void cell_backward(const cell_case *g, weir_isa isa) {
    assert_int_equal(cell_bwd(g, cell_runtimes[isa]), WEIR_OK);
}

/* ---- checks ---- */

void assert_near(float a, double expected, double tolerance) {
    if (fabs((double)a - expected) <= tolerance) return;
    fail_msg("%.9g, expected %.9g within %.2g", (double)a, expected, tolerance);
}

/* Sum of y dy: its derivatives are what backward gives. */
static double objective(const cell_case *g) {
    double sum = 0;
    cell_forward(g, WEIR_ISA_SCALAR);
    for (int64_t i = 0; i < g->n[Y]; i++) sum += (double)g->v[Y][i] * (double)g->v[DY][i];
    return sum;
}

static double difference(const cell_case *g, float *p, float step) {
    float at = *p;
    *p = at + step;
    double plus = objective(g);
    *p = at - step;
    double minus = objective(g);
    *p = at;
    return (plus - minus) / (2.0 * (double)step);
}

/* Two central differences leave an error of order step^4, about 1e-5 of derivatives near 1; the
 * floats of y leave 24 * 2^-24 / 2^-5 = 5e-5. */
static void check_gradient(const cell_case *g, int input, int gradient) {
    for (int64_t i = 0; i < g->n[input]; i++) {
        float *p = &g->v[input][i];
        double fine = difference(g, p, 0x1p-6f), coarse = difference(g, p, 0x1p-5f);
        assert_near(g->v[gradient][i], fine + (fine - coarse) / 3, 2e-4);
    }
}

void cell_check_gradients(const cell_case *g) {
    cell_forward(g, WEIR_ISA_SCALAR);
    cell_backward(g, WEIR_ISA_SCALAR);
    check_gradient(g, X, DX);
    check_gradient(g, W, DW);
    check_gradient(g, U, DU);
    check_gradient(g, B, DB);
    check_gradient(g, H0, DH0);
    check_gradient(g, C0, DC0);
}

static const int outputs[] = {Y, C_LAST, DX, DH0, DC0, DW, DU, DB};
enum { OUTPUTS = sizeof outputs / sizeof *outputs };

static void run(const cell_case *g, weir_isa isa) {
    for (int i = 0; i < OUTPUTS; i++)
        for (int64_t k = 0; k < g->n[outputs[i]]; k++) g->v[outputs[i]][k] = NAN;
    cell_forward(g, isa);
    cell_backward(g, isa);
}

void cell_check_isas(cell_kind kind, weir_gru p, bool steps, uint32_t seed) {
    cell_case first = cell_new(kind, p, steps, seed);
    run(&first, WEIR_ISA_GENERIC);
    for (int isa = WEIR_ISA_AVX2; isa < WEIR_ISA_COUNT; isa++) {
        if (!cell_runtimes[isa]) continue;
        cell_case g = cell_new(kind, p, steps, seed);
        run(&g, (weir_isa)isa);
        for (int i = 0; i < OUTPUTS; i++) {
            size_t bytes = (size_t)g.n[outputs[i]] * sizeof(float);
            assert_memory_equal(g.v[outputs[i]], first.v[outputs[i]], bytes);
        }
        cell_free(&g);
    }
    cell_free(&first);
}

void cell_check_refused(const cell_case *g, const char *words) {
    assert_int_equal(cell_fwd(g, cell_runtimes[WEIR_ISA_SCALAR], NULL), WEIR_ERROR_ARGUMENT);
    assert_non_null(strstr(weir_last_error(), words));
    assert_int_equal(reserve_floats(g->kind, &g->p), 0);
}

/* The linker puts this between the library and its scratch: no machine has as much as that. */
void *__real_weir_scratch_get(weir_runtime *rt, int64_t bytes);
void *__wrap_weir_scratch_get(weir_runtime *rt, int64_t bytes);
void *__wrap_weir_scratch_get(weir_runtime *rt, int64_t bytes) {
    return bytes > INT64_C(1) << 43 ? NULL : __real_weir_scratch_get(rt, bytes);
}

/* Both weights, packed, and their gradients: of the SimpleRNN 4 x 2^40 floats, of the others more. */
void cell_check_memory(cell_kind kind, int64_t size_max, const char *words) {
    weir_runtime *rt;
    assert_int_equal(weir_runtime_create(NULL, &rt), WEIR_OK);
    const weir_gru p = {
        .N = 1, .T = 1, .C_in = 1, .H = 1, .activation = WEIR_TANH, .recurrent = WEIR_SIGMOID};
    cell_case g = cell_new(kind, p, false, 1);
    g.p.C_in = g.p.H = size_max;
    assert_int_equal(cell_bwd(&g, rt), WEIR_ERROR_MEMORY);
    assert_non_null(strstr(weir_last_error(), words));
    cell_free(&g);
    weir_runtime_destroy(rt);
}

void cell_check_empty(cell_kind kind, weir_gru p) {
    p.N = 0;
    for (int isa = 0; isa < WEIR_ISA_COUNT; isa++) {
        if (!cell_runtimes[isa]) continue;
        cell_case g = cell_new(kind, p, true, 1);
        run(&g, (weir_isa)isa);
        for (int64_t k = 0; k < g.n[DW]; k++) assert_true(g.v[DW][k] == 0);
        for (int64_t k = 0; k < g.n[DU]; k++) assert_true(g.v[DU][k] == 0);
        for (int64_t k = 0; k < g.n[DB]; k++) assert_true(g.v[DB][k] == 0);
        cell_free(&g);
    }
}

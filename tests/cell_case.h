/* A recurrent layer with all its tensors, and the checks that GRU, LSTM and SimpleRNN share.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CELL_CASE_H
#define WEIR_CELL_CASE_H

#include "weir/weir.h"

extern weir_runtime *cell_runtimes[WEIR_ISA_COUNT]; /* NULL: not available here */
/* For cmocka: the runtimes of a group of tests. */
int cell_runtimes_create(void **state);
int cell_runtimes_destroy(void **state);

typedef enum cell_kind { CELL_GRU, CELL_LSTM, CELL_RNN } cell_kind;

/* One block each. Those that a cell does not have are empty: c is the LSTM's. */
enum { X, W, U, B, H0, C0, MASK_X, MASK_H, INPUTS };
enum { Y = INPUTS, C_LAST, RESERVE, DY, DX, DH0, DC0, DW, DU, DB, TENSORS };

typedef struct cell_case {
    cell_kind kind;
    weir_gru p;         /* the parameters of all three: a cell takes those it has */
    int64_t n[TENSORS]; /* floats */
    float *v[TENSORS];
    uint8_t *step_mask; /* NULL: no step is passed over */
} cell_case;

/* Random tensors; steps: some are passed over. */
cell_case cell_new(cell_kind kind, weir_gru p, bool steps, uint32_t seed);
void cell_free(cell_case *g);

/* The ops; without runtime of their own they take that of isa and must end well. */
weir_status cell_fwd(const cell_case *g, weir_runtime *rt, float *reserve);
weir_status cell_bwd(const cell_case *g, weir_runtime *rt);
void cell_forward(const cell_case *g, weir_isa isa);
void cell_backward(const cell_case *g, weir_isa isa);

void assert_near(float a, double expected, double tolerance);

/* The oracle's gradients of sum(y dy) for every input, against differences of its forward pass. */
void cell_check_gradients(const cell_case *g);
/* The same bits with every instruction set. How far the oracle may be is weir-validate's matter, which
 * derives a bound for each element. */
void cell_check_isas(cell_kind kind, weir_gru p, bool steps, uint32_t seed);
/* ARGUMENT, with a message that has `words`. */
void cell_check_refused(const cell_case *g, const char *words);
/* The largest matrices: backward says that there is no memory for its scratch. Links with
 * -Wl,--wrap=weir_scratch_get. */
void cell_check_memory(cell_kind kind, int64_t size_max, const char *words);
/* No samples: nothing to write but zero gradients of the weights. */
void cell_check_empty(cell_kind kind, weir_gru p);

#endif

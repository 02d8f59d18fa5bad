/* A layer that gets its input step by step. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_TRAIN_STREAM_STAGE_H
#define WEIR_TRAIN_STREAM_STAGE_H

#include "train/model/layer.h"

typedef struct stage stage;

/* What a stage makes a step of its output from. */
typedef struct stage_input {
    const pass *p;
    const float *x; /* [rows][width]: the last steps, as many as there are, at most the span */
    int64_t rows;
    uint8_t *real; /* 0: the step is padding; an embedding sets it */
} stage_input;

struct stage {
    layer one; /* the layer, with just the steps of input that an output step is made of */
    int64_t span, stride;   /* these, and the steps from one output to the next */
    const layer *embedding; /* that a convolution makes one op with; NULL: none */
    bool early;             /* causal: the first output comes with the first step */
    int64_t width;          /* floats of a step in the window */
    /* Puts a step of input into the window; NULL: a copy. */
    weir_status (*take)(stage *s, const pass *p, const float *x, float *to);
    /* Makes a step of output in y, or makes y another buffer. */
    weir_status (*run)(stage *s, const stage_input *in);
    int64_t state_floats, y_floats;

    int64_t seen, held; /* steps since the reset; steps in the window */
    float *window;      /* [2 span][width], unless the span is 1 */
    float *state, *y;   /* zero after a reset */
};

/* What the layer does with a step; false: nothing, its output is its input. Errors: ARGUMENT (it needs
 * steps that are still to come). */
weir_status weir_stage_plan(const layer *l, stage *s, bool *does);

/* Floats of memory that a planned stage needs; -1: more than 2^31. */
int64_t weir_stage_floats(const stage *s);
/* Gives it memory[weir_stage_floats]. */
void weir_stage_place(stage *s, float *memory);
void weir_stage_reset(stage *s);

/* Takes a step of input; *made says whether s->y is a new step of output. */
weir_status weir_stage_push(stage *s, const pass *p, const float *x, uint8_t *real, bool *made);

#endif

/* How well a model does on some samples, and how that is shown. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_SCORE_H
#define WEIR_CLI_SCORE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct score {
    double loss;
    double accuracy; /* of classes; NAN where the task has none */
    /* Accuracy as Keras 2 counts it: outputs rounded to whole numbers that equal the target, so above
     * 1.5 and below -0.5 all are wrong. NAN where outputs stay in [0, 1] and it is the same. */
    double rounded;
} score;

typedef struct score_form {
    bool classes;  /* accuracy and loss; else an error in the target's unit */
    bool squared;  /* the loss is the MSE, else the MAE */
    double std;    /* of the target: normalised errors times this are in its unit */
    char unit[32]; /* "degC" */
} score_form;

enum { SCORE_TEXT = 128 };

/* A loss in the target's unit: the MAE, or the root of the MSE. */
double score_units(const score_form *f, double loss);

/* "0.2651 (2.352 degC)" or "0.3034, accuracy 0.8812": for a line of progress. Returns text. */
const char *score_short(const score_form *f, const score *s, char text[SCORE_TEXT]);
/* "MAE 0.26514 (2.3517 degC)", "MSE 0.12010 (RMSE 3.0737 degC)" or "accuracy 0.88120 (loss 0.30341)":
 * for a result. Returns text. */
const char *score_long(const score_form *f, const score *s, char text[SCORE_TEXT]);

#endif

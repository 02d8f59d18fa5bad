/* How scores are shown. SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/score.h"

#include <math.h>
#include <stdio.h>

double score_units(const score_form *f, double loss) {
    return (f->squared ? sqrt(loss) : loss) * f->std;
}

const char *score_short(const score_form *f, const score *s, char text[SCORE_TEXT]) {
    if (f->classes && isnan(s->rounded))
        snprintf(text, SCORE_TEXT, "%.4f, accuracy %.4f", s->loss, s->accuracy);
    else if (f->classes)
        snprintf(text, SCORE_TEXT, "%.4f, accuracy %.4f (rounded %.4f)", s->loss, s->accuracy,
                 s->rounded);
    else
        snprintf(text, SCORE_TEXT, "%.4f (%.3f %s)", s->loss, score_units(f, s->loss), f->unit);
    return text;
}

const char *score_long(const score_form *f, const score *s, char text[SCORE_TEXT]) {
    if (f->classes && isnan(s->rounded))
        snprintf(text, SCORE_TEXT, "accuracy %.5f (loss %.5f)", s->accuracy, s->loss);
    else if (f->classes)
        snprintf(text, SCORE_TEXT, "accuracy %.5f (rounded %.5f, loss %.5f)", s->accuracy,
                 s->rounded, s->loss);
    else
        snprintf(text, SCORE_TEXT, f->squared ? "MSE %.5f (RMSE %.4f %s)" : "MAE %.5f (%.4f %s)",
                 s->loss, score_units(f, s->loss), f->unit);
    return text;
}

/* Processes that train. SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_BENCH_TRAINING_H
#define WEIR_BENCH_TRAINING_H

#include <string>
#include <vector>

#include "figures.h"

namespace bench {

struct TrainingOptions {
    int batch = 128;
    int caller = -1; /* place (team.h) of the calling thread; -1: where the system puts it */
    /* --batch and --caller; false: the word is another option. Throws std::runtime_error. */
    bool take(Words &words);
};

/* A place among the processors allowed. Throws std::runtime_error that says what is accepted. */
int parse_place(const std::string &name, const std::string &text);
/* Names of built-in models, the same. */
std::vector<std::string> parse_models(const std::string &list);
/* "N:128/T:240/Cin:14" */
std::string training_shape(int batch);

/* What a Member is to be told, for serve_training. */
std::vector<std::string> training_arguments(const std::string &model,
                                            const TrainingOptions &training, int threads);
/* The body of the Member: asked for SECONDS of training, answers the seconds of each step. Steps are
 * on the same batch in memory; the first ones after a rest don't count. */
void serve_training(const FigureOptions &common, const std::string &model,
                    const TrainingOptions &training);

} // namespace bench
#endif

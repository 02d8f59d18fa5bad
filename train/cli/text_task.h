/* The reviews task: options that name the data, and what they load.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WEIR_CLI_TEXT_TASK_H
#define WEIR_CLI_TEXT_TASK_H

#include "train/cli/options.h"
#include "train/data/imdb.h"

typedef struct text_arguments {
    const char *file;
    bool generated, no_cache;
    int64_t generated_reviews, generated_seed;
    int64_t max_features; /* 0: not given */
    int64_t split_seed;
    double val_fraction;
} text_arguments;

text_arguments text_arguments_default(void);

/* Which reviews there are, wherever they come from. */
#define TEXT_SOURCE_OPTIONS(a)                                                       \
    OPTION_INT("generated-reviews", "N", &(a)->generated_reviews, IMDB_GENERATE_MIN, \
               IMDB_GENERATE_MAX, "made-up reviews, half for the test"),             \
        OPTION_FLAG("no-cache", &(a)->no_cache,                                      \
                    "neither read nor write PATH.weir-cache, where the counted words are kept")
/* How they are read. */
#define TEXT_READING_OPTIONS(a)                                                                \
    OPTION_INT_DEFAULT("max-features", "N", &(a)->max_features, IMDB_FIRST_WORD + 1,           \
                       IMDB_FEATURES_LIMIT, "word numbers from here on are unknown", "10000"), \
        OPTION_DOUBLE("val-fraction", "X", &(a)->val_fraction, 0, 1,                           \
                      "of the training reviews, to validate on"),                              \
        OPTION_INT("split-seed", "N", &(a)->split_seed, 0, 1e15,                               \
                   "shuffles the training reviews before that")
/* Goes into an option table: TEXT_OPTIONS(&arguments), OPTION_END. */
#define TEXT_OPTIONS(a)                                                                            \
    OPTION_GROUP("Data"),                                                                          \
        OPTION_STRING("data", "PATH", &(a)->file,                                                  \
                      "the reviews: aclImdb_v1.tar.gz, or the folder aclImdb it unpacks to"),      \
        OPTION_FLAG("generated", &(a)->generated, "made-up reviews in their place"),               \
        OPTION_INT("generated-seed", "N", &(a)->generated_seed, 0, 1e15, "which made-up reviews"), \
        TEXT_SOURCE_OPTIONS(a), TEXT_READING_OPTIONS(a)

/* Those given, or the book's. */
int64_t text_max_features(const text_arguments *a);

/* Reads or generates the reviews. Errors: those of imdb.h, ARGUMENT (not exactly one of --data and
 * --generated). */
weir_status text_load(const text_arguments *a, weir_runtime *runtime, imdb *out);

/* Prints where the reviews are from and what was found in them; a cache that can't be written goes to
 * stderr as "weir COMMAND: warning: ...". */
void text_print(const imdb *d, const char *command);

#endif

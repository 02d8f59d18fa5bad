/* The reviews task: options that name the data, and what they load.
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/cli/text_task.h"

#include <stdio.h>

#include "train/cli/printable.h"

text_arguments text_arguments_default(void) {
    const imdb_options o = imdb_options_default();
    return (text_arguments){.generated_reviews = 10000,
                            .generated_seed = 1,
                            .split_seed = (int64_t)o.seed,
                            .val_fraction = o.val_fraction};
}

int64_t text_max_features(const text_arguments *a) {
    return a->max_features > 0 ? a->max_features : imdb_options_default().max_features;
}

weir_status text_load(const text_arguments *a, weir_runtime *runtime, imdb *out) {
    const imdb_options o = {.max_features = text_max_features(a),
                            .val_fraction = a->val_fraction,
                            .seed = (uint64_t)a->split_seed,
                            .cache = !a->no_cache,
                            .runtime = runtime};
    if (a->file && a->generated)
        return weir_fail(WEIR_ERROR_ARGUMENT, "--data %s and --generated exclude each other",
                         a->file);
    if (!a->file && !a->generated)
        return weir_fail(WEIR_ERROR_ARGUMENT, "no data, accepted: --data PATH or --generated");
    if (a->generated)
        return imdb_generate(a->generated_reviews, (uint64_t)a->generated_seed, &o, out);
    return imdb_load(a->file, &o, out);
}

static double percent(int64_t part, int64_t whole) {
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static void print_split(const char *name, const imdb_statistics *s) {
    printf("%-10s %lld reviews, %.1f%% positive; %lld words, %.2f%% unknown; longest %lld tokens\n",
           name, (long long)s->reviews, percent(s->positive, s->reviews), (long long)s->words,
           percent(s->unknown, s->words), (long long)s->longest);
    if (s->empty > 0) printf("%10s %lld reviews have no word\n", "", (long long)s->empty);
}

void text_print(const imdb *d, const char *command) {
    static const char *const caches[] = {"", " (from its cache)", " (cache written)", ""};
    char text[PRINTABLE];
    const int64_t known = d->o.max_features - IMDB_FIRST_WORD;
    printf("data       %s%s: %lld reviews%s\n", printable(d->source, text),
           d->generated ? " (made-up reviews, no real ones)" : "", (long long)d->reviews,
           caches[d->cache]);
    if (d->cache == IMDB_CACHE_FAILED)
        fprintf(stderr, "weir %s: warning: what was read is not kept: %s\n", command,
                d->cache_warning != NULL ? printable(d->cache_warning, text) : "no memory");
    print_split("training", &d->statistics[SPLIT_TRAIN]);
    print_split("validation", &d->statistics[SPLIT_VAL]);
    print_split("test", &d->statistics[SPLIT_TEST]);
    printf("words      %lld different ones in the training and validation reviews, %lld known\n",
           (long long)d->words.count, (long long)(known < d->words.count ? known : d->words.count));
    if (d->invalid_bytes > 0)
        printf("UTF-8      %lld bytes in %lld reviews are none; taken for letters\n",
               (long long)d->invalid_bytes, (long long)d->invalid_reviews);
}

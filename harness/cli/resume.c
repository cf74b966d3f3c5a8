#include "harness/cli/resume.h"
#include "core/campaign/campaign.h"
#include "harness/cli/version.h"

#include <inttypes.h>
#include <string.h>

enum { WORDS_MAX = 32 };

void resume_describe(const struct options *options, uint64_t seed, struct text *text) {
    text_add(text, "%s\n--model=%s\n--strategy=%s\n--seed=%" PRIu64 "\n", version_code,
             options->model, options->strategy, seed);
    if (options->test)
        text_add(text, "--test=%s\n", options->test);
    if (options->bug)
        text_add(text, "--bug=%s\n", options->bug);
    if (options->iterations == SCT_UNLIMITED)
        text_add(text, "--iterations=unlimited\n");
    else
        text_add(text, "--iterations=%" PRIu64 "\n", options->iterations);
    if (options->max_steps)
        text_add(text, "--max-steps=%" PRIu32 "\n", options->max_steps);
    if (options->keep_going)
        text_add(text, "--keep-going\n");
    if (options->has_cache && options->cache_bytes > 0)
        text_add(text, "--cache=%" PRIu64 "\n", options->cache_bytes);
    else if (options->has_cache)
        text_add(text, "--cache=off\n");
    text_add(text, "--shard=%" PRIu64 "/%" PRIu64 "\n", options->shard_index, options->shard_count);
}

static int split(char *text, char **words) {
    int count = 0;
    for (char *line = strtok(text, "\n"); line && count < WORDS_MAX; line = strtok(NULL, "\n"))
        words[count++] = line;
    return count;
}

// Another size will do, but what was searched with a cache cannot be told without.
static bool resume_cache(const struct options *stored, struct options *options,
                         struct error *error) {
    if (options->has_cache && stored->has_cache &&
        (options->cache_bytes > 0) != (stored->cache_bytes > 0))
        return error_set(error, "option --cache: the search of checkpoint '%.200s' has %s cache",
                         options->resume, stored->cache_bytes > 0 ? "a" : "no");
    if (!options->has_cache)
        options->cache_bytes = stored->cache_bytes;
    options->has_cache = options->has_cache || stored->has_cache;
    return true;
}

bool resume_options(char *text, struct options *options, struct error *error) {
    char *words[WORDS_MAX + 1] = {NULL};
    int count = split(text, words);
    if (count == 0 || strcmp(words[0], version_code) != 0)
        return error_set(error, "checkpoint '%.200s': expected one of %s, found one of %.100s",
                         options->resume, version_code, count > 0 ? words[0] : "nothing");
    struct options stored;
    struct error inner;
    if (!options_parse(count, words, &stored, &inner))
        return error_set(error, "checkpoint '%.200s': %.250s", options->resume, inner.text);
    if (!resume_cache(&stored, options, error))
        return false;
    options->model = stored.model;
    options->strategy = stored.strategy;
    options->seed = stored.seed;
    options->test = stored.test;
    options->bug = stored.bug;
    options->iterations = stored.iterations;
    options->max_steps = stored.max_steps;
    options->keep_going = stored.keep_going;
    options->shard_index = stored.shard_index;
    options->shard_count = stored.shard_count;
    return true;
}

#include "harness/cli/search_options.h"

struct sct_search_options search_options(struct session *session) {
    const struct options *options = session->options;
    bool has_cache = options->reduction != SCT_REDUCE_DPOR && session->program.digest;
    return (struct sct_search_options){
        .program = &session->program,
        .strategy = session->strategy,
        .reduction = options->reduction,
        .cache_bytes = has_cache ? options->cache_bytes : 0,
    };
}

static bool check_reduction(const struct session *session, struct error *error) {
    const struct options *options = session->options;
    const struct sct_path *path = session->strategy->path;
    if (options->reduction == SCT_REDUCE_NONE)
        return true;
    if (!path || path->bound_kind != SCT_BOUND_NONE)
        return error_set(error, "option --reduce: expected --strategy dfs, found '%.200s'",
                         options->strategy);
    if (options->reduction == SCT_REDUCE_DPOR && options_have(options, OPTION_CACHE) &&
        options->cache_bytes > 0)
        return error_set(error, "options --reduce dpor and --cache contradict each other: a state "
                                "that was met hides races (--reduce sleep goes with it)");
    if (options->checkpoint || options->resume)
        return error_set(error, "options --%s and --reduce contradict each other",
                         options->resume ? "resume" : "checkpoint");
    return session->run.what.test->is_reducible ||
           error_set(error, "option --reduce: test %s does not declare all that its steps touch",
                     session->run.what.test->name);
}

static bool check_cache(const struct session *session, struct error *error) {
    const struct options *options = session->options;
    if (!options_have(options, OPTION_CACHE))
        return true;
    if (!session->strategy->path)
        return error_set(error, "option --cache: expected --strategy dfs, found '%.200s'",
                         options->strategy);
    return options->cache_bytes == 0 || session->program.digest ||
           error_set(error, "option --cache: test %s cannot compare states",
                     session->run.what.test->name);
}

// The executions of a search depend on those before them.
static bool check_part(const struct session *session, struct error *error) {
    const struct options *options = session->options;
    const char *part = options_have(options, OPTION_ONLY_ITERATION) ? "only-iteration"
                       : options->shard_count > 1                   ? "shard"
                                                                    : NULL;
    return !part || error_set(error, "options --%s and --strategy %.200s contradict each other",
                              part, options->strategy);
}

bool search_options_check(struct session *session, struct error *error) {
    if (!check_reduction(session, error) || !check_cache(session, error))
        return false;
    if (!session->strategy->path)
        return true;
    struct sct_search_options options = search_options(session);
    return check_part(session, error) && sct_search_check(&options, error);
}

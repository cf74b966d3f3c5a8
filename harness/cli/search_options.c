#include "harness/cli/search_options.h"

// The cache is on unless it is said otherwise: it is left out where it cannot be.
static bool has_cache(const struct session *session) {
    bool may_be = session->program.digest && session->options->reduction != SCT_REDUCE_DPOR;
    return may_be || options_have(session->options, OPTION_CACHE);
}

struct sct_search_options search_options(struct session *session) {
    const struct options *options = session->options;
    return (struct sct_search_options){
        .program = &session->program,
        .strategy = session->strategy,
        .reduction = options->reduction,
        .cache_bytes = has_cache(session) ? options->cache_bytes : 0,
    };
}

// The name of the option that asks for more than the tree of all choices; NULL: none does.
static const char *asked_for(const struct options *options) {
    if (options->reduction != SCT_REDUCE_NONE)
        return "reduce";
    return options_have(options, OPTION_CACHE) ? "cache" : NULL;
}

static bool check_systematic(const struct session *session, struct error *error) {
    const char *option = asked_for(session->options);
    return session->strategy->path || !option ||
           error_set(error, "option --%s: expected --strategy dfs, found '%.200s'", option,
                     session->options->strategy);
}

// What a reduction wants beside what the engine checks.
static bool check_reduction(const struct session *session, struct error *error) {
    const struct options *options = session->options;
    if (options->reduction == SCT_REDUCE_NONE)
        return true;
    if (options->reduction == SCT_REDUCE_DPOR && (options->checkpoint || options->resume))
        return error_set(error, "options --%s and --reduce dpor contradict each other",
                         options->resume ? "resume" : "checkpoint");
    return session->run.what.test->is_reducible ||
           error_set(error, "option --reduce: test %s does not declare all that its steps touch",
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

static bool check_search(struct session *session, struct error *error) {
    struct sct_search_options options = search_options(session);
    struct error reason;
    if (sct_search_check(&options, &reason))
        return true;
    const char *option = asked_for(session->options);
    return error_set(error, "%s%s%s%s", option ? "option --" : "", option ? option : "",
                     option ? ": " : "", reason.text);
}

bool search_options_check(struct session *session, struct error *error) {
    if (!check_systematic(session, error))
        return false;
    return !session->strategy->path || (check_reduction(session, error) &&
                                        check_part(session, error) && check_search(session, error));
}

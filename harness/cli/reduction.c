#include "harness/cli/reduction.h"

bool reduction_check(const struct options *options, const struct sct_strategy *strategy,
                     const struct subject_test *test, struct error *error) {
    if (options->reduction == SCT_REDUCE_NONE)
        return true;
    if (!strategy->path || strategy->path->bound_kind != SCT_BOUND_NONE)
        return error_set(error, "option --reduce: expected --strategy dfs, found '%.200s'",
                         options->strategy);
    if (options->reduction == SCT_REDUCE_DPOR && options_have(options, OPTION_CACHE) &&
        options->cache_bytes > 0)
        return error_set(error, "options --reduce dpor and --cache contradict each other: a state "
                                "that was met hides races (--reduce sleep goes with it)");
    return test->is_reducible ||
           error_set(error, "option --reduce: test %s does not declare all that its steps touch",
                     test->name);
}

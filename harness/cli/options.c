#include "harness/cli/options.h"
#include "core/jobs/jobs.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char options_help[] =
    "Usage: mtcheck [OPTION]...\n"
    "Explores the interleavings of a protocol under a controlled scheduler and checks every\n"
    "execution. Finds injected bugs (--bug), or says how sure a clean run is.\n"
    "\n"
    "What to run\n"
    "  -b, --bug K              inject the optional bug with that number or name (--list bugs)\n"
    "      --model NAME         system under test (default migrating-table; --list models)\n"
    "      --test NAME          scenario of the model (default: default; --list tests)\n"
    "      --strategy SPEC      portfolio, random, pct[:D], ... (default portfolio;\n"
    "                           --list strategies); dfs, dfs:delay=D, dfs:preempt=P: all\n"
    "                           executions there are, or all within a bound\n"
    "      --cache off|BYTES    for dfs: memory for the states met (K, M, G; default 1G, where\n"
    "                           the test can compare states)\n"
    "      --reduce HOW         for dfs: none, sleep or dpor: leave out what differs in the order\n"
    "                           of independent steps only (default none; dpor without a cache)\n"
    "How much\n"
    "  -i, --iterations N       executions to try, or 'unlimited' (default 100000; dfs: "
    "unlimited)\n"
    "  -s, --seed S             64-bit seed, decimal or 0x, or 'random' (default 1)\n"
    "      --time-limit SECONDS stop after that long\n"
    "      --max-steps N        scheduling points after which an execution is cut off\n"
    "      --keep-going         do not stop at the first violation; count and group them\n"
    "      --only-iteration I   run iteration I alone, as it is in the campaign, whatever -i says\n"
    "  -j, --jobs J             worker processes, 0 for all cores (default 1); the results do not\n"
    "                           depend on J\n"
    "      --shard I/N          only the iterations congruent to I modulo N\n"
    "      --checkpoint FILE    write down what was done, to go on from after a kill\n"
    "      --checkpoint-every S of dfs: the least seconds between two (default 10)\n"
    "      --resume FILE        go on with the campaign of that checkpoint\n"
    "What comes out\n"
    "      --format FORMAT      text, json or github (annotations), on standard output (default\n"
    "                           text)\n"
    "      --junit FILE         a JUnit report too\n"
    "      --trace FILE         where the failing trace goes (default\n"
    "                           mtcheck-MODEL-BUG-SEED-ITERATION.trace)\n"
    "      --replay FILE        run exactly that trace; with --verbose narrate every step\n"
    "      --break-at N         stop at decision N of the replay, under gdb\n"
    "      --report FILE.html   a page about the failing (or replayed) execution\n"
    "      --export WHAT FILE   the same for other tools: shiviz or chrome (Trace Event JSON)\n"
    "      --tolerant           replay as far as the trace fits a changed system, and say where\n"
    "                           it left the recording\n"
    "      --minimize           shrink the failing trace, of this run or of --replay, while it\n"
    "                           fails the same way: to FILE.min, with an explanation\n"
    "      --explain            tell the replayed execution in sentences, and which one answer\n"
    "                           would have to be different for it to pass\n"
    "      --check-history FILE check a recorded history for linearizability\n"
    "      --history-format F   its format: native, jepsen-register or kv (default native)\n"
    "      --list WHAT          bugs, strategies, models or tests\n"
    "      --coverage           what was reached: a table of calls, bug lines, marks\n"
    "      --require-coverage   fail (status 4) if a cell of that table was not reached that\n"
    "                           the test is expected to reach\n"
    "  -v, --verbose            tell everything; narrate (replay and --only-iteration)\n"
    "  -q, --quiet              no report, only the exit status and errors\n"
    "      --color WHEN         auto, always or never (NO_COLOR is respected)\n"
    "  -h, --help               this text\n"
    "  -V, --version            the version\n"
    "\n"
    "Exit status: 0 no violation; 1 violation found or reproduced; 2 usage or damaged file;\n"
    "3 the tool failed; 4 no verdict: a replay did not reproduce its trace, a history check "
    "reached\n"
    "its limit, or required coverage was not reached; 130 interrupted.\n";

enum option_id {
    OPTION_ITERATIONS,
    OPTION_SEED,
    OPTION_BUG,
    OPTION_MODEL,
    OPTION_TEST,
    OPTION_STRATEGY,
    OPTION_REDUCE,
    OPTION_CACHE,
    OPTION_TIME_LIMIT,
    OPTION_MAX_STEPS,
    OPTION_KEEP_GOING,
    OPTION_ONLY_ITERATION,
    OPTION_JOBS,
    OPTION_SHARD,
    OPTION_CHECKPOINT,
    OPTION_CHECKPOINT_EVERY,
    OPTION_RESUME,
    OPTION_FORMAT,
    OPTION_TRACE,
    OPTION_JUNIT,
    OPTION_REPLAY,
    OPTION_BREAK_AT,
    OPTION_REPORT,
    OPTION_EXPORT,
    OPTION_TOLERANT,
    OPTION_MINIMIZE,
    OPTION_EXPLAIN,
    OPTION_LIST,
    OPTION_CHECK_HISTORY,
    OPTION_HISTORY_FORMAT,
    OPTION_COVERAGE,
    OPTION_REQUIRE_COVERAGE,
    OPTION_VERBOSE,
    OPTION_QUIET,
    OPTION_COLOR,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_COUNT,
};

static const struct {
    const char *name;
    char letter; // 0: none
    bool takes_value;
    bool for_campaigns; // makes no sense with --replay, --list or --check-history
} table[OPTION_COUNT] = {
    [OPTION_ITERATIONS] = {"iterations", 'i', true, true},
    [OPTION_SEED] = {"seed", 's', true, true},
    [OPTION_BUG] = {"bug", 'b', true, true},
    [OPTION_MODEL] = {"model", 0, true, false},
    [OPTION_TEST] = {"test", 0, true, true},
    [OPTION_STRATEGY] = {"strategy", 0, true, true},
    [OPTION_CACHE] = {"cache", 0, true, true},
    [OPTION_REDUCE] = {"reduce", 0, true, true},
    [OPTION_TIME_LIMIT] = {"time-limit", 0, true, true},
    [OPTION_MAX_STEPS] = {"max-steps", 0, true, true},
    [OPTION_KEEP_GOING] = {"keep-going", 0, false, true},
    [OPTION_ONLY_ITERATION] = {"only-iteration", 0, true, true},
    [OPTION_JOBS] = {"jobs", 'j', true, true},
    [OPTION_SHARD] = {"shard", 0, true, true},
    [OPTION_CHECKPOINT] = {"checkpoint", 0, true, true},
    [OPTION_CHECKPOINT_EVERY] = {"checkpoint-every", 0, true, true},
    [OPTION_RESUME] = {"resume", 0, true, true},
    [OPTION_FORMAT] = {"format", 0, true, false},
    [OPTION_TRACE] = {"trace", 0, true, true},
    [OPTION_JUNIT] = {"junit", 0, true, true},
    [OPTION_REPLAY] = {"replay", 0, true, false},
    [OPTION_BREAK_AT] = {"break-at", 0, true, false},
    [OPTION_REPORT] = {"report", 0, true, false},
    [OPTION_EXPORT] = {"export", 0, true, false}, // and a file after its value
    [OPTION_TOLERANT] = {"tolerant", 0, false, false},
    [OPTION_MINIMIZE] = {"minimize", 0, false, false},
    [OPTION_EXPLAIN] = {"explain", 0, false, false},
    [OPTION_LIST] = {"list", 0, true, false},
    [OPTION_CHECK_HISTORY] = {"check-history", 0, true, false},
    [OPTION_HISTORY_FORMAT] = {"history-format", 0, true, false},
    [OPTION_COVERAGE] = {"coverage", 0, false, true},
    [OPTION_REQUIRE_COVERAGE] = {"require-coverage", 0, false, true},
    [OPTION_VERBOSE] = {"verbose", 'v', false, false},
    [OPTION_QUIET] = {"quiet", 'q', false, false},
    [OPTION_COLOR] = {"color", 0, true, false},
    [OPTION_HELP] = {"help", 'h', false, false},
    [OPTION_VERSION] = {"version", 'V', false, false},
};

struct parser {
    struct options *options;
    struct error *error;
    bool given[OPTION_COUNT];
    const char *next; // the word after the present option's value, or NULL
    bool has_used_next;
};

// ---- Values ------------------------------------------------------------------------------------

static bool bad_value(struct parser *parser, enum option_id id, const char *value,
                      const char *expected) {
    return error_set(parser->error, "option --%s: expected %s, found '%.200s'", table[id].name,
                     expected, value);
}

static bool parse_unsigned(const char *text, uint64_t max, uint64_t *value) {
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = is_hex ? text + 2 : text;
    size_t length = strlen(digits);
    if (length == 0 || length > 20 ||
        strspn(digits, is_hex ? "0123456789abcdefABCDEF" : "0123456789") != length)
        return false;
    errno = 0;
    *value = strtoull(digits, NULL, is_hex ? 16 : 10);
    return errno == 0 && *value <= max;
}

static bool set_number(struct parser *parser, enum option_id id, const char *value, uint64_t max,
                       const char *expected, uint64_t *number) {
    return parse_unsigned(value, max, number) || bad_value(parser, id, value, expected);
}

static bool set_max_steps(struct parser *parser, const char *value) {
    uint64_t number = 0;
    if (!parse_unsigned(value, SCT_STEPS_LIMIT, &number) || number == 0)
        return bad_value(parser, OPTION_MAX_STEPS, value, "a number from 1 to 100000000");
    parser->options->max_steps = (uint32_t)number;
    return true;
}

static bool set_reduction(struct parser *parser, const char *value) {
    static const char *const names[] = {
        [SCT_REDUCE_NONE] = "none", [SCT_REDUCE_SLEEP] = "sleep", [SCT_REDUCE_DPOR] = "dpor"};
    for (int i = 0; i <= SCT_REDUCE_DPOR; i++)
        if (strcmp(value, names[i]) == 0) {
            parser->options->reduction = (enum sct_reduction)i;
            return true;
        }
    return bad_value(parser, OPTION_REDUCE, value, "'none', 'sleep' or 'dpor'");
}

static bool set_cache(struct parser *parser, const char *value) {
    static const char suffixes[] = "KMG";
    char digits[24];
    size_t length = strspn(value, "0123456789");
    const char *suffix = value[length] ? strchr(suffixes, value[length]) : NULL;
    int shift = suffix ? 10 * (int)(suffix - suffixes + 1) : 0;
    parser->options->has_cache = true;
    parser->options->cache_bytes = 0;
    if (strcmp(value, "off") == 0)
        return true;
    snprintf(digits, sizeof digits, "%.*s", (int)(length < 20 ? length : 20), value);
    bool is_number =
        value[length + (suffix ? 1 : 0)] == '\0' &&
        parse_unsigned(digits, (uint64_t)INT64_MAX >> shift, &parser->options->cache_bytes);
    parser->options->cache_bytes <<= shift;
    return (is_number && parser->options->cache_bytes > 0) ||
           bad_value(parser, OPTION_CACHE, value, "'off' or a number of bytes (K, M or G)");
}

static bool set_seconds(struct parser *parser, enum option_id id, const char *value,
                        double *seconds_set) {
    char *end;
    double seconds = strtod(value, &end);
    if (strspn(value, "0123456789.") != strlen(value) || end == value || *end != '\0' ||
        !isfinite(seconds) || seconds <= 0)
        return bad_value(parser, id, value, "a positive number of seconds");
    *seconds_set = seconds;
    return true;
}

// The index of [value] among the NULL-terminated [names], or -1.
static int name_index(const char *value, const char *const *names) {
    for (int i = 0; names[i]; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    return -1;
}

static bool set_format(struct parser *parser, const char *value) {
    int index = name_index(value, (const char *const[]){"text", "json", "github", NULL});
    if (index < 0)
        return bad_value(parser, OPTION_FORMAT, value, "'text', 'json' or 'github'");
    parser->options->format = (enum report_format)index;
    return true;
}

static bool set_color(struct parser *parser, const char *value) {
    int index = name_index(value, (const char *const[]){"auto", "always", "never", NULL});
    if (index < 0)
        return bad_value(parser, OPTION_COLOR, value, "'auto', 'always' or 'never'");
    parser->options->color = (enum color_mode)index;
    return true;
}

static bool set_list(struct parser *parser, const char *value) {
    static const char *const names[] = {"bugs", "strategies", "models", "tests", NULL};
    if (name_index(value, names) < 0)
        return bad_value(parser, OPTION_LIST, value, "'bugs', 'strategies', 'models' or 'tests'");
    parser->options->list = value;
    return true;
}

static bool set_history_format(struct parser *parser, const char *value) {
    static const char *const names[] = {"native", "jepsen-register", "kv", NULL};
    if (name_index(value, names) < 0)
        return bad_value(parser, OPTION_HISTORY_FORMAT, value,
                         "'native', 'jepsen-register' or 'kv'");
    parser->options->history_format = value;
    return true;
}

static bool set_seed(struct parser *parser, const char *value) {
    parser->options->is_seed_random = strcmp(value, "random") == 0;
    return parser->options->is_seed_random ||
           set_number(parser, OPTION_SEED, value, UINT64_MAX, "a 64-bit number or 'random'",
                      &parser->options->seed);
}

static bool set_iterations(struct parser *parser, const char *value) {
    parser->options->has_iterations = true;
    if (strcmp(value, "unlimited") == 0) {
        parser->options->iterations = SCT_UNLIMITED;
        return true;
    }
    return set_number(parser, OPTION_ITERATIONS, value, INT64_MAX, "a number or 'unlimited'",
                      &parser->options->iterations);
}

static bool set_only_iteration(struct parser *parser, const char *value) {
    parser->options->has_only_iteration = true;
    return set_number(parser, OPTION_ONLY_ITERATION, value, INT64_MAX, "an iteration's number",
                      &parser->options->only_iteration);
}

static bool set_jobs(struct parser *parser, const char *value) {
    uint64_t jobs = 0;
    if (!parse_unsigned(value, SCT_WORKERS_MAX, &jobs))
        return bad_value(parser, OPTION_JOBS, value, "a number from 0 to 256");
    long cores = jobs == 0 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
    cores = cores > SCT_WORKERS_MAX ? SCT_WORKERS_MAX : cores;
    parser->options->jobs = jobs > 0 ? (unsigned)jobs : cores > 0 ? (unsigned)cores : 1;
    return true;
}

static bool set_shard(struct parser *parser, const char *value) {
    char index[24];
    const char *slash = strchr(value, '/');
    size_t length = slash ? (size_t)(slash - value) : 0;
    if (length == 0 || length >= sizeof index)
        return bad_value(parser, OPTION_SHARD, value, "I/N with 0 <= I < N");
    memcpy(index, value, length);
    index[length] = '\0';
    struct options *options = parser->options;
    return (parse_unsigned(index, INT64_MAX, &options->shard_index) &&
            parse_unsigned(slash + 1, INT64_MAX, &options->shard_count) &&
            options->shard_index < options->shard_count) ||
           bad_value(parser, OPTION_SHARD, value, "I/N with 0 <= I < N");
}

static bool set_text(struct parser *parser, enum option_id id, const char *value,
                     const char **text) {
    if (*value == '\0')
        return bad_value(parser, id, value, "a value");
    *text = value;
    return true;
}

static bool set_trace(struct parser *parser, const char *value) {
    if (strlen(value) > OPTIONS_PATH_MAX)
        return bad_value(parser, OPTION_TRACE, value, "a path of at most 4000 bytes");
    return set_text(parser, OPTION_TRACE, value, &parser->options->trace);
}

static bool set_flag(struct parser *parser, enum option_id id) {
    struct options *options = parser->options;
    bool *const flags[OPTION_COUNT] = {
        [OPTION_KEEP_GOING] = &options->keep_going,
        [OPTION_COVERAGE] = &options->coverage,
        [OPTION_REQUIRE_COVERAGE] = &options->require_coverage,
        [OPTION_TOLERANT] = &options->tolerant,
        [OPTION_MINIMIZE] = &options->minimize,
        [OPTION_EXPLAIN] = &options->explain,
        [OPTION_VERBOSE] = &options->verbose,
        [OPTION_QUIET] = &options->quiet,
        [OPTION_HELP] = &options->help,
        [OPTION_VERSION] = &options->version,
    };
    ASSERT(flags[id]);
    *flags[id] = true;
    return true;
}

static bool set_break_at(struct parser *parser, const char *value) {
    uint64_t number = 0;
    parser->options->has_break_at = true;
    if (!set_number(parser, OPTION_BREAK_AT, value, UINT32_MAX, "a decision's number", &number))
        return false;
    parser->options->break_at = (uint32_t)number;
    return true;
}

// [value] says for which tool; the file is the next word.
static bool set_export(struct parser *parser, const char *value) {
    int index = name_index(value, (const char *const[]){"shiviz", "chrome", NULL});
    if (index < 0)
        return bad_value(parser, OPTION_EXPORT, value, "'shiviz' or 'chrome', and a file");
    const char **path =
        index == 0 ? &parser->options->export_shiviz : &parser->options->export_chrome;
    if (*path)
        return error_set(parser->error, "option --export: expected one file for %s, found two",
                         value);
    if (!parser->next || !*parser->next)
        return error_set(parser->error, "option --export: expected a file after '%s', found %s",
                         value, parser->next ? "''" : "the end of the line");
    *path = parser->next;
    parser->has_used_next = true;
    return true;
}

// Of what is run; whether there is such a thing is found out later.
static bool set_name(struct parser *parser, enum option_id id, const char *value) {
    struct options *options = parser->options;
    const char **const names[] = {
        [OPTION_BUG] = &options->bug,
        [OPTION_MODEL] = &options->model,
        [OPTION_TEST] = &options->test,
        [OPTION_STRATEGY] = &options->strategy,
    };
    return set_text(parser, id, value, names[id]);
}

static bool set_value(struct parser *parser, enum option_id id, const char *value) {
    struct options *options = parser->options;
    switch (id) {
    case OPTION_ITERATIONS:
        return set_iterations(parser, value);
    case OPTION_SEED:
        return set_seed(parser, value);
    case OPTION_BUG:
    case OPTION_MODEL:
    case OPTION_TEST:
    case OPTION_STRATEGY:
        return set_name(parser, id, value);
    case OPTION_REDUCE:
        return set_reduction(parser, value);
    case OPTION_CACHE:
        return set_cache(parser, value);
    case OPTION_TIME_LIMIT:
        return set_seconds(parser, id, value, &options->time_limit);
    case OPTION_MAX_STEPS:
        return set_max_steps(parser, value);
    case OPTION_ONLY_ITERATION:
        return set_only_iteration(parser, value);
    case OPTION_JOBS:
        return set_jobs(parser, value);
    case OPTION_SHARD:
        return set_shard(parser, value);
    case OPTION_CHECKPOINT:
        return set_text(parser, id, value, &options->checkpoint);
    case OPTION_CHECKPOINT_EVERY:
        return set_seconds(parser, id, value, &options->checkpoint_every);
    case OPTION_RESUME:
        return set_text(parser, id, value, &options->resume);
    case OPTION_FORMAT:
        return set_format(parser, value);
    case OPTION_TRACE:
        return set_trace(parser, value);
    case OPTION_JUNIT:
        return set_text(parser, id, value, &options->junit);
    case OPTION_REPLAY:
        return set_text(parser, id, value, &options->replay);
    case OPTION_BREAK_AT:
        return set_break_at(parser, value);
    case OPTION_REPORT:
        return set_text(parser, id, value, &options->report);
    case OPTION_EXPORT:
        return set_export(parser, value);
    case OPTION_LIST:
        return set_list(parser, value);
    case OPTION_CHECK_HISTORY:
        return set_text(parser, id, value, &options->check_history);
    case OPTION_HISTORY_FORMAT:
        return set_history_format(parser, value);
    case OPTION_COLOR:
        return set_color(parser, value);
    case OPTION_KEEP_GOING:
    case OPTION_COVERAGE:
    case OPTION_REQUIRE_COVERAGE:
    case OPTION_TOLERANT:
    case OPTION_MINIMIZE:
    case OPTION_EXPLAIN:
    case OPTION_VERBOSE:
    case OPTION_QUIET:
    case OPTION_HELP:
    case OPTION_VERSION:
    case OPTION_COUNT:
        break; // these take no value
    }
    fail_at(FAIL_ASSERTION, HERE, "option %d has no meaning", (int)id);
}

// ---- Words -------------------------------------------------------------------------------------

static int find_long(const char *name, size_t length) {
    for (int i = 0; i < OPTION_COUNT; i++)
        if (strlen(table[i].name) == length && memcmp(table[i].name, name, length) == 0)
            return i;
    return -1;
}

static int find_letter(char letter) {
    for (int i = 0; i < OPTION_COUNT; i++)
        if (table[i].letter && table[i].letter == letter)
            return i;
    return -1;
}

static bool accept(struct parser *parser, enum option_id id, const char *value) {
    if (parser->given[id] && table[id].takes_value && id != OPTION_EXPORT)
        return error_set(parser->error, "option --%s: expected once, found it twice",
                         table[id].name);
    parser->given[id] = true;
    return table[id].takes_value ? set_value(parser, id, value) : set_flag(parser, id);
}

// Parses the word at argv[*at] and, if its option takes one, the value after it.
static bool parse_word(struct parser *parser, int argc, char **argv, int *at) {
    const char *word = argv[*at];
    bool is_long = strncmp(word, "--", 2) == 0 && word[2];
    bool is_short = !is_long && word[0] == '-' && word[1];
    if (!is_long && !is_short)
        return error_set(parser->error, "expected an option, found '%.200s' (see --help)", word);
    size_t name_length = is_long ? strcspn(word + 2, "=") : 1;
    int id = is_long ? find_long(word + 2, name_length) : find_letter(word[1]);
    if (id < 0)
        return error_set(parser->error, "unknown option '%.200s' (see --help)", word);
    const char *rest = is_long ? word + 2 + name_length : word + 2;
    if (!table[id].takes_value) {
        if (*rest)
            return error_set(parser->error, "option --%s: expected no value, found '%.200s'",
                             table[id].name, rest);
        return accept(parser, (enum option_id)id, "");
    }
    const char *value = rest + (is_long ? 1 : 0);
    if (!*rest) {
        if (*at + 1 >= argc)
            return error_set(parser->error,
                             "option --%s: expected a value, found the end of the line",
                             table[id].name);
        value = argv[++*at];
    }
    parser->next = argv[*at + 1]; // argv ends in NULL
    parser->has_used_next = false;
    bool is_accepted = accept(parser, (enum option_id)id, value);
    *at += parser->has_used_next;
    return is_accepted;
}

static bool contradiction(struct parser *parser, enum option_id mode, enum option_id other) {
    return error_set(parser->error, "options --%s and --%s contradict each other", table[mode].name,
                     table[other].name);
}

// What is not a campaign is one thing, and takes no option of campaigns.
static bool check_mode(struct parser *parser) {
    static const enum option_id modes[] = {OPTION_REPLAY, OPTION_CHECK_HISTORY, OPTION_LIST};
    enum option_id mode = OPTION_COUNT;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (!parser->given[modes[i]])
            continue;
        if (mode != OPTION_COUNT)
            return contradiction(parser, mode, modes[i]);
        mode = modes[i];
    }
    for (int i = 0; mode != OPTION_COUNT && i < OPTION_COUNT; i++)
        if (parser->given[i] && table[i].for_campaigns)
            return contradiction(parser, mode, (enum option_id)i);
    bool is_of_a_model = mode == OPTION_COUNT || mode == OPTION_LIST;
    return is_of_a_model || !parser->given[OPTION_MODEL] ||
           contradiction(parser, mode, OPTION_MODEL);
}

// A checkpoint says itself what campaign it is of.
static bool check_resume(struct parser *parser) {
    static const enum option_id defining[] = {
        OPTION_MODEL,      OPTION_TEST,      OPTION_BUG,        OPTION_STRATEGY, OPTION_SEED,
        OPTION_ITERATIONS, OPTION_MAX_STEPS, OPTION_KEEP_GOING, OPTION_SHARD,    OPTION_CHECKPOINT,
    };
    bool is_kept = parser->given[OPTION_RESUME] || parser->given[OPTION_CHECKPOINT];
    if (is_kept && parser->given[OPTION_ONLY_ITERATION])
        return contradiction(parser,
                             parser->given[OPTION_RESUME] ? OPTION_RESUME : OPTION_CHECKPOINT,
                             OPTION_ONLY_ITERATION);
    for (size_t i = 0; i < sizeof defining / sizeof defining[0]; i++)
        if (parser->given[OPTION_RESUME] && parser->given[defining[i]])
            return contradiction(parser, OPTION_RESUME, defining[i]);
    return true;
}

static bool check_combinations(struct parser *parser) {
    const struct options *options = parser->options;
    if (options->verbose && options->quiet)
        return error_set(parser->error, "options --verbose and --quiet contradict each other");
    if (!check_mode(parser) || !check_resume(parser))
        return false;
    if (options->has_break_at && !options->replay)
        return error_set(parser->error, "option --break-at: expected --replay too");
    enum option_id mode = options->list ? OPTION_LIST : OPTION_CHECK_HISTORY;
    if ((options->list || options->check_history) && parser->given[OPTION_REPORT])
        return contradiction(parser, mode, OPTION_REPORT);
    if ((options->list || options->check_history) && parser->given[OPTION_EXPORT])
        return contradiction(parser, mode, OPTION_EXPORT);
    if ((options->tolerant || options->explain) && !options->replay)
        return error_set(parser->error, "option --%s: expected --replay too",
                         options->tolerant ? "tolerant" : "explain");
    if (options->minimize && (options->list || options->check_history))
        return contradiction(parser, options->list ? OPTION_LIST : OPTION_CHECK_HISTORY,
                             OPTION_MINIMIZE);
    if (parser->given[OPTION_CHECKPOINT_EVERY] && !options->checkpoint && !options->resume)
        return error_set(parser->error,
                         "option --checkpoint-every: expected --checkpoint or --resume too");
    if (options->history_format && !options->check_history)
        return error_set(parser->error, "option --history-format: expected --check-history too");
    if (options->has_only_iteration && options->keep_going)
        return error_set(parser->error,
                         "options --only-iteration and --keep-going contradict each other");
    if (options->has_only_iteration && options->shard_count > 1)
        return contradiction(parser, OPTION_ONLY_ITERATION, OPTION_SHARD);
    return true;
}

bool options_parse(int argc, char **argv, struct options *options, struct error *error) {
    *options = (struct options){
        .iterations = 100000,
        .cache_bytes = UINT64_C(1) << 30,
        .seed = 1,
        .model = "migrating-table",
        .strategy = "portfolio",
        .jobs = 1,
        .checkpoint_every = 10,
        .shard_count = 1,
    };
    struct parser parser = {.options = options, .error = error};
    for (int i = 1; i < argc; i++)
        if (!parse_word(&parser, argc, argv, &i))
            return false;
    return check_combinations(&parser);
}

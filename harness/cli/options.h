// The command line: flat options in the style of GNU (options.def), as plain data.
#ifndef HARNESS_CLI_OPTIONS_H
#define HARNESS_CLI_OPTIONS_H

#include "core/base/text.h"
#include "core/search/search.h"
#include "harness/report/output.h"

#include <stdio.h>

enum report_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_GITHUB };
enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

// Who has a command line: the models of this project, a suite of tests, a program.
enum front {
    FRONT_MODELS = 1,
    FRONT_SUITE = 2,
    FRONT_PROGRAM = 4,
    FRONT_ALL = FRONT_MODELS | FRONT_SUITE | FRONT_PROGRAM,
};

enum option_id {
#define HEADING(words)
#define OPTION(symbol, name, letter, argument, value, use, fronts, help) OPTION_##symbol,
#include "harness/cli/options.def"
#undef OPTION
#undef HEADING
    OPTION_COUNT,
};

// Constant once it is parsed.
struct options {
    // The text of each option's value as it was given, "" of those that take none; NULL: not given.
    const char *given[OPTION_COUNT];
    enum sct_reduction reduction; // --reduce
    uint64_t cache_bytes;         // of the state cache of a systematic search; 0: off
    uint64_t iterations;          // SCT_UNLIMITED allowed
    uint64_t seed;
    bool is_seed_random; // draw one
    const char *bug;     // number or name as given, NULL: none
    const char *model;   // NULL: the first
    const char *test;    // NULL: the model's default
    const char *strategy;
    double time_limit;  // seconds, 0: none
    uint32_t max_steps; // 0: the test's default
    bool keep_going;
    uint64_t only_iteration;           // if it is given
    unsigned jobs;                     // worker processes, at least 1
    uint64_t shard_index, shard_count; // the iterations congruent to the one modulo the other
    const char *checkpoint;            // NULL: none
    double checkpoint_every;           // seconds, of systematic searches
    const char *resume;                // NULL: none
    enum report_format format;
    const char *trace;         // NULL: the default name
    const char *junit;         // NULL: none
    const char *report;        // the page's file, NULL: none
    const char *export_shiviz; // the same for other tools
    const char *export_chrome;
    const char *replay;     // NULL: a campaign
    uint32_t break_at;      // if it is given: stop under the debugger there
    bool tolerant, explain; // of a replay
    bool minimize;
    const char *list;           // NULL: no listing
    const char *check_history;  // NULL: none
    const char *history_format; // NULL: native
    bool coverage;              // print its table
    bool require_coverage;      // a cell that was not reached is a failure
    bool verbose, quiet;
    enum color_mode color;
    bool help, version;
};

// The words behind the first of [argv] that are options of [front]; strings point into [argv].
// [stored], if given, is what options_describe wrote of a campaign that goes on: it counts as if it
// stood on the command line too; it is changed and pointed into. False with a one-line error that
// names the option, what was given and what was expected.
bool options_parse(enum front front, char **argv, char *stored, struct options *options,
                   struct error *error);

// Appends the options that fix what is executed, one a line, as they stand on a command line;
// [seed] is the one that is used. A search adds a line for its cache.
void options_describe(const struct options *options, uint64_t seed, struct text *text);

static inline bool options_have(const struct options *options, enum option_id id) {
    return options->given[id] != NULL;
}

// Prints --help's list of the options that [front] has.
void options_print_help(FILE *out, enum front front);

#endif

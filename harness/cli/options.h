// The command line of mtcheck: flat options in the style of GNU, as plain data.
#ifndef HARNESS_CLI_OPTIONS_H
#define HARNESS_CLI_OPTIONS_H

#include "core/base/text.h"
#include "core/search/search.h"
#include "harness/scenario.h"

// The longest accepted path of --trace, in bytes.
enum { OPTIONS_PATH_MAX = 4000 };

enum report_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_GITHUB };
enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct options {
    enum sct_reduction reduction; // --reduce
    bool has_cache;               // --cache was given
    uint64_t cache_bytes;         // of the state cache of a systematic search; 0: off
    uint64_t iterations;          // SCT_UNLIMITED allowed
    bool has_iterations;          // else systematic strategies have no limit
    uint64_t seed;
    bool is_seed_random; // draw one
    const char *bug;     // number or name as given, NULL: none
    const char *model;
    const char *test;     // NULL: the model's default
    const char *strategy; // as given
    double time_limit;    // seconds, 0: none
    uint32_t max_steps;   // 0: the model's default
    bool keep_going;
    bool has_only_iteration;
    uint64_t only_iteration;
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
    const char *replay; // NULL: a campaign
    bool has_break_at;  // stop under the debugger at a decision of the replay
    uint32_t break_at;
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

// Parses the command line; strings point into [argv]. False with a one-line error that names the
// option, what was given and what was expected.
bool options_parse(int argc, char **argv, struct options *options, struct error *error);

// The text of --help.
extern const char options_help[];

#endif

// Inside of options.c: how values are read.
#ifndef HARNESS_CLI_OPTION_VALUES_H
#define HARNESS_CLI_OPTION_VALUES_H

#include "harness/cli/options.h"

#include <stddef.h>

// What an option goes together with.
enum option_use {
    USE_ANY,
    USE_MODE,      // instead of a campaign: there can be one only
    USE_FIXES,     // of campaigns: says which it is
    USE_CAMPAIGN,  // of campaigns, which it does not change
    USE_EXECUTION, // of campaigns and of --replay
    USE_REPLAY,
    USE_HISTORY, // of --check-history
};

struct option;

struct parser {
    const struct option *table; // of all options, by their ids
    struct options *options;
    struct error *error;
    enum front front;
    const char *next; // the word after the present option's value, or NULL
    bool has_used_next;
};

typedef bool (*value_setter)(struct parser *parser, enum option_id id, const char *value);

struct option {
    const char *name;
    char letter;          // 0: none
    const char *argument; // NULL: none
    value_setter set;
    size_t offset; // of the field of struct options, where [set] is one for all
    enum option_use use;
    unsigned fronts;
    const char *help;
};

// False, with the error that says so.
bool option_bad_value(struct parser *parser, enum option_id id, const char *value,
                      const char *expected);

// Set the field of the option [id] from [value], or are false with an error. The last three are for
// any option with such a field.
bool set_max_steps(struct parser *parser, enum option_id id, const char *value);
bool set_reduction(struct parser *parser, enum option_id id, const char *value);
bool set_cache(struct parser *parser, enum option_id id, const char *value);
bool set_format(struct parser *parser, enum option_id id, const char *value);
bool set_color(struct parser *parser, enum option_id id, const char *value);
bool set_list(struct parser *parser, enum option_id id, const char *value);
bool set_history_format(struct parser *parser, enum option_id id, const char *value);
bool set_seed(struct parser *parser, enum option_id id, const char *value);
bool set_iterations(struct parser *parser, enum option_id id, const char *value);
bool set_only_iteration(struct parser *parser, enum option_id id, const char *value);
bool set_jobs(struct parser *parser, enum option_id id, const char *value);
bool set_shard(struct parser *parser, enum option_id id, const char *value);
bool set_trace(struct parser *parser, enum option_id id, const char *value);
bool set_break_at(struct parser *parser, enum option_id id, const char *value);
bool set_export(struct parser *parser, enum option_id id, const char *value);
bool set_flag(struct parser *parser, enum option_id id, const char *value);
bool set_text(struct parser *parser, enum option_id id, const char *value);
bool set_seconds(struct parser *parser, enum option_id id, const char *value);

#endif

// The profile of an execution of the default test: what its inputs have in common.
//
// Every execution draws one (swarm testing, Groce et al., ISSTA 2012): how many machines,
// partitions and keys there are, which rows exist, which operations and filters are used, and where
// in the migration the machines meet. A feature that is left out makes the others more frequent.
// Nothing in it is about one bug: draws are weighted so that every situation (situations.h) comes
// often enough. All of them go through the choice function, and the first alternative of each is
// the plainest.
#ifndef HARNESS_MIGRATING_RICH_PROFILE_H
#define HARNESS_MIGRATING_RICH_PROFILE_H

#include "harness/migrating/app.h"
#include "harness/migrating/rich_filter.h"

enum {
    RICH_PARTITIONS_MAX = 3,
    RICH_KEYS_MAX = 6,
    RICH_PROPERTIES_MAX = 5, // of a row, the one that names its writer included
    RICH_TYPE_COUNT = 7,     // as enum ct_op_type, and DeleteIfExists
    RICH_DELETE_IF_EXISTS = 6,
};

// Where the calls of the machines begin.
enum gathering {
    GATHER_NOWHERE, // in drawn states
    GATHER_ABOUT,   // most of them in the focus or the state before it
    GATHER_IN,      // all in the focus, unless it has passed
    GATHER_AT_PUSH, // at the end of the focus: some machines are still in it, others have left it
};

// A bundle of features that belong together; each leaves the rest as it is drawn anyway.
enum theme {
    THEME_FREE,
    THEME_DUEL,  // machines write few keys again and again, in one state
    THEME_CHASE, // at a push, one machine reads slowly behind those who write ahead of it
};

struct profile {
    enum theme theme;
    uint32_t partition_count;
    uint32_t key_count;
    uint32_t operations_min; // of a batch
    uint32_t operations_max;
    uint32_t types;    // set of operation types in use
    bool has_families; // each program has types of its own instead
    bool is_apt;       // operations are drawn among those that the row as it is lets succeed
    enum gathering gathering;
    enum mt_state focus;
    uint32_t behind;     // at a push, one of the first two services: 1 or 2; 0: each draws
    uint32_t row_rarity; // of so many keys one has no row at first
    uint32_t calls_min, calls_max; // of a program
    bool has_third_service;
    bool has_slow_calls;   // calls stand still anywhere (slow_call.h), not in their windows alone
    bool has_filters;      // queries and streams use filters
    bool has_rich_filters; // of all forms, not isHappy alone
    bool has_wide_rows;    // rows have properties beside isHappy
    bool has_limits;       // the backends are as a service is (struct ct_table_limits)
};

// Draws the profile of this execution, in setup: for the world that is made then.
const struct profile *rich_profile_draw(void);

// The state whose push the machines meet at; the first one if they do not.
enum mt_state rich_busy_push(const struct profile *profile);

// Draws the initial rows and puts them into the tables of [world].
void rich_load_rows(struct world *world);

// The keys of this execution are the first ones of these.
extern const char *const rich_partitions[RICH_PARTITIONS_MAX];
extern const char *const rich_row_keys[RICH_KEYS_MAX];

// isHappy, and of wide rows any of the others; their number.
size_t rich_draw_properties(const struct profile *profile,
                            struct ct_property properties[RICH_PROPERTIES_MAX]);

// The set of operation types of one program.
uint32_t rich_draw_program_types(const struct profile *profile);

// NULL: no filter.
const struct ct_filter *rich_draw_filter(const struct profile *profile);

static inline bool one_in(uint32_t n, const char *label) {
    return sct_choose(n, label) == n - 1;
}

#endif

// The registry of optional bugs: one line each in bugs.def, one visible line at each site.
//
// A site reads: if (!bug_on(bugs, BUG_X)) correct(); so the correct behaviour stands in the open.
// [bug_on] also counts that the site was reached, which splits "not found" into "never ran" and
// "ran, not detected". With MTCHECK_NO_BUGS it is constant false and a build has no buggy path.
#ifndef BUGS_BUGS_H
#define BUGS_BUGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bug {
#define BUG(model, number, symbol, name, kind, summary) BUG_##symbol,
#include "bugs/bugs.def"
#undef BUG
    BUG_COUNT,
};

enum bug_model { BUG_MODEL_MIGRATING_TABLE, BUG_MODEL_SCHEMA_UPGRADE, BUG_MODEL_DUAL_WRITE };

enum bug_kind { BUG_KIND_ORGANIC, BUG_KIND_NOTIONAL, BUG_KIND_HARNESS, BUG_KIND_PUBLISHED };

struct bug_info {
    enum bug_model model;
    int number;       // as on the command line; unique within a model
    const char *name; // as on the command line
    enum bug_kind kind;
    const char *summary; // what the changed line does wrong
};

// The injected bugs of one instance; all off when zero.
struct bug_set {
    uint64_t on;                 // bit per enum bug
    uint64_t reached[BUG_COUNT]; // how often a site of the bug was passed, injected or not
};
_Static_assert(BUG_COUNT <= 64, "struct bug_set holds 64 bugs");

const struct bug_info *bug_info(enum bug bug);

// "organic", "notional", "harness" or "published".
const char *bug_kind_name(enum bug_kind kind);

// Finds a bug of [model] by decimal number or by exact name. False if there is none.
bool bug_find(enum bug_model model, const char *number_or_name, enum bug *bug);

// Whether this build has the bugs at all (see MTCHECK_NO_BUGS).
bool bug_are_built_in(void);

// Injects [bug] from now on.
void bug_set_inject(struct bug_set *bugs, enum bug bug);

// Whether [bug] is injected. [bugs] may be NULL: none is.
static inline bool bug_on(struct bug_set *bugs, enum bug bug) {
#ifdef MTCHECK_NO_BUGS
    (void)bugs;
    (void)bug;
    return false;
#else
    if (!bugs)
        return false;
    bugs->reached[bug]++;
    return (bugs->on >> bug) & 1;
#endif
}

#endif

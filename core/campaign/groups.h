// Groups of violations: those of the same kind whose messages differ in values only (numbers, and
// what is quoted or stands in braces).
#ifndef CORE_CAMPAIGN_GROUPS_H
#define CORE_CAMPAIGN_GROUPS_H

#include "core/engine/result.h"
#include "core/strategy/strategy.h"
#include "core/trace/pattern.h"

struct sct_group {
    struct sct_violation violation; // of the lowest iteration
    uint64_t iteration;
    const struct sct_strategy *strategy; // that served it
    uint32_t decision_count;
    uint32_t bound; // systematic search: the bound with which it was found
    uint64_t count;
    char *pattern;          // what the members share; owned
    char *record;           // what the campaign's option [record] made of the first; owned, or NULL
    char *texts;            // what the violation points to, if it came from another process; owned
    struct sct_group *next; // by iteration
};

struct sct_group_entry;

struct sct_groups {
    struct sct_group *first, **last;
    struct sct_group_entry *entries; // by pattern
};

void sct_groups_init(struct sct_groups *groups);

// Frees the index, not the groups: they are the caller's, see [sct_groups_free].
void sct_groups_deinit(struct sct_groups *groups);

void sct_groups_free(struct sct_group *first);

// The group with [pattern], or NULL.
struct sct_group *sct_groups_find(const struct sct_groups *groups, const char *pattern);

// Appends a new group, which takes [pattern] over; there is none with it yet.
struct sct_group *sct_groups_append(struct sct_groups *groups, char *pattern);

#endif

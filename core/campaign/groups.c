#include "core/campaign/groups.h"
#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/base/map.h"

#include <stdlib.h>
#include <string.h>

struct sct_group_entry {
    struct sct_group *group;
    UT_hash_handle hh;
};

static const char memory_name[] = "groups of violations";

void sct_groups_init(struct sct_groups *groups) {
    *groups = (struct sct_groups){.last = &groups->first};
}

void sct_groups_deinit(struct sct_groups *groups) {
    ASSERT(groups->last);
    struct sct_group_entry *entry, *next;
    HASH_ITER(hh, groups->entries, entry, next) {
        HASH_DEL(groups->entries, entry);
        free(entry);
    }
}

void sct_groups_free(struct sct_group *first) {
    while (first) {
        // The entries of the table were the set's; the groups are the campaign's, which outlives
        // it.
        ASSERT(first->count > 0);
        struct sct_group *next = first->next;
        free(first->pattern);
        free(first->record);
        free(first->texts);
        free(first);
        first = next;
    }
}

struct sct_group *sct_groups_find(const struct sct_groups *groups, const char *pattern) {
    struct sct_group_entry *entry;
    HASH_FIND_STR(groups->entries, pattern, entry);
    return entry ? entry->group : NULL;
}

struct sct_group *sct_groups_append(struct sct_groups *groups, char *pattern) {
    ASSERT(!sct_groups_find(groups, pattern));
    struct sct_group *group = grow_new(1, sizeof *group, memory_name);
    group->pattern = pattern;
    // A list in the order of discovery for who reports, a table by pattern for who counts: where a
    // pattern misses what varies (a number in words), groups may be as many as violations.
    struct sct_group_entry *entry = grow_new(1, sizeof *entry, memory_name);
    entry->group = group;
    HASH_ADD_KEYPTR(hh, groups->entries, group->pattern, strlen(group->pattern), entry);
    ASSERT(*groups->last == NULL);
    *groups->last = group;
    groups->last = &group->next;
    return group;
}

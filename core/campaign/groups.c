#define _GNU_SOURCE // stpcpy
#include "core/campaign/groups.h"
#include "core/base/map.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct sct_group_entry {
    struct sct_group *group;
    UT_hash_handle hh;
};

static void *allocate(size_t bytes) {
    void *memory = calloc(1, bytes);
    if (!memory)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: grouping of violations");
    return memory;
}

// The end of a quoted or braced text that begins at [text]; [text] itself if none does.
static const char *skip_value(const char *text) {
    const char *end = *text == '\''  ? strchr(text + 1, '\'')
                      : *text == '{' ? strchr(text, '}')
                                     : NULL;
    return end ? end : text;
}

char *sct_violation_pattern(const struct sct_violation *violation) {
    char *pattern = allocate(strlen(violation->kind) + strlen(violation->message) + 2);
    char *out = stpcpy(pattern, violation->kind);
    *out++ = '\n';
    for (const char *in = violation->message; *in; in++) {
        const char *end = skip_value(in);
        if (end != in)
            in = end;
        else if (isalpha((unsigned char)*in))
            *out++ = *in;
    }
    return pattern;
}

void sct_groups_init(struct sct_groups *groups) {
    *groups = (struct sct_groups){.last = &groups->first};
}

void sct_groups_deinit(struct sct_groups *groups) {
    struct sct_group_entry *entry, *next;
    HASH_ITER(hh, groups->entries, entry, next) {
        HASH_DEL(groups->entries, entry);
        free(entry);
    }
}

void sct_groups_free(struct sct_group *first) {
    while (first) {
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
    struct sct_group *group = allocate(sizeof *group);
    group->pattern = pattern;
    struct sct_group_entry *entry = allocate(sizeof *entry);
    entry->group = group;
    HASH_ADD_KEYPTR(hh, groups->entries, group->pattern, strlen(group->pattern), entry);
    *groups->last = group;
    groups->last = &group->next;
    return group;
}

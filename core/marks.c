#include "core/marks.h"
#include "core/base/assert.h"

#include <string.h>

bool sct_marks_are_counting;

static struct sct_mark *first;

void sct_marks_count(bool is_counting) {
    sct_marks_are_counting = is_counting;
}

void sct_marks_reset(void) {
    for (struct sct_mark *mark = first; mark; mark = mark->next)
        mark->count = 0;
}

const struct sct_mark *sct_marks_next(const struct sct_mark *mark) {
    return mark ? mark->next : first;
}

uint64_t sct_marks_reached(const char *name) {
    uint64_t count = 0;
    for (const struct sct_mark *mark = first; mark; mark = mark->next)
        if (strcmp(mark->name, name) == 0)
            count += mark->count;
    return count;
}

// By name, whatever the order in which places are reached.
void sct_mark_list(struct sct_mark *mark) {
    ASSERT(!mark->is_listed);
    ASSERT(mark->name);
    struct sct_mark **link = &first;
    while (*link && strcmp((*link)->name, mark->name) < 0)
        link = &(*link)->next;
    mark->next = *link;
    *link = mark;
    mark->is_listed = true;
}

#include "core/campaign/marks.h"
#include "core/base/assert.h"
#include "core/base/grow.h"

#include <string.h>

bool sct_marks_are_counting;

// One list for the process, as the places in the code are: a mark is static data of its place and
// stays in the list for ever.
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
    ASSERT(name);
    // Several places may have one name (an inline function, say): they count together.
    uint64_t count = 0;
    for (const struct sct_mark *mark = first; mark; mark = mark->next)
        if (strcmp(mark->name, name) == 0)
            count += mark->count;
    return count;
}

// A place that this process has not reached itself. Like all marks it stays for ever.
static struct sct_mark *new_mark(const char *name) {
    size_t size = strlen(name) + 1;
    struct sct_mark *mark = grow_new(1, sizeof *mark + size, "a mark");
    mark->name = memcpy(mark + 1, name, size);
    sct_mark_list(mark);
    return mark;
}

void sct_marks_add(const char *name, uint64_t count) {
    ASSERT(name);
    struct sct_mark *mark = first;
    while (mark && strcmp(mark->name, name) != 0)
        mark = mark->next;
    mark = mark ? mark : new_mark(name);
    mark->count += count;
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
    ASSERT(!mark->next || strcmp(mark->name, mark->next->name) <= 0);
}

#include "core/campaign/marks.h"
#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/base/hash.h"

#include <stdlib.h>
#include <string.h>

bool sct_marks_are_counting;

// For the process, as the places in the code are: a mark is static data of its place and stays for
// ever. Marks that were listed since somebody last looked are not in order yet, the latest first.
static struct sct_mark *sorted, *unsorted;

// A mark of each name, from when counts of other processes are first added: open addressing, at
// most half full.
static struct sct_mark **slots;
static uint32_t slot_count, name_count;

static uint64_t comparisons;

static int compare(const struct sct_mark *a, const struct sct_mark *b) {
    comparisons++;
    return strcmp(a->name, b->name);
}

uint64_t sct_marks_comparisons(void) {
    return comparisons;
}

void sct_marks_count(bool is_counting) {
    sct_marks_are_counting = is_counting;
}

// ---- Names -------------------------------------------------------------------------------------

// The slot of [name], or the empty one where it belongs.
static struct sct_mark **find_slot(const char *name) {
    uint32_t mask = slot_count - 1;
    ASSERT(slot_count > 0 && (slot_count & mask) == 0);
    for (uint32_t at = (uint32_t)hash_bytes(name, strlen(name)) & mask;; at = (at + 1) & mask) {
        if (!slots[at])
            return &slots[at];
        comparisons++;
        if (strcmp(slots[at]->name, name) == 0)
            return &slots[at];
    }
}

static void make_room(void) {
    // By names, not by marks: several marks of one name take one slot.
    if (name_count < slot_count / 2)
        return;
    uint32_t old_count = slot_count;
    struct sct_mark **old = slots;
    slot_count = old_count > 0 ? old_count * 2 : 64;
    slots = grow_new(slot_count, sizeof(struct sct_mark *), "marks");
    for (uint32_t i = 0; i < old_count; i++)
        if (old[i])
            *find_slot(old[i]->name) = old[i];
    free(old);
    ASSERT(name_count < slot_count / 2);
}

// Indexes the marks from [mark] on, up to the first that is.
static void index_marks(struct sct_mark *mark) {
    // New marks stand at the front, so that whatever follows an indexed one is indexed.
    for (; mark && !mark->is_indexed; mark = mark->next) {
        ASSERT(mark->is_listed);
        make_room();
        struct sct_mark **slot = find_slot(mark->name);
        name_count += !*slot;
        *slot = mark;
        mark->is_indexed = true;
    }
}

// ---- The list ----------------------------------------------------------------------------------

// Of equal names those of [a] come first.
static struct sct_mark *merge(struct sct_mark *a, struct sct_mark *b) {
    struct sct_mark *list = NULL, **end = &list;
    while (a && b) {
        struct sct_mark **from = compare(a, b) <= 0 ? &a : &b;
        *end = *from;
        end = &(*from)->next;
        *from = (*from)->next;
    }
    *end = a ? a : b;
    return list;
}

// Sorts what was listed since it was last called into the rest: n log n for all of n, where a list
// in order at any time would take n for each.
static void settle(void) {
    // A list of 2^i marks at number i, or none: so each mark is merged log n times.
    struct sct_mark *lists[32] = {NULL}, *all = NULL;
    if (slots)
        index_marks(unsorted);
    while (unsorted) {
        struct sct_mark *list = unsorted;
        unsorted = list->next;
        list->next = NULL;
        size_t i = 0;
        for (; lists[i]; lists[i++] = NULL)
            list = merge(lists[i], list);
        ASSERT(i < sizeof lists / sizeof lists[0]);
        lists[i] = list;
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        all = merge(lists[i], all);
    sorted = merge(all, sorted);
}

void sct_marks_reset(void) {
    settle();
    for (struct sct_mark *mark = sorted; mark; mark = mark->next)
        mark->count = 0;
}

const struct sct_mark *sct_marks_next(const struct sct_mark *mark) {
    if (!mark)
        settle();
    return mark ? mark->next : sorted;
}

uint64_t sct_marks_reached(const char *name) {
    ASSERT(name);
    // Several places may have one name (an inline function, say): they count together.
    uint64_t count = 0;
    settle();
    for (const struct sct_mark *mark = sorted; mark; mark = mark->next)
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
    // Made here, as the counts of other processes alone are looked up by name: a campaign of one
    // process does without.
    if (!slots) {
        make_room();
        index_marks(sorted);
    }
    index_marks(unsorted);
    struct sct_mark *mark = *find_slot(name);
    // Counts of another process: the same program, but it may have reached what this one has not.
    mark = mark ? mark : new_mark(name);
    mark->count += count;
}

void sct_mark_list(struct sct_mark *mark) {
    ASSERT(!mark->is_listed);
    ASSERT(mark->name);
    // Called where a place is first reached, in the middle of a step: nothing but two pointers is
    // touched.
    mark->next = unsorted;
    unsorted = mark;
    mark->is_listed = true;
}

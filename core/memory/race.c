#include "core/memory/race.h"
#include "core/base/grow.h"
#include "core/memory/state.h"

#include <stdlib.h>

// ---- In words ----------------------------------------------------------------------------------

const char *sct_access_kind_name(enum sct_access_kind kind) {
    static const char *const names[] = {
        [SCT_PLAIN_READ] = "read",
        [SCT_PLAIN_WRITE] = "write",
        [SCT_ATOMIC_READ] = "atomic read",
        [SCT_ATOMIC_WRITE] = "atomic write",
    };
    ASSERT((size_t)kind < sizeof names / sizeof names[0]);
    return names[kind];
}

// Cells of programs that name their variables have names; shadow has addresses, which whoever tells
// of the race turns into names.
static void add_object(const struct sct_race *race, struct text *text) {
    ASSERT(race->name || race->bytes > 0);
    if (race->name)
        text_add(text, "'%s'", race->name);
    else
        text_add(text, "%u byte%s", race->bytes, race->bytes == 1 ? "" : "s");
}

void sct_race_describe(const struct sct_race *race, struct text *text) {
    ASSERT(race->earlier.thread_name && race->later.thread_name);
    text_add(text, "%s of ", sct_access_kind_name(race->later.kind));
    add_object(race, text);
    text_add(text, " by %s, %s by %s before: nothing orders the two", race->later.thread_name,
             sct_access_kind_name(race->earlier.kind), race->earlier.thread_name);
}

void sct_race_advise(const struct sct_race *race, struct text *text) {
    const char *earlier = race->earlier.thread_name, *later = race->later.thread_name;
    ASSERT(earlier && later);
    // Somebody who has let go of nothing since must begin with that; else the other end is missing.
    if (race->earlier_has_released)
        text_add(text,
                 "%s has let go of something after its access (a lock, a release, its end), "
                 "which %s would have to take up before its own",
                 earlier, later);
    else
        text_add(text,
                 "a lock around both, or a release by %s after its access that an acquire by %s "
                 "reads before its own",
                 earlier, later);
}

// ---- When one is found -------------------------------------------------------------------------

static bool is_told(const struct sct_memory_state *memory, const struct sct_race *race) {
    // By places, not by addresses: one line of code that races with another does so for every
    // element of an array. In either order, because a schedule may turn them round.
    const void *a = race->earlier.place, *b = race->later.place;
    ASSERT(memory->told_count == 0 || memory->told);
    for (uint32_t i = 0; i < memory->told_count; i++) {
        const struct sct_place_pair *pair = &memory->told[i];
        if ((pair->first == a && pair->second == b) || (pair->first == b && pair->second == a))
            return true;
    }
    return false;
}

static void note_told(struct sct_memory_state *memory, const struct sct_race *race) {
    ASSERT(!is_told(memory, race));
    GROW(memory->told, memory->told_count + 1, memory->told_capacity, "races");
    memory->told[memory->told_count++] =
        (struct sct_place_pair){race->earlier.place, race->later.place};
}

static void tell(const struct sct_memory_state *memory, const struct sct_race *race) {
    if (memory->options.on_race)
        memory->options.on_race(memory->options.context, race);
}

// For the story: where the other access is, what would order the two.
static void narrate(const struct sct_race *race) {
    char buffer[256];
    ASSERT(sct_narrating());
    struct text text = text_in(buffer, sizeof buffer);
    sct_race_advise(race, &text);
    if (race->name) // then places are text
        sct_note_as(SCT_NOTE_CHECK, "the %s of '%s' by %s is at %s",
                    sct_access_kind_name(race->earlier.kind), race->name, race->earlier.thread_name,
                    (const char *)race->earlier.place);
    sct_note_as(SCT_NOTE_CHECK, "what would order the two: %s", buffer);
}

void sct_race_found(struct sct_memory_state *memory, const struct sct_race *race) {
    const struct sct_memory_options *options = &memory->options;
    ASSERT(options->races != SCT_RACES_OFF);
    ASSERT(race->earlier.thread != race->later.thread);
    if (options->ignores_race && options->ignores_race(options->context, race))
        return;
    if (options->races == SCT_RACES_ALL) {
        if (is_told(memory, race))
            return;
        note_told(memory, race);
        tell(memory, race);
        return;
    }
    tell(memory, race);
    if (sct_narrating())
        narrate(race);
    char buffer[256];
    struct text text = text_in(buffer, sizeof buffer);
    sct_race_describe(race, &text);
    // Places of cells of the program's own are text.
    sct_violate(sct_engine_now, SCT_KIND_DATA_RACE, race->name ? race->later.place : NULL, buffer);
}

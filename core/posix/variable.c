#include "core/posix/variable.h"
#include "core/engine/inside.h"
#include "core/memory/location.h"
#include "core/memory/race.h"
#include "core/posix/exit.h"
#include "core/posix/frames.h"
#include "core/posix/heap.h"
#include "core/posix/images.h"
#include "core/posix/places.h"
#include "core/posix/races.h"
#include "core/posix/stacks.h"

#include <inttypes.h>

const char *posix_variable_step(const char *verb, const void *address) {
    return posix_step(verb, address, posix_is_heap(address) ? "heap" : "stack");
}

// ---- Races -------------------------------------------------------------------------------------

// "write by t2 (queue.c:41 (put))".
static void add_side(struct text *text, const struct sct_race_side *side) {
    ASSERT(side->thread_name);
    text_add(text, "%s by %s (%s)", sct_access_kind_name(side->kind), side->thread_name,
             posix_place(side->place));
}

static void add_variable(struct text *text, const struct sct_race *race) {
    ASSERT(race->bytes > 0);
    const void *address = (const void *)race->address;
    const char *name = posix_variable(address);
    text_add(text, "%u byte%s ", race->bytes, race->bytes == 1 ? "" : "s");
    if (name)
        text_add(text, "at '%s'", name);
    else if (posix_is_heap(address))
        posix_heap_describe(address, text);
    else
        text_add(text, "of a stack");
}

// The calls of both sides, and what would order them, for whoever listens.
static void tell_calls(const struct sct_race *race, const struct sct_race_side *side,
                       const char *when) {
    char buffer[1024];
    struct text text = text_in(buffer, sizeof buffer);
    if (posix_stacks_tell(race->address, side->thread, side->kind, side->place, &text))
        sct_note_as(SCT_NOTE_EVIDENCE, "%s%s by %s: %s", sct_access_kind_name(side->kind), when,
                    side->thread_name, buffer);
}

static void tell_more(const struct sct_race *race) {
    ASSERT(sct_narrating());
    char buffer[512];
    struct text text = text_in(buffer, sizeof buffer);
    tell_calls(race, &race->later, "");
    tell_calls(race, &race->earlier, " before");
    sct_race_advise(race, &text);
    sct_note_as(SCT_NOTE_EVIDENCE, "what would order the two: %s", buffer);
}

static void report_race(void *context, const struct sct_race *race) {
    // The text is that of a survey as of a violation: reports compare them.
    (void)context;
    ASSERT(posix_controls());
    struct posix_surveyed surveyed = {{race->earlier.place, race->later.place}, ""};
    struct text text = text_in(surveyed.text, sizeof surveyed.text);
    add_variable(&text, race);
    text_add(&text, ": ");
    add_side(&text, &race->later);
    text_add(&text, ", ");
    add_side(&text, &race->earlier);
    text_add(&text, " before; nothing orders the two");
    if (posix_world.is_surveying) {
        posix_survey_add(&surveyed);
        return;
    }
    if (sct_narrating())
        tell_more(race);
    posix_violate(SCT_KIND_DATA_RACE, NULL, "%s", surveyed.text);
}

// ---- Choices -----------------------------------------------------------------------------------

// The rules of coherence and of SEQ_CST in words; which one it was location.c says (hidden_by).
static const char *const readabilities[] = {
    [SCT_READABLE_NEWEST] = "the newest: it may always be read",
    [SCT_READABLE_OLDER] = "older, but nothing has told this thread of what came after it: "
                           "neither what it has read before nor what it has synchronised with",
    [SCT_HIDDEN_BY_OWN] = "not this one: this thread has stored after it",
    [SCT_HIDDEN_BY_READ] = "not this one: this thread has read what came after it (coherence)",
    [SCT_HIDDEN_BY_EDGE] = "not this one: what came after it happens before this read",
    [SCT_HIDDEN_BY_ORDER] = "not this one: the order of memory_order_seq_cst, or of the memory "
                            "model, puts what came after it before this read",
    [SCT_HIDDEN_BY_TAKER] = "not this one: another read-modify-write has taken it",
    [SCT_HIDDEN_BY_BOUND] = "not this one: --history leaves it out",
};

_Static_assert(sizeof readabilities / sizeof readabilities[0] == SCT_HIDDEN_BY_BOUND + 1,
               "each reason has its words");

static bool is_readable(const struct sct_readable *store) {
    return store->why == SCT_READABLE_NEWEST || store->why == SCT_READABLE_OLDER;
}

// Columns: taken, could be or not; the value; whose, which of its steps, where; why.
static void note_store(const struct sct_readable *store) {
    const char *mark = store->is_taken ? "taken" : is_readable(store) ? "could" : "not";
    if (store->is_initial)
        sct_note_as(SCT_NOTE_CHOICE, "%s\t%" PRIu64 "\t\t0\t\t%s", mark, store->value,
                    readabilities[store->why]);
    else
        sct_note_as(SCT_NOTE_CHOICE, "%s\t%" PRIu64 "\t%s\t%u\t%s\t%s", mark, store->value,
                    sct_memory_thread_name(store->thread), store->step, posix_place(store->place),
                    readabilities[store->why]);
}

static void note_choice(void *context, const struct sct_readable *stores, uint32_t count) {
    (void)context;
    char buffer[768];
    struct text text = text_in(buffer, sizeof buffer);
    uint32_t readable = 0;
    ASSERT(count > 0 && count <= SCT_READABLES_MAX);
    for (uint32_t i = 0; i < count; i++) {
        note_store(&stores[i]);
        if (!is_readable(&stores[i]))
            continue;
        text_add(&text, "%s%" PRIu64, readable++ == 0 ? "" : ", ", stores[i].value);
        if (stores[i].is_initial)
            text_add(&text, " (there at first)");
        else
            text_add(&text, " (by %s, %s)", sct_memory_thread_name(stores[i].thread),
                     posix_place(stores[i].place));
    }
    if (readable > 1)
        sct_note("may read %s", buffer);
}

// ---- Regions -----------------------------------------------------------------------------------

static struct sct_memory *memory;

// Stacks that have shadow. The engine uses the same ones again and again.
enum { STACKS_MAX = SCT_TASKS_MAX + 16 };
static const void *stacks[STACKS_MAX];
static unsigned stack_count;

struct sct_memory *posix_memory_open(const struct posix_options *options) {
    // Outside of executions: of the running one the memory is in use.
    ASSERT(!sct_engine_inside());
    sct_memory_free(memory);
    stack_count = 0;
    memory = sct_memory_new(&(struct sct_memory_options){
        .model = options->model,
        .races = options->races == POSIX_RACES_OFF ? SCT_RACES_OFF
                 : posix_world.is_surveying        ? SCT_RACES_ALL
                                                   : SCT_RACES_FIRST,
        .has_c11_release_sequences = options->has_c11_release_sequences,
        .history = options->history,
        .stale_max = options->stale_max,
        .is_exact = options->is_exact && options->model == SCT_MEMORY_C11, // of RC11 alone
        .on_race = report_race,
        .on_load = note_choice,
        .ignores_race = posix_ignores_race,
    });
    if (options->races == POSIX_RACES_OFF)
        return memory;
    for (size_t i = 0; i < posix_segment_count(); i++) {
        const struct posix_segment *segment = posix_segment_at(i);
        sct_shadow_add(memory, (uintptr_t)segment->start, segment->bytes);
    }
    sct_shadow_add(memory, POSIX_HEAP_BASE, POSIX_HEAP_BYTES);
    return memory;
}

// One beyond the room has no shadow, and races on it are not seen: there are more places than
// stacks that can be in use.
void posix_stack_begins(void) {
    const void *low;
    size_t bytes;
    ASSERT(stack_count <= STACKS_MAX);
    sct_stack_bounds(&low, &bytes);
    for (unsigned i = 0; i < stack_count; i++)
        if (stacks[i] == low)
            return;
    if (posix_world.options.races == POSIX_RACES_OFF || stack_count == STACKS_MAX)
        return;
    stacks[stack_count++] = low;
    sct_shadow_add(memory, (uintptr_t)low, bytes);
}

// Of a larger access (memcpy of a large buffer) only the begin is looked at: cells cost more than
// the copy does. In the heap all of it is checked to be inside a block.
enum { WATCHED_BYTES = 4096 };

// Of memory that somebody looks at more closely.
__attribute__((noinline)) static void look_closely(const void *address, size_t bytes,
                                                   enum sct_access_kind kind, const void *caller) {
    // Whether it may be accessed at all comes first: of a freed block that is the finding, and not
    // the race with who has freed it.
    if (posix_is_heap(address))
        posix_heap_check(address, bytes, kind, caller);
    else if (posix_may_be_stack(address))
        posix_frames_check(address, bytes, kind, caller);
    // Noted before it is looked at: if it races it is a side of the report itself.
    if (__builtin_expect(posix_world.is_told, 0))
        posix_stacks_note((uintptr_t)address, bytes, kind, caller);
}

void posix_memory_access(const void *address, size_t bytes, enum sct_access_kind kind,
                         const void *caller) {
    if (posix_is_heap(address) || posix_may_be_stack(address) || posix_world.is_told)
        look_closely(address, bytes, kind, caller);
    sct_shadow_access((uintptr_t)address, bytes < WATCHED_BYTES ? bytes : WATCHED_BYTES, kind,
                      caller);
}

void posix_frame_ends(const void *low, const void *high) {
    if (low >= high)
        return;
    size_t bytes = (size_t)((const char *)high - (const char *)low);
    sct_shadow_forget((uintptr_t)low, bytes);
    sct_location_forget((uintptr_t)low, bytes);
}

#include "core/posix/stacks.h"
#include "core/engine/inside.h"
#include "core/base/grow.h"
#include "core/coro/backtrace.h"
#include "core/engine/machine.h"
#include "core/memory/race.h"
#include "core/posix/images.h"
#include "core/posix/places.h"
#include "core/posix/objects.h"
#include "core/posix/world.h"

enum { ENTRIES = 1 << 16, CALLS_MAX = 8, FRAMES_MAX = 24, HELD_SHOWN = 4 };

_Static_assert((ENTRIES & (ENTRIES - 1)) == 0 && ENTRIES <= 1 << 16,
               "16 bits of a hash choose one");

struct key {
    uintptr_t word; // the address, in words of 8 bytes
    uint32_t thread;
    enum sct_access_kind kind;
    const void *place;
};

struct entry {
    uint64_t stamp; // of the execution
    uint64_t order; // of accesses
    struct key key;
    uint32_t call_count, held_count;
    const void *calls[CALLS_MAX];
    const char *held[HELD_SHOWN];
};

static struct entry *entries; // two that would be in the same place: the later one is
static uint64_t stamp, noted;

void posix_stacks_begin(void) {
    // Entries of other executions are told by their stamps: nothing is cleared.
    ASSERT(posix_world.in_tool > 0);
    stamp++;
    if (!entries && sct_narrating())
        entries = grow_new(ENTRIES, sizeof *entries, "the calls of accesses");
}

static struct entry *slot_of(const struct key *key) {
    ASSERT(entries);
    uint64_t hash = key->word ^ (uint64_t)key->thread << 40 ^ (uint64_t)key->kind << 60;
    hash = (hash ^ (uintptr_t)key->place) * UINT64_C(0x9e3779b97f4a7c15);
    return &entries[hash >> 48 & (ENTRIES - 1)];
}

static bool is_same(const struct key *a, const struct key *b) {
    return a->word == b->word && a->thread == b->thread && a->kind == b->kind &&
           a->place == b->place;
}

// The calls of the program's that are under way, from the one that returns to the place on.
static void note_calls(struct entry *entry) {
    const void *frames[FRAMES_MAX], *low;
    size_t bytes;
    sct_stack_bounds(&low, &bytes);
    // By frame pointers (mtcheck-cc keeps them), within the stack: a function of another library
    // that has none is left out, or ends the list.
    uint32_t count =
        sct_backtrace(sct_frame_here(), low, (const char *)low + bytes, frames, FRAMES_MAX);
    ASSERT(count <= FRAMES_MAX);
    entry->call_count = 0;
    for (uint32_t i = 0; i < count && entry->call_count < CALLS_MAX; i++)
        if (posix_is_program_code(frames[i]))
            entry->calls[entry->call_count++] = frames[i];
}

void posix_stacks_note(uintptr_t address, size_t bytes, enum sct_access_kind kind,
                       const void *place) {
    ASSERT(bytes > 0 && posix_world.is_told);
    // At each word that it touches: a race is found at one, whichever, and asks by that.
    struct key key = {address / 8, sct_memory_thread(), kind, place};
    for (; key.word <= (address + bytes - 1) / 8; key.word++) {
        struct entry *entry = slot_of(&key);
        entry->stamp = stamp;
        entry->order = ++noted;
        entry->key = key;
        note_calls(entry);
        // Also locks that it has by reading: they order it, too.
        entry->held_count = posix_locks_held(entry->held, HELD_SHOWN);
    }
}

static void tell(const struct entry *entry, struct text *text) {
    ASSERT(entry->stamp == stamp);
    for (uint32_t i = 0; i < entry->call_count; i++)
        text_add(text, "%s%s", i > 0 ? " < " : "", posix_place(entry->calls[i]));
    for (uint32_t i = 0; i < entry->held_count; i++)
        text_add(text, "%s%s", i > 0 ? ", " : "; holding ", entry->held[i]);
    if (entry->held_count == 0)
        text_add(text, "; holding no lock");
}

bool posix_stacks_tell(uintptr_t address, uint32_t thread, enum sct_access_kind kind,
                       const void *place, struct text *text) {
    const struct key key = {address / 8, thread, kind, place};
    const struct entry *entry = entries ? slot_of(&key) : NULL;
    if (!entry || entry->stamp != stamp || !is_same(&entry->key, &key))
        return false;
    tell(entry, text);
    return true;
}

bool posix_stacks_tell_last(uintptr_t address, struct text *text) {
    const struct entry *last = NULL;
    // All are looked at: whose access it was, and where, is what is asked.
    for (uint32_t i = 0; entries && i < ENTRIES; i++)
        if (entries[i].stamp == stamp && entries[i].key.word == address / 8 &&
            (!last || entries[i].order > last->order))
            last = &entries[i];
    if (!last)
        return false;
    text_add(text, "%s by %s: ", sct_access_kind_name(last->key.kind),
             sct_memory_thread_name(last->key.thread));
    tell(last, text);
    return true;
}

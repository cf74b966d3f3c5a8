// RC11's condition on SEQ_CST, psc, event by event (Lahav, Vafeiadis, Kang, Hur, Dreyer: Repairing
// Sequential Consistency in C/C++11, PLDI 2017): psc has no circle. Each event keeps the set of
// those from which there is a path to it, so a new one is refused if it would close a circle, and
// nothing has to be searched again from the beginning.
#include "core/memory/exact.h"

// ---- Sets of events ----------------------------------------------------------------------------

typedef uint64_t event_set[SCT_EVENT_WORDS];

static inline bool is_in(const event_set set, uint32_t event) {
    ASSERT(event < SCT_EVENTS_MAX);
    return set[event / 64] >> event % 64 & 1;
}

static inline void put_in(event_set set, uint32_t event) {
    ASSERT(event < SCT_EVENTS_MAX);
    set[event / 64] |= UINT64_C(1) << event % 64;
}

// Words, not a list: the sets are dense, and what is asked of them is whether two meet.
static inline void add_all(event_set set, const event_set other) {
    for (int i = 0; i < SCT_EVENT_WORDS; i++)
        set[i] |= other[i];
}

// The first of [set] from [event] on; SCT_EVENTS_MAX: none.
static uint32_t next_in(const event_set set, uint32_t event) {
    for (uint32_t word = event / 64; word < SCT_EVENT_WORDS; word++, event = word * 64) {
        uint64_t rest = set[word] >> event % 64;
        if (rest)
            return event + (uint32_t)__builtin_ctzll(rest);
    }
    return SCT_EVENTS_MAX;
}

static bool meet(const event_set a, const event_set b) {
    uint64_t both = 0;
    for (int i = 0; i < SCT_EVENT_WORDS; i++)
        both |= a[i] & b[i];
    return both != 0;
}

// ---- Relations ---------------------------------------------------------------------------------

// The new event is looked at like the others, as the last one; it is in no location yet.
struct view {
    const struct sct_events *events;
    const struct sct_event_record *new;
    uint32_t index; // where the stores behind [new] begin
    uint32_t count; // of events, the new one included
};

static inline const struct sct_event_record *record_at(const struct view *view, uint32_t event) {
    return event == view->count - 1 ? view->new : view->events->records[event];
}

// Events of a thread are in the order in which they happened, for nothing is read before it is
// there.
static bool is_sequenced(const struct view *view, uint32_t a, uint32_t b) {
    return a < b && record_at(view, a)->thread == record_at(view, b)->thread;
}

static bool happens_before(const struct view *view, uint32_t a, uint32_t b) {
    const struct sct_event_record *first = record_at(view, a), *second = record_at(view, b);
    ASSERT(a < view->count && b < view->count);
    // Of one thread the order is that of events; clocks tell epochs, which several events share.
    if (first->thread == second->thread)
        return a < b;
    return a != b && sct_clock_has(&second->known, first->thread, first->epoch);
}

static bool is_same_location(const struct view *view, uint32_t a, uint32_t b) {
    return record_at(view, a)->location &&
           record_at(view, a)->location == record_at(view, b)->location;
}

// Twice the place in the order of stores, so that the new store finds room between two.
static uint32_t place_of(const struct sct_location *location, const struct sct_store *store) {
    uint32_t index = location->count - 1;
    // Mostly it is one of the last. It is there: a location that is made anew has other stores, and
    // then no event has read from the old ones (asserted, or it would not end).
    while (location->stores[index] != store) {
        ASSERT(index > 0);
        index--;
    }
    return 2 * index;
}

static uint32_t place_stored(const struct view *view, uint32_t event) {
    const struct sct_event_record *record = record_at(view, event);
    ASSERT(record->stored && record->location);
    // The new one is in no location yet: between the last store before it and the first behind it.
    return event == view->count - 1 ? 2 * view->index - 1
                                    : place_of(record->location, record->stored);
}

static uint32_t place_read(const struct view *view, uint32_t event) {
    const struct sct_event_record *record = record_at(view, event);
    ASSERT(record->read && record->location);
    return place_of(record->location, record->read);
}

// mo, or fr
static bool is_overwritten(const struct view *view, uint32_t a, uint32_t b) {
    const struct sct_event_record *first = record_at(view, a), *second = record_at(view, b);
    if (a == b || !second->stored || !is_same_location(view, a, b))
        return false;
    uint32_t place = first->stored ? place_stored(view, a) : place_read(view, a);
    return place < place_stored(view, b);
}

// eco: rf, mo, fr, and one after the other.
static bool is_before_in_location(const struct view *view, uint32_t a, uint32_t b) {
    if (is_overwritten(view, a, b))
        return true;
    const struct sct_event_record *first = record_at(view, a), *second = record_at(view, b);
    if (a == b || !second->read || !is_same_location(view, a, b))
        return false;
    uint32_t read = place_read(view, b);
    return first->stored ? place_stored(view, a) <= read : place_read(view, a) < read;
}

// The next event of the thread of [event] that is not of its location, or the last before it: what
// comes after one later, or before one earlier, comes after or before this one. [event]: none.
static uint32_t next_elsewhere(const struct view *view, uint32_t event) {
    for (uint32_t i = event + 1; i < view->count; i++)
        if (is_sequenced(view, event, i) && !is_same_location(view, event, i))
            return i;
    return event;
}

static uint32_t last_elsewhere(const struct view *view, uint32_t event) {
    for (uint32_t i = event; i-- > 0;)
        if (is_sequenced(view, i, event) && !is_same_location(view, i, event))
            return i;
    return event;
}

// sb|other ; hb ; sb|other
static bool goes_around(const struct view *view, uint32_t a, uint32_t b) {
    ASSERT(a < view->count && b < view->count);
    uint32_t last = last_elsewhere(view, b);
    if (last == b || !(record_at(view, a)->thread == record_at(view, last)->thread ||
                       happens_before(view, a, last)))
        return false; // a cheap test before the search
    uint32_t next = next_elsewhere(view, a);
    return next != a && happens_before(view, next, last);
}

// The parts that are cheap to find first: scb is asked of all pairs of a thread.
static bool is_scb(const struct view *view, uint32_t a, uint32_t b) {
    if (is_sequenced(view, a, b) || is_overwritten(view, a, b))
        return true;
    if (is_same_location(view, a, b) && happens_before(view, a, b))
        return true;
    return goes_around(view, a, b);
}

// ---- psc ---------------------------------------------------------------------------------------

// Adds those from which psc comes if scb begins with [event].
static void add_sources(const struct view *view, uint32_t event, event_set sources) {
    ASSERT(event < view->count);
    if (event < view->count - 1 && is_in(view->events->seq_cst, event))
        put_in(sources, event);
    const uint64_t *fences = view->events->fences;
    for (uint32_t fence = next_in(fences, 0); fence < view->count - 1;
         fence = next_in(fences, fence + 1))
        if (happens_before(view, fence, event))
            put_in(sources, fence);
}

// Adds those to which it goes if scb ends with [event]; the new one is before nobody.
static void add_targets(const struct view *view, uint32_t event, event_set targets) {
    ASSERT(event < view->count - 1);
    if (is_in(view->events->seq_cst, event))
        put_in(targets, event);
    const uint64_t *fences = view->events->fences;
    for (uint32_t fence = next_in(fences, event + 1); fence < view->count - 1;
         fence = next_in(fences, fence + 1))
        if (happens_before(view, event, fence))
            put_in(targets, fence);
}

static bool is_seq_cst(const struct sct_event_record *event) {
    return event->order == SCT_SEQ_CST;
}

// psc_F to the new event, a fence.
static void add_fences_before(const struct view *view, event_set before) {
    uint32_t new = view->count - 1;
    const uint64_t *fences = view->events->fences;
    ASSERT(is_seq_cst(view->new) && !view->new->location);
    for (uint32_t b = 0; b < new; b++) {
        if (!happens_before(view, b, new))
            continue;
        if (is_in(view->events->fences, b))
            put_in(before, b);
        for (uint32_t a = 0; a < new; a++) {
            if (!is_before_in_location(view, a, b))
                continue;
            for (uint32_t fence = next_in(fences, 0); fence < new;
                 fence = next_in(fences, fence + 1))
                if (happens_before(view, fence, a))
                    put_in(before, fence);
        }
    }
}

// The events from which there is a path to the new one.
static void find_before(const struct view *view, event_set before) {
    uint32_t new = view->count - 1;
    bool is_fence = !view->new->location;
    event_set sources = {0};
    ASSERT(view->new);
    memset(before, 0, sizeof(event_set));
    if (!is_seq_cst(view->new))
        return;
    // psc_base (exact.h), from its end: scb leads to the new event, or to what happens before it if
    // it is a fence.
    for (uint32_t y = 0; y < view->count; y++) {
        if (y != new && !(is_fence && happens_before(view, y, new)))
            continue;
        for (uint32_t x = 0; x < new; x++)
            if (is_scb(view, x, y))
                add_sources(view, x, sources);
    }
    if (is_fence)
        add_fences_before(view, sources);
    for (uint32_t i = 0; i < new; i++)
        if (is_in(sources, i)) {
            put_in(before, i);
            add_all(before, view->events->records[i]->before);
        }
}

// From where psc goes by way of the new event, and whence one comes there; to where, if from the
// event or from fences, and from fences alone.
struct passage {
    event_set before; // the new event
    event_set from, from_fences;
    event_set to, to_fences;
};

// All from which there is a path to one of [set], and those themselves.
static void add_reaching(const struct view *view, const event_set set, event_set reaching) {
    for (uint32_t i = 0; i < view->count - 1; i++)
        if (is_in(set, i)) {
            put_in(reaching, i);
            add_all(reaching, view->events->records[i]->before);
        }
}

static void find_passage(const struct view *view, struct passage *passage) {
    uint32_t new = view->count - 1;
    const uint64_t *all_fences = view->events->fences;
    event_set fences = {0};
    ASSERT(new == view->events->count);
    memset(passage, 0, sizeof *passage);
    for (uint32_t fence = next_in(all_fences, 0); fence < new;
         fence = next_in(all_fences, fence + 1))
        if (happens_before(view, fence, new))
            put_in(fences, fence);
    for (uint32_t i = 0; i < new && view->new->location; i++) {
        if (is_overwritten(view, new, i))
            add_targets(view, i, passage->to);
        // psc_F by way of the new event: eco leads from it to [i], which happens before a fence.
        uint32_t fence = next_in(all_fences, i + 1);
        if (fence >= new || !is_before_in_location(view, new, i))
            continue;
        for (; fence < new; fence = next_in(all_fences, fence + 1))
            if (happens_before(view, i, fence))
                put_in(passage->to_fences, fence);
    }
    find_before(view, passage->before);
    add_reaching(view, fences, passage->from_fences);
    add_all(passage->from, passage->from_fences);
    add_all(passage->from, passage->before);
}

static struct view view_of(const struct sct_events *events, const struct sct_event_record *event,
                           uint32_t index) {
    ASSERT(events->count < SCT_EVENTS_MAX);
    ASSERT(!event->location || index <= event->location->count);
    return (struct view){events, event, index, events->count + 1};
}

// psc is among events of SEQ_CST: without any before it no event has a place in it but itself.
static bool is_any_seq_cst(const struct sct_events *events) {
    return next_in(events->seq_cst, 0) < SCT_EVENTS_MAX;
}

// Only paths by way of the new event are new, and each of them comes from [from] and goes on to
// [to], or from a fence to a fence by psc_F: a circle goes through both.
bool sct_events_allow(const struct sct_events *events, const struct sct_event_record *event,
                      uint32_t index) {
    ASSERT(event->location);
    if (index == event->location->count || !is_any_seq_cst(events))
        return true; // nothing is behind it, or psc does not go on
    struct view view = view_of(events, event, index);
    struct passage passage;
    find_passage(&view, &passage);
    return !meet(passage.to, passage.from) && !meet(passage.to_fences, passage.from_fences);
}

// ---- Events ------------------------------------------------------------------------------------

// Whoever [targets] go to now comes after [sources], too.
static void join_paths(struct sct_events *events, const event_set sources,
                       const event_set targets) {
    ASSERT(!meet(sources, targets)); // that would be a circle
    if (next_in(targets, 0) == SCT_EVENTS_MAX)
        return;
    for (uint32_t i = 0; i < events->count; i++) {
        struct sct_event_record *record = events->records[i];
        if (is_in(targets, i) || meet(record->before, targets))
            add_all(record->before, sources);
    }
}

static uint32_t index_behind(const struct sct_event_record *event) {
    if (!event->location)
        return 0;
    const struct sct_store *last = event->stored ? event->stored : event->read;
    ASSERT(last); // an access reads or stores
    return place_of(event->location, last) / 2 + 1;
}

// Of the new event, which is the next of [events].
static void find_place(struct sct_events *events, struct sct_event_record *record) {
    // Its own store is in the location already: the stores behind it begin one later.
    struct view view = view_of(events, record, index_behind(record));
    struct passage passage;
    find_passage(&view, &passage);
    memcpy(record->before, passage.before, sizeof record->before);
    ASSERT(!is_in(record->before, events->count)); // no circle: it was asked for before
    if (is_seq_cst(record))
        put_in(passage.from, events->count);
    join_paths(events, passage.from, passage.to);
    join_paths(events, passage.from_fences, passage.to_fences);
}

void sct_events_add(struct sct_events *events, struct arena *arena,
                    const struct sct_event_record *event) {
    if (events->count == SCT_EVENTS_MAX)
        fail_at(FAIL_LIMIT, HERE, "more than %d atomic accesses in an execution that is exact",
                SCT_EVENTS_MAX);
    struct sct_event_record *record = ARENA_ARRAY(arena, struct sct_event_record, 1);
    *record = *event;
    record->known = sct_clock_copy(&event->known, arena);
    uint32_t new = events->count;
    if (is_any_seq_cst(events))
        find_place(events, record);
    else
        memset(record->before, 0, sizeof record->before);
    events->records[events->count++] = record;
    if (is_seq_cst(record))
        put_in(events->seq_cst, new);
    if (is_seq_cst(record) && !record->location)
        put_in(events->fences, new);
}

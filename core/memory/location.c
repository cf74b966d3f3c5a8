#include "core/memory/location.h"
#include "core/engine/inside.h"
#include "core/memory/exact.h"

enum { STORES = 8 }; // room at first

// A location is the list of its stores in modification order (C11, 5.1.2.4, 7); which of them an
// operation reads, and where a store goes, are choices within what its thread's view and the model
// leave. Nothing is taken out of the list, so an index says how many stores come before.

// What an operation needs to know.
struct operation {
    struct sct_memory_state *memory;
    struct sct_memory_moment *now;
    struct sct_party *party;
    struct sct_location *location;
};

static inline struct operation begin(struct sct_location *location) {
    struct sct_memory_state *memory = sct_memory_state();
    ASSERT(memory && location->count > 0);
    return (struct operation){memory, memory->now, sct_party_now(memory), location};
}

// ---- Choices -----------------------------------------------------------------------------------

// A choice of which 0 is what sequential consistency would do. A search has seen what comes of the
// alternatives that are [barred]: the execution is given up if that is all of them.
static uint32_t choose_among(const struct operation *operation, uint32_t count, uint64_t barred,
                             const char *label) {
    uint32_t stale_max = operation->memory->options.stale_max;
    ASSERT(count > 0);
    if (count <= 64 && barred == UINT64_MAX >> (64 - count))
        sct_leave(sct_engine_now, SCT_PRUNED);
    if (count == 1 || (stale_max > 0 && operation->now->stale_count >= stale_max))
        return 0;
    sct_bar(barred);
    uint32_t answer = sct_choose_weak(count, label);
    operation->now->stale_count += answer > 0;
    return answer;
}

static inline uint32_t choose(const struct operation *operation, uint32_t count, uint64_t barred,
                              const char *label) {
    return count == 1 && barred == 0 ? 0 : choose_among(operation, count, barred, label);
}

// Whether stores are chosen from by the model's bound alone: nothing that is exact forbids some of
// them, and no search bars the old ones.
static inline bool is_plain_choice(const struct operation *operation) {
    return !operation->now->events && operation->now->read_from == 0;
}

// Too old for a search: see the limit of struct sct_memory.
static inline bool is_old(const struct operation *operation, uint32_t index) {
    return operation->location->stores[index]->time < operation->now->read_from &&
           !sct_memory_is_over();
}

// The bits of [count] alternatives from [first] on, if the store that they read is too old.
static inline uint64_t bar_old(const struct operation *operation, uint32_t index, uint32_t first,
                               uint32_t count) {
    bool is_barred = is_old(operation, index) && first + count <= 64;
    return is_barred ? ((UINT64_C(1) << count) - 1) << first : 0;
}

// The store behind those that are passed over, if [index] is one of them.
// A store that others have put behind it meanwhile still counts as new: its place decides, not when
// it was made.
static uint32_t behind_passed(const struct operation *operation, uint32_t index) {
    const struct sct_location *location = operation->location;
    for (uint32_t i = location->count - 1; i-- > index;)
        if (location->stores[i]->time == operation->now->passed - 1)
            return i + 1;
    return index;
}

// The oldest store that an access may read.
static inline uint32_t lowest(const struct operation *operation, enum sct_order order) {
    uint32_t count = operation->location->count, history = operation->memory->options.history;
    if (sct_memory_is_over())
        return count - 1;
    // Where memory is exact psc says what SEQ_CST allows (is_allowed): the bound is that of
    // coherence alone.
    enum sct_order known_order = operation->now->events ? SCT_RELAXED : order;
    uint32_t index = operation->memory->model->lowest(operation->memory, operation->party,
                                                      operation->location, known_order);
    if (__builtin_expect(operation->now->passed > 0, 0))
        index = behind_passed(operation, index);
    return history > 0 && count - index > history ? count - history : index;
}

// ---- Exactness ---------------------------------------------------------------------------------

// The event of an operation that reads stores[read - 1] (0: nothing) and stores [stored].
static struct sct_event_record event_of(const struct operation *operation, enum sct_order order,
                                        uint32_t read, const struct sct_store *stored) {
    return (struct sct_event_record){
        .thread = operation->party->number,
        .epoch = sct_party_epoch(operation->party),
        .order = order,
        .location = operation->location,
        .read = read > 0 ? operation->location->stores[read - 1] : NULL,
        .stored = stored,
        .known = operation->party->view.known,
    };
}

// Made only where somebody keeps it: it is large beside what else an operation does.
static inline void note_event(const struct operation *operation, enum sct_order order,
                              uint32_t read, const struct sct_store *stored) {
    if (__builtin_expect(operation->now->events == NULL, 1))
        return;
    struct sct_event_record event = event_of(operation, order, read, stored);
    sct_events_add(operation->now->events, operation->now->arena, &event);
}

__attribute__((noinline)) static bool is_allowed_exactly(const struct operation *operation,
                                                         enum sct_order order, uint32_t read,
                                                         uint32_t index, bool stores) {
    static const struct sct_store new_store;
    struct sct_memory_moment *now = operation->now;
    size_t mark = arena_mark(now->arena);
    struct sct_event_record event = event_of(operation, order, read, stores ? &new_store : NULL);
    // With an acquire comes what the store that it reads carries: its event would know that, too.
    if (event.read && event.read->message && sct_order_acquires(order)) {
        event.known = sct_clock_copy(&event.known, now->arena);
        sct_clock_join(&event.known, now->arena, &event.read->message->known);
    }
    bool is_fine = sct_events_allow(now->events, &event, index);
    arena_reset(now->arena, mark);
    return is_fine;
}

// Whether the order of SEQ_CST lets it read stores[read - 1] (0: nothing), and store, if it does,
// behind stores[index - 1].
static inline bool is_allowed(const struct operation *operation, enum sct_order order,
                              uint32_t read, uint32_t index, bool stores) {
    return __builtin_expect(operation->now->events == NULL, 1) || sct_memory_is_over() ||
           is_allowed_exactly(operation, order, read, index, stores);
}

// ---- Edges that orders make --------------------------------------------------------------------

// C11, 5.1.2.4, 11, and 7.17.4: an acquire that reads a release, or what its release sequence
// carries, synchronises with it. A relaxed read does so once an acquire fence follows it: until
// then the thread keeps what it has read (pending).
static void take_message(const struct operation *operation, const struct sct_edge *message,
                         enum sct_order order) {
    struct sct_party *party = operation->party;
    struct arena *arena = operation->now->arena;
    if (!message)
        return;
    struct sct_edge *edge = sct_order_acquires(order) ? &party->view : party->pending;
    if (!edge)
        party->pending = sct_edge_copy(message, arena);
    else if (!sct_edge_has(edge, message))
        sct_edge_join(edge, arena, message);
}

// What the read-modify-writes that come directly before [index] carry on.
static struct sct_edge *message_of_update(const struct operation *operation, uint32_t index) {
    ASSERT(index > 0 && index <= operation->location->count);
    return operation->location->stores[index - 1]->message;
}

// By C11: what the release sequence carries in which a store at [index] would be, of the thread's
// own release store.
static struct sct_edge *message_of_own(const struct operation *operation, uint32_t index) {
    while (index-- > 0) {
        const struct sct_store *store = operation->location->stores[index];
        bool is_own = sct_party_did(operation->party, store->thread, store->epoch);
        if (is_own && store->is_release)
            return store->message;
        if (!is_own && !store->is_update)
            break;
    }
    return NULL;
}

// Both together; neither is changed.
static struct sct_edge *join_messages(struct arena *arena, struct sct_edge *a, struct sct_edge *b) {
    if (!a || !b || a == b)
        return a ? a : b;
    // Mostly so: who has acquired what it reads releases that, too.
    if (sct_edge_has(a, b))
        return a;
    struct sct_edge *both = sct_edge_copy(a, arena);
    sct_edge_join(both, arena, b);
    return both;
}

// What a store carries: of a release all that its thread knows; else what a release fence before it
// let go of (7.17.4, 2); of a read-modify-write what the store that it reads carries, too.
static struct sct_edge *message_of(const struct operation *operation, uint32_t index,
                                   const struct sct_store *store) {
    struct arena *arena = operation->now->arena;
    struct sct_edge *message =
        store->is_release ? sct_edge_of(operation->party, arena) : operation->party->released;
    if (store->is_update)
        message = join_messages(arena, message, message_of_update(operation, index));
    else if (operation->memory->options.has_c11_release_sequences && !store->is_release)
        message = join_messages(arena, message, message_of_own(operation, index));
    return message;
}

// ---- Stores ------------------------------------------------------------------------------------

static void make_room_for_store(struct arena *arena, struct sct_location *location) {
    if (location->count < location->capacity)
        return;
    uint32_t capacity = location->capacity ? 2 * location->capacity : STORES;
    struct sct_store **stores = ARENA_ARRAY(arena, struct sct_store *, capacity);
    if (location->count > 0)
        memcpy(stores, location->stores, location->count * sizeof *stores);
    location->stores = stores;
    location->capacity = capacity;
}

static void insert(struct sct_location *location, uint32_t index, struct sct_store *store) {
    ASSERT(index <= location->count && location->count < location->capacity);
    struct sct_store **place = &location->stores[index];
    if (index < location->count)
        memmove(place + 1, place, (location->count - index) * sizeof *place);
    *place = store;
    location->count++;
}

// Which of its steps the running thread takes.
static inline uint32_t step_now(void) {
    const struct sct_engine *engine = sct_engine_now;
    return engine->now.current ? engine->slots[engine->now.current->slot].steps : 0;
}

// Puts a store of [value] at [index] of the modification order.
__attribute__((always_inline)) static inline void add_store(const struct operation *operation,
                                                            uint32_t index, uint64_t value,
                                                            enum sct_order order, bool is_update) {
    struct sct_memory_moment *now = operation->now;
    struct sct_location *location = operation->location;
    struct sct_store *store = ARENA_ARRAY(now->arena, struct sct_store, 1);
    *store = (struct sct_store){
        .value = value & sct_location_mask(location->bytes),
        .time = ++now->store_count,
        .place = now->place,
        .event = sct_graph_event(operation->party),
        .thread = operation->party->number,
        .epoch = sct_party_epoch(operation->party),
        .step = step_now(),
        .seq_cst_time = order == SCT_SEQ_CST ? ++now->seq_cst_time : 0,
        .is_update = is_update,
        .is_release = sct_order_releases(order),
    };
    store->message = message_of(operation, index, store);
    now->last_time = store->time;
    make_room_for_store(now->arena, location);
    insert(location, index, store);
    if (operation->memory->model->on_store)
        operation->memory->model->on_store(operation->party, store);
    note_event(operation, order, is_update ? index : 0, store);
    // A new epoch: what the thread does behind the release is not known to who acquires it.
    if (store->is_release)
        sct_party_advance(operation->party);
}

// The first store, or the only one that is left.
static void reset(const struct operation *operation, uint64_t value) {
    struct sct_location *location = operation->location;
    struct arena *arena = operation->now->arena;
    // Events of a memory that is exact keep the old stores, which are in no location any more; so
    // do loops that wait, by their times.
    location->count = 0;
    make_room_for_store(arena, location);
    location->stores[0] = ARENA_NEW(arena, struct sct_store);
    location->stores[0]->value = value & sct_location_mask(location->bytes);
    location->stores[0]->time = operation->now->store_count;
    location->count = 1;
}

// Only tso has buffers. What comes after in the program sees memory as it is now.
static void drain(const struct operation *operation) {
    if (operation->memory->model->drain)
        operation->memory->model->drain(operation->memory, operation->party);
}

// ---- Operations --------------------------------------------------------------------------------

// A search wants to know what the running step has read. That is one store, for each operation
// comes after a point; if it is not, the step counts as touching anything.
static inline void note_source(struct sct_memory_moment *now, const struct sct_store *store) {
    if (!sct_is_reducing(sct_engine_now))
        return;
    uint64_t time = store->event > 0 ? store->time : 0;
    if (now->has_source && now->source_time != time)
        sct_touch(&sct_access_unknown);
    now->has_source = true;
    now->source_time = time;
}

// What every read does, of a load or a read-modify-write, after it was chosen.
__attribute__((always_inline)) static inline uint64_t
read_store(const struct operation *operation, uint32_t index, enum sct_order order) {
    ASSERT(index < operation->location->count);
    const struct sct_store *store = operation->location->stores[index];
    if (is_old(operation, index))
        sct_leave(sct_engine_now, SCT_PRUNED);
    operation->now->passed = 0;
    operation->now->passes_value = false;
    operation->now->last_time = store->time;
    note_source(operation->now, store);
    sct_graph_read(operation->now, operation->party, store);
    if (operation->memory->model->on_load)
        operation->memory->model->on_load(operation->memory, operation->party, operation->location,
                                          index);
    take_message(operation, store->message, order);
    return store->value;
}

static uint64_t load_at(const struct operation *operation, uint32_t index, enum sct_order order) {
    // The event comes after the read: what an acquire has taken up is known with it.
    uint64_t value = read_store(operation, index, order);
    note_event(operation, order, index + 1, NULL);
    return value;
}

// How the running thread knows that stores[index] is newer than those before it.
static enum sct_readability hidden_by(const struct operation *operation, uint32_t index) {
    const struct sct_store *store = operation->location->stores[index];
    const struct sct_party *party = operation->party;
    const struct sct_clock *known = &party->view.known;
    if (operation->memory->options.model != SCT_MEMORY_C11)
        return SCT_HIDDEN_BY_ORDER;
    if (sct_party_did(party, store->thread, store->epoch) && store->epoch > 0)
        return SCT_HIDDEN_BY_OWN;
    if (party->number < store->reader_count && store->reads[party->number] > 0)
        return SCT_HIDDEN_BY_READ;
    if (sct_clock_has(known, store->thread, store->epoch))
        return SCT_HIDDEN_BY_EDGE;
    for (uint32_t i = 0; i < store->reader_count; i++)
        if (store->reads[i] > 0 && sct_clock_has(known, i, store->reads[i]))
            return SCT_HIDDEN_BY_EDGE;
    return SCT_HIDDEN_BY_ORDER;
}

// Why a read that may choose from stores[least] on may read stores[index], or may not.
static enum sct_readability why(const struct operation *operation, enum sct_order order,
                                uint32_t least, uint32_t index, bool is_update) {
    const struct sct_location *location = operation->location;
    uint32_t next = index + 1, history = operation->memory->options.history;
    if (index < least)
        return history > 0 && location->count - least == history ? SCT_HIDDEN_BY_BOUND
                                                                 : hidden_by(operation, least);
    if (is_update && location->stores[index]->is_updated)
        return SCT_HIDDEN_BY_TAKER;
    if (!is_allowed(operation, order, next, next, is_update))
        return SCT_HIDDEN_BY_ORDER;
    return next == location->count ? SCT_READABLE_NEWEST : SCT_READABLE_OLDER;
}

// A read that may choose from stores[least] on takes stores[taken], and is an update or not.
__attribute__((noinline, cold)) static void tell_choice(const struct operation *operation,
                                                        enum sct_order order, uint32_t least,
                                                        uint32_t taken, bool is_update) {
    const struct sct_memory_options *options = &operation->memory->options;
    struct sct_readable readables[SCT_READABLES_MAX];
    uint32_t count = 0;
    for (uint32_t index = operation->location->count; index-- > 0 && count < SCT_READABLES_MAX;) {
        const struct sct_store *store = operation->location->stores[index];
        readables[count++] = (struct sct_readable){
            .value = store->value,
            .why = why(operation, order, least, index, is_update),
            .is_taken = index == taken,
            .is_initial = store->event == 0,
            .thread = store->thread,
            .step = store->step,
            .place = store->place,
        };
    }
    options->on_load(options->context, readables, count);
}

static inline bool is_told(const struct operation *operation) {
    return __builtin_expect(sct_engine_now->listener != NULL, 0) &&
           operation->memory->options.on_load && !sct_memory_is_over();
}

// The index of one from [least] on.
static uint32_t choose_store(const struct operation *operation, enum sct_order order,
                             uint32_t least) {
    static const char label[] = "stale load";
    uint32_t count = operation->location->count, index = count - 1;
    if (is_plain_choice(operation))
        return index - choose(operation, count - least, 0, label);
    // Counted first, then chosen, then counted again to the one that was: no list, as most loads
    // have one or two stores to choose from.
    uint64_t barred = 0;
    count = 0;
    for (uint32_t i = operation->location->count; i-- > least;)
        if (is_allowed(operation, order, i + 1, i + 1, false))
            barred |= bar_old(operation, i, count++, 1);
    uint32_t answer = choose(operation, count, barred, label);
    while (!is_allowed(operation, order, index + 1, index + 1, false) || answer-- > 0)
        index--;
    return index;
}

uint64_t sct_location_load(struct sct_location *location, enum sct_order order) {
    struct operation operation = begin(location);
    uint32_t least = lowest(&operation, order), index = choose_store(&operation, order, least);
    if (is_told(&operation))
        tell_choice(&operation, order, least, index, false);
    return load_at(&operation, index, order);
}

// Whether a store may go in front of stores[index]: between what is there and what comes before it.
static bool is_place(const struct operation *operation, enum sct_order order, uint32_t index) {
    const struct sct_location *location = operation->location;
    ASSERT(index > 0 && index <= location->count);
    bool is_free = index == location->count || !location->stores[index]->is_update;
    return is_free && is_allowed(operation, order, 0, index, true);
}

// A place behind the oldest store that the thread may read: the end first.
// (CoWW, CoRW: its thread knows what it may not read, and its store comes after that.)
static uint32_t choose_place(const struct operation *operation, enum sct_order order) {
    uint32_t least = lowest(operation, order) + 1, count = 0, index = operation->location->count;
    for (uint32_t i = least; i <= index; i++)
        count += is_place(operation, order, i);
    uint32_t answer = choose(operation, count, 0, "store order");
    while (answer > 0)
        answer -= is_place(operation, order, --index);
    return index;
}

void sct_location_store(struct sct_location *location, uint64_t value, enum sct_order order) {
    struct operation operation = begin(location);
    uint32_t index = location->count;
    if (operation.memory->model->reorders_stores && !sct_memory_is_over())
        index = choose_place(&operation, order);
    add_store(&operation, index, value, order, false);
    if (order == SCT_SEQ_CST)
        drain(&operation);
}

// Reads stores[index] and stores [value] behind it.
static inline void update(const struct operation *operation, uint32_t index, uint64_t value,
                          enum sct_order order) {
    struct sct_location *location = operation->location;
    // The two halves are one step: no store comes between them in the order of the location, now or
    // later (is_place).
    ASSERT(!location->stores[index]->is_updated); // one alone reads a store and stores behind it
    read_store(operation, index, order);
    location->stores[index]->is_updated = true;
    add_store(operation, index + 1, value, order, true);
    drain(operation);
}

uint64_t sct_change_apply(enum sct_change change, uint64_t old, uint64_t operand) {
    switch (change) {
    case SCT_CHANGE_EXCHANGE:
        return operand;
    case SCT_CHANGE_ADD:
        return old + operand;
    case SCT_CHANGE_SUB:
        return old - operand;
    case SCT_CHANGE_AND:
        return old & operand;
    case SCT_CHANGE_OR:
        return old | operand;
    case SCT_CHANGE_XOR:
        return old ^ operand;
    case SCT_CHANGE_NAND:
        return ~(old & operand);
    }
    fail_at(FAIL_ASSERTION, HERE, "unknown change %d of an atomic", (int)change);
}

// ---- Read-modify-writes ------------------------------------------------------------------------

// What one of them may read: stores from [lowest] on that no other has read, and which of those let
// it succeed; with others, or without a reason if [is_weak], it fails, from [lowest_failing] on.
struct request {
    uint32_t lowest, lowest_failing;
    enum sct_order order, failing_order;
    bool is_any, is_weak;
    uint64_t expected;
};

struct alternative {
    uint32_t index;
    bool succeeds;
};

// How many ways there are with stores[index]: to succeed, to fail.
static uint32_t ways(const struct operation *operation, const struct request *request,
                     uint32_t index, bool *can_succeed) {
    const struct sct_store *store = operation->location->stores[index];
    uint32_t next = index + 1;
    bool is_expected = request->is_any || store->value == request->expected;
    const struct sct_memory_moment *now = operation->now;
    bool is_passed = now->passes_value && store->value == now->passed_value;
    *can_succeed = is_expected && !is_passed && index >= request->lowest && !store->is_updated &&
                   is_allowed(operation, request->order, next, next, true);
    bool can_fail = !request->is_any && (!is_expected || request->is_weak) &&
                    index >= request->lowest_failing &&
                    is_allowed(operation, request->failing_order, next, next, false);
    return (uint32_t)*can_succeed + can_fail;
}

static uint32_t count_ways(const struct operation *operation, const struct request *request,
                           uint64_t *barred) {
    uint32_t least =
        request->lowest < request->lowest_failing ? request->lowest : request->lowest_failing;
    uint32_t count = 0;
    bool can_succeed;
    *barred = 0;
    for (uint32_t index = operation->location->count; index-- > least;) {
        uint32_t here = ways(operation, request, index, &can_succeed);
        *barred |= bar_old(operation, index, count, here);
        count += here;
    }
    return count;
}

static struct alternative choose_some_way(const struct operation *operation,
                                          const struct request *request) {
    uint64_t barred;
    uint32_t count = count_ways(operation, request, &barred);
    uint32_t answer = choose(operation, count, barred, "stale read-modify-write");
    for (uint32_t index = operation->location->count; index-- > 0;) {
        bool can_succeed;
        uint32_t here = ways(operation, request, index, &can_succeed);
        if (answer < here)
            return (struct alternative){index, can_succeed && answer == 0};
        answer -= here;
    }
    fail_at(FAIL_ASSERTION, HERE, "a read-modify-write has nothing to read");
}

static inline struct alternative choose_way(const struct operation *operation,
                                            const struct request *request) {
    // Mostly there is the newest alone, which no other has read: one way, and nothing to choose.
    uint32_t newest = operation->location->count - 1;
    bool is_newest = request->lowest == newest && request->lowest_failing == newest;
    if (is_newest && is_plain_choice(operation) && !request->is_weak &&
        !operation->now->passes_value) {
        uint64_t value = operation->location->stores[newest]->value;
        return (struct alternative){newest, request->is_any || value == request->expected};
    }
    return choose_some_way(operation, request);
}

uint64_t sct_location_change(struct sct_location *location, enum sct_change change,
                             uint64_t operand, enum sct_order order) {
    struct operation operation = begin(location);
    // C11, 7.17.3, 12: it reads the last value before its own in modification order. On x86 it
    // waits for the buffer, which is emptied before it chooses.
    drain(&operation);
    struct request request = {.lowest = lowest(&operation, order), .order = order, .is_any = true};
    request.lowest_failing = request.lowest;
    uint32_t index = choose_way(&operation, &request).index;
    if (is_told(&operation))
        tell_choice(&operation, order, request.lowest, index, true);
    uint64_t old = location->stores[index]->value;
    update(&operation, index, sct_change_apply(change, old, operand), order);
    return old;
}

// Whether a store that it expects, and may read, was updated by another: had it come first, it
// would have succeeded, and the other would have read of it.
static bool is_too_late(const struct operation *operation, const struct request *request) {
    const struct sct_location *location = operation->location;
    for (uint32_t index = request->lowest; index < location->count; index++)
        if (location->stores[index]->is_updated &&
            location->stores[index]->value == request->expected)
            return true;
    return false;
}

// Whether stores[index] is the only one of its value.
static bool is_alone(const struct sct_location *location, uint32_t index) {
    uint64_t value = location->stores[index]->value;
    for (uint32_t i = 0; i < location->count; i++)
        if (i != index && location->stores[i]->value == value)
            return false;
    return true;
}

bool sct_location_exchange(struct sct_location *location, struct sct_exchange *exchange) {
    struct operation operation = begin(location);
    // Though it may fail: on x86 (LOCK CMPXCHG) it waits for the buffer all the same.
    drain(&operation);
    const struct request request = {
        .lowest = lowest(&operation, exchange->success),
        .lowest_failing = lowest(&operation, exchange->failure),
        .order = exchange->success,
        .failing_order = exchange->failure,
        .is_weak = exchange->is_weak && !sct_memory_is_over(),
        .expected = exchange->expected & sct_location_mask(location->bytes),
    };
    struct alternative way = choose_way(&operation, &request);
    exchange->is_too_late = !way.succeeds && is_too_late(&operation, &request);
    operation.now->needs_source =
        way.succeeds && sct_is_reducing(sct_engine_now) && is_alone(location, way.index);
    if (is_told(&operation))
        tell_choice(&operation, way.succeeds ? exchange->success : exchange->failure,
                    way.succeeds ? request.lowest : request.lowest_failing, way.index,
                    way.succeeds);
    if (way.succeeds)
        update(&operation, way.index, exchange->desired, exchange->success);
    else
        exchange->expected = load_at(&operation, way.index, exchange->failure);
    return way.succeeds;
}

// ---- Locations ---------------------------------------------------------------------------------

// Its first store is of whoever makes it, and known to all who are told of the location.
struct sct_location *sct_location_new(uint32_t bytes, uint64_t value) {
    ASSERT(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
    struct sct_memory_state *memory = sct_memory_state();
    struct sct_location *location = ARENA_NEW(memory->now->arena, struct sct_location);
    location->bytes = bytes;
    const struct operation operation = {memory, memory->now, sct_party_now(memory), location};
    reset(&operation, value);
    return location;
}

void sct_location_reset(struct sct_location *location, uint64_t value) {
    const struct operation operation = begin(location);
    reset(&operation, value);
}

uint64_t sct_location_newest(const struct sct_location *location) {
    return location->stores[location->count - 1]->value;
}

uint64_t sct_location_newest_time(const struct sct_location *location) {
    return location->stores[location->count - 1]->time;
}

uint64_t sct_location_last_time(void) {
    return sct_memory_state()->now->last_time;
}

void sct_location_place(const void *place) {
    sct_memory_state()->now->place = place;
}

// Kept as one more, so that 0 can say that nothing is passed over.
void sct_location_pass(uint64_t time) {
    sct_memory_state()->now->passed = time + 1;
}

void sct_location_pass_value(uint64_t value) {
    sct_memory_state()->now->passes_value = true;
    sct_memory_state()->now->passed_value = value;
}

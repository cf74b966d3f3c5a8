#include "core/search/explore.h"
#include "core/engine/state.h"

// Everything below the frame is searched. It is complete unless something was cut off there.
static void on_pop(void *context, const struct sct_path_frame *frame) {
    struct sct_explorer *explorer = context;
    if (frame->entry != 0 && frame->cuts == explorer->path->cuts)
        sct_states_complete(&explorer->states, frame->entry);
}

void sct_explorer_init(struct sct_explorer *explorer, const struct sct_program *program,
                       struct sct_path *path, uint64_t bytes) {
    ASSERT(program->digest);
    ASSERT(!path->on_pop); // one cache a path
    *explorer = (struct sct_explorer){.program = program, .path = path};
    sct_states_init(&explorer->states, bytes);
    path->on_pop = on_pop;
    path->context = explorer;
}

void sct_explorer_init_shared(struct sct_explorer *explorer, const struct sct_program *program,
                              struct sct_path *path, struct sct_shared_states *shared,
                              struct sct_sleep *sleep) {
    ASSERT(program->digest);
    ASSERT(shared);
    *explorer =
        (struct sct_explorer){.program = program, .path = path, .shared = shared, .sleep = sleep};
}

void sct_explorer_deinit(struct sct_explorer *explorer) {
    ASSERT(!explorer->path->on_pop || explorer->path->context == explorer);
    explorer->path->on_pop = NULL;
    if (!explorer->shared)
        sct_states_deinit(&explorer->states);
}

uint64_t sct_explorer_count(const struct sct_explorer *explorer) {
    return explorer->shared ? sct_shared_states_count(explorer->shared) : explorer->states.count;
}

double sct_explorer_bytes_each(const struct sct_explorer *explorer) {
    return explorer->shared ? sct_shared_states_bytes_each(explorer->shared)
                            : sct_states_bytes_each(&explorer->states);
}

void sct_explorer_end(struct sct_explorer *explorer, enum sct_outcome outcome) {
    // What lies beyond the limit was not searched: no state on the path becomes complete.
    if (outcome == SCT_STEP_LIMIT)
        explorer->path->cuts++;
}

// ---- The key -----------------------------------------------------------------------------------

// How it waits to take a step, if it does: one that may give up is enabled whether granted or not.
static uint64_t patience_of(const struct sct_engine *engine, unsigned slot) {
    ASSERT(sct_slots_have(&engine->now.alive, slot));
    const struct sct_waiting *waiting = engine->seats[slot].task->own.waiting;
    if (!waiting)
        return 0;
    return 1U | (unsigned)waiting->is_granted << 1 | (unsigned)waiting->may_give_up << 2 |
           (unsigned)waiting->is_timed << 3;
}

// With how many things it has made: the next one has a name by that.
static struct digest task_digest(const struct sct_engine *engine, unsigned slot) {
    // A task's stack is not in the key. In its place stand who it is and all that it has observed:
    // its code is a function of these.
    ASSERT(slot < SCT_TASKS_MAX && engine->seats[slot].task);
    const struct sct_seat *seat = &engine->seats[slot];
    struct digest task = {engine->slots[slot].identity.signature,
                          (uint64_t)seat->made << 5 | patience_of(engine, slot) << 1 |
                              sct_slots_have(&engine->now.enabled, slot)};
    return digest_fold_digest(seat->observed, task);
}

static void add_mailboxes(const struct sct_engine *engine, struct digest *key) {
    for (const struct sct_machine *machine = engine->now.machines; machine;
         machine = machine->next) {
        if (!machine->first)
            continue; // an empty one adds nothing, so that who was created when does not show
        struct digest mailbox = {machine->index, 1};
        for (const struct sct_message *message = machine->first; message; message = message->next)
            mailbox = digest_fold_digest(mailbox, message->digest);
        digest_add(key, mailbox);
    }
}

// What costs depend on: the order of tasks, and which ran last.
static void add_order(const struct sct_engine *engine, struct digest *key) {
    struct digest order = {0, 0};
    unsigned slot;
    for (struct sct_slots_walk walk = sct_slots_walk(&engine->now.alive);
         sct_slots_next(&walk, &slot);) {
        order = digest_fold(order, engine->slots[slot].identity.signature);
        order = digest_fold(order, slot << 1 | (engine->slots[slot].steps > 0));
    }
    digest_add(key, digest_fold(order, engine->now.last_slot << 1 | engine->now.gives_way));
}

static struct digest state_key(const struct sct_explorer *explorer,
                               const struct sct_engine *engine) {
    // Sums, not sequences: the same state may be reached with its parts in another order of
    // creation.
    struct digest key = engine->now.sync;
    digest_add(&key, engine->now.started);
    unsigned slot;
    for (struct sct_slots_walk walk = sct_slots_walk(&engine->now.alive);
         sct_slots_next(&walk, &slot);)
        digest_add(&key, task_digest(engine, slot));
    add_mailboxes(engine, &key);
    if (explorer->path->bound_kind != SCT_BOUND_NONE)
        add_order(engine, &key);
    explorer->program->digest(engine->now.context, &key);
    return digest_fold(key, 0);
}

// ---- Visits ------------------------------------------------------------------------------------

// The frames of the path follow their entries into a larger table.
__attribute__((noinline, cold)) static void grow(struct sct_explorer *explorer) {
    struct sct_states larger;
    const struct sct_path *path = explorer->path;
    ASSERT(!explorer->shared);
    sct_states_grow(&explorer->states, &larger);
    // An entry is the number of a place, which means nothing in another table.
    for (uint32_t i = 0; i < path->depth; i++) {
        uint64_t *entry = &path->frames[i].entry;
        if (*entry != 0)
            *entry = sct_states_moved(&explorer->states, &larger, *entry);
    }
    sct_states_deinit(&explorer->states);
    explorer->states = larger;
}

static enum sct_visit visit_key(struct sct_explorer *explorer, struct digest key,
                                struct sct_budget budget, uint64_t *entry, bool *is_complete) {
    struct sct_states *states = &explorer->states;
    enum sct_visit visit;
    while ((visit = sct_states_visit(states, key, budget, entry, is_complete)) == SCT_VISIT_FULL &&
           sct_states_can_grow(states))
        grow(explorer);
    return visit;
}

static void visit_new(struct sct_explorer *explorer, struct sct_engine *engine) {
    struct sct_path *path = explorer->path;
    // A state was searched with what was left of the last bound; with the next one there is more.
    // Emptied, and not told apart by bound: the entries of the old one would fill the table.
    if (path->bound != explorer->bound) {
        sct_states_clear(&explorer->states);
        explorer->bound = path->bound;
    }
    uint32_t spent = sct_path_spent(path);
    ASSERT(engine->now.point_count <= engine->options.steps_max && spent <= path->bound);
    struct sct_budget budget = {
        .points = engine->options.steps_max - engine->now.point_count,
        .bound = path->bound - spent,
    };
    uint64_t entry;
    bool is_complete;
    explorer->transitions++;
    switch (visit_key(explorer, explorer->key, budget, &entry, &is_complete)) {
    case SCT_VISIT_NEW: {
        struct sct_path_frame *frame = sct_path_add_state(path);
        frame->entry = entry;
        frame->cuts = path->cuts;
        explorer->states_met++;
        return;
    }
    case SCT_VISIT_KNOWN:
        // It may be on the path, a cycle, and its search not ended: a cut like the limit's.
        path->cuts += !is_complete;
        sct_leave(engine, SCT_PRUNED);
    case SCT_VISIT_FULL:
        explorer->is_full = true;
        sct_leave(engine, SCT_PRUNED);
    }
}

// Met again, it is searched for those alone who slept whenever it was met before.
static enum sct_visit visit_asleep(struct sct_explorer *explorer, struct sct_engine *engine) {
    struct sct_sleep *sleep = explorer->sleep;
    ASSERT(sleep && explorer->shared);
    uint32_t asleep = sct_sleep_marks(sleep, engine), left;
    enum sct_visit visit =
        sct_shared_states_visit_asleep(explorer->shared, explorer->key, asleep, &left);
    ASSERT(visit != SCT_VISIT_FULL || left >> SCT_STATE_MARKS == 0);
    // Where that is nobody who is awake, the point that follows ends the execution.
    sct_sleep_restrict(sleep, engine, left);
    return visit;
}

// Nothing is remembered on the path: shared states do not become complete.
static void visit_shared(struct sct_explorer *explorer, struct sct_engine *engine) {
    const struct sct_path *path = explorer->path;
    explorer->transitions++;
    switch (explorer->sleep ? visit_asleep(explorer, engine)
                            : sct_shared_states_visit(explorer->shared, explorer->key,
                                                      path->bound - sct_path_spent(path))) {
    case SCT_VISIT_NEW:
        explorer->states_met++;
        return;
    case SCT_VISIT_KNOWN:
        if (explorer->sleep)
            return; // who is to be tried is said
        sct_leave(engine, SCT_PRUNED);
    case SCT_VISIT_FULL:
        explorer->is_full = true;
        sct_leave(engine, SCT_PRUNED);
    }
}

void sct_explorer_observe(const struct sct_explorer *explorer, struct sct_engine *engine,
                          unsigned slot) {
    ASSERT(slot < SCT_TASKS_MAX && sct_slots_have(&engine->now.alive, slot));
    struct digest shared = {0, 0}, *observed = &engine->seats[slot].observed;
    explorer->program->digest(engine->now.context, &shared);
    *observed = digest_fold_digest(*observed, shared);
}

// Apart from the visit, which would wait for memory: what comes in between does not need the state.
void sct_explorer_meet(struct sct_explorer *explorer, struct sct_engine *engine) {
    if (!sct_path_is_new(explorer->path))
        return;
    explorer->key = state_key(explorer, engine);
    if (explorer->shared)
        sct_shared_states_prefetch(explorer->shared, explorer->key);
    else
        sct_states_prefetch(&explorer->states, explorer->key);
}

void sct_explorer_visit(struct sct_explorer *explorer, struct sct_engine *engine) {
    ASSERT(!sct_slots_are_empty(&engine->now.enabled));
    if (!sct_path_is_new(explorer->path))
        return;
    if (explorer->shared)
        visit_shared(explorer, engine);
    else
        visit_new(explorer, engine);
}

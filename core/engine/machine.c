#include "core/base/hash.h"
#include "core/engine/state.h"

#include <string.h>

struct arena *sct_arena(void) {
    return &sct_engine_running()->arena;
}

struct sct_machine *sct_machine_create(const char *name) {
    struct sct_engine *engine = sct_engine_running();
    struct sct_machine *machine = ARENA_NEW(&engine->arena, struct sct_machine);
    sct_step_touches(engine, SCT_ACCESS_NUMBERS, 0);
    ASSERT(name);
    machine->name = name;
    // Numbered as they are created, and known again by that: in another order the same names are
    // other machines, hence the touch above.
    machine->index = engine->now.machine_count++;
    ASSERT(!machine->first && !machine->receiver); // the arena has given it empty
    sct_mailbox_clear(machine);
    machine->next = engine->now.machines;
    engine->now.machines = machine;
    return machine;
}

const char *sct_machine_name(const struct sct_machine *machine) {
    ASSERT(machine);
    return machine->name;
}

struct sct_machine *sct_machine_self(void) {
    struct sct_engine *engine = sct_engine_running();
    return engine->now.current ? engine->now.current->machine : NULL;
}

static struct sct_task_name *add_name(struct sct_engine *engine, const struct sct_machine *machine,
                                      const char *name) {
    struct sct_task_name *added = ARENA_NEW(&engine->arena, struct sct_task_name);
    added->name = name;
    // Of the machine's number, not its address; of the name's text, not its place in memory.
    added->hash = rng_mix(machine->index + 1) ^ hash_bytes(name, strlen(name));
    return added;
}

// What is counted under [name]; the last of a machine's names is shared by the rest. Names are
// constants as a rule, so that a known one is mostly found by its address.
static struct sct_task_name *find_name(struct sct_engine *engine, struct sct_machine *machine,
                                       const char *name) {
    ASSERT(name);
    for (struct sct_task_name *known = machine->task_names; known; known = known->next)
        if (known->name == name)
            return known;
    struct sct_task_name **link = &machine->task_names;
    // A bound on the list, for programs that make up a name for each task: it is gone through at
    // every start.
    for (unsigned i = 1; *link; i++, link = &(*link)->next)
        if (i == SCT_TASK_NAMES_MAX || strcmp((*link)->name, name) == 0)
            return *link;
    return *link = add_name(engine, machine, name);
}

static struct sct_task_identity identify(struct sct_engine *engine, struct sct_machine *machine,
                                         const char *name) {
    const struct sct_task *parent = engine->now.current;
    struct sct_task_name *counted = find_name(engine, machine, name);
    ASSERT(counted->name);
    // The same task in every execution in which its machine has started as many of that name
    // before, whatever others did meanwhile: strategies and caches know it again by this.
    return (struct sct_task_identity){
        .signature = rng_mix(counted->hash + counted->count++),
        .parent = parent ? engine->slots[parent->slot].identity.signature : 0,
    };
}

__attribute__((noinline, cold)) static void tell_start(struct sct_engine *engine,
                                                       const struct sct_task *task) {
    sct_step_touches(engine, SCT_ACCESS_NUMBERS, 0);
    if (engine->seam.follows_causes)
        engine->seam.calls->start(engine->seam.search, task->slot,
                                  engine->slots[task->slot].identity.signature);
}

static void take_slot(struct sct_engine *engine, struct sct_task *task,
                      const struct sct_access *access) {
    ASSERT(!sct_slots_have(&engine->now.alive, task->slot));
    ASSERT(task->slot < SCT_TASKS_MAX);
    struct sct_task_identity identity = identify(engine, task->machine, task->own.name);
    engine->slots[task->slot] =
        (struct sct_slot){.access = access, .label = task->own.name, .identity = identity};
    engine->seats[task->slot] =
        (struct sct_seat){.task = task, .strand = &task->own, .kin = engine->now.kin};
    if (sct_keeps_digests(engine)) {
        // A task may act on all that its creator knew.
        engine->seats[task->slot].observed = *sct_running_digest(engine);
        digest_add(&engine->now.started, digest_fold((struct digest){identity.signature, 0}, 0));
    }
}

void sct_kin(uint32_t kin) {
    sct_engine_running()->now.kin = kin;
}

void sct_task_start(struct sct_machine *machine, const char *name, void (*function)(void *),
                    void *argument) {
    sct_task_start_with(machine, name, function, argument, &sct_access_unknown);
}

void sct_task_start_with(struct sct_machine *machine, const char *name, void (*function)(void *),
                         void *argument, const struct sct_access *access) {
    struct sct_engine *engine = sct_engine_running();
    ASSERT(machine && access);
    REQUIRE(!engine->is_finishing, "a task is started in the final check: it would never run");
    // The lowest free one: sets of slots stay in their first word as long as few tasks live at a
    // time.
    unsigned slot = sct_slots_first_free(&engine->now.alive);
    if (slot >= SCT_TASKS_MAX)
        fail_at(FAIL_LIMIT, HERE, "more than %d tasks live at a time", SCT_TASKS_MAX);
    if (slot >= SCT_REDUCED_TASKS_MAX && sct_is_reducing(engine)) // not the program's fault
        fail_at(FAIL_RESOURCE, HERE, "more than %d tasks live at a time in a reduced search",
                SCT_REDUCED_TASKS_MAX);
    struct sct_task *task = ARENA_ARRAY(&engine->arena, struct sct_task, 1);
    task->machine = machine;
    // One allocation for a task and its own strand: most tasks have no other.
    sct_strand_begin(engine, &task->own, task, name, function, argument);
    task->slot = slot;
    task->is_idle = false;
    // What a first step touches is declared for reductions alone. Strategies take it for unknown,
    // which keeps their decisions the same with and without one.
    take_slot(engine, task, sct_is_reducing(engine) ? access : &sct_access_unknown);
    if (sct_memory_now)
        sct_memory_now->start(sct_memory_now, task->slot, machine->name);
    if (sct_is_reducing(engine))
        tell_start(engine, task);
    ASSERT(!sct_slots_have(&engine->now.enabled, slot));
    sct_slots_add(&engine->now.alive, slot);
    sct_slots_add(&engine->now.enabled, slot);
    sct_slots_add(&engine->now.fresh, slot);
    engine->now.task_count++;
    task->is_unbegun = false;
    if (__builtin_expect(engine->program->begins_quietly, 0))
        sct_begin_quietly(engine, task);
    if (__builtin_expect(engine->listener != NULL, 0))
        sct_tell(engine, (struct sct_event){.kind = SCT_EVENT_TASK_STARTED,
                                            .machine = machine->name,
                                            .text = name});
}

void sct_machine_stop(struct sct_machine *machine) {
    struct sct_engine *engine = sct_engine_running();
    ASSERT(machine && !engine->is_finishing);
    if (sct_is_reducing(engine))
        engine->seam.calls->stop(engine->seam.search);
    // First nothing of it runs any more, then others may be woken by what it held: whoever is woken
    // must not meet a half of it alive.
    struct sct_strand *stopped = sct_strands_stop(engine, machine);
    for (struct sct_strand *strand = stopped; strand; strand = strand->next) {
        // An activity has no slot: it used the turn of its task, which ends here as well.
        if (strand->is_activity)
            continue;
        sct_task_end(engine, strand->task);
        sct_slots_remove(&engine->now.fresh, strand->task->slot); // nobody has seen it
    }
    ASSERT(!machine->receiver || machine->receiver->own.is_stopped);
    machine->receiver = NULL;
    // What was sent to it is lost with it, as with a process that dies.
    sct_mailbox_clear(machine);
    sct_cool_monitors(engine, machine);
    for (; stopped; stopped = stopped->next)
        sct_strand_free_mutexes(stopped);
    if (engine->now.current && engine->now.current->machine == machine)
        sct_reschedule(engine); // does not come back
}

void sct_count_operation(void) {
    sct_engine_running()->now.operation_count++;
}

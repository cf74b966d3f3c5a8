#include "core/engine/monitor.h"
#include "core/engine/state.h"

#include <inttypes.h>
#include <stdio.h>

enum { STILL_POINTS = 1000 }; // a shorter tail says too little

// What was promised by whom, whether the one who promised it still lives or not.
static struct digest promise_digest(const struct sct_monitor *monitor) {
    return digest_fold_text((struct digest){monitor->machine->index, 2}, monitor->what);
}

void sct_monitor_hot(struct sct_monitor *monitor, const char *what) {
    struct sct_engine *engine = sct_engine_now;
    ASSERT(engine && engine->now.current);
    ASSERT(what && !monitor->what);
    sct_step_touches(engine, SCT_ACCESS_MONITORS, engine->now.current->machine->index);
    // Hot ones lie in a list in the order of becoming hot, in the frames of those who promise.
    *monitor = (struct sct_monitor){
        .what = what,
        .machine = engine->now.current->machine,
        .task = engine->now.current,
        .since = engine->now.decision_count,
        .is_of_tail = engine->now.is_in_tail,
        .link = engine->now.hot_end,
    };
    ASSERT(!*engine->now.hot_end);
    *engine->now.hot_end = monitor;
    engine->now.hot_end = &monitor->next;
    if (sct_keeps_digests(engine))
        sct_note_change(engine, (struct digest){0, 0}, promise_digest(monitor));
}

void sct_monitor_cold(struct sct_monitor *monitor) {
    struct sct_engine *engine = sct_engine_now;
    ASSERT(engine && engine->self);
    if (!monitor->what)
        return;
    sct_step_touches(engine, SCT_ACCESS_MONITORS, monitor->machine->index);
    ASSERT(*monitor->link == monitor);
    if (sct_keeps_digests(engine))
        sct_note_change(engine, promise_digest(monitor), (struct digest){0, 0});
    *monitor->link = monitor->next;
    // In constant time, as promises are made and kept all the time: each knows the pointer to it.
    if (monitor->next)
        monitor->next->link = monitor->link;
    else
        engine->now.hot_end = monitor->link;
    ASSERT(!*engine->now.hot_end);
    monitor->what = NULL;
}

void sct_changed_nothing(void) {
    sct_engine_running()->now.has_changed_nothing = true;
}

void sct_cool_monitors(struct sct_engine *engine, const struct sct_machine *machine) {
    for (struct sct_monitor *monitor = engine->now.hot, *next; monitor; monitor = next) {
        // Before it cools: that unlinks it.
        next = monitor->next;
        if (monitor->machine == machine)
            sct_monitor_cold(monitor);
    }
}

// ---- Verdicts ----------------------------------------------------------------------------------

// Steps that the monitor's task has taken in the tail; a slot may have got another task since.
static uint32_t steps_in_tail(const struct sct_engine *engine, const struct sct_monitor *monitor) {
    unsigned slot = monitor->task->slot;
    ASSERT(engine->now.is_in_tail && slot < SCT_TASKS_MAX);
    bool is_alive =
        sct_slots_have(&engine->now.alive, slot) && engine->seats[slot].task == monitor->task;
    return is_alive ? engine->slots[slot].steps - engine->seats[slot].steps_before_tail : 0;
}

// Of the monitors that were hot all through the tail, the one whose task ran most in it: who goes
// round in circles, rather than who waits for that. Of equal ones the hottest. NULL: none was.
static const struct sct_monitor *find_livelock(const struct sct_engine *engine) {
    const struct sct_monitor *found = NULL;
    for (const struct sct_monitor *monitor = engine->now.hot; monitor; monitor = monitor->next)
        if (!monitor->is_of_tail &&
            (!found || steps_in_tail(engine, monitor) > steps_in_tail(engine, found)))
            found = monitor;
    return found;
}

static void begin_item(struct text *text, const struct sct_machine *machine) {
    ASSERT(machine && machine->name);
    text_add(text, "%s%s ", text->length > 0 ? "; " : "", machine->name);
}

// Where the coroutine stands, if that is worth telling: a server that has nothing to do is not, nor
// is a task's own coroutine whose activity runs.
static void describe_strand(const struct sct_engine *engine, const struct sct_strand *strand,
                            struct text *text) {
    const struct sct_task *task = strand->task;
    // Of the task whose turn it is the seat's may be old: it is set when the turn is given away.
    const struct sct_strand *next =
        task == engine->now.current ? engine->self : engine->seats[task->slot].strand;
    bool is_next = next == strand && sct_slots_have(&engine->now.enabled, task->slot);
    bool is_idle = !strand->is_activity && task->is_idle && !task->machine->first;
    if (is_idle || (!strand->waits_for && !is_next))
        return;
    begin_item(text, task->machine);
    if (!strand->waits_for)
        text_add(text, "(%s) runs: %s", strand->name, engine->slots[task->slot].label);
    else
        text_add(text, "(%s) %s %s", strand->name,
                 is_next ? "need no longer wait for" : "waits for", strand->waits_for);
}

// Who else waits for what was promised, and where everybody stands at the bound.
static void describe_rest(const struct sct_engine *engine, const struct sct_monitor *found,
                          struct text *text) {
    for (const struct sct_monitor *monitor = engine->now.hot; monitor; monitor = monitor->next) {
        if (monitor == found)
            continue;
        begin_item(text, monitor->machine);
        text_add(text, "waits for %s since decision %" PRIu32, monitor->what, monitor->since);
    }
    for (const struct sct_strand *strand = engine->now.strands; strand; strand = strand->next)
        describe_strand(engine, strand, text);
}

// Of the tasks that can run, the one that ran most in the tail.
static const struct sct_task *find_spinner(const struct sct_engine *engine) {
    const struct sct_seat *found = NULL;
    uint32_t most = 0;
    unsigned slot;
    for (struct sct_slots_walk walk = sct_slots_walk(&engine->now.enabled);
         sct_slots_next(&walk, &slot);) {
        uint32_t steps = engine->slots[slot].steps - engine->seats[slot].steps_before_tail;
        if (!found || steps > most) {
            found = &engine->seats[slot];
            most = steps;
        }
    }
    return found ? found->task : NULL;
}

static bool blame_spinner(struct sct_engine *engine, uint32_t points) {
    const struct sct_task *found = engine->now.is_still ? find_spinner(engine) : NULL;
    if (!found || points < STILL_POINTS || points < engine->options.livelock_points)
        return false;
    // Less than the message has: its closing brace is not to be cut off, or what it closes would be
    // part of the pattern (pattern.c).
    char rest[sizeof engine->result.violation.message * 3 / 4];
    struct text rest_text = text_in(rest, sizeof rest);
    describe_rest(engine, NULL, &rest_text);
    char buffer[sizeof engine->result.violation.message];
    snprintf(buffer, sizeof buffer,
             "spins: nothing has changed through %" PRIu32
             " points of fair scheduling {at the end: %s}",
             points, rest);
    sct_blame(engine, SCT_KIND_LIVELOCK, found->machine->name, NULL, buffer);
    return true;
}

bool sct_blame_livelock(struct sct_engine *engine) {
    // Values are progress, too: of an endless loop that draws them without a scheduling point.
    uint32_t points = engine->now.point_count - engine->now.tail_point;
    uint32_t decisions = engine->now.decision_count - engine->now.tail_decision;
    uint32_t length = points > decisions ? points : decisions;
    const struct sct_monitor *found = engine->now.is_in_tail ? find_livelock(engine) : NULL;
    ASSERT(engine->now.tail_point <= engine->now.point_count);
    ASSERT(engine->now.tail_decision <= engine->now.decision_count);
    if (!found)
        return engine->now.is_in_tail && blame_spinner(engine, points);
    // A walk of some thousand fair steps that has not kept a promise by then is one that never
    // will, but with the probability that monitor.h gives; a shorter one says nothing.
    if (length == 0 || length < engine->options.livelock_points)
        return false;
    char rest[sizeof engine->result.violation.message * 3 / 4];
    struct text rest_text = text_in(rest, sizeof rest);
    describe_rest(engine, found, &rest_text);
    // Braces hold what differs between executions with the same livelock (see struct sct_group).
    char buffer[sizeof engine->result.violation.message];
    snprintf(buffer, sizeof buffer,
             "waits for %s since decision %" PRIu32 ", also through %" PRIu32
             " points of fair scheduling {at the end: %s}",
             found->what, found->since, length, rest);
    sct_blame(engine, SCT_KIND_LIVELOCK, found->machine->name, NULL, buffer);
    return true;
}

#include "core/trace/episodes.h"
#include "core/base/assert.h"
#include "core/base/grow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRINGS_BYTES = 1 << 28 };

static const char memory_name[] = "episodes";

// An episode is a run of notes of one task: what it did while nobody else did anything worth a
// note.
static void begin_episode(struct sct_episodes *told, const char *machine, uint64_t task) {
    ASSERT(machine);
    GROW(told->episodes, told->episode_count + 1, told->episode_capacity, memory_name);
    struct sct_episode *episode = &told->episodes[told->episode_count++];
    *episode = (struct sct_episode){.task = task, .first_note = told->note_count};
    snprintf(episode->machine, sizeof episode->machine, "%s", machine);
}

// Whose turn it is while a recording is gone through.
struct telling {
    struct sct_episodes *told;
    struct sct_episodes_options options;
    const char *machine;
    uint64_t task;
};

// A note of [machine] and its [task], at [decision].
static struct sct_episode_note *add_note(struct sct_episodes *told, const char *machine,
                                         uint64_t task, uint32_t decision) {
    uint32_t count = told->episode_count;
    const struct sct_episode *last = count > 0 ? &told->episodes[count - 1] : NULL;
    // Tasks are told apart by signature; setup and final check have none, but names.
    if (!last || last->task != task || strcmp(last->machine, machine) != 0)
        begin_episode(told, machine, task);
    GROW(told->notes, told->note_count + 1, told->note_capacity, memory_name);
    struct sct_episode_note *note = &told->notes[told->note_count++];
    ASSERT(told->episode_count > 0);
    *note = (struct sct_episode_note){.line = "", .decision = decision};
    told->episodes[told->episode_count - 1].note_count++;
    return note;
}

static void add_mark(const struct telling *telling, uint32_t decision) {
    add_note(telling->told, telling->machine, telling->task, decision)->is_mark = true;
}

static void add_step(const struct telling *telling, const struct sct_heard *heard) {
    const struct sct_event *event = &heard->event;
    struct sct_episode_note *step =
        add_note(telling->told, event->machine, heard->task, event->decision);
    bool has_place = telling->options.has_places && event->where;
    step->is_step = true;
    step->line = event->text;
    if (has_place)
        step->line =
            arena_printf(&telling->told->recording.arena, "%s (%s)", event->text, event->where);
}

static void tell_heard(struct telling *telling, const struct sct_heard *heard) {
    const struct sct_event *event = &heard->event;
    // Before the turn changes hands: the counter has grown in the one that ends here.
    if (heard->has_grown)
        add_mark(telling, event->decision);
    if (event->kind == SCT_EVENT_TURN) {
        telling->machine = event->machine;
        telling->task = heard->task;
        if (telling->options.has_steps)
            add_step(telling, heard);
    } else if (event->kind == SCT_EVENT_NOTE && event->note != SCT_NOTE_CHOICE) {
        struct sct_episode_note *note =
            add_note(telling->told, event->machine, heard->task, event->decision);
        note->line = event->text;
        note->about = event->note;
    }
}

static void tell_recording(struct sct_episodes *told, const struct sct_episodes_options *options,
                           uint32_t decision_count) {
    const struct sct_recording *recording = &told->recording;
    // Until the first turn it is setup that runs, by the name that the engine gives it.
    struct telling telling = {.told = told, .options = *options, .machine = "harness"};
    // When all is over, not while it runs: what happens in an execution is recorded in one place,
    // and this is one way to look at it.
    for (uint32_t i = 0; i < recording->count; i++)
        tell_heard(&telling, &recording->events[i]);
    if (recording->has_grown)
        add_mark(&telling, decision_count);
}

// ---- Tasks -------------------------------------------------------------------------------------

// An episode among those of its task.
struct turn {
    uint64_t task;
    uint32_t episode;
    uint32_t decision; // at its first note
};

static int compare_turns(const void *a, const void *b) {
    const struct turn *left = a, *right = b;
    if (left->task != right->task)
        return left->task < right->task ? -1 : 1;
    return left->episode < right->episode ? -1 : left->episode > right->episode;
}

// The episodes by task, each with those before and behind it.
static struct turn *sort_turns(struct sct_episodes *told) {
    uint32_t count = told->episode_count;
    // Sorted once, by task: who is before and behind whom, and where a stop falls, are both found
    // in that order.
    struct turn *turns = grow_new(count, sizeof *turns, memory_name);
    for (uint32_t i = 0; i < count; i++) {
        const struct sct_episode *episode = &told->episodes[i];
        turns[i] = (struct turn){episode->task, i, told->notes[episode->first_note].decision};
    }
    if (count > 0)
        qsort(turns, count, sizeof *turns, compare_turns);
    for (uint32_t i = 0; i < count; i++) {
        struct sct_episode *episode = &told->episodes[turns[i].episode];
        bool is_first = i == 0 || turns[i - 1].task != turns[i].task;
        bool is_last = i + 1 == count || turns[i + 1].task != turns[i].task;
        episode->before = is_first ? SCT_NO_EPISODE : turns[i - 1].episode;
        episode->next = is_last ? SCT_NO_EPISODE : turns[i + 1].episode;
    }
    return turns;
}

// Marks the episode in which a task was when the turn was taken from it.
static void mark_stop(struct sct_episodes *told, const struct turn *turns,
                      const struct sct_plan_switch *stop) {
    ASSERT(stop->is_preemption);
    // The last of its task that had begun. Notes are in the order of decisions, so episodes are.
    uint32_t low = 0, high = told->episode_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        bool is_before =
            turns[middle].task < stop->task ||
            (turns[middle].task == stop->task && turns[middle].decision <= stop->decision);
        if (is_before)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || turns[low - 1].task != stop->task)
        return; // nothing that it had done was worth a note
    struct sct_episode *episode = &told->episodes[turns[low - 1].episode];
    ASSERT(stop->decision >= told->notes[episode->first_note].decision);
    episode->is_stopped = true;
    episode->stopped_at = stop->decision;
    // Copied, as a label may lie in the arena of the execution; episodes outlive that.
    snprintf(episode->stopped_before, sizeof episode->stopped_before, "%s",
             stop->label ? stop->label : "");
}

void sct_episodes_tell(struct sct_engine *engine, const struct sct_program *program,
                       const struct sct_plan *plan, const struct sct_episodes_options *options,
                       struct sct_episodes *told) {
    static const struct sct_episodes_options notes_alone = {0};
    const struct sct_episodes_options *own = options ? options : &notes_alone;
    struct sct_follower follower;
    sct_follower_init(&follower);
    // The follower runs the plan and says where turns were taken; what was done there the recording
    // says.
    follower.plan = plan;
    *told = (struct sct_episodes){0};
    sct_recording_start(
        &told->recording, engine,
        &(struct sct_recording_options){.bytes = STRINGS_BYTES, .counter = own->counter});
    const struct sct_result *result = sct_engine_run(engine, program, &follower.base, 0);
    ASSERT(result->outcome != SCT_DIVERGED); // a follower answers everything
    sct_recording_stop(&told->recording, engine);
    tell_recording(told, own, result->decision_count);
    if (result->outcome == SCT_VIOLATED)
        told->violation = result->violation;
    struct turn *turns = sort_turns(told);
    for (uint32_t i = 0; i < follower.seen.switch_count; i++)
        if (follower.seen.switches[i].is_preemption)
            mark_stop(told, turns, &follower.seen.switches[i]);
    free(turns);
    sct_follower_free(&follower);
}

void sct_episodes_free(struct sct_episodes *told) {
    free(told->notes);
    free(told->episodes);
    sct_recording_free(&told->recording);
    *told = (struct sct_episodes){0};
}

const struct sct_episode_note *sct_episodes_next_note(const struct sct_episodes *told,
                                                      uint32_t episode) {
    ASSERT(episode < told->episode_count);
    uint32_t next = told->episodes[episode].next;
    return next == SCT_NO_EPISODE ? NULL : &told->notes[told->episodes[next].first_note];
}

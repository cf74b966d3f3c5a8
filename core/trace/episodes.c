#define _GNU_SOURCE // strdup
#include "core/trace/episodes.h"
#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/engine/state.h"
#include "core/engine/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

// Of [machine] and its [task].
static struct sct_episode_note *add_note(struct sct_episodes *told, const char *machine,
                                         uint64_t task, const char *line) {
    ASSERT(line);
    uint32_t count = told->episode_count;
    const struct sct_episode *last = count > 0 ? &told->episodes[count - 1] : NULL;
    if (!last || last->task != task || strcmp(last->machine, machine) != 0)
        begin_episode(told, machine, task);
    GROW(told->notes, told->note_count + 1, told->note_capacity, memory_name);
    struct sct_episode_note *note = &told->notes[told->note_count++];
    ASSERT(told->episode_count > 0);
    *note = (struct sct_episode_note){.line = grow_text(line, memory_name)};
    told->episodes[told->episode_count - 1].note_count++;
    return note;
}

struct listening {
    struct sct_episodes *told;
    struct sct_episodes_options options;
    uint64_t counted;
    char machine[48]; // whose turn it is,
    uint64_t task;    // and of which task
};

static uint64_t count_now(const struct listening *listening) {
    return listening->options.counter ? *listening->options.counter : 0;
}

// What was counted since the last look was so in the turn that is ending or under way.
static void look_at_counter(struct listening *listening, uint32_t decision) {
    // The counter is the program's (of a bug's lines that were passed, say) and has no event of its
    // own: it is read at every event, and what it has grown by belongs to the turn before.
    uint64_t count = count_now(listening);
    ASSERT(count >= listening->counted);
    if (count != listening->counted) {
        struct sct_episode_note *mark =
            add_note(listening->told, listening->machine, listening->task, "");
        mark->decision = decision;
        mark->is_mark = true;
    }
    listening->counted = count;
}

static void listen(void *context, const struct sct_event *event) {
    struct listening *listening = context;
    const struct sct_engine *engine = sct_engine_now;
    const struct sct_task *current = engine->now.current;
    uint64_t task = current ? engine->slots[current->slot].identity.signature : 0;
    look_at_counter(listening, event->decision);
    if (event->kind == SCT_EVENT_TURN) {
        snprintf(listening->machine, sizeof listening->machine, "%s", event->machine);
        listening->task = task;
        if (listening->options.has_steps) {
            char line[400];
            struct text text = text_in(line, sizeof line);
            bool has_place = listening->options.has_places && event->where;
            text_add(&text, "%s", event->text);
            if (has_place)
                text_add(&text, " (%s)", event->where);
            struct sct_episode_note *step = add_note(listening->told, event->machine, task, line);
            step->decision = event->decision;
            step->is_step = true;
        }
    } else if (event->kind == SCT_EVENT_NOTE && event->note != SCT_NOTE_CHOICE) {
        struct sct_episode_note *note =
            add_note(listening->told, event->machine, task, event->text);
        note->about = event->note;
        note->decision = event->decision;
    }
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
    snprintf(episode->stopped_before, sizeof episode->stopped_before, "%s",
             stop->label ? stop->label : "");
}

void sct_episodes_tell(struct sct_engine *engine, const struct sct_program *program,
                       const struct sct_plan *plan, const struct sct_episodes_options *options,
                       struct sct_episodes *told) {
    struct listening listening = {.told = told, .machine = "harness"};
    *told = (struct sct_episodes){0};
    if (options)
        listening.options = *options;
    listening.counted = count_now(&listening);
    struct sct_follower follower;
    sct_follower_init(&follower);
    follower.plan = plan;
    sct_engine_listen(engine, listen, &listening);
    const struct sct_result *result = sct_engine_run(engine, program, &follower.base, 0);
    ASSERT(result->outcome != SCT_DIVERGED); // a follower answers everything
    sct_engine_listen(engine, NULL, NULL);
    look_at_counter(&listening, result->decision_count);
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
    for (uint32_t i = 0; i < told->note_count; i++)
        free(told->notes[i].line);
    free(told->notes);
    free(told->episodes);
    *told = (struct sct_episodes){0};
}

const struct sct_episode_note *sct_episodes_next_note(const struct sct_episodes *told,
                                                      uint32_t episode) {
    ASSERT(episode < told->episode_count);
    uint32_t next = told->episodes[episode].next;
    return next == SCT_NO_EPISODE ? NULL : &told->notes[told->episodes[next].first_note];
}

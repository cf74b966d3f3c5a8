#define _GNU_SOURCE // strdup
#include "core/story.h"
#include "core/internal.h"
#include "core/listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grow(void *entries, uint32_t count, uint32_t *capacity, size_t bytes) {
    if (count < *capacity)
        return entries;
    *capacity = *capacity ? *capacity * 2 : 64;
    entries = realloc(entries, *capacity * bytes);
    if (!entries)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: a story of %u notes", count);
    return entries;
}

static void begin_episode(struct sct_story *story, const char *machine, uint64_t task) {
    story->episodes = grow(story->episodes, story->episode_count, &story->episode_capacity,
                           sizeof *story->episodes);
    struct sct_episode *episode = &story->episodes[story->episode_count++];
    *episode = (struct sct_episode){.task = task, .first_note = story->note_count};
    snprintf(episode->machine, sizeof episode->machine, "%s", machine);
}

static void listen(void *context, const struct sct_event *event) {
    struct sct_story *story = context;
    const struct sct_engine *engine = sct_engine_now;
    if (event->kind != SCT_EVENT_NOTE)
        return;
    const struct sct_task *current = engine->current;
    uint64_t task = current ? engine->identities[current->slot].signature : 0;
    uint32_t count = story->episode_count;
    const struct sct_episode *last = count > 0 ? &story->episodes[count - 1] : NULL;
    if (!last || last->task != task || strcmp(last->machine, event->machine) != 0)
        begin_episode(story, event->machine, task);
    story->notes =
        grow(story->notes, story->note_count, &story->note_capacity, sizeof *story->notes);
    char *copy = strdup(event->text);
    if (!copy)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: a story");
    story->notes[story->note_count++] = (struct sct_story_note){copy, event->note, event->decision};
    story->episodes[story->episode_count - 1].note_count++;
}

// Marks the episode in which a task was when the turn was taken from it.
static void mark_stop(struct sct_story *story, const struct sct_plan_switch *stop) {
    struct sct_episode *episode = NULL;
    for (uint32_t i = 0; i < story->episode_count; i++) {
        struct sct_episode *other = &story->episodes[i];
        if (other->task == stop->task && story->notes[other->first_note].decision <= stop->decision)
            episode = other;
    }
    if (!episode)
        return; // nothing that it had done was worth a note
    episode->is_stopped = true;
    episode->stopped_at = stop->decision;
    snprintf(episode->stopped_before, sizeof episode->stopped_before, "%s",
             stop->label ? stop->label : "");
}

void sct_story_tell(struct sct_engine *engine, const struct sct_program *program,
                    const struct sct_plan *plan, struct sct_story *story) {
    *story = (struct sct_story){0};
    struct sct_follower follower;
    sct_follower_init(&follower);
    follower.plan = plan;
    sct_engine_listen(engine, listen, story);
    const struct sct_result *result = sct_engine_run(engine, program, &follower.base, 0);
    sct_engine_listen(engine, NULL, NULL);
    if (result->outcome == SCT_VIOLATED)
        story->violation = result->violation;
    for (uint32_t i = 0; i < follower.seen.switch_count; i++)
        if (follower.seen.switches[i].is_preemption)
            mark_stop(story, &follower.seen.switches[i]);
    sct_follower_free(&follower);
}

void sct_story_free(struct sct_story *story) {
    for (uint32_t i = 0; i < story->note_count; i++)
        free(story->notes[i].line);
    free(story->notes);
    free(story->episodes);
    *story = (struct sct_story){0};
}

const struct sct_story_note *sct_story_next_note(const struct sct_story *story, uint32_t episode) {
    ASSERT(episode < story->episode_count);
    for (uint32_t i = episode + 1; i < story->episode_count; i++)
        if (story->episodes[i].task == story->episodes[episode].task)
            return &story->notes[story->episodes[i].first_note];
    return NULL;
}

// Stories: an execution as who did what from when to when, for explanations.
//
// An episode is what one task did, by its notes (sct_note), until another did something. Where the
// turn was taken from a task that could have gone on, the story says what it was about to do. The
// words are those of the notes and labels; whoever knows the system puts them into better ones.
#ifndef CORE_TRACE_STORY_H
#define CORE_TRACE_STORY_H

#include "core/engine/machine.h"
#include "core/trace/plan.h"

struct sct_story_note {
    char *line;
    enum sct_note_class about;
    uint32_t decision; // so many decisions had been made
    bool is_mark;      // no note: [line] is ""; see sct_story_tell
};

struct sct_episode {
    char machine[48];
    uint64_t task; // its signature; 0: setup or final check
    uint32_t first_note, note_count;
    bool is_stopped;         // at its end the turn was taken from it, at
    uint32_t stopped_at;     // this decision,
    char stopped_before[64]; // when this would have been its next step
};

struct sct_story {
    struct sct_story_note *notes;
    struct sct_episode *episodes;
    uint32_t note_count, episode_count;
    uint32_t note_capacity, episode_capacity;
    struct sct_violation violation; // kind NULL: none
};

// Runs [plan] and tells what happened; the engine's last run is that execution. Where [counter]
// has grown since the machine's last note or turn there is a mark; NULL: no marks. The listener of
// the engine is gone afterwards. To be freed with sct_story_free.
void sct_story_tell(struct sct_engine *engine, const struct sct_program *program,
                    const struct sct_plan *plan, const uint64_t *counter, struct sct_story *story);

void sct_story_free(struct sct_story *story);

// The first note of the same task in a later episode; NULL if there is none.
const struct sct_story_note *sct_story_next_note(const struct sct_story *story, uint32_t episode);

#endif

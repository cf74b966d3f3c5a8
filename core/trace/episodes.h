// Episodes: an execution as who did what from when to when, for explanations.
//
// An episode is what one task did, by its notes (sct_note) or also by its steps, until another did
// something. Where the turn was taken from a task that could have gone on, it says what that was
// about to do. The words are those of the notes and labels; whoever knows the system puts them into
// better ones.
#ifndef CORE_TRACE_EPISODES_H
#define CORE_TRACE_EPISODES_H

#include "core/trace/plan.h"
#include "core/trace/recording.h"

struct sct_episode_note {
    const char *line;
    enum sct_note_class about;
    uint32_t decision; // so many decisions had been made
    bool is_mark;      // no note: [line] is ""; see struct sct_episodes_options
    bool is_step;      // no note: [line] is the label of a step
};

#define SCT_NO_EPISODE UINT32_MAX

struct sct_episode {
    char machine[48];
    uint64_t task; // its signature; 0: setup or final check
    uint32_t first_note, note_count;
    uint32_t before, next;   // episodes of the same task, or SCT_NO_EPISODE
    bool is_stopped;         // at its end the turn was taken from it, at
    uint32_t stopped_at;     // this decision,
    char stopped_before[64]; // when this would have been its next step
};

struct sct_episodes {
    struct sct_episode_note *notes;
    struct sct_episode *episodes;
    uint32_t note_count, episode_count;
    uint32_t note_capacity, episode_capacity;
    struct sct_violation violation; // kind NULL: none
    struct sct_recording recording; // of which this is a view
};

struct sct_episodes_options {
    const uint64_t *counter; // where it has grown since the last note or turn there is a mark; NULL
    bool has_steps;          // each step is told like a note: of programs that say little,
    bool has_places;         // and its place in the source behind the label, in brackets
};

// Runs [plan] and tells what happened; the engine's last run is that execution. [options] NULL:
// notes alone. The listener of the engine is gone afterwards. To be freed with sct_episodes_free.
void sct_episodes_tell(struct sct_engine *engine, const struct sct_program *program,
                       const struct sct_plan *plan, const struct sct_episodes_options *options,
                       struct sct_episodes *told);

void sct_episodes_free(struct sct_episodes *told);

// The first note of the same task in a later episode; NULL if there is none.
const struct sct_episode_note *sct_episodes_next_note(const struct sct_episodes *told,
                                                      uint32_t episode);

#endif

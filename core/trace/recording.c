#include "core/trace/recording.h"
#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/base/hash.h"
#include "core/engine/state.h"

#include <stdlib.h>
#include <string.h>

const char *sct_recording_text(struct sct_recording *recording, const char *text) {
    if (!text)
        return NULL;
    // A label or a name stands at thousands of events and is kept once, as a rule: texts that fall
    // on one place drive each other out, which costs a copy and never an answer.
    const char **kept = &recording->texts[hash_bytes(text, strlen(text)) % SCT_RECORDING_TEXTS];
    if (!*kept || strcmp(*kept, text) != 0)
        *kept = arena_strdup(&recording->arena, text);
    return *kept;
}

// Whether the counter has grown since the last look. It is the program's (of a bug's lines that
// were passed, say) and has no event of its own: it is read at every event, and what it has grown
// by was so in the turn that is ending or under way.
static bool has_grown(struct sct_recording *recording) {
    uint64_t before = recording->counted;
    recording->counted = recording->options.counter ? *recording->options.counter : 0;
    ASSERT(recording->counted >= before);
    return recording->counted > before;
}

static void listen(void *context, const struct sct_event *event) {
    struct sct_recording *recording = context;
    if (event->decision < recording->options.first_decision) {
        // The counter waits: what it grows by is told at the first event that is kept.
        recording->turns_left_out += event->kind == SCT_EVENT_TURN;
        return;
    }
    const struct sct_engine *engine = sct_engine_now;
    const struct sct_task *current = engine->now.current;
    GROW(recording->events, recording->count + 1, recording->capacity, "a recording");
    struct sct_heard *heard = &recording->events[recording->count++];
    // By signature: a slot has another task when that one has ended, and a pointer dies with the
    // arena.
    *heard = (struct sct_heard){
        .event = *event,
        .task = current ? engine->slots[current->slot].identity.signature : 0,
        .has_grown = has_grown(recording),
    };
    // Names die with the arena of the execution, the text of a note with this call.
    heard->event.machine = sct_recording_text(recording, event->machine);
    heard->event.text = sct_recording_text(recording, event->text);
    heard->event.where = sct_recording_text(recording, event->where);
    heard->event.to = sct_recording_text(recording, event->to);
    if (recording->options.watch)
        recording->options.watch(recording->options.context, heard);
}

void sct_recording_start(struct sct_recording *recording, struct sct_engine *engine,
                         const struct sct_recording_options *options) {
    *recording = (struct sct_recording){.options = *options};
    arena_init(&recording->arena, options->bytes);
    // What it has counted before is of other executions.
    recording->counted = options->counter ? *options->counter : 0;
    sct_engine_listen(engine, listen, recording);
}

void sct_recording_stop(struct sct_recording *recording, struct sct_engine *engine) {
    sct_engine_listen(engine, NULL, NULL);
    // What it has grown by since the last event is told by none.
    recording->has_grown = has_grown(recording);
}

void sct_recording_free(struct sct_recording *recording) {
    free(recording->events);
    arena_deinit(&recording->arena);
    *recording = (struct sct_recording){0};
}

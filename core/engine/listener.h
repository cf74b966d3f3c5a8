// Listening: what is told of an execution while it runs, for whoever explains it.
//
// A listener hears of every turn, value, message, task and note, in the order in which they happen.
// It is called inside the execution, on the stack of the code it is told of: a debugger that stops
// there shows the machine's own calls. It must not schedule, choose or allocate from the
// execution's arena. Listening changes no decision. Without a listener nothing is told, and nothing
// but a test of one pointer is paid.
//
// The engine knows no contents: what a system under test wants to show of itself (tables, states)
// its harness adds by notes, or looks up when a turn is told.
#ifndef CORE_ENGINE_LISTENER_H
#define CORE_ENGINE_LISTENER_H

#include "core/engine/execution.h"

enum sct_event_kind {
    SCT_EVENT_TURN,         // a task goes on: its step [text] begins
    SCT_EVENT_VALUE,        // a value called [text] was drawn
    SCT_EVENT_NOTE,         // [text], of class [note]
    SCT_EVENT_SENT,         // [text] is on its way to [to]
    SCT_EVENT_TAKEN,        // what was sent under the same identity has arrived at [machine]
    SCT_EVENT_TASK_STARTED, // its name is [text]
    SCT_EVENT_TASK_ENDED,   // its name is [text]
};

// Strings live until the execution's end at least, but [text] of a note during the call only.
struct sct_event {
    enum sct_event_kind kind;
    enum sct_note_class note; // SCT_EVENT_NOTE
    // The index of the decision that a value or a decided turn is; else of the next decision.
    uint32_t decision;
    uint32_t count;       // values and turns: alternatives; 1: a turn that nobody had to decide
    uint32_t answer;      // values and turns: the alternative taken
    const char *machine;  // whose event it is; "harness" in setup and finish
    const char *text;     // never NULL
    const char *where;    // turns: the step's place in the source; may be NULL
    const char *to;       // sent: to which machine
    const void *identity; // sent and taken: which message
};

typedef void (*sct_listener)(void *context, const struct sct_event *event);

// The line that narration has for [event]; false if it has none (only turns, values and notes
// have).
bool sct_event_format(const struct sct_event *event, struct text *text);

// There is one listener at a time (a narrator of sct_engine_narrate is one); NULL: none.
void sct_engine_listen(struct sct_engine *engine, sct_listener listener, void *context);

// Where a coroutine of a task stands.
struct sct_standing {
    const char *machine;
    const char *name;      // of the task or activity
    const char *label;     // its pending step
    const char *where;     // the step's place in the source, or NULL
    const char *waits_for; // NULL: it could run, or was running
    bool is_runnable;      // it could have been chosen
    bool is_idle;          // waits for messages, as it may for ever
    bool was_running;      // when the execution ended
    bool has_turn;         // inside a listener: it is what is running
    uint32_t frame_count;
    const void *frames[SCT_FRAMES_MAX]; // return addresses, innermost first
};

// Tells of every coroutine of the living tasks, in order of creation: inside a listener as of now,
// between executions as of the last one's end. Without frames where the build has none (ucontext).
void sct_engine_standings(const struct sct_engine *engine,
                          void (*visit)(void *context, const struct sct_standing *standing),
                          void *context);

#endif

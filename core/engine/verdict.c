#include "core/engine/state.h"

#include <stdio.h>
#include <stdlib.h>

struct sct_engine *sct_engine_now;

bool sct_engine_inside(void) {
    return sct_engine_now && sct_engine_now->self;
}

const char *sct_running_name(const struct sct_engine *engine) {
    ASSERT(engine);
    return engine->now.current ? engine->now.current->machine->name : "harness";
}

void sct_make_line(char *text) {
    // Traces and reports have a line for it, whatever the system under test puts in.
    for (; *text; text++)
        if ((unsigned char)*text < ' ')
            *text = ' ';
}

void sct_blame(struct sct_engine *engine, const char *kind, const char *machine, const char *where,
               const char *message) {
    struct sct_violation *violation = &engine->result.violation;
    ASSERT(kind && machine && message);
    // Copied: names and message may lie on a stack or in the arena, which the next execution uses.
    // Kinds and places are constants of the program or of the engine.
    violation->kind = kind;
    violation->where = where;
    violation->frame_count = 0;
    snprintf(violation->machine, sizeof violation->machine, "%s", machine);
    snprintf(violation->message, sizeof violation->message, "%s",
             *message ? message : "(no message)");
    violation->remark[0] = '\0';
    sct_make_line(violation->message);
}

void sct_leave(struct sct_engine *engine, enum sct_outcome outcome) {
    // A switch stores where it came from: here, where no strand runs that could be asked to.
    static struct sct_coro abandoned; // nobody comes back to it
    struct sct_coro *from = engine->self ? engine->self->coro : &abandoned;
    if (!engine->last_self) // what comes after the end is not the system's
        engine->last_self = engine->self;
    engine->self = NULL; // from here on a fault is the tool's own
    ASSERT(!engine->ended);
    engine->ended = true;
    engine->result.outcome = outcome;
    sct_coro_switch(from, &engine->home);
    abort(); // an execution that has ended was continued
}

void sct_violate_at(struct sct_engine *engine, const char *kind, const char *where,
                    const char *message, struct sct_frame frame) {
    sct_blame(engine, kind, sct_running_name(engine), where, message);
    struct sct_violation *violation = &engine->result.violation;
    // Walked now: the stack is the next one's once it is left.
    const struct sct_coro *coro = engine->self ? engine->self->coro : NULL;
    if (coro)
        violation->frame_count =
            sct_backtrace(frame, coro->stack_low, coro->stack_low + coro->stack_bytes,
                          violation->frames, SCT_FRAMES_MAX);
    ASSERT(violation->frame_count <= SCT_FRAMES_MAX);
    sct_leave(engine, SCT_VIOLATED);
}

void sct_violate(struct sct_engine *engine, const char *kind, const char *where,
                 const char *message) {
    sct_violate_at(engine, kind, where, message, sct_frame_here());
}

enum { MESSAGE_BYTES = sizeof((struct sct_violation *)0)->message };

void sct_violation(const char *kind, const char *format, ...) {
    char message[MESSAGE_BYTES];
    ASSERT(kind && format);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    sct_violate(sct_engine_running(), kind, NULL, message);
}

void sct_violation_at(const char *where, const char *kind, const char *format, ...) {
    char message[MESSAGE_BYTES];
    ASSERT(kind && format);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    sct_violate(sct_engine_running(), kind, where, message);
}

void sct_violation_by_signal(const char *kind, const char *message, const void *context) {
    sct_violate_at(sct_engine_running(), kind, NULL, message, sct_frame_of_signal(context));
}

void sct_end(void) {
    struct sct_engine *engine = sct_engine_running();
    REQUIRE(engine->now.current, "setup or the final check ends the execution");
    engine->has_ended_itself = true;
    sct_leave(engine, SCT_PASSED);
}

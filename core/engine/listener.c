#include "core/engine/listener.h"
#include "core/engine/state.h"

#include <stdio.h>

enum { LINE_BYTES = 4096 };

void sct_engine_listen(struct sct_engine *engine, sct_listener listener, void *context) {
    ASSERT(!engine->self); // or it would miss the beginning of what it hears
    engine->listener = listener;
    engine->listener_context = context;
}

// ---- Telling -----------------------------------------------------------------------------------

void sct_tell(struct sct_engine *engine, struct sct_event event) {
    ASSERT(engine->listener);
    // A decision that was made has its own number already; all else is told with that of the next.
    if (event.kind != SCT_EVENT_VALUE && !(event.kind == SCT_EVENT_TURN && event.count > 1))
        event.decision = engine->now.decision_count;
    if (!event.machine)
        event.machine = sct_running_name(engine);
    if (!event.text)
        event.text = "";
    engine->listener(engine->listener_context, &event);
}

// What the last recorded decision says.
static struct sct_event last_decision(const struct sct_engine *engine, enum sct_event_kind kind) {
    ASSERT(engine->now.decision_count > 0);
    uint32_t index = engine->now.decision_count - 1;
    const struct sct_decision_note *note = &engine->notes[index];
    return (struct sct_event){
        .kind = kind,
        .decision = index,
        // From the record, not from the strategy: it is told as it will be replayed.
        .count = engine->record->words[index] >> 16 & SCT_CHOICES_MAX,
        .answer = engine->record->words[index] & 0xffff,
        .machine = note->machine ? note->machine->name : NULL,
        .text = note->label,
        .where = note->where,
    };
}

void sct_tell_value(struct sct_engine *engine) {
    ASSERT(engine->told_decisions < engine->now.decision_count);
    engine->told_decisions = engine->now.decision_count;
    sct_tell(engine, last_decision(engine, SCT_EVENT_VALUE));
}

// Only decisions about tasks come untold: values are told when they are drawn.
void sct_tell_turn(struct sct_engine *engine) {
    bool was_decided = engine->told_decisions != engine->now.decision_count;
    engine->told_decisions = engine->now.decision_count;
    if (was_decided) {
        sct_tell(engine, last_decision(engine, SCT_EVENT_TURN));
        return;
    }
    const struct sct_slot *slot = &engine->slots[sct_running_slot(engine)];
    sct_tell(engine,
             (struct sct_event){
                 .kind = SCT_EVENT_TURN, .count = 1, .text = slot->label, .where = slot->where});
}

void sct_tell_sent(const void *identity, const struct sct_machine *to, const char *label) {
    struct sct_engine *engine = sct_engine_now;
    if (engine && engine->listener)
        sct_tell(engine,
                 (struct sct_event){
                     .kind = SCT_EVENT_SENT, .identity = identity, .to = to->name, .text = label});
}

void sct_tell_taken(const void *identity, const struct sct_machine *by) {
    struct sct_engine *engine = sct_engine_now;
    if (engine && engine->listener)
        sct_tell(engine, (struct sct_event){
                             .kind = SCT_EVENT_TAKEN, .identity = identity, .machine = by->name});
}

bool sct_narrating(void) {
    return sct_engine_now && sct_engine_now->listener;
}

static void note(enum sct_note_class about, const char *format, va_list arguments) {
    // On the stack, as it is told within this call: a listener that keeps it copies it.
    char line[LINE_BYTES];
    vsnprintf(line, sizeof line, format, arguments);
    sct_tell(sct_engine_now,
             (struct sct_event){.kind = SCT_EVENT_NOTE, .note = about, .text = line});
}

void sct_note(const char *format, ...) {
    if (!sct_narrating())
        return;
    va_list arguments;
    va_start(arguments, format);
    note(SCT_NOTE_PLAIN, format, arguments);
    va_end(arguments);
}

void sct_note_as(enum sct_note_class about, const char *format, ...) {
    if (!sct_narrating())
        return;
    va_list arguments;
    va_start(arguments, format);
    note(about, format, arguments);
    va_end(arguments);
}

// ---- Narration ---------------------------------------------------------------------------------

static void narrate_turn(struct text *text, const struct sct_event *event) {
    text_add(text, "> %s   (", event->text);
    if (event->count > 1)
        text_add(text, "choice %u of 0..%u", event->answer, event->count - 1);
    else
        text_add(text, "forced");
    text_add(text, "%s%s)", event->where ? "; " : "", event->where ? event->where : "");
}

static void narrate_note(struct text *text, const struct sct_event *event) {
    if (event->note == SCT_NOTE_EXPECTED)
        text_add(text, "expected: ");
    else if (event->note == SCT_NOTE_ACTUAL)
        text_add(text, "actual:   ");
    text_add(text, "%s", event->text);
}

bool sct_event_format(const struct sct_event *event, struct text *text) {
    if (event->kind == SCT_EVENT_NOTE && event->note == SCT_NOTE_CHOICE)
        return false; // lines have no columns
    if (event->kind == SCT_EVENT_NOTE)
        narrate_note(text, event);
    else if (event->kind == SCT_EVENT_VALUE)
        text_add(text, ". '%s' is %u of 0..%u", event->text, event->answer, event->count - 1);
    else if (event->kind == SCT_EVENT_TURN)
        narrate_turn(text, event);
    else
        return false;
    return true;
}

static void narrate(void *context, const struct sct_event *event) {
    const struct sct_engine *engine = context;
    char line[LINE_BYTES];
    struct text text = text_in(line, sizeof line);
    if (sct_event_format(event, &text))
        engine->narrator(engine->narrator_context, event->decision, event->machine, line);
}

void sct_engine_narrate(struct sct_engine *engine, sct_narrator narrator, void *context) {
    // Narration is a listener that puts events into lines: there is no second road.
    engine->narrator = narrator;
    engine->narrator_context = context;
    sct_engine_listen(engine, narrator ? narrate : NULL, engine);
}

// ---- Standings ---------------------------------------------------------------------------------

static struct sct_standing standing_of(const struct sct_engine *engine,
                                       const struct sct_strand *strand) {
    const struct sct_task *task = strand->task;
    ASSERT(task && task->machine);
    bool is_own = !strand->is_activity;
    // It is what the task continues with.
    bool is_next = engine->seats[task->slot].strand == strand;
    return (struct sct_standing){
        .machine = task->machine->name,
        .name = strand->name,
        .label = is_next ? engine->slots[task->slot].label : "",
        .where = is_next ? engine->slots[task->slot].where : NULL,
        .waits_for = strand->waits_for,
        // A slot is the task's: of its coroutines only the one that it continues with is what the
        // slot speaks of.
        .is_runnable = is_next && sct_slots_have(&engine->now.enabled, task->slot),
        .is_idle = is_own && task->is_idle && strand->waits_for,
        .was_running =
            !strand->waits_for && strand == (engine->self ? engine->self : engine->last_self),
        .has_turn = strand == engine->self,
    };
}

void sct_engine_standings(const struct sct_engine *engine,
                          void (*visit)(void *context, const struct sct_standing *standing),
                          void *context) {
    const struct sct_violation *violation = &engine->result.violation;
    for (const struct sct_strand *strand = engine->now.strands; strand; strand = strand->next) {
        struct sct_standing standing = standing_of(engine, strand);
        // The stack of who ran when it ended is gone: its frames were walked then, if it was a
        // violation.
        if (!standing.was_running)
            standing.frame_count =
                sct_coro_backtrace(strand->coro, standing.frames, SCT_FRAMES_MAX);
        for (uint32_t i = 0; standing.was_running && i < violation->frame_count; i++)
            standing.frames[standing.frame_count++] = violation->frames[i];
        visit(context, &standing);
    }
}

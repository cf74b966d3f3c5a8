#include "core/trace/tolerant.h"
#include "core/engine/state.h"

#include <string.h>

static void begin(struct sct_strategy *strategy) {
    ASSERT(strategy->ops->begin == begin);
    struct sct_tolerant *tolerant = (struct sct_tolerant *)strategy;
    tolerant->position = 0;
    tolerant->has_left = false;
}

// A character as the text of a trace has it.
static char written(char c) {
    return (unsigned char)c < ' ' ? ' ' : c == ';' ? ',' : c;
}

// Moves [*text] behind [word], if it begins so.
static bool skip_word(const char **text, const char *word) {
    // What is compared is what a trace of this execution would say, character by character, without
    // writing it.
    // An empty word stands as "-" in a trace (format_word).
    for (const char *c = *word ? word : "-"; *c; c++, (*text)++)
        if (**text != written(*c))
            return false;
    return true;
}

static bool skip_machine(const char **text, const char *machine) {
    return skip_word(text, machine) && *(*text)++ == ' ';
}

// A decision of this execution has its machine apart; a recorded one has "MACHINE LABEL" in one
// text, as it was written.
static bool has_machine(const struct sct_decision *decision, const char *machine) {
    const char *text = decision->label;
    return decision->machine ? strcmp(decision->machine, machine) == 0
                             : skip_machine(&text, machine);
}

static bool has_words(const struct sct_decision *decision, const char *machine, const char *label) {
    ASSERT(decision->label);
    const char *text = decision->label;
    if (!has_machine(decision, machine))
        return false;
    // A machine's name may have spaces: only "MACHINE " in front of a label tells where it ends.
    if (decision->machine)
        return strcmp(decision->label, label) == 0;
    return skip_machine(&text, machine) && skip_word(&text, label) && *text == '\0';
}

static const struct sct_decision *recorded(const struct sct_tolerant *tolerant, uint32_t position) {
    const struct sct_trace *trace = tolerant->trace;
    return position < trace->decision_count ? &trace->decisions[position] : NULL;
}

// The first recorded decision of [kind] and these words from the present position on; the number of
// decisions if there is none within reach.
// Within reach only: a system that has changed much would else jump to the end of the recording at
// the first question that it never asked before.
static uint32_t find(const struct sct_tolerant *tolerant, enum sct_decision_kind kind,
                     const char *machine, const char *label) {
    ASSERT(tolerant->position <= tolerant->trace->decision_count);
    uint32_t end = tolerant->trace->decision_count;
    for (uint32_t i = tolerant->position; i < end && i - tolerant->position < SCT_TOLERANT_REACH;
         i++) {
        const struct sct_decision *decision = &tolerant->trace->decisions[i];
        if (decision->kind == kind && has_words(decision, machine, label))
            return i;
    }
    return end;
}

// Notes the first difference between what is asked now and the recording.
static void compare(struct sct_tolerant *tolerant, enum sct_decision_kind kind, uint32_t count,
                    bool is_fitting) {
    const struct sct_decision *decision = recorded(tolerant, tolerant->position);
    if (tolerant->has_left ||
        (is_fitting && decision && decision->kind == kind && decision->count == count))
        return;
    tolerant->has_left = true;
    // Only the first difference is told: those behind it may be its consequences.
    tolerant->left_at = sct_engine_now->now.decision_count;
    const char *asked = sct_decision_kind_name(kind);
    if (!decision)
        error_set(&tolerant->where, "the recording ends here, met a %s choice of %u", asked, count);
    else
        error_set(&tolerant->where,
                  "recorded a %s choice of %u (%s%s%.100s), met %s %s choice of %u",
                  sct_decision_kind_name(decision->kind), decision->count,
                  decision->machine ? decision->machine : "", decision->machine ? " " : "",
                  decision->label, is_fitting ? "a" : "another", asked, count);
}

static uint32_t choose(struct sct_strategy *strategy, uint32_t count) {
    struct sct_tolerant *tolerant = (struct sct_tolerant *)strategy;
    const struct sct_engine *engine = sct_engine_now;
    uint32_t at = find(tolerant, SCT_DECISION_VALUE, sct_running_name(engine), engine->question);
    compare(tolerant, SCT_DECISION_VALUE, count, at == tolerant->position);
    const struct sct_decision *decision = recorded(tolerant, at);
    if (!decision)
        return 0;
    ASSERT(at >= tolerant->position);
    // What was skipped is not asked for any more: a recording is gone through once, forwards.
    tolerant->position = at + 1;
    // Fewer alternatives than then: the default, as for a question that is new.
    return decision->answer < count ? decision->answer : 0;
}

// The alternative of [point] that is a step of the recorded [decision]'s machine; with its label,
// if [exactly]. The recorded answer if that is one, else the first; the count if there is none.
static uint32_t find_alternative(const struct sct_schedule_point *point,
                                 const struct sct_decision *decision, bool exactly) {
    ASSERT(decision->kind == SCT_DECISION_SCHEDULE);
    uint32_t found = point->count;
    // Downwards, so that the first of several is what remains.
    for (uint32_t i = point->count; i-- > 0;) {
        unsigned slot = sct_alternative_slot(point, i);
        const char *machine = sct_engine_now->seats[slot].task->machine->name;
        const char *label = point->slots[slot].label;
        if (!(exactly ? has_words(decision, machine, label) : has_machine(decision, machine)))
            continue;
        if (i == decision->answer)
            return i;
        found = i;
    }
    return found;
}

// Skips recorded values that were not asked for.
static const struct sct_decision *next_schedule(struct sct_tolerant *tolerant) {
    while (tolerant->position < tolerant->trace->decision_count &&
           tolerant->trace->decisions[tolerant->position].kind != SCT_DECISION_SCHEDULE)
        tolerant->position++;
    return recorded(tolerant, tolerant->position);
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    struct sct_tolerant *tolerant = (struct sct_tolerant *)strategy;
    const struct sct_decision *decision = recorded(tolerant, tolerant->position);
    uint32_t exact = point->count;
    if (decision && decision->kind == SCT_DECISION_SCHEDULE)
        exact = find_alternative(point, decision, true);
    // Before anything is skipped: the difference is told of the place where it was met.
    compare(tolerant, SCT_DECISION_SCHEDULE, point->count, exact < point->count);
    // Behind values that were skipped another decision may be due than the one above.
    decision = next_schedule(tolerant);
    if (!decision)
        return sct_alternative_slot(point, 0);
    exact = find_alternative(point, decision, true);
    if (exact < point->count) {
        tolerant->position++;
        return sct_alternative_slot(point, exact);
    }
    uint32_t same_machine = find_alternative(point, decision, false);
    // The recorded step is not there. The same machine at another step of its own: what the
    // recording has between is gone. Not there either: the machine does not run now, and its turn
    // is given up.
    if (same_machine == point->count) {
        tolerant->position++;
        return sct_alternative_slot(point, 0);
    }
    unsigned slot = sct_alternative_slot(point, same_machine);
    const struct sct_task *task = sct_engine_now->seats[slot].task;
    ASSERT(task->machine->name);
    uint32_t later =
        find(tolerant, SCT_DECISION_SCHEDULE, task->machine->name, point->slots[slot].label);
    if (later < tolerant->trace->decision_count)
        tolerant->position = later + 1; // the steps between are no longer there
    return slot;
}

static const struct sct_strategy_ops tolerant_ops = {
    .name = "tolerant",
    .summary = "follows a recording as far as it fits",
    .size = sizeof(struct sct_tolerant),
    .begin = begin,
    .pick = pick,
    .choose = choose,
};

void sct_tolerant_init(struct sct_tolerant *tolerant, const struct sct_trace *trace) {
    ASSERT(trace->decisions || trace->decision_count == 0);
    *tolerant = (struct sct_tolerant){.base.ops = &tolerant_ops, .trace = trace};
}

void sct_tolerant_finish(struct sct_tolerant *tolerant, const struct sct_result *result) {
    ASSERT(tolerant->position <= tolerant->trace->decision_count);
    uint32_t left = tolerant->trace->decision_count - tolerant->position;
    if (tolerant->has_left || left == 0)
        return;
    tolerant->has_left = true;
    tolerant->left_at = result->decision_count;
    error_set(&tolerant->where, "the execution ended, the recording has %u decisions more", left);
}

bool sct_tolerant_confirms(const struct sct_tolerant *tolerant, const struct sct_result *result,
                           struct error *difference) {
    const struct sct_trace *trace = tolerant->trace;
    ASSERT(result->outcome != SCT_DIVERGED); // a tolerant replay answers everything
    bool was_violated = trace->outcome == SCT_VIOLATED;
    // The message may have other values in it now; that the kind is the same is what counts.
    if (result->outcome == SCT_STEP_LIMIT && trace->outcome != SCT_STEP_LIMIT)
        return error_set(difference, "the step limit was reached");
    if (result->outcome == SCT_VIOLATED &&
        (!was_violated || !sct_trace_is_of_kind(trace, result->violation.kind)))
        return error_set(difference, "recorded %s, met %s in %s: %.300s",
                         was_violated ? trace->kind : "no violation", result->violation.kind,
                         result->violation.machine, result->violation.message);
    if (result->outcome != SCT_VIOLATED && was_violated)
        return error_set(difference, "recorded %s, met no violation", trace->kind);
    return true;
}

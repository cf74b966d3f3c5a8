#include "core/trace/replay.h"

#include <string.h>

static void begin(struct sct_strategy *strategy) {
    ASSERT(strategy->ops->begin == begin);
    ((struct sct_replay *)strategy)->position = 0;
}

// The recorded answer if the recording has the same question here; else marks the divergence.
static bool answer(struct sct_replay *replay, enum sct_decision_kind kind, uint32_t count,
                   uint32_t *recorded) {
    const struct sct_trace *trace = replay->trace;
    ASSERT(replay->position <= trace->decision_count);
    ASSERT(count >= 2);
    replay->asked_kind = kind;
    replay->asked_count = count;
    // Kind and number of alternatives, not the words: these are for people, and may be changed
    // without a change of what the program does.
    if (replay->position < trace->decision_count) {
        const struct sct_decision *decision = &trace->decisions[replay->position];
        if (decision->kind == kind && decision->count == count) {
            ASSERT(decision->answer < count);
            *recorded = decision->answer;
            replay->position++;
            return true;
        }
    }
    // The engine ends the execution at the next look at [diverged]; what is answered until then
    // does not matter, and [position] stays where the difference is.
    replay->base.diverged = true;
    return false;
}

static unsigned pick(struct sct_strategy *strategy, const struct sct_schedule_point *point) {
    uint32_t recorded = 0;
    answer((struct sct_replay *)strategy, SCT_DECISION_SCHEDULE, point->count, &recorded);
    // By number: order and number of alternatives are functions of the decisions before, if
    // anything is.
    return sct_alternative_slot(point, recorded);
}

static uint32_t choose(struct sct_strategy *strategy, uint32_t count) {
    uint32_t recorded = 0;
    answer((struct sct_replay *)strategy, SCT_DECISION_VALUE, count, &recorded);
    return recorded;
}

static const struct sct_strategy_ops replay_ops = {
    .name = "replay",
    .summary = "answers as a recorded trace did",
    .size = sizeof(struct sct_replay),
    .begin = begin,
    .pick = pick,
    .choose = choose,
    // The fair tail is the engine's, which draws there; in a recording those draws are decisions
    // like any, and only the recording knows them.
    .is_asked_in_tail = true,
};

void sct_replay_init(struct sct_replay *replay, const struct sct_trace *trace) {
    ASSERT(trace->decisions || trace->decision_count == 0);
    *replay = (struct sct_replay){.base.ops = &replay_ops, .trace = trace};
}

static bool describe_divergence(const struct sct_replay *replay, struct error *difference) {
    ASSERT(replay->base.diverged);
    const char *asked = sct_decision_kind_name(replay->asked_kind);
    if (replay->position == replay->trace->decision_count)
        return error_set(
            difference, "decision %u: the recording ends here, but a %s choice of %u was asked for",
            replay->position, asked, replay->asked_count);
    const struct sct_decision *decision = &replay->trace->decisions[replay->position];
    return error_set(difference,
                     "decision %u: recorded a %s choice of %u (%.80s), met a %s choice of %u",
                     replay->position, sct_decision_kind_name(decision->kind), decision->count,
                     decision->label, asked, replay->asked_count);
}

static const char *outcome_text(enum sct_outcome outcome) {
    switch (outcome) {
    case SCT_PASSED:
        return "passed";
    case SCT_VIOLATED:
        return "violation";
    case SCT_STEP_LIMIT:
        return "step limit reached";
    case SCT_PRUNED:
        return "pruned";
    case SCT_DIVERGED:
        return "diverged";
    case SCT_STOPPED:
        return "stopped";
    }
    fail_at(FAIL_ASSERTION, HERE, "unknown outcome %d", (int)outcome);
}

bool sct_replay_confirms(const struct sct_replay *replay, const struct sct_result *result,
                         struct error *difference) {
    const struct sct_trace *trace = replay->trace;
    // In the order in which a difference is the cause of those behind it: another question, another
    // end, another length, another content, another message.
    if (result->outcome == SCT_DIVERGED)
        return describe_divergence(replay, difference);
    if (result->outcome != trace->outcome)
        return error_set(difference,
                         "decision %u (the end): recorded '%s' (%.200s), met '%s' (%.200s)",
                         result->decision_count, outcome_text(trace->outcome), trace->message,
                         outcome_text(result->outcome),
                         result->outcome == SCT_VIOLATED ? result->violation.message : "");
    if (result->decision_count != trace->decision_count)
        return error_set(difference,
                         "decision %u: the execution ended; the recording has %u decisions",
                         result->decision_count, trace->decision_count);
    if (result->fingerprint != trace->fingerprint)
        return error_set(difference,
                         "the fingerprint of the decisions differs from the recorded one");
    if (result->outcome != SCT_VIOLATED)
        return true;
    ASSERT(trace->outcome == SCT_VIOLATED);
    // The fingerprint is of the decisions. A program that depends on something else as well may
    // decide all the same and fail otherwise.
    if (!sct_trace_is_of(trace, &result->violation))
        return error_set(difference, "recorded %s in %s: %.150s; met %s in %s: %.150s", trace->kind,
                         trace->machine, trace->message, result->violation.kind,
                         result->violation.machine, result->violation.message);
    return true;
}

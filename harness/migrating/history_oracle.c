#include "harness/migrating/history_oracle.h"

#include "core/base/rng.h"
#include "harness/table/kinds.h"
#include "harness/table/log_check.h"

#include <string.h>

enum {
    STEPS_MAX = 200000, // a log of the default test needs a few dozen
    MEMORY_BYTES = 4 * 1024 * 1024,
    TEXT_BYTES = 800,
};

// One for all executions of this process; it lives as long.
static struct log_checker *checker;

// The limits bound the time of one execution: the search is exponential in the number of calls that
// overlap. What they cut off is counted and shown, never taken for clean.
static enum lin_verdict judge(const struct world *world, struct text *blocked) {
    if (!checker)
        checker = log_checker_open(
            &(struct lin_limits){.steps_max = STEPS_MAX, .memory_bytes = MEMORY_BYTES});
    enum lin_verdict verdict = log_check(checker, world->log, blocked);
    if (verdict == LIN_UNKNOWN)
        sct_check_gave_up();
    return verdict;
}

// A share by the fingerprint: the same execution is judged in every campaign, by whatever process,
// and no choice is drawn for it.
bool history_oracle_is_due(void) {
    return rng_mix(sct_fingerprint_so_far()) % HISTORY_ORACLE_SHARE == 0;
}

// The new table's rows are the final contents.
static void log_end(const struct world *world) {
    table_log_final(world->log, ct_memory_rows(world->tables.backend[TABLE_NEW]));
}

// The final contents are an observation like any other: a lost update that no call has read shows
// here.
void history_oracle_check(struct world *world) {
    char buffer[TEXT_BYTES];
    struct text blocked = text_in(buffer, sizeof buffer);
    log_end(world);
    if (judge(world, &blocked) == LIN_NOT_LINEARIZABLE)
        sct_violation(KIND_NOT_LINEARIZABLE, "no order of the calls explains %s", buffer);
}

// What kinds say. The others are about something else than outcomes.
enum topic { TOPIC_NONE, TOPIC_PROGRESS, TOPIC_OUTCOMES, TOPIC_ANNOTATIONS, TOPIC_END };

// Two oracles that know nothing of each other: where the annotations say "wrong" and the history
// says "possible", the fault is in the annotations, or cannot be seen by any application so far.
static enum topic topic_of(const struct world *world, const char *kind) {
    // A row that should be there and is not may show first where its ETag is told to have changed.
    static const char *const outcomes[] = {KIND_OUTCOME_MISMATCH, KIND_STREAM_READ_INVALID,
                                           KIND_CALL_FAILED, KIND_SPURIOUS_CHANGE_INVALID};
    static const char *const annotations[] = {KIND_RESULTS_MISMATCH, KIND_NO_LINEARIZATION_POINT,
                                              KIND_SECOND_LINEARIZATION_POINT,
                                              KIND_ANNOTATION_PROTOCOL};
    if (strcmp(kind, KIND_FINAL_STATE) == 0)
        return TOPIC_END;
    if (strcmp(kind, SCT_KIND_DEADLOCK) == 0) // it may be that all wait for an annotation
        return world->tables.awaits_annotation ? TOPIC_ANNOTATIONS : TOPIC_PROGRESS;
    for (size_t i = 0; i < sizeof annotations / sizeof annotations[0]; i++)
        if (strcmp(kind, annotations[i]) == 0)
            return TOPIC_ANNOTATIONS;
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        if (strcmp(kind, outcomes[i]) == 0)
            return TOPIC_OUTCOMES;
    return TOPIC_NONE;
}

// What a history that can be explained says of a violation.
static const char *const of_explained[] = {
    [TOPIC_PROGRESS] = "the calls so far are linearizable",
    [TOPIC_OUTCOMES] = "the calls so far are linearizable without the annotations: these are at "
                       "fault, or no outcome shows the fault yet",
    [TOPIC_ANNOTATIONS] = "the calls so far are linearizable: the annotations are at fault",
    [TOPIC_END] = "the calls, and the new table's rows as the final contents, are linearizable",
};

void history_oracle_review(const struct world *world, const struct sct_violation *violation,
                           struct text *remark) {
    enum topic topic = topic_of(world, violation->kind);
    if (topic == TOPIC_NONE)
        return;
    char buffer[TEXT_BYTES];
    struct text blocked = text_in(buffer, sizeof buffer);
    if (topic == TOPIC_END)
        log_end(world);
    switch (judge(world, &blocked)) {
    case LIN_NOT_LINEARIZABLE:
        text_add(remark, "by the history alone a violation too: no order of the calls explains %s",
                 buffer);
        return;
    case LIN_UNKNOWN:
        text_add(remark, "the history alone: unknown, the check reached its limit");
        return;
    case LIN_LINEARIZABLE:
        text_add(remark, "%s", of_explained[topic]);
        return;
    }
}

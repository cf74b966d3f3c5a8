// What an execution comes to: its verdict, its violation, its decisions.
//
// Stability: fields may come; for one's own loop, and the review of a program.
#ifndef CORE_ENGINE_RESULT_H
#define CORE_ENGINE_RESULT_H

#include <stdint.h>

enum { SCT_FRAMES_MAX = 24 };

struct sct_violation {
    const char *kind;   // a constant string
    char machine[48];   // who is blamed
    char message[1024]; // one line; without addresses, line numbers or times
    // Not part of a trace:
    const char *where;                  // place in the source of a failed assertion, or NULL
    char remark[512];                   // of the program's review, one line, or empty
    const void *frames[SCT_FRAMES_MAX]; // the calls in which it happened, innermost first
    uint32_t frame_count;               // 0: unknown, or nobody was running
};

enum sct_outcome {
    SCT_PASSED,
    SCT_VIOLATED,
    SCT_STEP_LIMIT, // cut off after options.steps_max scheduling points, or when the room for
                    // decisions (more than twice as many) was full: no verdict
    SCT_PRUNED,     // ended in a state that was met before: no verdict, and none is missing
    SCT_DIVERGED,   // a replay met a decision that differs from the recorded one
    SCT_STOPPED,    // left, as somebody wants no more (sct_engine_stop): no execution at all
};

enum sct_decision_kind { SCT_DECISION_SCHEDULE, SCT_DECISION_VALUE };

struct sct_decision {
    enum sct_decision_kind kind;
    uint32_t count;      // alternatives, at least 2
    uint32_t answer;     // the alternative taken, 0 .. count-1
    const char *machine; // schedule: who was chosen; value: who asked
    const char *label;   // what the chosen step does, or what was asked
    const char *where;   // its place in the source, or NULL
};

struct sct_result {
    enum sct_outcome outcome;
    struct sct_violation violation; // SCT_VIOLATED only
    uint32_t decision_count;
    uint32_t schedule_count;  // decisions that were about scheduling
    uint32_t point_count;     // scheduling points, forced ones included
    uint32_t task_count;      // tasks started
    uint32_t checks_unknown;  // that reached a limit: see sct_check_gave_up
    uint32_t operation_count; // operations of the application (sct_count_operation)
    uint64_t fingerprint;     // hash of kinds, counts and answers of the decisions
};

#endif

// Answers of atomic calls: compared with what the reference table says, and put into words.
#ifndef HARNESS_MIGRATING_ANSWERS_H
#define HARNESS_MIGRATING_ANSWERS_H

#include "harness/table/tables.h"

// An atomic call's outcome with its payload.
struct answer {
    struct ct_outcome outcome;
    const struct ct_op_result *results; // batches
    struct ct_rows rows;                // queries
};

bool answer_same_results(const struct ct_op_result *a, const struct ct_op_result *b, size_t count);

// Whether two answers to [call] are the same to whoever made it.
bool answer_same(const struct call_record *call, const struct answer *a, const struct answer *b);

// Tells the narration what [call] has returned.
void answer_note_return(const struct call_record *call, const struct answer *answer);

// A violation: [call] was answered otherwise than the reference says.
_Noreturn void answer_report_mismatch(const struct call_record *call, const struct answer *actual,
                                      const struct answer *expected);

#endif

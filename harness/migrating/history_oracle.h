// The second oracle of MigratingTable: asks of the log of the applications' calls alone whether the
// virtual table behaved as a table (harness/table/log_check.h), whatever was annotated.
//
// If all annotations were accepted, their order explains every atomic call, so the two oracles can
// disagree in two ways. The annotated one objects and the log can be explained: the annotations are
// at fault, or the fault has not come out yet. The annotated one is content and the log cannot be
// explained: one of the oracles is wrong, or an ETag that was superseded came back, which the
// reference mirrors away.
//
// Each check has a limit far beyond what the logs of the tests need; beyond it the answer is
// unknown and counted (sct_check_gave_up).
#ifndef HARNESS_MIGRATING_HISTORY_ORACLE_H
#define HARNESS_MIGRATING_HISTORY_ORACLE_H

#include "core/engine/execution.h"
#include "harness/migrating/app.h"

// Of so many executions one is checked if the other oracle judges them all. Which ones, their
// decisions tell. The check of every one takes 19 % more instructions, that of one in four 5 %.
enum { HISTORY_ORACLE_SHARE = 4 };

// Whether the running execution is of that share; in its final check.
bool history_oracle_is_due(void);

// In the final check of a world that keeps a log: the new table's rows are the final contents. A
// log that cannot be explained is a violation, not-linearizable.
void history_oracle_check(struct world *world);

// Adds to [remark] what the log says of a violation, if its kind speaks about outcomes, annotations
// or the end; then (KIND_FINAL_STATE) the execution has ended and its log not.
void history_oracle_review(const struct world *world, const struct sct_violation *violation,
                           struct text *remark);

#endif

// The log of what a system was asked and what it answered, as data: calls and returns in real-time
// order, of any system, recorded by anybody.
//
// What an operation means is the business of a specification (core/history/linearize.h); here its
// arguments are numbers or pointers that nobody looks at. A position is the index of an event in
// the log. Memory grows with the log, is kept by [sct_history_clear] and freed by
// [sct_history_deinit]; without memory the log fails with FAIL_RESOURCE.
//
// Stability: stays within 0.2.
#ifndef CORE_HISTORY_HISTORY_H
#define CORE_HISTORY_HISTORY_H

#include "core/base/api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCT_NEVER UINT32_MAX

enum { SCT_HISTORY_OPERATIONS_MAX = 1 << 30 };

struct sct_operation {
    uint32_t process; // who called; a process may have several calls open
    uint32_t function;
    uint64_t key; // what it is about
    uint64_t input[2];
    uint64_t output;      // only if has_output
    const void *data;     // the recorder's
    uint32_t called_at;   // position of the call
    uint32_t returned_at; // position of the return, or SCT_NEVER: it may have happened or not
    bool has_output;      // returned, and what it returned is known
};

struct sct_history {
    struct sct_operation *operations; // in the order of their calls
    uint32_t operation_count, operation_capacity;
    uint32_t *events; // operation's index * 2, + 1 for its return
    uint32_t event_count, event_capacity;
};

// An empty log. No memory is taken yet. One log serves all executions: setup clears it.
SCT_API void sct_history_init(struct sct_history *history);

SCT_API void sct_history_deinit(struct sct_history *history);

SCT_API void sct_history_clear(struct sct_history *history);

// Records a call and returns the operation's index. Of [call] count process, function, key, input
// and data.
SCT_API uint32_t sct_history_call(struct sct_history *history, const struct sct_operation *call);

// Records that operation number [index] returned [output]. It was open (asserted).
SCT_API void sct_history_return(struct sct_history *history, uint32_t index, uint64_t output);

// As [sct_history_return], but nobody knows what it returned.
SCT_API void sct_history_return_unknown(struct sct_history *history, uint32_t index);

#endif

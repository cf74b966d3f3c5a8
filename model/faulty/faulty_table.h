// A table around a table that goes wrong when it is told to: calls are late, are refused, or lose
// their answers; and it can do less than the inner one, as a service can.
//
// For programs that must bear a real table's faults, in their tests: what may happen to a call is
// what table.h allows, no more. Where no fault is decided on, it is the inner table. It adds no
// state of its own but a count: many threads may use it iff they may use the inner one.
#ifndef MODEL_FAULTY_FAULTY_TABLE_H
#define MODEL_FAULTY_FAULTY_TABLE_H

#include "model/table/table.h"

#include <stdatomic.h>

enum ct_fault_kind {
    CT_NO_FAULT,
    CT_REFUSED,      // nothing is done: CT_STATUS_SERVER_ERROR
    CT_ANSWER_LOST,  // a batch is sent to the inner table, and CT_UNKNOWN whatever it answers
    CT_REQUEST_LOST, // a batch is not, and CT_UNKNOWN all the same
    // Of a query, an opening or a read of a stream both are CT_STATUS_SERVER_ERROR.
};

struct ct_fault {
    enum ct_fault_kind kind;
    uint64_t delay; // before the call is sent, in nanoseconds
};

enum ct_call { CT_CALL_EXECUTE, CT_CALL_QUERY, CT_CALL_OPEN_STREAM, CT_CALL_READ_STREAM };

struct ct_faulty_options {
    struct ct_table *inner; // stays the caller's
    // What becomes of the [number]-th call (from 1, those of streams counted with the table's).
    // NULL: no fault.
    struct ct_fault (*decide)(void *context, uint64_t number, enum ct_call call);
    // Waits so long; NULL: the process does.
    void (*sleep)(void *context, uint64_t nanoseconds);
    void *context; // of both
    // What it cannot do, beside what the inner one cannot.
    struct ct_table_limits limits;
};

struct ct_faulty_table {
    struct ct_table table; // first, so that the interface is the table
    struct ct_faulty_options options;
    atomic_uint_fast64_t calls; // so far
};

// The table lives in the caller's memory. Closing it leaves the inner one open.
void ct_faulty_init(struct ct_faulty_table *table, const struct ct_faulty_options *options);

// A decision for [decide]: the one call of this number has the fault. The context.
struct ct_fault_at {
    uint64_t number;
    struct ct_fault fault;
};

struct ct_fault ct_decide_fault_at(void *fault_at, uint64_t number, enum ct_call call);

#endif

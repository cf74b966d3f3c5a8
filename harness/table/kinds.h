// The closed list of the kinds of violation that the harness of table protocols reports, beside the
// engine's own (core/engine/machine.h).
#ifndef HARNESS_TABLE_KINDS_H
#define HARNESS_TABLE_KINDS_H

#define KIND_OUTCOME_MISMATCH "outcome-mismatch" // a call's outcome is not the reference's
#define KIND_RESULTS_MISMATCH "results-mismatch" // returned results differ from the annotated
#define KIND_NO_LINEARIZATION_POINT "no-linearization-point" // a call ended without reporting one
#define KIND_SECOND_LINEARIZATION_POINT "second-linearization-point"
#define KIND_STREAM_READ_INVALID "stream-read-invalid" // no instant of the query explains a read
#define KIND_CONTINUATION_KEY_INVALID "continuation-key-invalid"
#define KIND_ANNOTATION_PROTOCOL "annotation-protocol" // an annotation that may not stand there
#define KIND_SPURIOUS_CHANGE_INVALID "spurious-change-invalid" // of a row that does not exist
#define KIND_CALL_LIMIT "call-limit"     // more backend calls than the published limit
#define KIND_CALL_FAILED "call-failed"   // an error that no outcome of the interface explains
#define KIND_FAULT_HIDDEN "fault-hidden" // a call does not return the server error that befell it
#define KIND_FORBIDDEN_EXECUTED "forbidden-executed" // a forbidden call was not refused at once
#define KIND_NOT_LINEARIZABLE "not-linearizable" // no order of the calls explains their outcomes
#define KIND_FINAL_STATE "final-state"           // what the migration left behind

#endif

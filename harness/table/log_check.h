// Can the answers in a log be explained at all? The second oracle: it asks for some linearization
// of the log, whatever the protocol annotated.
//
// Atomic calls take effect at one instant between call and return, or (without a return) at any
// later one or never. A read of a stream is one observation per key of the log between the row
// before and its own: no match below its row, its row there; at the end, no match in all that are
// left; each at some instant of its own between the opening of the stream and the return of the
// read. A row's ETag may at any moment change to one that it never had (the migration copies it);
// an ETag that was superseded never comes back. So 412 on an exact ETag is always possible where
// there is a row, on "*" never. When the log is settled, no ETag changes by itself any more: then
// 412 on the present one is impossible. An ETag that no call returned and nobody peeked at never
// matches.
//
// Keys that no batch, query or row ties together are checked apart (core/history/linearize.h).
#ifndef HARNESS_TABLE_LOG_CHECK_H
#define HARNESS_TABLE_LOG_CHECK_H

#include "core/history/linearize.h"
#include "harness/table/log.h"

struct log_checker;

// A checker; each check stays within [limits]. FAIL_RESOURCE without memory. It may be used again
// and again, and then asks the heap for nothing (but for the longest log so far).
struct log_checker *log_checker_open(const struct lin_limits *limits);

void log_checker_close(struct log_checker *checker);

// Checks [log]. What it needs meanwhile is taken from the log's arena and given back. If the answer
// is no and [blocked] is not NULL, says there which call cannot be placed before its return.
enum lin_verdict log_check(struct log_checker *checker, const struct table_log *log,
                           struct text *blocked);

#endif

// Failing: always-on assertions and the one road by which code gives up.
//
// All kinds of giving up share one handler, because inside an execution most are findings about the
// system under test: the engine installs a handler that turns them into a violation with
// a trace. Outside an execution (and in a program that links no engine) the default handler prints
// one line on standard error and aborts.
//
// Stability: ASSERT, REQUIRE and HERE stay within 0.2; the rest is the library's own.
#ifndef CORE_BASE_ASSERT_H
#define CORE_BASE_ASSERT_H

#include "core/base/api.h"

#include <stdarg.h>

#define HERE_TEXT_(line) #line
#define HERE_LINE_(line) HERE_TEXT_(line)

// As C and C++ both have it.
#define SCT_NORETURN __attribute__((noreturn))

// The place in the source as a string constant: "file.c:12".
#define HERE __FILE__ ":" HERE_LINE_(__LINE__)

enum fail_kind {
    FAIL_ASSERTION,     // an invariant of the code itself does not hold
    FAIL_PROGRAM_ERROR, // a caller broke the contract of an interface (not a status code)
    FAIL_LIMIT,         // a named limit of an execution is exhausted
    FAIL_RESOURCE,      // the machine's memory is; never a finding about the system under test
};

// A handler must not return. [message] lives only during the call.
typedef void (*fail_handler)(enum fail_kind kind, const char *where, const char *message);

// Installs [handler] and returns the previous one; NULL restores the default.
fail_handler fail_handler_set(fail_handler handler);

// Formats the message and calls the handler; aborts should the handler return.
// Cold, as all that ends an execution: what calls it stands apart from the code that runs.
SCT_API SCT_NORETURN void fail_at(enum fail_kind kind, const char *where, const char *format, ...)
    __attribute__((cold, format(printf, 3, 4)));

// Always on, also in release builds. One condition each, without side effects.
#define ASSERT(condition)               \
    (__builtin_expect(!!(condition), 1) \
         ? (void)0                      \
         : fail_at(FAIL_ASSERTION, HERE, "assertion failed: %s", #condition))

// For contracts of an interface: what the caller did wrong, in words.
#define REQUIRE(condition, ...) \
    (__builtin_expect(!!(condition), 1) ? (void)0 : fail_at(FAIL_PROGRAM_ERROR, HERE, __VA_ARGS__))

#endif

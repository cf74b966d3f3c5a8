// A command line for one's own tests: campaigns, searches, traces, replays and reports without
// writing any of it. It is that of mtcheck (harness/cli), in a library of its own: libsct-cli,
// which needs jansson; the engine needs neither.
//
//     static const struct sct_test tests[] = {
//         {.name = "transfer", .summary = "two transfers at once", .program = {.setup = setup}},
//     };
//
//     int main(int argc, char **argv) {
//         return sct_run(argc, argv, &(struct sct_suite){"bank", tests, 1});
//     }
//
// A variant of a test (with a bug, with more threads) is a test of its own whose program has
// another context. One thread; the process is the runner's until it returns, and with --jobs it is
// forked.
//
// Stability: stays within 0.2, and so do the statuses; what the command prints for people does
// not, its JSON grows.
#ifndef CORE_RUN_RUNNER_H
#define CORE_RUN_RUNNER_H

#include "core/base/api.h"
#include "core/engine/program.h"

struct sct_test {
    const char *name;    // see struct sct_suite
    const char *summary; // NULL: none
    struct sct_program program;
    // Scheduling points after which an execution is cut off; 0: 10,000. From half of them on it is
    // a fair walk; with less (--max-steps) there is no verdict about livelocks
    // (core/engine/monitor.h).
    uint32_t steps_max;
    // Whether its steps touch no more than they declare: what --reduce needs (core/search/dpor.h).
    bool is_reducible;
};

struct sct_suite {
    // Names have 1 to 95 characters, no spaces and no slashes; those of the tests differ. This one
    // begins the names of traces.
    const char *name;
    const struct sct_test *tests;
    size_t test_count; // at least 1; the first one is the default
};

// Does what the command line asks (--help tells) and returns the status for main: 0 no violation;
// 1 a violation was found or reproduced; 2 wrong usage or a damaged file; 3 the tool failed, or an
// execution did not repeat; 4 no verdict: a replay did not reproduce its trace, or a search reached
// a limit; 130 interrupted.
SCT_API int sct_run(int argc, char **argv, const struct sct_suite *suite);

#endif

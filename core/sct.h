// The engine as a library: includes all that a test of one's own program or protocol needs.
//
//     thread.h, lock.h, rwlock.h,    code under test that consists of threads, and what they
//     semaphore.h, barrier.h,        synchronise by
//     atomic.h
//     memory.h, race.h               what atomics may do, and which accesses race
//     machine.h                      code under test that consists of machines with mailboxes;
//                                    choices, checks and notes of any code
//     program.h                      what a test is: setup, code, final check
//     runner.h                       a command line over one's own tests
//     monitor.h                      what must happen some time: livelocks
//     history.h, linearize.h         was what the clients saw linearizable?
//     marks.h                        was what should happen sometimes reached?
//     version.h                      which version this is, and what the next may change
//
// Not among them: execution.h and strategy.h, for one's own loop over executions.
//
// core/TUTORIAL.md is the tutorial. Everything of the library begins with sct_ or SCT_, lin_ or
// LIN_ (the checker of linearizability), arena_, text_, error_, rng_, digest_ or fail_ (the base),
// except ASSERT, REQUIRE, HERE and MARK. What is marked SCT_API is promised, as far as the
// paragraph "Stability" of its header says; what is not cannot be linked, and stands in a header
// because the compiler must see it.
#ifndef CORE_SCT_H
#define CORE_SCT_H

#include "core/base/version.h"
#include "core/campaign/marks.h"
#include "core/engine/monitor.h"
#include "core/engine/program.h"
#include "core/history/history.h"
#include "core/history/linearize.h"
#include "core/memory/memory.h"
#include "core/memory/race.h"
#include "core/run/runner.h"
#include "core/threads/atomic.h"
#include "core/threads/barrier.h"
#include "core/threads/lock.h"
#include "core/threads/rwlock.h"
#include "core/threads/semaphore.h"
#include "core/threads/thread.h"

#endif

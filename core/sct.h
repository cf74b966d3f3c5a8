// The engine as a library: includes all that a test of one's own protocol needs.
//
//     machine.h, thread.h, lock.h,   code under test: machines, messages, choices, checks; threads
//     rwlock.h, semaphore.h,         and what they synchronise by
//     barrier.h, atomic.h
//     memory.h, race.h               what their atomics may do, and which of their accesses race
//     runner.h                       a command line over one's own tests
//     execution.h, campaign.h,       the same by hand: one execution, many, the record of one as a
//     trace.h, replay.h              file, and again
//     minimize.h                     the smallest execution that fails the same way
//     history.h, linearize.h         was what the clients saw linearizable?
//     monitor.h                      what must happen some time: livelocks
//     marks.h                        was what should happen sometimes reached?
//
// core/TUTORIAL.md is the tutorial. Everything of the engine begins with sct_ or SCT_, lin_ or LIN_
// (the checker), arena_, text_, error_, rng_ or fail_ (the base), except ASSERT, REQUIRE, HERE and
// MARK. Beside this there are object.h (to build further primitives) and sync.h (locks without
// scheduling points, for transports).
#ifndef CORE_SCT_H
#define CORE_SCT_H

// In C++ what is below has the names of C; the headers of the system must come before that.
#ifdef __cplusplus
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
extern "C" {
#endif

#include "core/threads/atomic.h"
#include "core/threads/barrier.h"
#include "core/campaign/campaign.h"
#include "core/history/history.h"
#include "core/history/linearize.h"
#include "core/threads/lock.h"
#include "core/campaign/marks.h"
#include "core/trace/minimize.h"
#include "core/engine/monitor.h"
#include "core/memory/memory.h"
#include "core/memory/race.h"
#include "core/trace/replay.h"
#include "core/run/runner.h"
#include "core/threads/rwlock.h"
#include "core/threads/semaphore.h"
#include "core/threads/thread.h"

#ifdef __cplusplus
}
#endif

#endif

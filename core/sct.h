// The engine as a library: includes all that a test of one's own protocol needs.
//
//     machine.h, thread.h, lock.h,   code under test: machines, messages, choices, checks; threads
//     rwlock.h, semaphore.h,         and what they synchronise by
//     barrier.h, atomic.h
//     runner.h                       a command line over one's own tests
//     execution.h, campaign.h,       the same by hand: one execution, many, the record of one as a
//     trace.h, replay.h              file, and again
//     minimize.h                     the smallest execution that fails the same way
//     history.h, linearize.h         was what the clients saw linearizable?
//     monitor.h                      what must happen some time: livelocks
//     marks.h                        was what should happen sometimes reached?
//
// core/README.md is the tutorial. Everything of the engine begins with sct_ or SCT_, lin_ or LIN_
// (the checker), arena_, text_, error_, rng_ or fail_ (the base), except ASSERT, REQUIRE, HERE and
// MARK. Beside this there are object.h (to build further primitives) and sync.h (locks without
// scheduling points, for transports).
#ifndef CORE_SCT_H
#define CORE_SCT_H

#include "core/atomic.h"
#include "core/barrier.h"
#include "core/campaign.h"
#include "core/history.h"
#include "core/linearize.h"
#include "core/lock.h"
#include "core/marks.h"
#include "core/minimize.h"
#include "core/monitor.h"
#include "core/replay.h"
#include "core/runner.h"
#include "core/rwlock.h"
#include "core/semaphore.h"
#include "core/thread.h"

#endif

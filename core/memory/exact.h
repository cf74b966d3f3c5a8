// The exact order of SEQ_CST: which stores an access may read, and where a store may go, so that
// RC11's relation psc has no cycle. In place of the order of execution (core/memory/c11.c), which
// shows a few graphs less where accesses of SEQ_CST and weaker ones to one location mix. Internal
// to core/memory.
//
// Every access and fence of the execution becomes an event with what its thread knew. psc is kept,
// closed, among events of order SEQ_CST (Lahav, Vafeiadis, Kang, Hur, Dreyer, PLDI 2017, section
// 3):
//   scb      = sb U sb|other ; hb ; sb|other U hb|same U mo U fr   (other, same: of two locations)
//   psc_base = ([E sc] U [F sc] ; hb?) ; scb ; ([E sc] U hb? ; [F sc])
//   psc_F    = [F sc] ; (hb U hb ; eco ; hb) ; [F sc]
// A new event comes after all others but those that mo and fr put behind it: the stores newer than
// the one that it reads, or than itself. Where there are none it closes no cycle; so the newest
// store and the end of the order are always allowed.
//
// An execution has at most SCT_EVENTS_MAX events (FAIL_LIMIT). A new event costs a pass over the
// others of its location and thread, one of SEQ_CST over all pairs of a thread: for small programs
// that are searched to the end.
#ifndef CORE_MEMORY_EXACT_H
#define CORE_MEMORY_EXACT_H

#include "core/memory/model.h"

enum { SCT_EVENTS_MAX = 512, SCT_EVENT_WORDS = SCT_EVENTS_MAX / 64 };

struct sct_event_record {
    uint32_t thread, epoch;
    enum sct_order order;
    const struct sct_location *location; // NULL: a fence
    const struct sct_store *read;        // NULL: it reads nothing
    const struct sct_store *stored;      // NULL: it stores nothing
    struct sct_clock known;              // by its thread, with it
    uint64_t before[SCT_EVENT_WORDS];    // psc, closed: the events from which there is a path to it
};

struct sct_events {
    struct sct_event_record *records[SCT_EVENTS_MAX];
    uint32_t count;
    uint64_t seq_cst[SCT_EVENT_WORDS], fences[SCT_EVENT_WORDS]; // those of order SEQ_CST; fences
};

// Whether an event is possible: [event] as it would be, with the stores from [index] of its
// location on behind it.
bool sct_events_allow(const struct sct_events *events, const struct sct_event_record *event,
                      uint32_t index);

// It has happened. What it reads and stores is in its location.
void sct_events_add(struct sct_events *events, struct arena *arena,
                    const struct sct_event_record *event);

#endif

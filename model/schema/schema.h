// Rolling schema upgrade: a weather service changes the schema of the entries that it keeps in one
// schema-less table, without downtime, by rolling hybrid versions of itself over a fleet of
// servers.
//
// Every entry carries the version of its schema:
//   1.0  the first release wrote it; it has no SampleArea
//   1.5  the hybrid release touched it: SampleArea is there, but only as the default
//   2.0  somebody chose its SampleArea (or the survey did, see [su_worker_pass])
//   3.0  the property Scale, of which later releases have no need, is gone
// A release starts on the first server when all run the one before (rollout.c), so two neighbouring
// releases must live together. Why they do:
// * strict and tolerant: nobody writes what the strict class does not know.
// * tolerant and hybrid: the tolerant class ignores SampleArea, and its updates merge, which keeps
//   it.
// * hybrid and R2: the hybrid one keeps what is at 2.0 already; R2 believes no SampleArea below.
// * R2 and R3: R2 reads a missing Scale as its default, and never adds it; it changes no version of
//   3.0. R3 replaces, since a merge would keep Scale. It begins when the worker has left nothing
//   below 2.0.
// Every update is conditional on the ETag of what was read, so nothing written meanwhile is undone.
//
// Straight-line blocking C over a chain table: in the tester each call is a scheduling point.
#ifndef MODEL_SCHEMA_SCHEMA_H
#define MODEL_SCHEMA_SCHEMA_H

#include "bugs/bugs.h"
#include "model/table/env.h"

// ---- Entries -----------------------------------------------------------------------------------

// Properties of an entry, and values with a meaning of their own.
#define SU_TIME "TimeOfCapture"      // int32
#define SU_TEMPERATURE "Temperature" // int32
#define SU_SCALE "Scale"             // string, the unit of Temperature; not from 3.0 on
#define SU_VERSION "SchemaVersion"   // string: "1.0", "1.5", "2.0", "3.0"
#define SU_AREA "SampleArea"         // string, from 1.5 on

#define SU_SCALE_DEFAULT "C"
#define SU_AREA_DEFAULT "Spata"   // what the hybrid release fills in: nobody chose it
#define SU_AREA_SURVEYED "survey" // what the worker fills in: counts as chosen

enum su_version { SU_1_0, SU_1_5, SU_2_0, SU_3_0, SU_VERSION_COUNT };

// "1.0", ...
const char *su_version_name(enum su_version version);

// What an application makes of an entry. The strings are the row's or constants.
struct su_reading {
    enum su_version version;
    int32_t time;
    int32_t temperature;
    const char *scale;
    const char *area; // the chosen one; NULL: nobody has chosen one, as far as this release knows
};

// ---- Releases ----------------------------------------------------------------------------------

enum su_release {
    SU_R1_STRICT,   // an entry with a property that its class does not know raises an error
    SU_R1_TOLERANT, // the same class, which ignores unknown properties
    SU_R1_5,        // hybrid: knows both schemas
    SU_R2,          // the new schema
    SU_R3,          // one property removed
    SU_RELEASE_COUNT,
};

// "R1-strict", "R1-tolerant", "R1.5", "R2", "R3".
const char *su_release_name(enum su_release release);

// ---- Servers -----------------------------------------------------------------------------------

enum su_result {
    SU_DONE,
    SU_NOT_FOUND,  // no entry has that key; an update gives up, somebody has deleted it
    SU_CONFLICT,   // an insert: there is an entry with that key
    SU_UNREADABLE, // the entry lacks a property that the class needs, or has one unknown to it
    SU_FAILED,     // the table failed in another way
};

struct su_outcome {
    enum su_result result;
    uint32_t retries;        // SU_DONE, SU_NOT_FOUND: so many writes met 412 and were tried again
    const char *property;    // SU_UNREADABLE: which one
    struct ct_outcome cause; // SU_FAILED: what the table answered
};

// The code of one release over one table: a server, or the worker (which runs the newest one).
// Between operations its release may be changed. No two operations of one server at a time.
struct su_server {
    enum su_release release;
    const char *station; // the partition of its entries
    struct ct_table *table;
    struct arena *arena;  // of results and working copies
    struct bug_set *bugs; // injected bugs, or NULL
    // Asked for nothing but what it offers to those who compare states; NULL: nobody does.
    struct ct_env *env;
};

// What an insert takes. The area is used by R2 and later only.
struct su_sample {
    int32_t time;
    int32_t temperature;
    const char *area;
};

// SU_DONE, SU_CONFLICT.
struct su_outcome su_insert(struct su_server *server, const char *key,
                            const struct su_sample *sample);

// Adds [increment] to the temperature that was read. Every 412 makes it read and try again.
// SU_DONE, SU_NOT_FOUND, SU_UNREADABLE.
struct su_outcome su_update_temperature(struct su_server *server, const char *key,
                                        int32_t increment);

// Makes [area] the chosen one; of R2 and later (asserted). As [su_update_temperature].
struct su_outcome su_choose_area(struct su_server *server, const char *key, const char *area);

// Deletes the entry, whatever it holds. SU_DONE, SU_NOT_FOUND.
struct su_outcome su_delete(struct su_server *server, const char *key);

// SU_DONE with *[reading] filled, SU_NOT_FOUND, SU_UNREADABLE.
struct su_outcome su_read(struct su_server *server, const char *key, struct su_reading *reading);

// Reads all entries in the order of their keys; each is as it was at some instant since the start.
// Calls [visit] for each as soon as it is read. SU_DONE, SU_UNREADABLE.
struct su_outcome su_scan(struct su_server *server,
                          void (*visit)(void *context, const char *key,
                                        const struct su_reading *reading),
                          void *context);

// ---- The worker --------------------------------------------------------------------------------

// A background role: scans the table and brings every entry to the newest version, 2.0 with the
// code of R2 (SU_AREA_SURVEYED where nobody chose), 3.0 with that of R3. To be called when the
// whole fleet runs that release; where it has died on the way, call it again. SU_DONE: every entry
// of the moment has that version. SU_UNREADABLE.
struct su_outcome su_worker_pass(struct su_server *worker);

// ---- The roll-out ------------------------------------------------------------------------------

enum { SU_FLEET_MAX = 8 };

struct su_fleet {
    enum su_release releases[SU_FLEET_MAX]; // what each server runs
    size_t count;
    enum su_version swept; // below it the worker has left no entry; SU_1_0 before its first pass
    struct bug_set *bugs;  // injected bugs, or NULL
};

// Whether [server] may be upgraded now, and to which release.
bool su_rollout_allows(const struct su_fleet *fleet, size_t server, enum su_release *next);

// Whether every server runs [release].
bool su_fleet_runs(const struct su_fleet *fleet, enum su_release release);

// Whether it is time for the worker: the fleet runs the release whose version is not swept yet.
bool su_worker_is_due(const struct su_fleet *fleet);

#endif

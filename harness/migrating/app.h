// Applications: machines with a MigratingTable instance, their calls, and the checks of each call.
//
// One execution is a world: tables, a configuration service, application machines and, last, the
// migrator's. An application calls its virtual table through the functions here, which compare what
// it gets with what the reference table made of the same call at its linearization point. Each
// call, each push and the migration have a liveness monitor (core/engine/monitor.h): they must end.
#ifndef HARNESS_MIGRATING_APP_H
#define HARNESS_MIGRATING_APP_H

#include "harness/migrating/coverage.h"
#include "harness/table/log.h"
#include "harness/table/transport.h"
#include "model/config/service.h"
#include "model/migrating/migrating.h"

enum { APPS_MAX = 8 };

struct world;
struct app;
struct hook;
struct arrival;
struct profile;

// How a pushed configuration travels from the migrator to the applications' mirrors.
struct delivery {
    // The migrator's push: returns when every mirror has completed it.
    void (*push)(struct app *migrator, const char *where, enum mt_state state);
    // Has [hook]'s action run later, without anybody waiting for it.
    void (*act_later)(struct hook *hook);
};

// How long a process stands still (see slow_call.h).
enum slowness {
    SLOW_ONE_CALL, // until another application has ended a call
    SLOW_ALL,      // until no other application can go on
    SLOW_PUSH,     // until the next state is on its way here (not in the last one), then SLOW_ALL
    SLOW_CHANGE,   // until a row that the running batch names (a query: any) has changed
    SLOW_MARK,     // until the state of its partition has changed, in the states that heed it
    SLOWNESS_COUNT,
};

// What is remembered of an application for the counts of situations (situations.h).
struct noticed {
    uint32_t passed; // set of enum passing: during the running call
    uint32_t lost;   // the kind of its last unanswered batch (enum lost_write)
    enum fate fate;  // of that
    size_t requests; // how many requests it had made then; 0: it has lost none
    enum table_id table;
    struct ct_batch batch; // that batch
    bool is_overtaken;
};

struct app {
    struct client client;            // first member
    struct mt_config config;         // what the instance sees: its mirror; pushes go to the master
    struct mt_config_service mirror; // the machine's copy of the configuration
    struct mt_table *instance;
    struct ct_table *table;  // the virtual table
    struct ct_table checked; // the same with checks (see app_checked_table)
    struct world *world;
    const char *name;
    size_t index;
    struct sct_access access;         // of what its tasks share: mirror, arrivals, states below
    size_t subscriptions;             // how often the instance has subscribed
    void (*program)(struct app *app); // main program
    struct call_view view;            // of the running call, or of the running read of a stream
    bool reads;                       // a stream; at most one at a time where states are compared
    struct ct_memory_window seen;     // what it may return: the reference's since it was opened
    // Direct delivery: calls that wait for a state (see app_await_state).
    enum mt_state arrived_state; // the newest that has arrived at the mirror
    enum mt_state held_state;    // no later one arrives; MT_STATE_COUNT: none is held back
    enum mt_state pushed_state;  // the newest that is on its way or has arrived
    struct sct_waiters progress; // those who wait for a change of these
    enum mt_state needed_state;  // its program goes on once that is on its way; MT_STATE_COUNT:
                                 // it has ended, or waits for something else (see app_needs)
    enum slowness slowness;      // of its slow call
    enum slowness slowness_after_loss, slowness_of_stream;
    bool awaits_change;    // it stands still for a change of a row that its call names
    uint32_t stands_still; // so many of its strands do
    // The migrator: stands still before that backend call after that push; 0: before none.
    size_t slow_at;
    enum mt_state slow_state;
    size_t calls_ended;        // atomic calls and streams
    struct arrival *arrivals;  // direct delivery: on their way, in order
    enum mt_state deadly_push; // it dies when it has sent that; 0: in none
    bool is_dead;              // its machine was stopped and is not started again
    struct noticed noticed;
    struct mt_subscription at_master; // published delivery: the mirror's subscription
};

struct world {
    struct tables tables;
    struct tables_host host;
    struct bug_set *bugs;
    const struct profile *profile;   // of rich inputs (rich_profile.h); NULL: others
    void *upper;                     // the system that runs on top of it; NULL: none does
    struct table_log *log;           // of the applications' calls; NULL: none is kept
    void (*begins)(struct app *app); // told when an atomic call has learnt its state; NULL: nobody
    const struct transport *transport;
    const struct delivery *delivery;
    struct app *apps[APPS_MAX];
    size_t app_count;
    enum mt_state state;             // direct delivery: the newest that was pushed
    bool has_migrated;               // the migrator has returned
    struct sct_waiters migrated;     // those who wait for that
    bool has_slow_calls;             // false: nobody ever waits for the next
    struct sct_waiters others;       // those who wait for another application's call or need
    struct mt_config_service master; // published delivery only
    struct client host_client;       // published delivery only: the environment of the master
};

// A world of empty tables, in the execution's arena: the execution's context from now on.
struct world *world_new(const struct transport *transport, const struct delivery *delivery,
                        const struct tables_options *options, struct bug_set *bugs);

// Wakes those who wait for another application's call or need.
void world_wake_others(struct world *world);

// Logs the applications' calls from now on; the rows that are in the reference are the first ones.
void world_log(struct world *world);

// The reference's rows, for inputs that take ETags from there.
struct ct_rows app_peek_rows(struct app *app);

// Adds an application that will run [program]; its machine has no task yet.
struct app *app_add(struct world *world, const char *name, void (*program)(struct app *app));

// Gives [app] a new mirror in [state] and a new instance.
void app_open(struct app *app, enum mt_state state);

// The migrator's main program: the whole migration; an error of it is a violation.
void app_migrate(struct app *app);

// How a call waits for a state. These only narrow the schedules: configurations travel as slowly as
// they like. A state that the migration skips is waited for until a later one is on its way; with
// HOLD the call then begins in the state before. Direct delivery only.
enum patience {
    AWAIT_ARRIVAL, // until the state has arrived; later ones may arrive meanwhile
    HOLD,          // and no later one arrives before the machine's next call or stream has begun,
                   // which so runs in exactly this state (unless a later one was there already)
    HOLD_TO_END,   // and it begins only when the next state has been pushed: late in this one
};

void app_await_state(struct app *app, enum mt_state state, enum patience patience);

// Says that the program of [app] cannot go on before [state] is on its way to it (MT_STATE_COUNT:
// before something else, or never), for slow calls, which do not wait for it. The first state: it
// can.
void app_needs(struct app *app, enum mt_state state);

// Remembers what a call that begins now, in [state], finds. A look from outside: no scheduling
// point.
void app_take_view(struct app *app, enum mt_state state);

// Ends holding a state, if one is held.
void app_release_state(struct app *app);

// ---- Calls, each checked against the reference --------------------------------------------------

// A batch that must be refused with 400 is checked against that alone.
void app_execute(struct app *app, struct ct_batch *batch);

// A query that must be refused is checked against that alone. The rows that it returned, if any.
struct ct_rows app_query(struct app *app, const struct ct_filter *filter);

// The virtual table for a system that runs on top of it: its execute and query are checked as
// above, and their answers passed on; its streams are not checked.
struct ct_table *app_checked_table(struct app *app);

// Opens a stream, reads it to its end and closes it.
void app_stream(struct app *app, const struct ct_filter *filter);

#define READ_TO_END UINT32_MAX

// As app_stream, calling [pause] before each read, and closing it after [reads] of them.
void app_stream_slowly(struct app *app, const struct ct_filter *filter,
                       void (*pause)(struct app *app), uint32_t reads);

// ---- Hooks -------------------------------------------------------------------------------------

// Something a machine of a case does when it is moved to [state].
struct hook {
    struct mt_subscription subscription;
    struct app *app;
    enum mt_state state;
    void (*action)(struct app *app);
    bool is_after; // false: the push waits for the action; true: it runs later
    struct sct_message message;
};

// Registers [hook] at its machine's mirror, for ever.
void hook_register(struct hook *hook, struct app *app);

// Runs the action of a struct hook: the function of a task or activity.
void hook_run(void *hook);

// ---- Delivery ----------------------------------------------------------------------------------

// Every mirror's change is a task of its own.
extern const struct delivery delivery_direct;

// Starts all machines' main programs as tasks. For transport_direct.
void world_start_direct(struct world *world);

// Of what the world's tasks share: tables, mirrors, configurations on their way, deaths and lost
// answers that are still to come. What a task knows by itself, such as how far its stream is, is in
// its own digest. Other faults and slow calls are in none: for worlds without them.
struct digest world_digest(struct world *world);

// The process of [app] dies where it is: no push waits for it any more. Direct delivery only, from
// another machine. Its last backend call must be annotated.
void app_die(struct app *app);

// A new process in its place: a new instance in the newest state runs the program from its
// beginning.
void app_restart(struct app *app);

// By messages, exactly as published (see published_world.c).
extern const struct delivery delivery_published;

// Starts the machine that hosts the tables; it calls [create], which adds and starts the
// applications, and then serves.
void world_start_published(struct world *world, void (*create)(struct world *world));

// Creates the machine's task; a scheduling point. For transport_published.
void app_start_published(struct app *app);

#endif

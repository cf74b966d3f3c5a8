// The fleet: servers, the roll-out and the worker as machines, over whatever table a scenario gives
// them.
//
// A server works a drawn number of operations in each release and then waits for its upgrade, which
// so falls between two operations; any schedule of operations and upgrades is of this form. It may
// lag, waiting with its operations until a neighbour is ahead: that only narrows the schedules. The
// roll-out upgrades servers that wait for it, drawing between several. The worker waits for
// its phases; it may die anywhere and is started again. Each pass and each
// operation has a liveness monitor (core/engine/monitor.h): they must end.
#ifndef HARNESS_SCHEMA_FLEET_H
#define HARNESS_SCHEMA_FLEET_H

#include "core/engine/sync.h"
#include "harness/schema/ledger.h"
#include "harness/table/transport.h"

struct fleet;

// How one of them waits for the others: until [is_over] says so.
struct fleet_wait {
    bool (*is_over)(const struct fleet *fleet, size_t index);
    struct sct_waiters queue;
};

// Of a server that lags. One at a time does: two would wait for each other.
enum lag {
    LAG_NONE,
    LAG_BEHIND,     // until a neighbour runs a later release
    LAG_FAR_BEHIND, // and has made its operations there
    LAG_LAST,       // and nobody else can go on
    LAG_COUNT,
};

// What the inputs of an execution have in common (workload.h).
struct profile {
    bool is_apt; // operations are drawn among those that the entry as it is lets succeed
    uint32_t key_count;
    uint32_t operations;   // set of enum schema_operation in use
    enum su_release focus; // around which most operations are made
    bool is_focused;
};

struct fleet {
    struct ledger ledger;
    struct profile profile;
    struct su_fleet state; // of the servers, which are the first parties
    struct party *worker;  // the last party
    struct client *worker_client;
    // Stops the worker's machine and starts its program again.
    void (*restart_worker)(struct fleet *fleet);
    struct fleet_wait waits[PARTIES_MAX + 1]; // of the parties, then the roll-out
    uint32_t waiting;                         // those who do: bit per wait
    bool awaits_upgrade[SU_FLEET_MAX];
    bool upgrades_in_a_row;     // an upgrade ends nobody's waiting for one
    bool is_idle[SU_FLEET_MAX]; // the server goes on only when somebody else has moved
    enum lag lag;               // of the one server that lags
    bool is_sweeping;           // the worker has begun a pass
    uint32_t deaths_left;       // of the worker
    uint32_t samples;           // inserted so far
    const void *inputs;         // of a test with inputs of its own: what they are drawn from
};

// Makes a zeroed [fleet] one of so many servers. In setup, before machines run, as the next three.
void fleet_init(struct fleet *fleet, size_t servers, struct bug_set *bugs);

// The same with a drawn number of servers; draws the inputs of this execution too.
void fleet_draw(struct fleet *fleet, struct bug_set *bugs);

// Puts the drawn entries into the empty [tables].
void fleet_load(struct fleet *fleet, struct tables *tables);

// Makes the machine of [client], which uses [table], the next server, or, after all of them, the
// worker.
struct party *fleet_join(struct fleet *fleet, struct client *client, struct ct_table *table);

// The names of the machines: "server-0", ...
const char *fleet_server_name(size_t index);
#define WORKER_NAME "worker"

// Draws the deaths of the worker, each after some of its calls. In setup.
void fleet_draw_deaths(struct fleet *fleet);

// Draws the server error of this execution: most often none, else one call of one of [clients]
// fails and is not executed. In setup.
void fleet_draw_server_error(struct client *const *clients, size_t count);

// Starts the roll-out. All have joined; the worker's client is [worker_client].
void fleet_start(struct fleet *fleet, struct client *worker_client);

// The worker dies once, when a task that this starts runs: anywhere. In setup.
void fleet_kill_worker(struct fleet *fleet);

// The programs of server [index] and of the worker.
void fleet_serve(struct fleet *fleet, size_t index);
void fleet_sweep(struct fleet *fleet);

// Another program of a server, for searches: it has [count] > 0 requests to serve in all, by
// [serve], with so many [left], this one included. Between them the roll-out may upgrade it as
// often as it likes. The server itself does nothing about that: it has no state but how many are
// left.
void fleet_serve_requests(struct fleet *fleet, size_t index, uint32_t count,
                          void (*serve)(struct fleet *fleet, size_t index, uint32_t left));

// Lets the roll-out upgrade every server at once, as [fleet_serve_requests] needs. In setup.
void fleet_offer_upgrades(struct fleet *fleet);

// What decides on the fleet's future beside its tables and what its tasks have observed.
struct digest fleet_digest(const struct fleet *fleet);

// The end: the whole roll-out has happened, and nothing old is left.
void fleet_check_end(const struct fleet *fleet);

#endif

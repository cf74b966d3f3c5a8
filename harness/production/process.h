// Processes that stall, die and come back, and the network between them and the tables.
//
// A process is a machine with a clock of its own and proxies of the three tables. Every request is
// a scheduling point. What else befalls a request is drawn before the execution begins: a few
// faults, each at a request of a certain number.
//
// Tables are of one of two sorts. A table at a server executes a request at any time until its
// deadline, also after the caller has given up or died. A table in a file executes it in the
// caller's own step, but a caller that is stopped within a transaction keeps the lock of the file
// and goes through with it whenever it goes on: others that want to write wait, readers do not.
#ifndef HARNESS_PRODUCTION_PROCESS_H
#define HARNESS_PRODUCTION_PROCESS_H

#include "core/engine/inside.h"
#include "harness/production/time.h"
#include "harness/table/execution_env.h"
#include "harness/table/log.h"
#include "harness/table/tables.h"
#include "model/config/guard.h"

enum store_id { STORE_OLD, STORE_NEW, STORE_CONTROL, STORE_COUNT };

struct production;

enum fault_kind {
    FAULT_NONE,
    FAULT_REFUSED,      // server error: it was not executed
    FAULT_LOST_REQUEST, // never executed, no answer
    FAULT_LOST_ANSWER,  // executed, no answer
    FAULT_LATE,         // executed after a while, if its deadline has not passed; no answer
    FAULT_DELAYED,      // executed and answered after a while
    FAULT_STALL_BEFORE, // the process stands still when it has decided to send it
    FAULT_STALL_WITHIN, // in the middle of its execution
    FAULT_STALL_AFTER,  // when the answer has come
    FAULT_DEATH_BEFORE, // the process dies
    FAULT_DEATH_LATE,   // it dies, and the request is executed after a while
    FAULT_DEATH_AFTER,
    FAULT_SLOW_ANSWER, // executed at once, and answered after a while
    FAULT_KIND_COUNT,
};

// Among which requests of its process a fault counts.
enum fault_moment {
    MOMENT_REQUEST,   // all of them
    MOMENT_WRITE,     // batches of the data tables
    MOMENT_READ,      // other requests of the data tables
    MOMENT_EXPULSION, // deletes in the control table
    MOMENT_COUNT,
};

enum { FAULTS_MAX = 3, PROCESSES_MAX = 8 };

struct fault {
    enum fault_kind kind;
    enum fault_moment moment;
    uint32_t number;   // from 1 on
    uint64_t duration; // of true time
};

struct process;

struct proxy {
    struct ct_table table; // first member
    struct process *process;
    enum store_id store;
    uint64_t deadline; // of the process's clock
};

struct process {
    struct ct_env env; // first member: the environment is the process
    struct production *world;
    struct sct_machine *machine;
    const char *name;
    struct local_clock clock;
    uint64_t stalled_until; // of true time
    struct fault faults[FAULTS_MAX];
    // For searches: one of these, whose numbers do not count, may befall any request of its moment.
    // That is asked at each of them, so that executions share what comes before.
    const struct fault *menu;
    uint32_t menu_count;             // 0: none, or one of them has come
    uint32_t requests[MOMENT_COUNT]; // so far
    uint32_t under_way;              // requests that nobody waits for any more
    struct proxy proxies[STORE_COUNT];
    struct mt_bounded bounded[STORE_COUNT];
    void (*program)(struct process *process); // what it does from its beginning
    void *program_data;
    // Of what its tasks share beside what is here; NULL: nothing, or nobody compares states.
    struct digest (*digest)(const struct process *process);
    void *shared;    // for [digest]: what it has made
    uint32_t number; // among the world's
    uint32_t incarnation;
    bool is_dead;
    struct logged_call *call; // of an application: the running batch; NULL: none
};

struct store_state {
    struct ct_memory_table *table;
    struct process *locked_by; // whoever is stopped in a transaction; NULL: nobody
    struct sct_waiters unlocked;
};

struct proxy_stream;

struct production {
    struct world_time time;
    struct bug_set *bugs;
    bool is_of_files;   // the sort of the tables
    bool takes_groups;  // several batches go together (execute_all)
    bool etags_per_key; // see struct ct_memory_options
    struct store_state stores[STORE_COUNT];
    struct proxy_stream *streams; // the open ones
    struct sct_machine *network;
    struct process *processes[PROCESSES_MAX];
    uint32_t process_count;
    struct table_log log;
    bool has_ended; // the migration
    uint64_t lease;
};

// What steps touch, for searches that leave out orders of independent ones. Time passes when no
// other step can be taken, so it need not be named.
enum process_object {
    PROCESS_STORE,  // by its number
    PROCESS_LOG,    // of the calls
    PROCESS_WORLD,  // whether the migration has ended
    PROCESS_MEMORY, // of the process of that number
};

static inline void process_touch(enum sct_access_mode mode, enum process_object object,
                                 uint64_t key) {
    if (sct_reducing())
        sct_touch(&(struct sct_access){mode, (uint32_t)object, key, key});
}

// The log of the calls, which the running step changes.
static inline struct table_log *process_log(struct process *process) {
    process_touch(SCT_ACCESS_WRITE, PROCESS_LOG, 0);
    return &process->world->log;
}

// A scheduling point of [process]'s own.
void process_point(struct process *process, const char *label, const char *where);

// To be called at the beginning of each step of a task of [process], or about it: it may read all
// that the process's tasks share, and the time.
void process_step(struct process *process);

// Of [process] and all that its tasks share.
struct digest process_digest(const struct process *process);

// A process that is to run [program] from its start on; without connection to anything.
struct process *process_new(struct production *world, const char *name, uint32_t rate,
                            void (*program)(struct process *process), void *data);

void process_start(struct process *process);

// A task of [process].
void process_task(struct process *process, const char *name, void (*function)(void *),
                  void *argument);

// "NAME.N": an identity that no other process has, nor this one after a death.
const char *process_id(const struct process *process);

// Suspends the running task of [process] for as long as the process stands still. A step begins.
void process_stand_still(struct process *process);

// The batch that the process has begun last has ended, however: nothing of it is under way. To be
// called at once, or by the network when that is so.
void process_log_lost_call(struct process *process);

#endif

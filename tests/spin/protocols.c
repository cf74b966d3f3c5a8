// Three protocols, each once more in Promela beside this file: scripts/check-spin compares how many
// states SPIN and the search have of them.
#include "core/engine/inside.h"
#include "core/engine/sync.h"
#include "core/sct.h"

enum { TASKS_MAX = 10 };

// How large a test is.
struct size {
    uintptr_t tasks, rounds;
};

static struct size size; // of the running test

static const char *const names[TASKS_MAX] = {"t-0", "t-1", "t-2", "t-3", "t-4",
                                             "t-5", "t-6", "t-7", "t-8", "t-9"};

// What the task has learnt since [mark] matters no more, but for [value].
static void keep(struct digest mark, uint64_t value) {
    sct_forget(mark, &value, sizeof value);
}

// ---- toy.pml -----------------------------------------------------------------------------------

static struct sct_atomic *counter;

static void *count(void *argument) {
    (void)argument;
    struct digest mark = sct_observed();
    for (uint64_t round = 0; round < size.rounds; round++) {
        keep(mark, round);
        uint64_t seen = sct_atomic_load(counter);
        sct_atomic_store(counter, seen + 1);
    }
    return NULL;
}

static void set_up_toy(void *context) {
    size = *(const struct size *)context;
    counter = ARENA_NEW(sct_arena(), struct sct_atomic);
    sct_atomic_init(counter, "counter", 0);
    for (uintptr_t i = 0; i < size.tasks; i++)
        sct_thread_create(names[i], count, NULL);
}

// ---- philosophers.pml --------------------------------------------------------------------------

static struct sct_lock *forks;

static void *dine(void *argument) {
    uintptr_t own = (uintptr_t)argument, next = (own + 1) % size.tasks;
    struct sct_lock *lower = &forks[own < next ? own : next];
    struct sct_lock *upper = &forks[own < next ? next : own];
    for (uintptr_t meal = 0; meal < size.rounds; meal++) {
        sct_lock_acquire(lower);
        sct_lock_acquire(upper);
        sct_lock_release(upper);
        sct_lock_release(lower);
    }
    return NULL;
}

static void set_up_philosophers(void *context) {
    size = *(const struct size *)context;
    forks = ARENA_ARRAY(sct_arena(), struct sct_lock, size.tasks);
    for (uintptr_t i = 0; i < size.tasks; i++)
        sct_lock_init(&forks[i], names[i]);
    for (uintptr_t i = 0; i < size.tasks; i++)
        sct_thread_create(names[i], dine, (void *)i);
}

// ---- The same by mutexes without scheduling points ---------------------------------------------

static struct sct_mutex *mutexes;

static void take(uintptr_t fork) {
    sct_point("take", HERE, &sct_access_none);
    sct_mutex_acquire(&mutexes[fork], names[fork]);
}

static void put_down(uintptr_t fork) {
    sct_point("put down", HERE, &sct_access_none);
    sct_mutex_release(&mutexes[fork]);
}

static void dine_by_mutexes(void *argument) {
    uintptr_t own = (uintptr_t)argument, next = (own + 1) % size.tasks;
    uintptr_t lower = own < next ? own : next, upper = own < next ? next : own;
    for (uintptr_t meal = 0; meal < size.rounds; meal++) {
        take(lower);
        take(upper);
        put_down(upper);
        put_down(lower);
    }
}

static void set_up_mutexes(void *context) {
    size = *(const struct size *)context;
    mutexes = ARENA_ARRAY(sct_arena(), struct sct_mutex, size.tasks);
    for (uintptr_t i = 0; i < size.tasks; i++)
        sct_mutex_init(&mutexes[i]);
    sct_touch_after_waits(&sct_access_none);
    for (uintptr_t i = 0; i < size.tasks; i++)
        sct_task_start(sct_machine_create(names[i]), "main", dine_by_mutexes, (void *)i);
}

// ---- commit.pml --------------------------------------------------------------------------------

enum kind { PREPARE, VOTE, DECISION };
enum decision { UNDECIDED, COMMIT, ABORT };

struct message {
    struct sct_message header; // first
    enum decision value;
};

static struct world {
    struct sct_machine *coordinator, *participants[TASKS_MAX];
    uint64_t outcomes[TASKS_MAX];
} * commit;

static void send(struct sct_machine *to, enum kind kind, enum decision value) {
    struct message *message = ARENA_NEW(sct_arena(), struct message);
    message->header.kind = kind;
    message->value = value;
    sct_post(to, &message->header);
}

static enum decision receive(enum kind kind) {
    return ((const struct message *)sct_receive(SCT_KIND_BIT(kind), false, "a message"))->value;
}

static void coordinate(void *argument) {
    (void)argument;
    struct digest mark = sct_observed();
    enum decision decision = COMMIT;
    for (uintptr_t i = 0; i < size.tasks; i++) {
        sct_point("prepare", HERE, &sct_access_none);
        send(commit->participants[i], PREPARE, UNDECIDED);
    }
    for (uintptr_t got = 0; got < size.tasks; got++) {
        keep(mark, 2 * got + decision);
        if (receive(VOTE) == ABORT)
            decision = ABORT;
    }
    keep(mark, decision);
    for (uintptr_t i = 0; i < size.tasks; i++) {
        sct_point("tell", HERE, &sct_access_none);
        send(commit->participants[i], DECISION, decision);
    }
}

static void participate(void *argument) {
    uint64_t *outcome = argument;
    struct digest mark = sct_observed();
    receive(PREPARE);
    keep(mark, PREPARE); // whoever votes the same says the same
    send(commit->coordinator, VOTE, sct_choose(2, "vote to abort") ? ABORT : COMMIT);
    keep(mark, VOTE);
    *outcome = receive(DECISION);
}

static void add_outcomes(void *context, struct digest *state) {
    (void)context;
    digest_add(state, digest_of(commit->outcomes, sizeof commit->outcomes));
}

static void set_up_commit(void *context) {
    size = *(const struct size *)context;
    commit = ARENA_NEW(sct_arena(), struct world);
    commit->coordinator = sct_machine_create("coordinator");
    sct_task_start(commit->coordinator, "main", coordinate, NULL);
    for (uintptr_t i = 0; i < size.tasks; i++) {
        commit->participants[i] = sct_machine_create(names[i]);
        sct_task_start(commit->participants[i], "main", participate, &commit->outcomes[i]);
    }
}

static void add_nothing(void *context, struct digest *state) {
    (void)context;
    (void)state;
}

#define PROTOCOL(name_, function, add, tasks_, rounds_)         \
    {                                                           \
        .name = name_, .is_reducible = true,                    \
        .program = {.setup = function,                          \
                    .context = &(struct size){tasks_, rounds_}, \
                    .digest = add,                              \
                    .tasks_observe = true,                      \
                    .begins_quietly = true,                     \
                    .is_copyable = true},                       \
    }

// The sizes are those that scripts/check-spin gives to SPIN.
int main(int argc, char **argv) {
    const struct sct_test tests[] = {
        PROTOCOL("toy", set_up_toy, add_nothing, 3, 3),
        PROTOCOL("toy-large", set_up_toy, add_nothing, 4, 3),
        PROTOCOL("philosophers", set_up_philosophers, add_nothing, 4, 2),
        PROTOCOL("philosophers-large", set_up_philosophers, add_nothing, 6, 3),
        PROTOCOL("mutexes", set_up_mutexes, add_nothing, 3, 2),
        PROTOCOL("mutexes-large", set_up_mutexes, add_nothing, 5, 2),
        PROTOCOL("commit", set_up_commit, add_outcomes, 4, 1),
        PROTOCOL("commit-large", set_up_commit, add_outcomes, 10, 1),
    };
    return sct_run(argc, argv,
                   &(struct sct_suite){"protocols", tests, sizeof tests / sizeof *tests});
}

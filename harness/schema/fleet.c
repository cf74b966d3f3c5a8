#include "harness/schema/fleet.h"
#include "core/campaign/marks.h"
#include "core/engine/inside.h"
#include "core/engine/monitor.h"
#include "harness/schema/workload.h"

enum {
    DEATHS_MAX = 2,
    ERROR_RARITY = 6, // of so many executions one has a server error
    CALLS_MAX = 10,   // a death falls within so many of the worker's calls, which few passes exceed
};

// ---- What steps touch --------------------------------------------------------------------------

// All parties and the roll-out.
static void touch_all(enum sct_access_mode mode) {
    schema_touch(mode, 0, SCHEMA_ROLL_OUT);
}

// What others see of the party [index].
static void touch_own(size_t index) {
    schema_touch(SCT_ACCESS_WRITE, index, index);
}

// A step that names what it touches where somebody asks.
static void take_point(const char *label, const char *where) {
    sct_point(label, where, sct_reducing() ? &sct_access_none : &sct_access_unknown);
}

// ---- Waiting -----------------------------------------------------------------------------------

// Somebody has moved: wakes those whose wait is over, and nobody in vain.
// A queue that is woken makes steps depend on each other: a reduced search pays for each.
static void tell_change(struct fleet *fleet) {
    touch_all(SCT_ACCESS_READ);
    for (uint32_t waiting = fleet->waiting; waiting; waiting &= waiting - 1) {
        size_t i = (size_t)__builtin_ctz(waiting);
        struct fleet_wait *wait = &fleet->waits[i];
        if (wait->is_over(fleet, i))
            sct_waiters_wake(&wait->queue);
    }
}

static void await(struct fleet *fleet, size_t index,
                  bool (*is_over)(const struct fleet *fleet, size_t index), const char *waits_for) {
    struct fleet_wait *wait = &fleet->waits[index];
    touch_own(index);
    touch_all(SCT_ACCESS_READ);
    wait->is_over = is_over;
    fleet->waiting |= 1u << index;
    while (!is_over(fleet, index)) {
        sct_waiters_wait(&wait->queue, waits_for);
        touch_all(SCT_ACCESS_READ); // in a new step
    }
    touch_own(index);
    fleet->waiting &= ~(1u << index);
}

// What the running task does from here on depends on nothing that it has learnt but [value]: what
// there is to do is the fleet's to say.
// States are merged by what tasks know; without this all ways that led here would stay apart.
static void forget(const char *place, uint64_t value) {
    if (!sct_comparing())
        return;
    struct digest what = digest_fold_text((struct digest){value, 0}, place);
    sct_forget((struct digest){0, 0}, &what, sizeof what);
}

// ---- Setting up --------------------------------------------------------------------------------

void fleet_init(struct fleet *fleet, size_t servers, struct bug_set *bugs) {
    ASSERT(servers <= SU_FLEET_MAX);
    fleet->state.count = servers;
    fleet->state.bugs = bugs;
    for (size_t i = 0; i <= PARTIES_MAX; i++)
        sct_waiters_init(&fleet->waits[i].queue);
}

void fleet_draw(struct fleet *fleet, struct bug_set *bugs) {
    fleet_init(fleet, sct_choose(8, "servers") == 7 ? 3 : 2, bugs);
    workload_draw(fleet);
    if (fleet->state.count > 2)
        MARK("three servers");
}

void fleet_load(struct fleet *fleet, struct tables *tables) {
    workload_load(fleet, tables);
    ledger_open(&fleet->ledger, tables);
}

struct party *fleet_join(struct fleet *fleet, struct client *client, struct ct_table *table) {
    size_t index = fleet->ledger.party_count++;
    ASSERT(index <= fleet->state.count);
    struct party *party = &fleet->ledger.parties[index];
    party->machine = client->machine;
    party->client = client;
    party->server = (struct su_server){
        .release = SU_R1_STRICT,
        .station = STATION,
        .table = table,
        .arena = sct_arena(),
        .bugs = fleet->state.bugs,
        .env = &client->env,
    };
    if (index == fleet->state.count)
        fleet->worker = party;
    return party;
}

const char *fleet_server_name(size_t index) {
    static const char *const names[] = {"server-0", "server-1", "server-2"};
    ASSERT(index < sizeof names / sizeof names[0]);
    return names[index];
}

// ---- The roll-out ------------------------------------------------------------------------------

static bool may_be_upgraded(const struct fleet *fleet, size_t server, enum su_release *release) {
    return fleet->awaits_upgrade[server] && su_rollout_allows(&fleet->state, server, release);
}

static bool rollout_may_go_on(const struct fleet *fleet, size_t index) {
    enum su_release release;
    (void)index;
    for (size_t i = 0; i < fleet->state.count; i++)
        if (may_be_upgraded(fleet, i, &release))
            return true;
    return false;
}

static void upgrade(struct fleet *fleet, size_t index, enum su_release release) {
    if (sct_narrating())
        sct_note("upgrades %s to %s", fleet_server_name(index), su_release_name(release));
    fleet->state.releases[index] = release;
    fleet->ledger.parties[index].server.release = release;
    fleet->awaits_upgrade[index] = fleet->upgrades_in_a_row;
    fleet->is_idle[index] = false;
    tell_change(fleet);
}

// Upgrades a drawn one of the servers that wait for it; none if all have begun something else.
static void upgrade_any(struct fleet *fleet) {
    size_t servers[SU_FLEET_MAX];
    enum su_release releases[SU_FLEET_MAX];
    uint32_t count = 0;
    touch_all(SCT_ACCESS_WRITE);
    for (size_t i = 0; i < fleet->state.count; i++)
        if (may_be_upgraded(fleet, i, &releases[count]))
            servers[count++] = i;
    if (count == 0)
        return;
    uint32_t drawn = sct_choose(count, "server to be upgraded");
    upgrade(fleet, servers[drawn], releases[drawn]);
}

static void roll_out(void *argument) {
    struct fleet *fleet = argument;
    while (!su_fleet_runs(&fleet->state, SU_R3)) {
        await(fleet, PARTIES_MAX, rollout_may_go_on, "a server that may be upgraded");
        take_point("upgrade", HERE);
        upgrade_any(fleet);
        forget("the roll-out", 0);
    }
}

// ---- Servers -----------------------------------------------------------------------------------

static bool is_upgraded(const struct fleet *fleet, size_t index) {
    return !fleet->awaits_upgrade[index];
}

// Servers but [index] wait for an upgrade that is not to be had, or for the worker.
// Then nobody can get further without this one, and to wait on would be for ever.
static bool others_are_stuck(const struct fleet *fleet, size_t index) {
    for (size_t i = 0; i < fleet->state.count; i++)
        if (i != index && !fleet->is_idle[i])
            return false;
    return !rollout_may_go_on(fleet, PARTIES_MAX);
}

static bool is_ahead(const struct fleet *fleet, size_t server, enum su_release release) {
    return fleet->state.releases[server] > release &&
           (fleet->lag == LAG_BEHIND || fleet->is_idle[server]);
}

static bool is_overtaken(const struct fleet *fleet, size_t index) {
    for (size_t i = 0; i < fleet->state.count; i++)
        if (is_ahead(fleet, i, fleet->state.releases[index]))
            return fleet->lag != LAG_LAST || others_are_stuck(fleet, index);
    return false;
}

// Whether the worker has begun the pass that belongs to the release of the server: R2 or R3.
static bool pass_has_begun(const struct fleet *fleet, size_t index) {
    enum su_release release = fleet->state.releases[index];
    enum su_version target = release == SU_R3 ? SU_3_0 : SU_2_0;
    return fleet->state.swept >= target ||
           (fleet->is_sweeping && su_fleet_runs(&fleet->state, release));
}

static void idle(struct fleet *fleet, size_t index,
                 bool (*is_over)(const struct fleet *fleet, size_t index), const char *waits_for) {
    fleet->is_idle[index] = true;
    tell_change(fleet);
    await(fleet, index, is_over, waits_for);
    fleet->is_idle[index] = false;
}

// One server lags at a time: two would wait for each other.
static void stay_behind(struct fleet *fleet, size_t index) {
    if (fleet->lag != LAG_NONE)
        return;
    fleet->lag = workload_draw_lag();
    if (fleet->lag != LAG_NONE)
        await(fleet, index, is_overtaken, "a neighbour to be ahead");
    fleet->lag = LAG_NONE;
}

static void work(struct fleet *fleet, size_t index) {
    enum su_release release = fleet->state.releases[index];
    uint32_t count = workload_draw_operations(fleet, release);
    // In R3 nobody can be ahead.
    if (count > 0 && release < SU_R3)
        stay_behind(fleet, index);
    for (; count > 0; count--) {
        if (release >= SU_R2 && workload_draw_wait())
            idle(fleet, index, pass_has_begun, "the worker's pass to begin");
        workload_operate(fleet, index);
    }
}

void fleet_serve(struct fleet *fleet, size_t index) {
    for (;;) {
        work(fleet, index);
        if (fleet->state.releases[index] == SU_R3)
            break;
        fleet->awaits_upgrade[index] = true;
        idle(fleet, index, is_upgraded, "its upgrade");
    }
    fleet->is_idle[index] = true;
    tell_change(fleet);
}

void fleet_offer_upgrades(struct fleet *fleet) {
    fleet->upgrades_in_a_row = true;
    for (size_t i = 0; i < fleet->state.count; i++)
        fleet->awaits_upgrade[i] = true;
}

void fleet_serve_requests(struct fleet *fleet, size_t index, uint32_t count,
                          void (*serve)(struct fleet *fleet, size_t index, uint32_t left)) {
    ASSERT(fleet->upgrades_in_a_row);
    for (uint32_t left = count; left > 0; left--) {
        if (left < count) // the first one falls where the task begins
            take_point("request", HERE);
        touch_own(index);
        fleet->awaits_upgrade[index] = false;
        serve(fleet, index, left);
        touch_own(index);
        fleet->awaits_upgrade[index] = true;
        tell_change(fleet);
        forget("requests", left);
    }
}

// ---- The worker --------------------------------------------------------------------------------

// A task of a machine of its own: when it runs, the worker dies.
static void kill_worker(void *argument) {
    struct fleet *fleet = argument;
    struct tables_host *host = fleet->worker_client->host;
    // A call and its annotation are one step of the model: a death does not come between.
    while (host->tables->awaits_annotation)
        sct_waiters_wait(&host->ready, "the annotation of the last backend call");
    if (fleet->state.swept == SU_3_0)
        return;
    sct_note("FAULT: the worker dies");
    if (fleet->is_sweeping)
        MARK("the worker dies in the middle of a pass");
    fleet->is_sweeping = false;
    client_close_streams(fleet->worker_client); // the dead read no more
    fleet->restart_worker(fleet);
}

static void start_death(struct fleet *fleet) {
    sct_task_start(sct_machine_create("death"), "death", kill_worker, fleet);
}

// Draws how many more calls the worker will have begun when it may die.
static void draw_death(struct fleet *fleet) {
    if (fleet->deaths_left == 0)
        return;
    fleet->deaths_left--;
    struct client_faults *faults = &fleet->worker_client->faults;
    // Counted from here, for the client has made calls before.
    faults->death_after = faults->calls + 1 + sct_choose(CALLS_MAX, "calls before the death");
}

static void die(struct client *client) {
    start_death(client->faults.mortal);
}

void fleet_draw_deaths(struct fleet *fleet) {
    if (sct_choose(3, "death of the worker") == 2)
        fleet->deaths_left = 1 + sct_choose(DEATHS_MAX, "deaths");
}

void fleet_draw_server_error(struct client *const *clients, size_t count) {
    if (sct_choose(ERROR_RARITY, "server error") != ERROR_RARITY - 1)
        return;
    struct client *victim = clients[sct_choose((uint32_t)count, "victim")];
    victim->faults.server_error_at = 1 + sct_choose(2 * CALLS_MAX, "call that fails");
}

void fleet_kill_worker(struct fleet *fleet) {
    start_death(fleet);
}

void fleet_start(struct fleet *fleet, struct client *worker_client) {
    fleet->worker_client = worker_client;
    worker_client->faults.die = die;
    worker_client->faults.mortal = fleet;
    sct_task_start_with(sct_machine_create("roll-out"), "main", roll_out, fleet, &sct_access_none);
}

// Sweeps once. A pass that a server error has met is made again.
static void sweep(struct fleet *fleet) {
    struct party *worker = fleet->worker;
    struct su_outcome outcome;
    do {
        ledger_begin(&fleet->ledger, worker, &(struct errand){.operation = ERRAND_UPGRADE});
        struct sct_monitor monitor = {0};
        sct_monitor_hot(&monitor, "its pass to end");
        outcome = su_worker_pass(&worker->server);
        sct_monitor_cold(&monitor);
    } while (!ledger_end(&fleet->ledger, worker, &outcome, NULL));
}

static void pass(struct fleet *fleet) {
    struct party *worker = fleet->worker;
    touch_own(fleet->state.count);
    touch_all(SCT_ACCESS_READ);
    // All servers run the same one now, or the pass would not be due.
    worker->server.release = fleet->state.releases[0];
    enum su_version target = worker->server.release == SU_R3 ? SU_3_0 : SU_2_0;
    if (sct_narrating())
        sct_note("begins its pass to %s", su_version_name(target));
    fleet->is_sweeping = true;
    tell_change(fleet);
    sweep(fleet);
    ledger_check_swept(&fleet->ledger, target);
    touch_own(fleet->state.count);
    fleet->is_sweeping = false;
    // Only now may the roll-out go on to R3: the check before has seen that nothing is left.
    fleet->state.swept = target;
    tell_change(fleet);
}

static bool worker_is_due(const struct fleet *fleet, size_t index) {
    (void)index;
    return su_worker_is_due(&fleet->state);
}

void fleet_sweep(struct fleet *fleet) {
    touch_own(fleet->state.count);
    draw_death(fleet);
    while (fleet->state.swept < SU_3_0) {
        await(fleet, fleet->state.count, worker_is_due, "the servers to run its next release");
        pass(fleet);
        forget("the worker", 0);
    }
}

void fleet_check_end(const struct fleet *fleet) {
    ASSERT(su_fleet_runs(&fleet->state, SU_R3));
    ASSERT(fleet->state.swept == SU_3_0);
    ledger_check_swept(&fleet->ledger, SU_3_0);
}

struct digest fleet_digest(const struct fleet *fleet) {
    uint64_t words[] = {fleet->state.swept, fleet->is_sweeping, fleet->lag, fleet->deaths_left,
                        fleet->samples};
    struct digest digest =
        digest_fold_digest(digest_of(words, sizeof words), ledger_digest(&fleet->ledger));
    for (size_t i = 0; i < fleet->state.count; i++) {
        uint64_t server = (uint64_t)fleet->state.releases[i] << 2 |
                          (uint64_t)fleet->awaits_upgrade[i] << 1 | fleet->is_idle[i];
        digest = digest_fold(digest, server);
    }
    return digest;
}

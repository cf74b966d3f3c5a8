// default of dual-write: two applications and the migrator; every request a step of its own, some
// refused. Judged by the history of the calls and the final contents of the destination.
#include "core/engine/monitor.h"
#include "core/history/linearize.h"
#include "harness/history/store.h"
#include "harness/production/network.h"
#include "harness/production/show.h"
#include "harness/subject/subject.h"
#include "harness/table/kinds.h"
#include "harness/table/retell.h"
#include "harness/table/show_rows.h"
#include "model/config/service.h"
#include "model/dual/dual.h"
#include "model/memory/memory_table.h"

#include <stdio.h>

enum {
    APPS = 2,
    CALLS = 3,
    KEYS = 2,
    FAULTS = 3,
    REQUESTS = 12,
    EVENTS_MAX = 2 * (APPS * CALLS + KEYS * 2),
    VALUES = 1 + KEYS + APPS * CALLS,
    STEPS_MAX = 100000,
    MEMORY_BYTES = 1 << 20,
};

#define ALWAYS UINT64_C(1000000000000000)

static const char *const keys[KEYS] = {"0", "1"};

// One call of an application, or a look at the end.
struct call {
    uint32_t process;
    uint32_t key;
    bool is_read;
    uint32_t value; // written or read; STORE_NIL: none
    bool is_omitted, has_returned;
};

struct dual_world {
    struct production production;
    struct mt_config_service service;
    struct call calls[EVENTS_MAX];
    uint32_t call_count;
    uint32_t events[EVENTS_MAX]; // 2 * call, + 1 for its return
    uint32_t event_count;
    uint32_t writes;
};

// ---- History -----------------------------------------------------------------------------------

static struct call *begin_call(struct dual_world *world, uint32_t process, uint32_t key,
                               bool is_read, uint32_t value) {
    struct call *call = &world->calls[world->call_count];
    *call = (struct call){.process = process, .key = key, .is_read = is_read, .value = value};
    world->events[world->event_count++] = 2 * world->call_count++;
    return call;
}

static void end_call(struct dual_world *world, struct call *call) {
    call->has_returned = true;
    world->events[world->event_count++] = 2 * (uint32_t)(call - world->calls) + 1;
}

// One of each for all executions of this process.
static struct {
    struct lin_checker *checker;
    struct sct_history history;
    struct store store;
} judge;

// Value number i is the text of i: what calls write need not be looked up.
static void open_judge(void) {
    char name[16];
    if (judge.checker)
        return;
    judge.checker =
        lin_open(&(struct lin_limits){.steps_max = STEPS_MAX, .memory_bytes = MEMORY_BYTES});
    sct_history_init(&judge.history);
    store_init(&judge.store);
    judge.store.is_map = true;
    for (uint32_t i = judge.store.values.count; i < VALUES; i++)
        strings_add(&judge.store.values, name, (size_t)snprintf(name, sizeof name, "%u", i));
    for (uint32_t i = 0; i < KEYS; i++)
        strings_add(&judge.store.keys, keys[i], 1);
}

static void build_history(const struct dual_world *world) {
    uint32_t operations[EVENTS_MAX];
    sct_history_clear(&judge.history);
    for (uint32_t i = 0; i < world->event_count; i++) {
        uint32_t index = world->events[i] / 2;
        const struct call *call = &world->calls[index];
        if (call->is_omitted)
            continue;
        if (world->events[i] % 2 == 1) {
            sct_history_return(&judge.history, operations[index], call->is_read ? call->value : 0);
            continue;
        }
        operations[index] = sct_history_call(
            &judge.history,
            &(struct sct_operation){.process = call->process,
                                    .function = call->is_read ? STORE_READ : STORE_WRITE,
                                    .key = call->key,
                                    .input = {call->value}});
    }
}

static void check_history(const struct dual_world *world) {
    struct lin_result result;
    open_judge();
    build_history(world);
    struct lin_spec spec = store_spec(&judge.store);
    lin_check(judge.checker, &spec, &judge.history, &result);
    if (result.verdict == LIN_UNKNOWN)
        sct_check_gave_up();
    if (result.verdict != LIN_NOT_LINEARIZABLE)
        return;
    const struct sct_operation *blocked = &judge.history.operations[result.blocked];
    char value[16] = "nothing";
    uint64_t number = blocked->function == STORE_READ ? blocked->output : blocked->input[0];
    if (number != STORE_NIL)
        snprintf(value, sizeof value, "%u", (unsigned)number);
    sct_violation(KIND_NOT_LINEARIZABLE, "no order of the calls explains a %s of row '%s': %s",
                  blocked->function == STORE_READ ? "read" : "write", keys[blocked->key], value);
}

// ---- Programs ----------------------------------------------------------------------------------

static struct dual dual_of(struct process *process) {
    struct dual_world *world = sct_context();
    for (int i = 0; i < STORE_COUNT; i++)
        process->proxies[i].deadline = ALWAYS;
    return (struct dual){.source = &process->proxies[STORE_OLD].table,
                         .destination = &process->proxies[STORE_NEW].table,
                         .config = &world->service.config,
                         .env = &process->env,
                         .bugs = world->production.bugs};
}

static void read_key(struct process *process, struct dual *dual, uint32_t number, uint32_t key) {
    struct dual_world *world = sct_context();
    struct dual_version version = {0};
    struct call *call = begin_call(world, number, key, true, STORE_NIL);
    sct_note_as(SCT_NOTE_CALL, "calls get '%s'", keys[key]);
    call->is_omitted = dual_get(dual, sct_arena(), keys[key], &version) != DUAL_DONE;
    call->value = version.is_deleted || !version.etag ? STORE_NIL : (uint32_t)version.value;
    if (call->is_omitted)
        sct_note_as(SCT_NOTE_RETURN, "its call is refused");
    else
        sct_note_as(SCT_NOTE_RETURN, "its call returns %u%s", (unsigned)call->value,
                    call->value == STORE_NIL ? " (no row)" : "");
    end_call(world, call);
    (void)process;
}

static void write_key(struct dual *dual, uint32_t number, uint32_t key, bool deletes) {
    struct dual_world *world = sct_context();
    uint32_t value = deletes ? STORE_NIL : 1 + KEYS + world->writes++;
    struct call *call = begin_call(world, number, key, false, value);
    sct_note_as(SCT_NOTE_CALL, "calls %s '%s' %u", deletes ? "delete" : "put", keys[key],
                (unsigned)value);
    enum dual_result result = deletes ? dual_delete(dual, sct_arena(), keys[key])
                                      : dual_put(dual, sct_arena(), keys[key], (int32_t)value);
    sct_note_as(SCT_NOTE_RETURN, "its call %s",
                result == DUAL_DONE      ? "is done"
                : result == DUAL_REFUSED ? "is refused"
                                         : "may have been done");
    // A refused call has done nothing, so it is not in the history; one that may have been done
    // stays open.
    call->is_omitted = result == DUAL_REFUSED;
    if (result == DUAL_DONE)
        end_call(world, call);
}

static void run_application(struct process *process) {
    struct dual dual = dual_of(process);
    uint32_t number = *(uint32_t *)process->program_data;
    // A process whose call is unknown goes on as another.
    for (uint32_t i = 0; i < CALLS; i++) {
        uint32_t kind = sct_choose(4, "call");
        uint32_t key = sct_choose(KEYS, "key");
        struct sct_monitor monitor = {0};
        sct_count_operation();
        sct_monitor_hot(&monitor, "a call to return");
        if (kind < 2)
            read_key(process, &dual, number + i * APPS, key);
        else
            write_key(&dual, number + i * APPS, key, kind == 3);
        sct_monitor_cold(&monitor);
    }
}

static void run_migrator(struct process *process) {
    struct dual_world *world = sct_context();
    struct dual dual = dual_of(process);
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "the migration to end");
    // It ends, for a fault befalls one request of a certain number, and no later one.
    while (dual_migrate(&dual, sct_arena()) != DUAL_DONE)
        continue;
    sct_monitor_cold(&monitor);
    world->production.has_ended = true;
}

// ---- The world ---------------------------------------------------------------------------------

// Rows that were there before anything ran: written by a process of their own.
// By the model's own write, and in the history: so the first rows have numbers, and the checker
// knows them.
static void load(struct dual_world *world, struct process *process) {
    struct dual dual = dual_of(process);
    for (uint32_t key = 0; key < KEYS; key++) {
        if (sct_choose(2, "row") == 0)
            continue;
        struct call *call = begin_call(world, APPS * CALLS, key, false, 1 + key);
        enum dual_result result = dual_put(&dual, sct_arena(), keys[key], (int32_t)(1 + key));
        ASSERT(result == DUAL_DONE);
        end_call(world, call);
    }
}

static void draw_faults(struct process *const *processes, uint32_t count) {
    uint32_t faults = sct_choose(FAULTS, "faults");
    for (uint32_t i = 0; i < faults; i++) {
        struct fault *fault = &processes[sct_choose(count, "victim")]->faults[i];
        fault->kind = FAULT_REFUSED;
        fault->moment = MOMENT_REQUEST;
        fault->number = 1 + sct_choose(REQUESTS, "request");
    }
}

static void setup(void *bugs) {
    static const char *const names[] = {"service-0", "service-1"};
    struct dual_world *world = ARENA_NEW(sct_arena(), struct dual_world);
    sct_context_set(world);
    struct process *processes[APPS + 1];
    uint32_t count = 0;
    world->production.bugs = bugs;
    network_init(&world->production);
    struct process *loader = network_add(&world->production, "loader", 100, NULL, NULL);
    mt_config_service_init(&world->service, &loader->env, (enum mt_state)DUAL_SOURCE, false);
    load(world, loader);
    for (uint32_t i = 0; i < APPS; i++) {
        uint32_t *number = ARENA_NEW(sct_arena(), uint32_t);
        *number = i;
        processes[count++] =
            network_add(&world->production, names[i], 100, run_application, number);
    }
    processes[count++] = network_add(&world->production, "migrator", 100, run_migrator, NULL);
    draw_faults(processes, count);
    for (uint32_t i = 0; i < count; i++)
        process_start(processes[i]);
}

// Once more through the interface, when all is over: what is there.
static void finish(void *context) {
    struct dual_world *world = context;
    struct process *reader = network_add(&world->production, "reader", 100, NULL, NULL);
    struct dual dual = dual_of(reader);
    sct_check(world->production.has_ended, KIND_FINAL_STATE, "the migration has not ended");
    for (uint32_t key = 0; key < KEYS; key++)
        read_key(reader, &dual, APPS * CALLS, key);
    check_history(world);
}

static void show(const void *context, struct panel_sink *sink) {
    const struct dual_world *world = context;
    static const struct panel_form forms[] = {
        {"source", PANEL_TABLE, "the table that the data is moved out of", show_rows_columns,
         SHOW_ROWS_KEYS, NULL, NULL},
        {"destination", PANEL_TABLE, "the table that the data is moved into", show_rows_columns,
         SHOW_ROWS_KEYS, NULL, NULL},
    };
    static const struct row_looks looks = {NULL, NULL};
    for (int i = 0; i < 2; i++)
        show_rows(sink, &forms[i], world->production.stores[i].table, &looks);
}

static const struct term terms[] = {
    {"the system",
     "Every change is written to two tables, first to the old one (the source), while "
     "a copier brings over what was there before."},
    {"service-N", "an application process"},
    {"migrator", "the process that announces each mode and copies"},
    {KIND_NOT_LINEARIZABLE, "no order of the calls, one after the other, explains their answers"},
    {NULL, NULL},
};

static const struct subject_view dual_view = {
    .show = show, .terms = terms, .retell = table_retell, .steps = table_steps};

extern const struct subject_test scenario_dual_default;
const struct subject_test scenario_dual_default = {
    .name = "default",
    .summary = "two applications, the copier, refused requests; every request a step of its own",
    .program = {.setup = setup, .finish = finish},
    .view = &dual_view,
};

#include "harness/production/network.h"

#include "harness/table/describe.h"
#include "model/memory/memory_table.h"
#include "model/table/batch.h"

#include <string.h>

enum { NOTE_BYTES = 3000, MENU_MAX = 16 };

static const char *const labels[STORE_COUNT][REQUEST_READ_STREAM + 1] = {
    [STORE_OLD] = {"old.execute", "old.query", "old.open-stream", "old.read-stream"},
    [STORE_NEW] = {"new.execute", "new.query", "new.open-stream", "new.read-stream"},
    [STORE_CONTROL] = {"control.execute", "control.query", "control.open-stream",
                       "control.read-stream"},
};

// A request on its way.
struct sending {
    struct request request;
    struct process *process;
    enum store_id store;
    uint64_t deadline; // of true time
    uint64_t delay;    // before it is executed
    // A group: batches of one transaction, of which [request] has the one that is served.
    struct ct_write *writes;
    size_t write_count; // 0: it is none
};

// A stream of a table, of a process.
struct proxy_stream {
    struct ct_stream stream; // first member
    const struct proxy *proxy;
    struct ct_stream *backend;
    bool is_read;                      // a read is under way
    struct proxy_stream *next, **link; // among the open ones
};

// No request is sent, so it is no scheduling point, and nothing can befall it.
static void close_stream(struct ct_stream *base, const char *where) {
    struct proxy_stream *stream = (struct proxy_stream *)base;
    (void)where;
    ct_stream_close(stream->backend);
    *stream->link = stream->next;
    if (stream->next)
        stream->next->link = stream->link;
}

struct digest network_digest(const struct production *world) {
    // The end is judged by the log, so states with different logs are not one.
    struct digest digest = table_log_digest(&world->log);
    for (int i = 0; i < STORE_COUNT; i++) {
        const struct store_state *store = &world->stores[i];
        digest = digest_fold_digest(digest, ct_memory_digest(store->table));
        digest = digest_fold_text(digest, store->locked_by ? store->locked_by->name : "");
    }
    // Added up, for in which order the open streams were opened does not matter.
    struct digest streams = {0, 0};
    for (const struct proxy_stream *stream = world->streams; stream; stream = stream->next) {
        struct digest of_stream = ct_memory_stream_digest(stream->backend);
        of_stream = digest_fold(of_stream, stream->proxy->process->number);
        digest_add(&streams, digest_fold(of_stream, stream->proxy->store));
    }
    return digest_fold_digest(digest, streams);
}

// ---- Serving -----------------------------------------------------------------------------------

static void note(const struct sending *sending, const char *remark) {
    if (!sct_narrating())
        return;
    char buffer[NOTE_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    describe_request(&text, &sending->request);
    sct_note_as(SCT_NOTE_FAULT, "%s -> FAULT: %s   (%s)", buffer, remark, sending->request.where);
}

static struct ct_outcome perform(struct sending *sending) {
    struct request *request = &sending->request;
    struct ct_table *table =
        ct_memory_table_interface(sending->process->world->stores[sending->store].table);
    switch (request->kind) {
    case REQUEST_EXECUTE:
        return ct_execute(table, request->as.execute.batch, sct_arena(),
                          request->as.execute.results);
    case REQUEST_QUERY:
        return ct_query(table, request->as.query.filter, sct_arena(), request->as.query.rows);
    case REQUEST_OPEN_STREAM:
        return ct_open_stream(table, request->as.open.filter, request->as.open.stream);
    case REQUEST_READ_STREAM:
        return ct_stream_read(request->as.read.stream, request->as.read.row);
    case REQUEST_PEEK_ROWS:
    case REQUEST_PEEK_REVISION:
    case REQUEST_PEEK_VALID:
    case REQUEST_ANNOTATE:
        break;
    }
    fail_at(FAIL_ASSERTION, HERE, "request %d is not a call", (int)request->kind);
}

static void perform_and_tell(struct sending *sending) {
    struct request *request = &sending->request;
    char buffer[NOTE_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    if (request->caller != sct_machine_self())
        text_add(&text, "for %s: ", sct_machine_name(request->caller));
    if (sct_narrating())
        describe_request(&text, request);
    request->outcome = perform(sending);
    if (!sct_narrating())
        return;
    text_add(&text, " -> ");
    describe_answer(&text, request);
    sct_note_as(SCT_NOTE_PLAIN, "%s   (%s)", buffer, request->where);
}

static void serve_write(struct sending *sending, struct ct_write *write) {
    sending->request.as.execute.batch = &write->batch;
    sending->request.as.execute.results = write->results;
    perform_and_tell(sending);
    write->outcome = sending->request.outcome;
}

// All in one step.
static void take_effect(struct sending *sending) {
    if (sending->write_count == 0)
        perform_and_tell(sending);
    for (size_t i = 0; i < sending->write_count; i++)
        serve_write(sending, &sending->writes[i]);
    if (sending->write_count > 0)
        sending->request.outcome = ct_success();
}

static bool is_write(const struct sending *sending) {
    return sending->request.kind == REQUEST_EXECUTE;
}

// The table looks at its clock when it holds its lock.
// Reads have no deadline and wait for no lock, as in a file with a write-ahead log: that an old
// answer is not believed is the business of who asked (bug LateAnswerBelieved).
static bool begin(struct sending *sending) {
    struct production *world = sending->process->world;
    struct store_state *store = &world->stores[sending->store];
    process_touch(is_write(sending) ? SCT_ACCESS_WRITE : SCT_ACCESS_READ, PROCESS_STORE,
                  sending->store);
    // The wait comes before the look at the clock: a write that waited beyond its deadline is not
    // done.
    while (is_write(sending) && store->locked_by) {
        sct_waiters_wait(&store->unlocked, "the lock of a table's file");
        process_step(sending->process);
        process_touch(SCT_ACCESS_WRITE, PROCESS_STORE, sending->store);
    }
    if (!is_write(sending) || world->time.now < sending->deadline)
        return true;
    sending->request.outcome = ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    note(sending, "its deadline has passed, not executed");
    return false;
}

static void serve(struct sending *sending) {
    if (begin(sending))
        take_effect(sending);
}

// ---- Faults ------------------------------------------------------------------------------------

static void tell_fault(const char *what, const struct process *process) {
    if (sct_narrating())
        sct_note_as(SCT_NOTE_FAULT, "FAULT: %s %s", process->name, what);
}

// The caller waits for a while, and is not answered.
// It gives up before the deadline, so that the request can still be executed when its sender knows
// that the outcome is unknown: that is the time which the guard has to wait out (bug
// UnknownEndsSubscription).
static void give_up(struct sending *sending) {
    struct world_time *time = &sending->process->world->time;
    uint64_t left = sending->deadline > time->now ? sending->deadline - time->now : 0;
    world_time_sleep(time, time->now + left / 2);
    process_stand_still(sending->process);
    sending->request.outcome = is_write(sending) ? ct_unknown("no answer came")
                                                 : ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
}

static struct ct_write detach_write(const struct ct_batch *batch) {
    return (struct ct_write){.batch = ct_batch_copy(sct_arena(), batch),
                             .results =
                                 ARENA_ARRAY(sct_arena(), struct ct_op_result, batch->count)};
}

// A copy that does not touch what the caller has, who may be gone.
// To execute a batch writes ETags into its entities: who was not answered must not learn them so.
static struct sending *detach(const struct sending *sending) {
    struct sending *copy = ARENA_NEW(sct_arena(), struct sending);
    *copy = *sending;
    if (sending->write_count > 0) {
        copy->writes = ARENA_ARRAY(sct_arena(), struct ct_write, sending->write_count);
        for (size_t i = 0; i < sending->write_count; i++)
            copy->writes[i] = detach_write(&sending->writes[i].batch);
    } else if (is_write(sending)) {
        struct ct_write *write = ARENA_NEW(sct_arena(), struct ct_write);
        *write = detach_write(sending->request.as.execute.batch);
        copy->request.as.execute.batch = &write->batch;
        copy->request.as.execute.results = write->results;
    }
    return copy;
}

// Somewhere in the network.
static void deliver(void *argument) {
    struct sending *sending = argument;
    struct process *process = sending->process;
    struct world_time *time = &process->world->time;
    process_step(process);
    world_time_sleep(time, time->now + sending->delay);
    process_step(process);
    serve(sending);
    process->under_way--;
    process_log_lost_call(process);
}

// It is delivered by a task of the network's machine: that of the process may be dead by then.
static void deliver_later(const struct sending *sending, uint64_t delay) {
    if (!is_write(sending))
        return; // nobody hears the answer
    struct sending *copy = detach(sending);
    copy->delay = delay;
    sending->process->under_way++;
    sct_task_start(sending->process->world->network, "a request on its way", deliver, copy);
}

static void stand_still_for(struct process *process, uint64_t duration) {
    tell_fault("stands still", process);
    process->stalled_until = process->world->time.now + duration;
    process_stand_still(process);
}

// Whoever is stopped in the middle of a transaction goes through with it later, whatever the time.
// This is what a fence is for (bug NoFenceAfterExpulsion): the deadline was looked at in time, and
// the rows change after the process was counted out. A server has no such moment: it stands still
// before.
static void stall_within(struct sending *sending, uint64_t duration) {
    struct store_state *store = &sending->process->world->stores[sending->store];
    if (!is_write(sending) || !sending->process->world->is_of_files) {
        stand_still_for(sending->process, duration);
        serve(sending);
        return;
    }
    if (!begin(sending))
        return;
    store->locked_by = sending->process;
    stand_still_for(sending->process, duration);
    process_touch(SCT_ACCESS_WRITE, PROCESS_STORE, sending->store);
    take_effect(sending);
    store->locked_by = NULL;
    sct_waiters_wake(&store->unlocked);
}

// A task of the network, for the machine of the process was stopped with all its tasks.
static void come_back(void *argument) {
    struct sending *last = argument;
    struct process *process = last->process;
    struct world_time *time = &process->world->time;
    process_step(process);
    world_time_sleep(time, time->now + last->delay);
    process_step(process);
    if (sct_narrating())
        sct_note_as(SCT_NOTE_FAULT, "%s comes back", process->name);
    process_start(process);
}

// What a dead process had begun in a file is rolled back.
static void release_files(struct process *process) {
    for (int i = 0; i < STORE_COUNT; i++) {
        struct store_state *store = &process->world->stores[i];
        if (store->locked_by != process)
            continue;
        process_touch(SCT_ACCESS_WRITE, PROCESS_STORE, (uint64_t)i);
        store->locked_by = NULL;
        sct_waiters_wake(&store->unlocked);
    }
}

static void close_streams(const struct process *process) {
    struct proxy_stream *next;
    for (struct proxy_stream *stream = process->world->streams; stream; stream = next) {
        next = stream->next;
        if (stream->proxy->process == process)
            close_stream(&stream->stream, HERE);
    }
}

// The last line does not return: the dying task is one of those that are stopped.
static void die(const struct sending *sending, uint64_t duration) {
    struct process *process = sending->process;
    struct sending *last = ARENA_NEW(sct_arena(), struct sending);
    *last = (struct sending){.process = process, .delay = duration};
    tell_fault("dies", process);
    process->is_dead = true;
    release_files(process);
    close_streams(process);
    process_log_lost_call(process);
    sct_task_start(process->world->network, "return of a process", come_back, last);
    sct_machine_stop(process->machine);
}

// Reads and writes of the data tables, or a delete in the control table. In a migrator the latter
// is the expulsion of a client; in an application it would be its signing off.
static bool falls_in(const struct sending *sending, enum fault_moment moment) {
    if (moment == MOMENT_REQUEST)
        return true;
    bool is_control = sending->store == STORE_CONTROL;
    if (is_write(sending) == (moment == MOMENT_READ) || is_control != (moment == MOMENT_EXPULSION))
        return false;
    return !is_control || sending->request.as.execute.batch->operations[0].type == CT_DELETE;
}

// For a search: none, or one of the process's menu.
static const struct fault *choose_fault(const struct sending *sending) {
    struct process *process = sending->process;
    const struct fault *fitting[MENU_MAX];
    uint32_t count = 0;
    ASSERT(process->menu_count <= MENU_MAX);
    for (uint32_t i = 0; i < process->menu_count; i++)
        if (falls_in(sending, process->menu[i].moment))
            fitting[count++] = &process->menu[i];
    uint32_t choice = count > 0 ? sct_choose(1 + count, "fault") : 0;
    if (choice == 0)
        return NULL;
    // One fault for each process, which bounds the search.
    process->menu_count = 0;
    return fitting[choice - 1];
}

// A request counts in every moment that it falls in, whether a fault is due or not: so what is
// drawn first does not shift the others. The last one that is due wins.
static const struct fault *take_fault(const struct sending *sending) {
    static const struct fault none = {.kind = FAULT_NONE};
    struct process *process = sending->process;
    if (process->menu_count > 0) {
        const struct fault *chosen = choose_fault(sending);
        return chosen ? chosen : &none;
    }
    const struct fault *taken = &none;
    for (int moment = 0; moment < MOMENT_COUNT; moment++) {
        if (!falls_in(sending, (enum fault_moment)moment))
            continue;
        uint32_t number = ++process->requests[moment];
        for (size_t i = 0; i < FAULTS_MAX; i++) {
            const struct fault *fault = &process->faults[i];
            if (fault->kind != FAULT_NONE && fault->moment == (enum fault_moment)moment &&
                fault->number == number)
                taken = fault;
        }
    }
    return taken;
}

static void befall(struct sending *sending, const struct fault *fault) {
    struct process *process = sending->process;
    struct world_time *time = &process->world->time;
    switch (fault->kind) {
    case FAULT_NONE:
        serve(sending);
        return;
    case FAULT_REFUSED:
        note(sending, "server error, not executed");
        sending->request.outcome = ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
        return;
    case FAULT_LOST_REQUEST:
        note(sending, "it is lost, and no answer comes");
        give_up(sending);
        return;
    case FAULT_LOST_ANSWER:
        note(sending, "no answer comes");
        if (is_write(sending)) // a read that was not answered is made again from where it stood
            serve(detach(sending));
        give_up(sending);
        return;
    case FAULT_LATE:
        note(sending, "it is under way for long, and no answer comes");
        deliver_later(sending, fault->duration);
        give_up(sending);
        return;
    case FAULT_DELAYED: // there and back; its deadline may have passed in between (begin)
        world_time_sleep(time, time->now + fault->duration);
        process_step(process);
        serve(sending);
        world_time_sleep(time, time->now + fault->duration);
        process_stand_still(process);
        return;
    case FAULT_SLOW_ANSWER:
        // What it says may be out of date when it comes (bug LateAnswerBelieved).
        serve(sending);
        world_time_sleep(time, time->now + fault->duration);
        process_stand_still(process);
        return;
    case FAULT_STALL_BEFORE:
        stand_still_for(process, fault->duration);
        serve(sending);
        return;
    case FAULT_STALL_WITHIN:
        stall_within(sending, fault->duration);
        return;
    case FAULT_STALL_AFTER:
        serve(sending);
        stand_still_for(process, fault->duration);
        return;
    case FAULT_DEATH_BEFORE:
        die(sending, fault->duration);
        return;
    case FAULT_DEATH_LATE:
        if (!process->world->is_of_files)
            deliver_later(sending, fault->duration);
        // It comes back when the request has landed: a new incarnation then finds what the old one
        // has done.
        die(sending, 2 * fault->duration);
        return;
    case FAULT_DEATH_AFTER:
        if (is_write(sending))
            serve(detach(sending));
        die(sending, fault->duration);
        return;
    case FAULT_KIND_COUNT:
        break;
    }
    fail_at(FAIL_ASSERTION, HERE, "fault %d", (int)fault->kind);
}

// The deadline was set before this point. So a process may decide to send, stand still beyond its
// lease and send then: what protects from that is the deadline alone.
static struct ct_outcome send(struct sending *sending) {
    struct process *process = sending->process;
    process_point(process, sending->request.label, sending->request.where);
    befall(sending, take_fault(sending));
    if (sct_comparing())
        sct_observe_digest(request_digest(&sending->request));
    return sending->request.outcome;
}

// ---- Proxies -----------------------------------------------------------------------------------

static struct sending new_sending(const struct proxy *proxy, enum request_kind kind,
                                  const char *where) {
    struct process *process = proxy->process;
    return (struct sending){
        .request = {.kind = kind,
                    .label = labels[proxy->store][kind],
                    .where = where,
                    .caller = process->machine},
        .process = process,
        .store = proxy->store,
        .deadline = local_clock_true(&process->clock, proxy->deadline),
    };
}

static struct ct_outcome execute(struct ct_table *table, const char *where, struct ct_batch *batch,
                                 struct arena *arena, struct ct_op_result *results) {
    (void)arena;
    struct sending sending = new_sending((struct proxy *)table, REQUEST_EXECUTE, where);
    sending.request.as.execute.batch = batch;
    sending.request.as.execute.results = results;
    return send(&sending);
}

static void execute_in_turn(struct ct_table *table, const char *where, struct ct_write *writes,
                            size_t count, struct arena *arena) {
    // Two of the orders: each pair of batches comes in either one.
    bool is_reversed = sct_choose(2, "order of a group") == 1;
    struct ct_outcome outcome = ct_success();
    for (size_t i = 0; i < count; i++) {
        struct ct_write *write = &writes[is_reversed ? count - 1 - i : i];
        // After a server error the rest is not sent, which is one way in which a group may fail.
        if (!ct_failed_with(outcome, CT_STATUS_SERVER_ERROR))
            outcome = execute(table, where, &write->batch, arena, write->results);
        write->outcome = outcome;
    }
}

// In a file one transaction, at a server one after the other, in some order.
static void execute_all(struct ct_table *table, const char *where, struct ct_write *writes,
                        size_t count, struct arena *arena) {
    const struct proxy *proxy = (struct proxy *)table;
    if (!proxy->process->world->is_of_files) {
        execute_in_turn(table, where, writes, count, arena);
        return;
    }
    struct sending sending = new_sending(proxy, REQUEST_EXECUTE, where);
    sending.writes = writes;
    sending.write_count = count;
    // The group is one request, so one fault befalls all of it, and its label is that of a batch.
    sending.request.as.execute.batch = &writes[0].batch;
    struct ct_outcome outcome = send(&sending);
    for (size_t i = 0; outcome.kind != CT_SUCCEEDED && i < count; i++)
        writes[i].outcome = outcome;
}

static struct ct_outcome query(struct ct_table *table, const char *where,
                               const struct ct_filter *filter, struct arena *arena,
                               struct ct_rows *rows) {
    (void)arena;
    struct sending sending = new_sending((struct proxy *)table, REQUEST_QUERY, where);
    sending.request.as.query.filter = filter;
    sending.request.as.query.rows = rows;
    return send(&sending);
}

static struct ct_outcome read_stream(struct ct_stream *base, const char *where,
                                     const struct ct_row **row) {
    struct proxy_stream *stream = (struct proxy_stream *)base;
    struct sending sending = new_sending(stream->proxy, REQUEST_READ_STREAM, where);
    sending.request.as.read.stream = stream->backend;
    sending.request.as.read.row = row;
    // Copiers share one stream and read it in turn, under a lock: the interface allows one read at
    // a time.
    sct_check(!stream->is_read, SCT_KIND_PROGRAM_ERROR, "a stream is read by two tasks at once");
    stream->is_read = true;
    struct ct_outcome outcome = send(&sending);
    stream->is_read = false;
    return outcome;
}

static void list_stream(struct proxy_stream *stream) {
    struct production *world = stream->proxy->process->world;
    stream->next = world->streams;
    stream->link = &world->streams;
    if (stream->next)
        stream->next->link = &stream->next;
    world->streams = stream;
}

static struct ct_outcome open_stream(struct ct_table *table, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream) {
    static const struct ct_stream_ops ops = {
        .version = CT_STREAM_VERSION, .read = read_stream, .close = close_stream};
    struct proxy_stream *opened = ARENA_NEW(sct_arena(), struct proxy_stream);
    *opened = (struct proxy_stream){.stream = {&ops}, .proxy = (struct proxy *)table};
    struct sending sending = new_sending(opened->proxy, REQUEST_OPEN_STREAM, where);
    sending.request.as.open.filter = filter;
    sending.request.as.open.stream = &opened->backend;
    struct ct_outcome outcome = send(&sending);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    list_stream(opened);
    *stream = &opened->stream;
    return outcome;
}

static void close_table(struct ct_table *table) {
    (void)table;
}

static void set_deadline(struct ct_table *table, uint64_t time) {
    ((struct proxy *)table)->deadline = time;
}

// Takes the lock of the file and gives it back.
// It touches the table as a reader: it changes nothing, but may not be moved across a write. At a
// server nobody holds a lock, for a request has its effect at one instant.
static struct ct_outcome fence(struct ct_table *table) {
    struct proxy *proxy = (struct proxy *)table;
    struct store_state *store = &proxy->process->world->stores[proxy->store];
    process_point(proxy->process, "fence", HERE);
    process_touch(SCT_ACCESS_READ, PROCESS_STORE, proxy->store);
    while (store->locked_by) {
        sct_waiters_wait(&store->unlocked, "the lock of a table's file");
        process_step(proxy->process);
        process_touch(SCT_ACCESS_READ, PROCESS_STORE, proxy->store);
    }
    return ct_success();
}

#define TABLE_OPS                                                                                \
    .version = CT_TABLE_VERSION, .execute = execute, .query = query, .open_stream = open_stream, \
    .close = close_table

static struct mt_bounded connect(struct process *process, enum store_id store,
                                 struct proxy *proxy) {
    static const struct ct_table_ops ops = {TABLE_OPS};
    static const struct ct_table_ops ops_of_groups = {TABLE_OPS, .execute_all = execute_all};
    *proxy =
        (struct proxy){{process->world->takes_groups ? &ops_of_groups : &ops}, process, store, 0};
    return (struct mt_bounded){&proxy->table, set_deadline, fence};
}

struct mt_bounded network_connect(struct process *process, enum store_id store) {
    return connect(process, store, ARENA_NEW(sct_arena(), struct proxy));
}

static void connect_tables(struct process *process) {
    for (int i = 0; i < STORE_COUNT; i++)
        process->bounded[i] = connect(process, (enum store_id)i, &process->proxies[i]);
}

struct process *network_add(struct production *world, const char *name, uint32_t rate,
                            void (*program)(struct process *process), void *data) {
    struct process *process = process_new(world, name, rate, program, data);
    connect_tables(process);
    return process;
}

static size_t choose_row(void *context, size_t count) {
    (void)context;
    return sct_choose((uint32_t)count, "valid row");
}

void network_init(struct production *world) {
    static const char *const prefixes[STORE_COUNT] = {"old-", "new-", "control-"};
    for (int i = 0; i < STORE_COUNT; i++) {
        world->stores[i].table = ct_memory_table_open(
            &(struct ct_memory_options){.arena = sct_arena(),
                                        .etag_prefix = prefixes[i],
                                        .choose = choose_row,
                                        .etags_per_key = world->etags_per_key});
        sct_waiters_init(&world->stores[i].unlocked);
    }
    world->network = sct_machine_create("network");
}

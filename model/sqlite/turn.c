// Who writes to a file, and whose batches he takes along.
#include "core/base/clock.h"
#include "model/sqlite/batches.h"

#include <string.h>
#include <time.h>

enum {
    TOGETHER_MAX = 128, // operations of several callers in a transaction: others wait for it
    LOG_LONG = 4,       // times the length that a log usually has
    SECOND = 1000000000,
};

// What a caller wants written.
struct sqlite_call {
    struct ct_sqlite_table *table; // the caller's: what it has chosen, and its deadline
    struct arena *arena;
    struct part *parts;
    size_t count, operations;
    struct ct_outcome outcome; // other than success: that of every part
    struct sqlite_call *next;  // in the queue, or of those that are taken
    bool is_taken, is_done;    // of the turn, if there is one
    bool log_is_due;           // to be emptied, by the caller
};

// ---- A transaction -----------------------------------------------------------------------------

static size_t count_operations(const struct sqlite_call *calls) {
    size_t count = 0;
    for (; calls; calls = calls->next)
        count += calls->operations;
    return count;
}

static bool is_done(const struct sqlite_call *call, size_t part) {
    return call->outcome.kind == CT_SUCCEEDED &&
           call->parts[part].write->outcome.kind == CT_SUCCEEDED;
}

// Whether anything was written.
static bool has_work(const struct sqlite_call *calls) {
    for (; calls; calls = calls->next)
        for (size_t i = 0; i < calls->count; i++)
            if (is_done(calls, i))
                return true;
    return false;
}

static struct ct_outcome apply(struct ct_sqlite_table *connection, struct sqlite_call *calls) {
    struct writing writing;
    struct ct_outcome outcome =
        batches_begin(&writing, connection, count_operations(calls), calls->arena);
    writing.is_alone = !calls->next && calls->count == 1;
    for (struct sqlite_call *call = calls; call && outcome.kind == CT_SUCCEEDED;
         call = call->next) {
        call->outcome = batches_enter(&writing, call->table, call->arena);
        if (call->outcome.kind == CT_SUCCEEDED)
            outcome = batches_apply(&writing, call->parts, call->count);
    }
    // SQLite may have rolled back by itself.
    if (outcome.kind == CT_SUCCEEDED && sqlite3_get_autocommit(connection->database))
        outcome = ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    return outcome;
}

// Those that were not refused already. A message lives in the arena of whose call it is.
static void tell_all(struct sqlite_call *calls, struct ct_outcome outcome) {
    for (; calls; calls = calls->next) {
        if (calls->outcome.kind != CT_SUCCEEDED)
            continue;
        calls->outcome = outcome;
        if (outcome.message)
            calls->outcome.message = arena_strdup(calls->arena, outcome.message);
    }
}

static struct ct_outcome begin(struct ct_sqlite_table *connection, struct arena *arena) {
    int code = connection_run_plain(connection, STATEMENT_BEGIN);
    return code == SQLITE_DONE ? ct_success() : connection_failure(connection, code, arena);
}

static void write_each(struct ct_sqlite_table *connection, struct sqlite_call *calls);

// In the transaction that has begun. What cannot go on because of one is done again, each in a
// transaction of its own, so that it fails alone.
static void write_calls(struct ct_sqlite_table *connection, struct sqlite_call *calls) {
    struct ct_outcome outcome = apply(connection, calls);
    if (outcome.kind == CT_SUCCEEDED && has_work(calls)) {
        tell_all(calls, connection_commit(connection, calls->arena));
        return;
    }
    connection_roll_back(connection);
    if (outcome.kind != CT_SUCCEEDED && calls->next)
        write_each(connection, calls);
    else
        tell_all(calls, outcome);
}

static void write_each(struct ct_sqlite_table *connection, struct sqlite_call *calls) {
    for (struct sqlite_call *call = calls, *next; call; call = next) {
        next = call->next;
        call->next = NULL;
        call->outcome = begin(connection, call->arena);
        if (call->outcome.kind == CT_SUCCEEDED)
            write_calls(connection, call);
        call->next = next;
    }
}

// ---- The log -----------------------------------------------------------------------------------

static int notice_log(void *context, sqlite3 *database, const char *name, int pages) {
    struct ct_sqlite_table *table = context;
    (void)database;
    (void)name;
    table->log_pages = pages;
    return SQLITE_OK;
}

// Moves what the log of the connection's file has into the file, as far as it goes without anybody
// waiting.
static void empty_log(const struct ct_sqlite_table *table) {
    sqlite3_wal_checkpoint_v2(table->database, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

// ---- The queue ---------------------------------------------------------------------------------

static void append(struct ct_sqlite_turn *turn, struct sqlite_call *call) {
    struct sqlite_call **end = &turn->first;
    while (*end)
        end = &(*end)->next;
    *end = call;
    turn->waiting++;
}

static void withdraw(struct ct_sqlite_turn *turn, const struct sqlite_call *call) {
    struct sqlite_call **at = &turn->first;
    while (*at != call)
        at = &(*at)->next;
    *at = call->next;
    turn->waiting--;
}

// The first of the queue, and those behind that a transaction takes along.
static struct sqlite_call *take(struct ct_sqlite_turn *turn) {
    struct sqlite_call *first = turn->first, *call = first;
    size_t operations = first->operations;
    for (;; call = call->next) {
        call->is_taken = true;
        turn->waiting--;
        if (!call->next || operations + call->next->operations > TOGETHER_MAX)
            break;
        operations += call->next->operations;
    }
    turn->first = call->next;
    call->next = NULL;
    return first;
}

// Whoever is first goes on: the turn is nobody's.
static void wake_first(const struct ct_sqlite_turn *turn) {
    if (turn->first && !turn->is_led)
        pthread_cond_signal(&turn->first->table->news);
}

// Of one that was not taken.
static void end_call(struct ct_sqlite_turn *turn, struct sqlite_call *call,
                     struct ct_outcome outcome) {
    withdraw(turn, call);
    call->outcome = outcome;
    call->is_done = true;
}

static void finish(struct sqlite_call *calls) {
    for (struct sqlite_call *call = calls, *next; call; call = next) {
        next = call->next; // its caller goes on when the turn's lock is free
        call->is_done = true;
        pthread_cond_signal(&call->table->news);
    }
}

static void unlock(struct ct_sqlite_turn *turn) {
    pthread_mutex_unlock(&turn->mutex);
}

static void lock(struct ct_sqlite_turn *turn) {
    pthread_mutex_lock(&turn->mutex);
}

// Whether the log has grown by so much since it was last emptied that the caller is to do it, when
// the turn is another's. The log begins anew when somebody writes after all of it was moved, to
// which it does not come while others write: when it has become long they wait.
static bool look_at_log(struct ct_sqlite_turn *turn, const struct ct_sqlite_table *connection) {
    int pages = connection->log_pages;
    if (pages < turn->log_emptied) // it has begun anew
        turn->log_emptied = 0;
    if (pages - turn->log_emptied < connection->log_pages_due)
        return false;
    turn->log_emptied = pages;
    if (pages < LOG_LONG * connection->log_pages_due)
        return true;
    unlock(turn);
    empty_log(connection);
    lock(turn);
    return false;
}

// Writes what is at the front of the queue; [call] is in it, and may be farther behind. The turn is
// locked before and after, not meanwhile.
static void lead(struct ct_sqlite_turn *turn, struct sqlite_call *call) {
    struct ct_sqlite_table *connection = turn->writer ? turn->writer : call->table;
    turn->is_led = true;
    unlock(turn);
    struct ct_outcome outcome = begin(connection, call->arena);
    lock(turn);
    if (outcome.kind != CT_SUCCEEDED) {
        end_call(turn, call, outcome);
    } else {
        struct sqlite_call *calls = take(turn);
        unlock(turn);
        write_calls(connection, calls);
        lock(turn);
        finish(calls);
        call->log_is_due |= look_at_log(turn, connection);
    }
    turn->is_led = false;
    wake_first(turn);
}

// False: nobody has taken the call along within the time that one waits. Who was taken gets news.
static bool wait_for_news(struct ct_sqlite_turn *turn, const struct sqlite_call *call,
                          const struct timespec *until) {
    pthread_cond_t *news = &call->table->news;
    if (turn->wait_ms > 0 && !call->is_taken)
        return pthread_cond_timedwait(news, &turn->mutex, until) == 0 || call->is_taken;
    pthread_cond_wait(news, &turn->mutex);
    return true;
}

static struct timespec end_of_wait(const struct ct_sqlite_turn *turn) {
    uint64_t end = clock_nanoseconds() + (uint64_t)turn->wait_ms * (SECOND / 1000);
    return (struct timespec){.tv_sec = (time_t)(end / SECOND), .tv_nsec = (long)(end % SECOND)};
}

static void write_in_turn(struct ct_sqlite_turn *turn, struct sqlite_call *call) {
    struct timespec until = end_of_wait(turn);
    lock(turn);
    append(turn, call);
    while (!call->is_done) {
        if (!turn->is_led)
            lead(turn, call);
        else if (!wait_for_news(turn, call, &until) && turn->is_led)
            end_call(turn, call, ct_storage_error(CT_STATUS_SERVER_ERROR, 0));
    }
    unlock(turn);
    if (call->log_is_due)
        empty_log(call->table);
}

static void write_call(struct sqlite_call *call) {
    struct ct_sqlite_table *table = call->table;
    if (table->turn) {
        write_in_turn(table->turn, call);
        return;
    }
    call->outcome = begin(table, call->arena);
    if (call->outcome.kind == CT_SUCCEEDED)
        write_calls(table, call);
}

// ---- The interface -----------------------------------------------------------------------------

static void prepare(struct sqlite_call *call, struct ct_write *write) {
    struct arena *arena = call->arena;
    call->operations += write->batch.count;
    call->parts[call->count++] =
        (struct part){write, batches_records(arena, &write->batch),
                      ARENA_ARRAY(arena, struct ct_op_result, write->batch.count)};
}

struct ct_outcome sqlite_table_execute(struct ct_table *interface, const char *where,
                                       struct ct_batch *batch, struct arena *arena,
                                       struct ct_op_result *results) {
    struct ct_sqlite_table *table = (struct ct_sqlite_table *)interface;
    struct ct_write write = {.batch = *batch, .results = results};
    (void)where;
    write.outcome = batches_check(table, batch);
    if (write.outcome.kind != CT_SUCCEEDED)
        return write.outcome;
    struct part part;
    struct sqlite_call call = {.table = table, .arena = arena, .parts = &part};
    prepare(&call, &write);
    write_call(&call);
    if (call.outcome.kind != CT_SUCCEEDED)
        return call.outcome;
    if (write.outcome.kind == CT_SUCCEEDED)
        batches_give(&part);
    return write.outcome;
}

void sqlite_table_execute_all(struct ct_table *interface, const char *where,
                              struct ct_write *writes, size_t count, struct arena *arena) {
    struct ct_sqlite_table *table = (struct ct_sqlite_table *)interface;
    struct sqlite_call call = {
        .table = table, .arena = arena, .parts = ARENA_ARRAY(arena, struct part, count)};
    (void)where;
    for (size_t i = 0; i < count; i++) {
        writes[i].outcome = batches_check(table, &writes[i].batch);
        if (writes[i].outcome.kind == CT_SUCCEEDED)
            prepare(&call, &writes[i]);
    }
    if (call.count == 0)
        return;
    write_call(&call);
    for (size_t i = 0; i < call.count; i++) {
        struct ct_write *write = call.parts[i].write;
        if (call.outcome.kind != CT_SUCCEEDED)
            write->outcome = call.outcome;
        else if (write->outcome.kind == CT_SUCCEEDED)
            batches_give(&call.parts[i]);
    }
}

struct ct_outcome ct_sqlite_fence(struct ct_sqlite_table *table) {
    if (connection_run_plain(table, STATEMENT_BEGIN) != SQLITE_DONE)
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    connection_run_plain(table, STATEMENT_ROLLBACK);
    return ct_success();
}

void ct_sqlite_turn_init(struct ct_sqlite_turn *turn, unsigned wait_ms) {
    *turn = (struct ct_sqlite_turn){.wait_ms = wait_ms};
    pthread_mutex_init(&turn->mutex, NULL);
}

bool ct_sqlite_turn_open(struct ct_sqlite_turn *turn, const struct ct_sqlite_options *options,
                         struct error *error) {
    turn->writer = ct_sqlite_open(options, error);
    if (turn->writer)
        sqlite3_wal_hook(turn->writer->database, notice_log, turn->writer);
    return turn->writer;
}

void ct_sqlite_turn_close(struct ct_sqlite_turn *turn) {
    if (turn->writer)
        ct_close(ct_sqlite_interface(turn->writer));
    pthread_mutex_destroy(&turn->mutex);
}

void ct_sqlite_take_turns(struct ct_sqlite_table *table, struct ct_sqlite_turn *turn) {
    table->turn = turn;
    sqlite3_wal_hook(table->database, notice_log, table);
}

#include "harness/production/calls.h"

#include "core/engine/monitor.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "model/memory/memory_table.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

enum { NOTE_BYTES = 2000, DELETE_IF_EXISTS = CT_INSERT_OR_MERGE + 1, TYPES };

const char *const calls_partitions[CALLS_PARTITIONS] = {"a", "b"};
const char *const calls_keys[CALLS_KEYS] = {"0", "1", "2"};

static struct ct_property mood(bool is_happy) {
    return (struct ct_property){.name = "isHappy", .type = CT_BOOL, .value.boolean = is_happy};
}

static void check(struct ct_outcome outcome) {
    sct_check(outcome.kind != CT_PROGRAM_ERROR, SCT_KIND_PROGRAM_ERROR, "%s", outcome.message);
    sct_check(outcome.kind != CT_INTERNAL_ERROR, KIND_CALL_FAILED, "a call failed: %s",
              outcome.message);
}

// ---- Batches -----------------------------------------------------------------------------------

static bool has_if_match(uint32_t type) {
    return type == CT_REPLACE || type == CT_MERGE || type == CT_DELETE;
}

// An ETag that the application has seen itself, or any: one that nobody gave out would be refused
// in every state and tell nothing.
static const char *draw_if_match(const struct application *application, uint32_t type,
                                 struct ct_key key) {
    if (type == DELETE_IF_EXISTS)
        return CT_IF_EXISTS_ETAG;
    if (!has_if_match(type))
        return NULL;
    const struct ct_row *row = ct_rows_find(application->seen, key);
    return row && sct_choose(2, "If-Match") == 1 ? row->etag : CT_ANY_ETAG;
}

// A property names who has written the row, and with which call.
static void add_operation(struct application *application, struct ct_batch *batch,
                          struct ct_key key) {
    struct process *process = application->process;
    uint32_t type = sct_choose(TYPES, "operation");
    const char *if_match = draw_if_match(application, type, key);
    struct ct_property properties[] = {
        // So each call leaves contents of its own, and a read tells which one it has seen.
        ct_string("by", arena_printf(sct_arena(), "%s-%u", process->name,
                                     (unsigned)process->world->log.call_count)),
        mood(sct_choose(2, "isHappy") == 1)};
    ct_batch_add(batch, type == DELETE_IF_EXISTS ? CT_DELETE : (enum ct_op_type)type,
                 ct_row_new(sct_arena(), key, if_match, properties, 2));
}

static void note_answer(struct ct_outcome outcome, const struct ct_op_result *results, size_t count,
                        struct ct_rows rows) {
    char buffer[NOTE_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    if (!sct_narrating())
        return;
    if (outcome.kind == CT_SUCCEEDED && !results)
        describe_rows(&text, rows);
    else
        describe_outcome(&text, outcome, results, count);
    sct_note_as(SCT_NOTE_RETURN, "its call returns %s", buffer);
}

static void note_call(const char *what, const struct ct_batch *batch,
                      const struct ct_filter *filter) {
    char buffer[NOTE_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    if (!sct_narrating())
        return;
    if (batch)
        describe_batch(&text, batch);
    else
        describe_filter(&text, filter);
    sct_note_as(SCT_NOTE_CALL, "calls %s: %s", what, buffer);
}

static void execute(struct application *application, struct ct_batch *batch) {
    struct process *process = application->process;
    struct ct_op_result *results = ARENA_ARRAY(sct_arena(), struct ct_op_result, batch->count);
    struct sct_monitor monitor = {0};
    note_call("execute", batch, NULL);
    // Logged before it is made: if the process dies in it the log says that it may have happened.
    struct logged_call *call = process->call = table_log_batch(process_log(process), batch);
    sct_monitor_hot(&monitor, "a batch to return");
    struct ct_outcome outcome = ct_execute(application->table, batch, sct_arena(), results);
    sct_monitor_cold(&monitor);
    process->call = NULL;
    note_answer(outcome, results, batch->count, (struct ct_rows){NULL, 0});
    table_log_return(process_log(process), call, outcome, results, (struct ct_rows){NULL, 0});
    check(outcome);
}

static void make_batch(struct application *application, const char *partition) {
    struct ct_batch batch = ct_batch_new(sct_arena(), 2);
    uint32_t first = sct_choose(application->keys, "key");
    add_operation(application, &batch, (struct ct_key){partition, calls_keys[first]});
    if (application->keys > 1 && sct_choose(4, "second operation") == 3) {
        // Another key than the first, whichever that is: a batch names none twice.
        uint32_t step = 1 + sct_choose(application->keys - 1, "key");
        const char *second = calls_keys[(first + step) % application->keys];
        add_operation(application, &batch, (struct ct_key){partition, second});
    }
    execute(application, &batch);
}

// ---- Queries -----------------------------------------------------------------------------------

static void query_rows(struct application *application, const struct ct_filter *filter) {
    struct ct_rows rows = {NULL, 0};
    struct sct_monitor monitor = {0};
    note_call("query", NULL, filter);
    struct logged_call *call = table_log_query(process_log(application->process), filter);
    sct_monitor_hot(&monitor, "a query to return");
    struct ct_outcome outcome = ct_query(application->table, filter, sct_arena(), &rows);
    sct_monitor_cold(&monitor);
    note_answer(outcome, NULL, 0, rows);
    table_log_return(process_log(application->process), call, outcome, NULL, rows);
    check(outcome);
    if (outcome.kind == CT_SUCCEEDED)
        application->seen = rows;
}

static void make_query(struct application *application, const char *partition) {
    struct arena *arena = sct_arena();
    const struct ct_filter *filter = ct_filter_in_partition(arena, partition);
    if (sct_choose(3, "filtered") == 2)
        filter =
            ct_filter_and(arena, filter, ct_filter_compare_bool(arena, "isHappy", CT_EQ, true));
    query_rows(application, filter);
}

// ---- Streams -----------------------------------------------------------------------------------

static struct ct_outcome read_row(struct ct_stream *stream, const struct ct_row **row) {
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a read of a stream to return");
    struct ct_outcome outcome = ct_stream_read(stream, row);
    sct_monitor_cold(&monitor);
    check(outcome);
    return outcome;
}

// Until the end, or its second failure.
// One failure may be a request that was refused, after which the stream stands where it stood; a
// stream that has failed for good fails twice.
static void read_stream(struct application *application, struct ct_stream *stream,
                        struct logged_stream *logged) {
    const struct ct_row *row = NULL;
    uint32_t failures = 0;
    do {
        if (read_row(stream, &row).kind != CT_SUCCEEDED) {
            failures++;
            continue;
        }
        note_answer(ct_success(), NULL, 0, (struct ct_rows){&row, row != NULL});
        table_log_read(process_log(application->process), logged, row);
        if (!row)
            return;
    } while (failures < 2);
}

static void make_stream(struct application *application) {
    const struct ct_filter *filter = NULL;
    if (sct_choose(3, "filtered") == 2)
        filter = ct_filter_compare_bool(sct_arena(), "isHappy", CT_EQ, true);
    struct ct_stream *stream = NULL;
    note_call("stream", NULL, filter);
    struct logged_stream *logged = table_log_open(process_log(application->process), filter);
    struct ct_outcome outcome = ct_open_stream(application->table, filter, &stream);
    check(outcome);
    if (outcome.kind != CT_SUCCEEDED)
        return;
    read_stream(application, stream, logged);
    ct_stream_close(stream);
}

// ---- Any ---------------------------------------------------------------------------------------

void calls_make(struct application *application) {
    sct_count_operation();
    // Four batches and three queries to one stream, which makes a request for each row.
    uint32_t kind = sct_choose(8, "call");
    const char *partition = calls_partitions[sct_choose(CALLS_PARTITIONS, "partition")];
    if (kind < 4)
        make_batch(application, partition);
    else if (kind < 7)
        make_query(application, partition);
    else
        make_stream(application);
}

struct ct_row *calls_row(uint32_t key, const char *by) {
    struct ct_property properties[] = {ct_string("by", by), mood(true)};
    return ct_row_new(sct_arena(), (struct ct_key){calls_partitions[0], calls_keys[key]}, NULL,
                      properties, 2);
}

void calls_make_small(struct application *application) {
    static const enum ct_op_type types[] = {CT_INSERT_OR_REPLACE, CT_DELETE};
    sct_count_operation();
    uint32_t kind = sct_choose(3, "call");
    if (kind == 2) {
        query_rows(application, ct_filter_in_partition(sct_arena(), calls_partitions[0]));
        return;
    }
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    struct ct_row *row = calls_row(0, application->process->name);
    row->etag = types[kind] == CT_DELETE ? CT_ANY_ETAG : NULL;
    ct_batch_add(&batch, types[kind], row);
    execute(application, &batch);
}

void calls_load(struct production *world, uint32_t keys) {
    struct ct_table *table = ct_memory_table_interface(world->stores[STORE_OLD].table);
    for (uint32_t p = 0; p < CALLS_PARTITIONS; p++) {
        struct ct_batch batch = ct_batch_new(sct_arena(), CALLS_KEYS);
        for (uint32_t k = 0; k < keys; k++) {
            struct ct_property property = mood(k % 2 == 0);
            if (sct_choose(3, "row") == 0)
                continue;
            struct ct_key key = {calls_partitions[p], calls_keys[k]};
            ct_batch_add(&batch, CT_INSERT, ct_row_new(sct_arena(), key, NULL, &property, 1));
        }
        struct ct_op_result results[CALLS_KEYS];
        if (batch.count > 0)
            ASSERT(ct_execute(table, &batch, sct_arena(), results).kind == CT_SUCCEEDED);
    }
    table_log_init(&world->log, sct_arena(), ct_memory_rows(world->stores[STORE_OLD].table));
}

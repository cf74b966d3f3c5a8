#include "model/sqlite/batches.h"

#include "core/base/clock.h"
#include "model/table/batch.h"
#include "model/table/check.h"
#include "model/table/row.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

// ---- ETags and times ---------------------------------------------------------------------------

// 100 ns ticks since 1970.
static int64_t present_time(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * TICKS_A_SECOND + now.tv_nsec / 100;
}

// The Timestamp of the row that is next: what its ETag tells, unless the clock was set back.
static int64_t time_of(const struct writing *writing) {
    int64_t number = (int64_t)writing->number;
    return number - writing->time < TICKS_A_SECOND && number > writing->time ? number
                                                                             : writing->time;
}

// ---- Operations --------------------------------------------------------------------------------

static void bind_key(const struct writing *writing, sqlite3_stmt *statement, struct ct_key key) {
    sqlite3_bind_int64(statement, 1, writing->id);
    connection_bind_key(statement, 2, key.partition);
    connection_bind_key(statement, 3, key.row);
}

// Runs a statement that writes one row or none; how many goes to [changes].
static struct ct_outcome change(const struct writing *writing, sqlite3_stmt *statement,
                                int *changes) {
    int code = connection_run(statement);
    *changes = code == SQLITE_DONE ? sqlite3_changes(writing->table->database) : 0;
    sqlite3_clear_bindings(statement); // they point into memory of the call
    return code == SQLITE_DONE ? ct_success()
                               : connection_failure(writing->table, code, writing->arena);
}

static struct record record_of(struct arena *arena, const struct ct_row *row) {
    struct record record;
    record.bytes = record_write(arena, row, &record.size);
    ASSERT(record.size <= INT32_MAX);
    return record;
}

// Writes [row], whose properties are [record], under a new ETag, which goes to [result].
static struct ct_outcome write_record(struct writing *writing, enum ct_statement which,
                                      const struct ct_row *row, struct record record,
                                      sqlite3_int64 if_number, struct ct_op_result *result,
                                      int *changes) {
    sqlite3_stmt *statement = connection_statement(writing->table, which);
    bind_key(writing, statement, row->key);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)writing->number);
    sqlite3_bind_int64(statement, 5, time_of(writing));
    sqlite3_bind_blob(statement, 6, record.bytes, (int)record.size, SQLITE_STATIC);
    if (which == STATEMENT_REPLACE_IF)
        sqlite3_bind_int64(statement, 7, if_number);
    result->etag = connection_etag(writing->table, writing->arena, writing->number);
    return change(writing, statement, changes);
}

static struct ct_outcome write_row(struct writing *writing, enum ct_statement which,
                                   const struct ct_row *row, sqlite3_int64 if_number,
                                   struct ct_op_result *result, int *changes) {
    return write_record(writing, which, row, record_of(writing->arena, row), if_number, result,
                        changes);
}

// The row under [key], or NULL.
static struct ct_outcome find(struct writing *writing, struct ct_key key, struct ct_row **row) {
    sqlite3_stmt *statement = connection_statement(writing->table, STATEMENT_GET);
    bind_key(writing, statement, key);
    int code = sqlite3_step(statement);
    struct ct_outcome outcome = ct_success();
    *row = NULL;
    if (code == SQLITE_ROW) {
        *row = reading_row(writing->table, statement, writing->arena, NULL);
        if (!*row)
            outcome = ct_internal_error("a row in the file is damaged");
    } else if (code != SQLITE_DONE) {
        outcome = connection_failure(writing->table, code, writing->arena);
    }
    sqlite3_reset(statement);
    return outcome;
}

// Why a conditional operation changed nothing.
// One look when it has failed, instead of one before each write: most conditions hold.
static struct ct_outcome refuse(struct writing *writing, const struct ct_row *entity,
                                size_t index) {
    struct ct_row *existing;
    struct ct_outcome outcome = find(writing, entity->key, &existing);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    return ct_storage_error(existing ? CT_STATUS_PRECONDITION_FAILED : CT_STATUS_NOT_FOUND, index);
}

static struct ct_outcome delete_row(struct writing *writing, const struct ct_operation *operation,
                                    size_t index) {
    const struct ct_row *entity = operation->entity;
    bool is_any = ct_is_delete_if_exists(operation) || strcmp(entity->etag, CT_ANY_ETAG) == 0;
    sqlite3_stmt *statement =
        connection_statement(writing->table, is_any ? STATEMENT_DELETE : STATEMENT_DELETE_IF);
    bind_key(writing, statement, entity->key);
    if (!is_any)
        sqlite3_bind_int64(statement, 4, connection_number(writing->table, entity->etag));
    int changes;
    struct ct_outcome outcome = change(writing, statement, &changes);
    if (outcome.kind == CT_SUCCEEDED && changes == 0 && !ct_is_delete_if_exists(operation))
        return refuse(writing, entity, index);
    return outcome;
}

static struct ct_outcome replace_row(struct writing *writing, const struct ct_row *entity,
                                     size_t index, struct ct_op_result *result) {
    bool is_any = strcmp(entity->etag, CT_ANY_ETAG) == 0;
    int changes;
    struct ct_outcome outcome =
        write_row(writing, is_any ? STATEMENT_REPLACE : STATEMENT_REPLACE_IF, entity,
                  is_any ? 0 : connection_number(writing->table, entity->etag), result, &changes);
    if (outcome.kind == CT_SUCCEEDED && changes == 0)
        return refuse(writing, entity, index);
    return outcome;
}

// Merge and InsertOrMerge: only they need to know what was there.
static struct ct_outcome merge_row(struct writing *writing, const struct ct_operation *operation,
                                   size_t index, struct ct_op_result *result) {
    const struct ct_row *entity = operation->entity;
    struct ct_row *existing;
    struct ct_outcome outcome = find(writing, entity->key, &existing);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    bool needs_match = operation->type == CT_MERGE;
    if (needs_match && !existing)
        return ct_storage_error(CT_STATUS_NOT_FOUND, index);
    if (needs_match && strcmp(entity->etag, CT_ANY_ETAG) != 0 &&
        strcmp(entity->etag, existing->etag) != 0)
        return ct_storage_error(CT_STATUS_PRECONDITION_FAILED, index);
    const struct ct_row *row =
        existing ? ct_row_merge(writing->arena, existing, entity, NULL) : entity;
    enum ct_error error = ct_check_row(&ct_service_rules, row); // more than its parts
    if (error != CT_ERROR_NONE)
        return ct_refusal(error, index);
    int changes;
    // Nobody comes between the look and the write: the lock is held for both.
    return write_row(writing, STATEMENT_PUT, row, 0, result, &changes);
}

static struct ct_outcome insert_row(struct writing *writing, const struct ct_row *entity,
                                    struct record record, size_t index,
                                    struct ct_op_result *result) {
    int changes;
    struct ct_outcome outcome =
        write_record(writing, STATEMENT_INSERT, entity, record, 0, result, &changes);
    if (outcome.kind == CT_SUCCEEDED && changes == 0)
        return ct_storage_error(CT_STATUS_CONFLICT, index);
    result->status = CT_STATUS_CREATED;
    return outcome;
}

static bool lacks_condition(const struct ct_operation *operation) {
    bool is_conditional = operation->type == CT_REPLACE || operation->type == CT_MERGE ||
                          operation->type == CT_DELETE;
    return is_conditional && (!operation->entity->etag || !*operation->entity->etag);
}

static struct ct_outcome apply(struct writing *writing, const struct ct_operation *operation,
                               struct record record, size_t index, struct ct_op_result *result) {
    struct ct_row *entity = operation->entity;
    int changes;
    *result = (struct ct_op_result){.status = CT_STATUS_NO_CONTENT, .entity = entity};
    if (lacks_condition(operation)) {
        struct ct_outcome outcome = refuse(writing, entity, index);
        return ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED)
                   ? ct_program_error("a Replace, Merge or Delete without an If-Match")
                   : outcome;
    }
    switch (operation->type) {
    case CT_INSERT:
        return insert_row(writing, entity, record, index, result);
    case CT_INSERT_OR_REPLACE:
        return write_row(writing, STATEMENT_PUT, entity, 0, result, &changes);
    case CT_REPLACE:
        return replace_row(writing, entity, index, result);
    case CT_MERGE:
    case CT_INSERT_OR_MERGE:
        return merge_row(writing, operation, index, result);
    case CT_DELETE:
        break;
    }
    return delete_row(writing, operation, index);
}

// ---- Groups of Inserts --------------------------------------------------------------------------

enum { GROUP_FIRST = 4, GROUP_ROW = 3 }; // the first row's parameters begin there, so many each

// Whether a group of Inserts begins at the [first] operation.
// Only whole groups: one statement has a fixed number of parameters.
static bool is_group(const struct ct_batch *batch, size_t first) {
    size_t count = 0;
    while (count < SQLITE_GROUP && first + count < batch->count &&
           batch->operations[first + count].type == CT_INSERT)
        count++;
    return count == SQLITE_GROUP;
}

static void bind_group(const struct writing *writing, sqlite3_stmt *statement,
                       const struct ct_operation *operations, const struct record *records) {
    sqlite3_bind_int64(statement, 1, writing->id);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)writing->number);
    sqlite3_bind_int64(statement, 3, time_of(writing));
    for (int i = 0; i < SQLITE_GROUP; i++) {
        const struct ct_row *row = operations[i].entity;
        int parameter = GROUP_FIRST + i * GROUP_ROW;
        connection_bind_key(statement, parameter, row->key.partition);
        connection_bind_key(statement, parameter + 1, row->key.row);
        sqlite3_bind_blob(statement, parameter + 2, records[i].bytes, (int)records[i].size,
                          SQLITE_STATIC);
    }
}

// The first of the group from [first] on whose key has a row that is not its own.
static struct ct_outcome find_conflict(struct writing *writing, const struct ct_batch *batch,
                                       size_t first, const struct ct_op_result *done) {
    for (size_t i = first; i < first + SQLITE_GROUP; i++) {
        struct ct_row *existing;
        struct ct_outcome outcome = find(writing, batch->operations[i].entity->key, &existing);
        if (outcome.kind != CT_SUCCEEDED)
            return outcome;
        if (existing && strcmp(existing->etag, done[i].etag) != 0)
            return ct_storage_error(CT_STATUS_CONFLICT, i);
    }
    return ct_internal_error("a row was neither inserted nor there");
}

// The group's operations from [first] on, all by one statement.
static struct ct_outcome insert_group(struct writing *writing, const struct ct_batch *batch,
                                      const struct record *records, size_t first,
                                      struct ct_op_result *done) {
    sqlite3_stmt *statement = connection_statement(writing->table, STATEMENT_INSERT_GROUP);
    int changes;
    bind_group(writing, statement, batch->operations + first, records + first);
    struct ct_outcome outcome = change(writing, statement, &changes);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    for (size_t i = first; i < first + SQLITE_GROUP; i++)
        done[i] = (struct ct_op_result){
            .status = CT_STATUS_CREATED,
            .entity = batch->operations[i].entity,
            .etag = connection_etag(writing->table, writing->arena, writing->number++)};
    // A row that was there is left out by ON CONFLICT: there are fewer changes then.
    return changes == SQLITE_GROUP ? outcome : find_conflict(writing, batch, first, done);
}

// ---- Transactions ------------------------------------------------------------------------------

int connection_run_plain(struct ct_sqlite_table *table, enum ct_statement statement) {
    return connection_run(connection_statement(table, statement));
}

// SQLite may have rolled back by itself.
void connection_roll_back(struct ct_sqlite_table *table) {
    if (!sqlite3_get_autocommit(table->database))
        connection_run_plain(table, STATEMENT_ROLLBACK);
}

// Takes [count] new numbers; the first goes to [first]. A RETURNING would make a table of its own
// for the one row, each time.
static int take_numbers(struct ct_sqlite_table *table, size_t count, uint64_t *first) {
    sqlite3_stmt *statement = connection_statement(table, STATEMENT_LAST_NUMBER);
    int code = sqlite3_step(statement);
    int64_t last = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    int64_t now = present_time();
    sqlite3_reset(statement);
    if (code != SQLITE_ROW)
        return code;
    // The counter is in the file and moves on in the same transaction: a number that was given out
    // is never given again, whatever the clock does; a transaction that is rolled back gives its
    // numbers back, which nobody has seen.
    *first = (uint64_t)(now > last ? now : last + 1);
    statement = connection_statement(table, STATEMENT_NUMBERS);
    sqlite3_bind_int64(statement, 1, (int64_t)(*first + count) - 1 - last);
    return connection_run(statement);
}

// A commit failed. If the log was written but could not be synced, its last frame may be a commit
// that a later recovery believes: a further transaction writes over it, and what it covers is not
// done. Whether there is one.
static bool settle(struct ct_sqlite_table *table) {
    uint64_t ignored;
    connection_roll_back(table);
    bool is_settled = connection_run_plain(table, STATEMENT_BEGIN) == SQLITE_DONE &&
                      take_numbers(table, 1, &ignored) == SQLITE_DONE &&
                      connection_run_plain(table, STATEMENT_COMMIT) == SQLITE_DONE;
    connection_roll_back(table);
    return is_settled;
}

struct ct_outcome connection_commit(struct ct_sqlite_table *table, struct arena *arena) {
    int code = connection_run_plain(table, STATEMENT_COMMIT);
    if (code == SQLITE_DONE)
        return ct_success();
    struct ct_outcome outcome = connection_failure(table, code, arena);
    if (!settle(table))
        // Neither the commit nor what was to cover it is known to be on the disk: whoever opens the
        // file next decides by what he finds.
        return ct_unknown("the file failed in the middle of a commit");
    return outcome;
}

static struct ct_outcome apply_all(struct writing *writing, const struct ct_batch *batch,
                                   const struct record *records, struct ct_op_result *done) {
    struct ct_outcome outcome = ct_success();
    for (size_t i = 0; i < batch->count && outcome.kind == CT_SUCCEEDED;) {
        if (is_group(batch, i)) {
            outcome = insert_group(writing, batch, records, i, done);
            i += SQLITE_GROUP;
            continue;
        }
        outcome = apply(writing, &batch->operations[i], records[i], i, &done[i]);
        writing->number++;
        i++;
    }
    return outcome;
}

// ---- Batches, each for itself ------------------------------------------------------------------

// What ends the whole transaction, unlike a refusal, which is one batch's.
static bool has_failed(struct ct_outcome outcome) {
    return outcome.kind == CT_INTERNAL_ERROR || ct_failed_with(outcome, CT_STATUS_SERVER_ERROR);
}

static bool is_single_insert(const struct part *part) {
    const struct ct_batch *batch = &part->write->batch;
    return batch->count == 1 && batch->operations[0].type == CT_INSERT;
}

// Whether the next parts are Inserts of one row each, as many as a group has.
static bool are_single_inserts(const struct part *parts, size_t count) {
    for (size_t i = 0; i < SQLITE_GROUP; i++)
        if (i >= count || !is_single_insert(&parts[i]))
            return false;
    return true;
}

// By one statement, which inserts those that can be. Fails only as a whole.
static struct ct_outcome insert_singles(struct writing *writing, struct part *parts) {
    struct ct_operation operations[SQLITE_GROUP];
    struct ct_op_result done[SQLITE_GROUP];
    struct record records[SQLITE_GROUP];
    struct ct_batch batch = {operations, SQLITE_GROUP, SQLITE_GROUP};
    for (size_t i = 0; i < SQLITE_GROUP; i++) {
        operations[i] = parts[i].write->batch.operations[0];
        records[i] = parts[i].records[0];
    }
    struct ct_outcome outcome = insert_group(writing, &batch, records, 0, done);
    bool has_conflict = ct_failed_with(outcome, CT_STATUS_CONFLICT);
    for (size_t i = 0; i < SQLITE_GROUP; i++) {
        struct ct_row *row = NULL;
        parts[i].done[0] = done[i];
        parts[i].write->outcome = ct_success();
        if (has_failed(outcome) || !has_conflict)
            continue;
        struct ct_outcome found = find(writing, operations[i].entity->key, &row);
        if (found.kind != CT_SUCCEEDED)
            return found;
        if (!row || strcmp(row->etag, done[i].etag) != 0)
            parts[i].write->outcome = ct_storage_error(CT_STATUS_CONFLICT, 0);
    }
    return has_conflict ? ct_success() : outcome;
}

// What a refused batch has done is taken back; one operation has done nothing then, and a batch
// that is alone goes with its transaction.
static struct ct_outcome apply_part(struct writing *writing, struct part *part) {
    struct ct_sqlite_table *table = writing->table;
    struct ct_write *write = part->write;
    uint64_t first = writing->number;
    bool needs_saving = write->batch.count > 1 && !writing->is_alone;
    int code = SQLITE_DONE;
    if (needs_saving)
        code = connection_run_plain(table, STATEMENT_SAVE);
    if (code != SQLITE_DONE)
        return connection_failure(table, code, writing->arena);
    write->outcome = apply_all(writing, &write->batch, part->records, part->done);
    // A refused batch has used its numbers as well: those of the others do not depend on it.
    writing->number = first + write->batch.count;
    if (has_failed(write->outcome))
        return write->outcome;
    if (needs_saving && write->outcome.kind != CT_SUCCEEDED)
        code = connection_run_plain(table, STATEMENT_FORGET);
    if (needs_saving && code == SQLITE_DONE)
        code = connection_run_plain(table, STATEMENT_KEEP);
    return code == SQLITE_DONE ? ct_success() : connection_failure(table, code, writing->arena);
}

struct ct_outcome batches_apply(struct writing *writing, struct part *parts, size_t count) {
    struct ct_outcome outcome = ct_success();
    for (size_t i = 0; i < count && outcome.kind == CT_SUCCEEDED;) {
        bool are_singles = are_single_inserts(parts + i, count - i);
        outcome = are_singles ? insert_singles(writing, parts + i) : apply_part(writing, &parts[i]);
        i += are_singles ? SQLITE_GROUP : 1;
    }
    return outcome;
}

// Somebody may have deleted it since it was chosen.
static struct ct_outcome check_table(struct writing *writing, sqlite3_int64 id) {
    sqlite3_stmt *statement = connection_statement(writing->table, STATEMENT_IS_THERE);
    sqlite3_bind_int64(statement, 1, id);
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    writing->id = code == SQLITE_ROW ? id : 0;
    writing->name = NULL;
    return code == SQLITE_ROW || code == SQLITE_DONE
               ? ct_success()
               : connection_failure(writing->table, code, writing->arena);
}

static struct ct_outcome find_table(struct writing *writing, struct ct_sqlite_table *chosen) {
    struct ct_outcome outcome = ct_success();
    if (!writing->id || !writing->name || strcmp(writing->name, chosen->name) != 0)
        outcome = catalog_find(writing->table, chosen->name, writing->arena, &writing->id);
    writing->name = chosen->name;
    if (writing->id) {
        chosen->id = writing->id;
        chosen->name = NULL;
    }
    return outcome;
}

struct ct_outcome batches_enter(struct writing *writing, struct ct_sqlite_table *chosen,
                                struct arena *arena) {
    struct ct_outcome outcome = ct_success();
    writing->arena = arena;
    if (clock_seconds() >= chosen->deadline)
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    if (chosen->name)
        outcome = find_table(writing, chosen);
    else if (!chosen->id || writing->id != chosen->id)
        outcome = check_table(writing, chosen->id);
    return outcome.kind == CT_SUCCEEDED && !writing->id ? ct_storage_error(CT_STATUS_NOT_FOUND, 0)
                                                        : outcome;
}

struct ct_outcome batches_begin(struct writing *writing, struct ct_sqlite_table *table,
                                size_t count, struct arena *arena) {
    *writing = (struct writing){.table = table, .arena = arena, .time = present_time()};
    int code = take_numbers(table, count, &writing->number);
    return code == SQLITE_DONE ? ct_success() : connection_failure(table, code, arena);
}

const struct record *batches_records(struct arena *arena, const struct ct_batch *batch) {
    struct record *records = ARENA_ARRAY(arena, struct record, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        bool is_insert = batch->operations[i].type == CT_INSERT;
        records[i] = is_insert ? record_of(arena, batch->operations[i].entity)
                               : (struct record){.bytes = NULL};
    }
    return records;
}

struct ct_outcome batches_check(const struct ct_sqlite_table *table, const struct ct_batch *batch) {
    const char *error = ct_batch_program_error(batch);
    if (error)
        return ct_program_error(error);
    size_t index;
    enum ct_error refused = ct_check_batch(&table->rules, batch, &index);
    return refused != CT_ERROR_NONE ? ct_refusal(refused, index) : ct_success();
}

void batches_give(const struct part *part) {
    const struct ct_batch *batch = &part->write->batch;
    memcpy(part->write->results, part->done, batch->count * sizeof *part->done);
    for (size_t i = 0; i < batch->count; i++)
        if (batch->operations[i].type != CT_DELETE)
            batch->operations[i].entity->etag = part->done[i].etag;
}

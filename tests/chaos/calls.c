#define _POSIX_C_SOURCE 200809L
#include "tests/chaos/calls.h"

#include "core/base/clock.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ARENA_BYTES = 64 << 20, LINE_BYTES = 300, PARTITION_ROWS = 50 };

// Before, among and behind those of the rows that stay as they are, so that the migrator comes to
// them at different times.
static const char *const partitions[CALLS_PARTITIONS] = {"a", "m", "z"};
static const char *const row_keys[CALLS_KEYS] = {"0", "1", "2", "3"};

bool caller_init(struct caller *caller, const char *history, unsigned process, unsigned seed) {
    *caller = (struct caller){.next_process = process};
    for (int i = 0; i < CALLS_KEYS; i++)
        caller->process[i] = caller->next_process++;
    arena_init(&caller->arena, ARENA_BYTES);
    rng_seed(&caller->rng, seed);
    caller->history = open(history, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return caller->history >= 0;
}

// ---- The history -------------------------------------------------------------------------------

// A line is one write, so that a kill leaves whole lines. Where no file may grow it waits.
static void record(const struct caller *caller, int slot, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void record(const struct caller *caller, int slot, const char *format, ...) {
    char line[LINE_BYTES];
    va_list arguments;
    int length = snprintf(line, sizeof line, "%llu %u ", (unsigned long long)clock_nanoseconds(),
                          caller->process[slot]);
    va_start(arguments, format);
    length += vsnprintf(line + length, sizeof line - (size_t)length, format, arguments);
    va_end(arguments);
    line[length++] = '\n';
    ssize_t written = write(caller->history, line, (size_t)length);
    for (; written < 0 && errno == EFBIG; written = write(caller->history, line, (size_t)length))
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    if (written != length)
        _exit(3);
}

static const char *value_of(const struct ct_row *row) {
    const struct ct_property *value = row ? ct_row_property(row, "v") : NULL;
    return value && value->type == CT_STRING ? value->value.string : "nil";
}

// The name of a key in the history.
static const char *name_of(struct caller *caller, struct ct_key key) {
    return arena_printf(&caller->arena, "%s/%s", key.partition, key.row);
}

// A value that nobody has written.
static const char *fresh_value(struct caller *caller) {
    return arena_printf(&caller->arena, "p%ldn%u", (long)getpid(), caller->calls++);
}

// After an outcome that is unknown, or none that a table may have.
static void leave_open(struct caller *caller, int slot, struct ct_outcome outcome) {
    if (outcome.kind != CT_UNKNOWN)
        fprintf(stderr, "impossible: process %u: %s\n", caller->process[slot],
                outcome.message ? outcome.message : "an outcome without a message");
    caller->process[slot] = caller->next_process++;
}

// ---- Reads -------------------------------------------------------------------------------------

static void end_read(struct caller *caller, int slot, struct ct_outcome outcome,
                     const struct ct_row *row) {
    if (outcome.kind != CT_SUCCEEDED && outcome.kind != CT_STORAGE_ERROR)
        leave_open(caller, slot, outcome);
    else if (outcome.kind != CT_SUCCEEDED)
        record(caller, slot, "drop");
    else
        record(caller, slot, "return get %s", value_of(row));
}

static const struct ct_row *get(struct caller *caller, struct ct_key key) {
    struct ct_rows rows = {0};
    record(caller, 0, "call get %s", name_of(caller, key));
    struct ct_outcome outcome =
        ct_query(caller->table, ct_filter_point(&caller->arena, key), &caller->arena, &rows);
    const struct ct_row *row = outcome.kind == CT_SUCCEEDED ? ct_rows_find(rows, key) : NULL;
    end_read(caller, 0, outcome, row);
    return row;
}

static void query_partition(struct caller *caller, const char *partition) {
    struct ct_rows rows = {0};
    for (int i = 0; i < CALLS_KEYS; i++)
        record(caller, i, "call get %s/%s", partition, row_keys[i]);
    struct ct_outcome outcome = ct_query(
        caller->table, ct_filter_in_partition(&caller->arena, partition), &caller->arena, &rows);
    for (int i = 0; i < CALLS_KEYS; i++) {
        struct ct_key key = {partition, row_keys[i]};
        end_read(caller, i, outcome, outcome.kind == CT_SUCCEEDED ? ct_rows_find(rows, key) : NULL);
    }
}

// ---- Writes ------------------------------------------------------------------------------------

// A write of a row; [value] NULL: none, the row is deleted.
static struct ct_outcome write_row(struct caller *caller, enum ct_op_type type, struct ct_key key,
                                   const char *if_match, const char *value) {
    struct ct_property property = ct_string("v", value ? value : "");
    struct ct_batch batch = ct_batch_new(&caller->arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, type, ct_row_new(&caller->arena, key, if_match, &property, value ? 1 : 0));
    return ct_execute(caller->table, &batch, &caller->arena, &result);
}

// The return of a write: [refusal] is what says that [what] failed for its condition.
static void end_write(struct caller *caller, int slot, struct ct_outcome outcome, const char *what,
                      const char *result, enum ct_status refusal) {
    if (outcome.kind == CT_SUCCEEDED)
        record(caller, slot, "return %s%s", what, result);
    else if (outcome.kind != CT_STORAGE_ERROR)
        leave_open(caller, slot, outcome);
    else if (refusal != CT_STATUS_NONE && ct_failed_with(outcome, refusal))
        record(caller, slot, "return %s fail", what);
    else
        record(caller, slot, "drop");
}

static void put(struct caller *caller, struct ct_key key) {
    const char *value = fresh_value(caller);
    record(caller, 0, "call put %s %s", name_of(caller, key), value);
    end_write(caller, 0, write_row(caller, CT_INSERT_OR_REPLACE, key, NULL, value), "put", "",
              CT_STATUS_NONE);
}

static void insert(struct caller *caller, struct ct_key key) {
    const char *value = fresh_value(caller);
    record(caller, 0, "call cas %s nil %s", name_of(caller, key), value);
    end_write(caller, 0, write_row(caller, CT_INSERT, key, NULL, value), "cas", " ok",
              CT_STATUS_CONFLICT);
}

static void delete_any(struct caller *caller, struct ct_key key) {
    record(caller, 0, "call remove %s", name_of(caller, key));
    end_write(caller, 0, write_row(caller, CT_DELETE, key, CT_IF_EXISTS_ETAG, NULL), "remove", "",
              CT_STATUS_NONE);
}

// With the ETag that was read: a 412 says nothing of the value, since a copy has another ETag.
static void change(struct caller *caller, struct ct_key key) {
    const struct ct_row *row = get(caller, key);
    if (!row)
        return;
    bool deletes = rng_below(&caller->rng, 3) == 0;
    const char *value = deletes ? NULL : fresh_value(caller);
    record(caller, 0, "call cas %s %s %s", name_of(caller, key), value_of(row),
           deletes ? "nil" : value);
    end_write(caller, 0, write_row(caller, deletes ? CT_DELETE : CT_REPLACE, key, row->etag, value),
              "cas", " ok", CT_STATUS_NONE);
}

// A batch that replaces two rows or inserts them.
static void put_two(struct caller *caller, struct ct_key key) {
    struct ct_batch batch = ct_batch_new(&caller->arena, 2);
    struct ct_op_result results[2];
    for (int i = 0; i < 2; i++) {
        struct ct_property property = ct_string("v", fresh_value(caller));
        if (i == 1)
            key.row = row_keys[(strcmp(key.row, row_keys[0]) == 0) ? 1 : 0];
        record(caller, i, "call put %s %s", name_of(caller, key), property.value.string);
        ct_batch_add(&batch, CT_INSERT_OR_REPLACE,
                     ct_row_new(&caller->arena, key, NULL, &property, 1));
    }
    struct ct_outcome outcome = ct_execute(caller->table, &batch, &caller->arena, results);
    for (int i = 0; i < 2; i++)
        end_write(caller, i, outcome, "put", "", CT_STATUS_NONE);
}

// ---- The workload ------------------------------------------------------------------------------

void caller_make_call(struct caller *caller) {
    arena_reset(&caller->arena, 0);
    const char *partition = partitions[rng_below(&caller->rng, CALLS_PARTITIONS)];
    struct ct_key key = {partition, row_keys[rng_below(&caller->rng, CALLS_KEYS)]};
    switch (rng_below(&caller->rng, 8)) {
    case 0:
        put(caller, key);
        return;
    case 1:
        insert(caller, key);
        return;
    case 2:
        delete_any(caller, key);
        return;
    case 3:
    case 4:
        change(caller, key);
        return;
    case 5:
        put_two(caller, key);
        return;
    case 6:
        query_partition(caller, partition);
        return;
    default:
        get(caller, key);
    }
}

void caller_read_all(struct caller *caller) {
    for (int p = 0; p < CALLS_PARTITIONS; p++)
        query_partition(caller, partitions[p]);
}

// ---- Rows that stay as they are ----------------------------------------------------------------

// In order of their numbers; half of them before, half of them behind the middle partition.
static struct ct_key loaded_key(struct caller *caller, unsigned i, unsigned rows) {
    return (struct ct_key){arena_printf(&caller->arena, "%s%06u", i < rows / 2 ? "before" : "then",
                                        i / PARTITION_ROWS),
                           arena_printf(&caller->arena, "%08u", i)};
}

bool caller_load(struct caller *caller, unsigned rows) {
    struct ct_op_result results[PARTITION_ROWS];
    for (unsigned i = 0; i < rows;) {
        arena_reset(&caller->arena, 0);
        struct ct_batch batch = ct_batch_new(&caller->arena, PARTITION_ROWS);
        const char *partition = loaded_key(caller, i, rows).partition;
        for (; i < rows; i++) {
            struct ct_property property = ct_int32("n", (int32_t)i);
            struct ct_key key = loaded_key(caller, i, rows);
            if (strcmp(key.partition, partition) != 0)
                break;
            ct_batch_add(&batch, CT_INSERT, ct_row_new(&caller->arena, key, NULL, &property, 1));
        }
        if (ct_execute(caller->table, &batch, &caller->arena, results).kind != CT_SUCCEEDED)
            return false;
    }
    return true;
}

static bool is_called(const char *partition) {
    for (int i = 0; i < CALLS_PARTITIONS; i++)
        if (strcmp(partition, partitions[i]) == 0)
            return true;
    return false;
}

static bool is_loaded(const struct ct_row *row, struct ct_key key, unsigned i) {
    const struct ct_property *number = ct_row_property(row, "n");
    return ct_key_compare(row->key, key) == 0 && row->property_count == 1 && number &&
           number->type == CT_INT32 && number->value.int32 == (int32_t)i;
}

bool caller_finds_load(struct caller *caller, unsigned rows) {
    struct ct_stream *stream;
    const struct ct_row *row = NULL;
    unsigned found = 0;
    bool is_same = true;
    if (ct_open_stream(caller->table, NULL, &stream).kind != CT_SUCCEEDED)
        return false;
    while (is_same && ct_stream_read(stream, &row).kind == CT_SUCCEEDED && row) {
        arena_reset(&caller->arena, 0);
        if (is_called(row->key.partition))
            continue;
        is_same = is_loaded(row, loaded_key(caller, found, rows), found);
        found++;
    }
    ct_stream_close(stream);
    return is_same && !row && found == rows;
}

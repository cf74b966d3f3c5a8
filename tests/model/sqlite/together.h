// Callers whose batches meet in one transaction: each has a thread, and all wait in one turn while
// somebody else has the file.
#ifndef TESTS_MODEL_SQLITE_TOGETHER_H
#define TESTS_MODEL_SQLITE_TOGETHER_H

#include "tests/model/sqlite/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <time.h>

enum { CALLERS_MAX = 16, CALLER_OPERATIONS = 20 };

struct caller {
    struct ct_sqlite_table *table;
    struct ct_batch batch; // in the test's arena
    struct ct_op_result results[CALLER_OPERATIONS];
    struct ct_outcome outcome;
    char etag[64]; // of the first operation, if it was done
    struct arena arena;
    pthread_t thread;
};

static inline void open_turn(struct ct_sqlite_turn *turn, unsigned wait_ms) {
    struct error error = {""};
    ct_sqlite_turn_init(turn, wait_ms);
    if (!ct_sqlite_turn_open(
            turn, &(struct ct_sqlite_options){.path = path, .name = "t", .busy_ms = 60000}, &error))
        fail_msg("%s", error.text);
}

static inline struct ct_sqlite_table *open_in_turn(struct ct_sqlite_turn *turn) {
    struct ct_sqlite_table *table = open_named(path, "t");
    ct_sqlite_take_turns(table, turn);
    return table;
}

static inline void *run_caller(void *context) {
    struct caller *caller = context;
    arena_init(&caller->arena, 1 << 20);
    caller->outcome = ct_execute(ct_sqlite_interface(caller->table), &caller->batch, &caller->arena,
                                 caller->results);
    return NULL;
}

static inline void start_caller(struct caller *caller) {
    assert_int_equal(pthread_create(&caller->thread, NULL, run_caller, caller), 0);
}

static inline void join_caller(struct caller *caller) {
    pthread_join(caller->thread, NULL);
    if (caller->outcome.kind == CT_SUCCEEDED)
        snprintf(caller->etag, sizeof caller->etag, "%s", caller->results[0].etag);
    arena_deinit(&caller->arena);
}

// Until so many wait.
static inline void await(struct ct_sqlite_turn *turn, size_t count) {
    for (size_t waiting = count + 1; waiting != count;) {
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
        pthread_mutex_lock(&turn->mutex);
        waiting = turn->waiting;
        pthread_mutex_unlock(&turn->mutex);
    }
}

// Somebody who has the file.
static inline sqlite3 *hold_file(void) {
    sqlite3 *holder;
    assert_int_equal(sqlite3_open(path, &holder), SQLITE_OK);
    assert_int_equal(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return holder;
}

static inline void let_go(sqlite3 *holder) {
    assert_int_equal(sqlite3_exec(holder, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(holder), SQLITE_OK);
}

static inline void run_together(struct ct_sqlite_turn *turn, struct caller *callers, size_t count) {
    sqlite3 *holder = hold_file();
    for (size_t i = 0; i < count; i++)
        start_caller(&callers[i]);
    await(turn, count);
    let_go(holder);
    for (size_t i = 0; i < count; i++)
        join_caller(&callers[i]);
}

#endif

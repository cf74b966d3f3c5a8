// The protocol outside the tester: the same code with real threads, over tables in files. Links the
// model, the bugs and the base only.
#define _POSIX_C_SOURCE 200809L
#include "tests/support/test.h"

#include "core/base/rng.h"
#include "model/config/service.h"
#include "model/migrating/migrating.h"
#include "model/migrating/state.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"
#include "model/posix/file_table.h"
#include "model/posix/thread_env.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUNDS = ARENA_POISONS ? 8 : 25,
    APPS = 2,
    KEYS = 6,         // of each application
    CALLS_BEFORE = 5, // of each application before the migration begins, and after it has ended
    ARENA_BYTES = 1 << 24,
};

// ---- The world ---------------------------------------------------------------------------------

static struct {
    struct thread_env env;
    struct file_table old_file, new_file;
    struct mt_config_service service;
    atomic_int calls; // by applications, so far
    atomic_bool is_migrated;
} world;

static struct mt_table *open_instance(struct mt_config *config) {
    return mt_open(&(struct mt_options){.old_table = &world.old_file.table,
                                        .new_table = &world.new_file.table,
                                        .config = config,
                                        .env = &world.env.env});
}

// ---- Applications ------------------------------------------------------------------------------

// What an application knows of one of its rows, which nobody else writes.
struct known_row {
    bool exists;
    int32_t value;  // 0: no such property
    int32_t merged; // likewise
};

struct app {
    char name; // the first letter of its row keys
    pthread_t thread;
    struct rng rng;
    struct mt_table *instance;
    struct arena arena; // of its calls
    char keys[KEYS][3];
    struct known_row rows[KEYS];
    int32_t next_value;
    char failure[300]; // empty: none
    unsigned streams, batches, queries;
};

// The first three rows are in a partition that the applications share, the others in one of each.
static const char *partition_of(const struct app *app, size_t index) {
    if (index < KEYS / 2)
        return "shared";
    return app->name == 'a' ? "of a" : "of b";
}

static void app_fail(struct app *app, const char *what, const char *row) {
    if (!*app->failure)
        snprintf(app->failure, sizeof app->failure, "application %c: %s %s", app->name, what, row);
}

static int32_t int_property(const struct ct_row *row, const char *name) {
    const struct ct_property *property = ct_row_property(row, name);
    return property ? property->value.int32 : 0;
}

static void check_row(struct app *app, size_t index, const struct ct_row *row) {
    const struct known_row *known = &app->rows[index];
    if (known->exists != (row != NULL))
        app_fail(app, known->exists ? "a lost row:" : "a row that was deleted:", app->keys[index]);
    if (!row || !known->exists)
        return;
    if (int_property(row, "value") != known->value || int_property(row, "merged") != known->merged)
        app_fail(app, "wrong contents of row", app->keys[index]);
    if (ct_row_property(row, MT_DELETED_PROPERTY))
        app_fail(app, "metadata in row", app->keys[index]);
}

// The status that the operation must have, done to [row].
static enum ct_status expect(struct known_row *row, enum ct_op_type type, const char *if_match,
                             int32_t value) {
    bool is_conditional = type == CT_REPLACE || type == CT_MERGE ||
                          (type == CT_DELETE && strcmp(if_match, CT_IF_EXISTS_ETAG) != 0);
    if (type == CT_INSERT && row->exists)
        return CT_STATUS_CONFLICT;
    if (is_conditional && !row->exists)
        return CT_STATUS_NOT_FOUND;
    if (is_conditional && strcmp(if_match, CT_ANY_ETAG) != 0)
        return CT_STATUS_PRECONDITION_FAILED;
    if (type == CT_DELETE) {
        *row = (struct known_row){.exists = false};
        return CT_STATUS_NO_CONTENT;
    }
    bool keeps = row->exists && (type == CT_MERGE || type == CT_INSERT_OR_MERGE);
    if (type == CT_MERGE || type == CT_INSERT_OR_MERGE)
        *row = (struct known_row){true, keeps ? row->value : 0, value};
    else
        *row = (struct known_row){true, value, 0};
    return type == CT_INSERT ? CT_STATUS_CREATED : CT_STATUS_NO_CONTENT;
}

static void add_operation(struct app *app, struct ct_batch *batch, size_t index,
                          struct known_row *row, enum ct_status *status) {
    static const char *const if_matches[] = {CT_ANY_ETAG, CT_ANY_ETAG, "wrong"};
    enum ct_op_type type = (enum ct_op_type)rng_below(&app->rng, CT_INSERT_OR_MERGE + 1);
    const char *if_match = if_matches[rng_below(&app->rng, 3)];
    if (type == CT_DELETE && rng_below(&app->rng, 2))
        if_match = CT_IF_EXISTS_ETAG;
    bool merges = type == CT_MERGE || type == CT_INSERT_OR_MERGE;
    struct ct_property property = {.name = merges ? "merged" : "value", .type = CT_INT32};
    property.value.int32 = ++app->next_value;
    struct ct_key key = {partition_of(app, index), app->keys[index]};
    ct_batch_add(batch, type, ct_row_new(&app->arena, key, if_match, &property, type != CT_DELETE));
    *status = expect(row, type, if_match, property.value.int32);
}

static void run_batch(struct app *app) {
    size_t count = 1 + rng_below(&app->rng, 2);
    size_t half = rng_below(&app->rng, 2) * (KEYS / 2);
    size_t first = rng_below(&app->rng, KEYS / 2);
    struct ct_batch batch = ct_batch_new(&app->arena, count);
    struct ct_op_result results[2];
    struct known_row after[2];
    enum ct_status statuses[2], refusal = CT_STATUS_NONE;
    size_t indexes[2], refused = 0;
    for (size_t i = 0; i < count; i++) {
        indexes[i] = half + (first + i) % (KEYS / 2);
        after[i] = app->rows[indexes[i]];
        add_operation(app, &batch, indexes[i], &after[i], &statuses[i]);
        if (refusal == CT_STATUS_NONE && statuses[i] >= CT_STATUS_BAD_REQUEST) {
            refusal = statuses[i];
            refused = i;
        }
    }
    struct ct_outcome outcome =
        ct_execute(mt_interface(app->instance), &batch, &app->arena, results);
    app->batches++;
    if (refusal != CT_STATUS_NONE) {
        if (outcome.kind != CT_STORAGE_ERROR || outcome.status != refusal ||
            outcome.op_index != refused)
            app_fail(app, "a batch that must be refused:", app->keys[indexes[0]]);
        return;
    }
    if (outcome.kind != CT_SUCCEEDED) {
        app_fail(app, outcome.message ? outcome.message : "a batch that must succeed:",
                 app->keys[indexes[0]]);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        app->rows[indexes[i]] = after[i];
        if (results[i].status != statuses[i])
            app_fail(app, "status of", app->keys[indexes[i]]);
    }
}

static void run_query(struct app *app) {
    size_t half = rng_below(&app->rng, 2) * (KEYS / 2);
    struct ct_rows rows;
    const char *partition = partition_of(app, half);
    struct ct_outcome outcome =
        ct_query(mt_interface(app->instance), ct_filter_in_partition(&app->arena, partition),
                 &app->arena, &rows);
    app->queries++;
    if (outcome.kind != CT_SUCCEEDED) {
        app_fail(app, "a failed query of", partition);
        return;
    }
    for (size_t i = half; i < half + KEYS / 2; i++)
        check_row(app, i, ct_rows_find(rows, (struct ct_key){partition, app->keys[i]}));
}

static size_t key_index(const struct app *app, struct ct_key key) {
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(app->keys[i], key.row) == 0)
            return i;
    return KEYS;
}

// Reads everything; the application's own rows do not change meanwhile, so each must come once.
static void run_stream(struct app *app) {
    bool seen[KEYS + 1] = {false};
    struct ct_stream *stream = NULL;
    const struct ct_row *row = NULL;
    struct ct_outcome outcome = ct_open_stream(mt_interface(app->instance), NULL, &stream);
    app->streams++;
    if (outcome.kind != CT_SUCCEEDED) {
        app_fail(app, "a stream that cannot be opened:", outcome.message);
        return;
    }
    for (;;) {
        outcome = ct_stream_read(stream, &row);
        if (outcome.kind != CT_SUCCEEDED)
            app_fail(app, "a failed read:", outcome.message);
        if (outcome.kind != CT_SUCCEEDED || !row)
            break;
        size_t index = key_index(app, row->key);
        if (index < KEYS && seen[index])
            app_fail(app, "a stream gave twice the row", row->key.row);
        if (index < KEYS)
            check_row(app, index, row);
        seen[index] = true;
    }
    ct_stream_close(stream);
    for (size_t i = 0; i < KEYS; i++)
        if (!seen[i])
            check_row(app, i, NULL);
}

static void run_call(struct app *app) {
    uint32_t kind = rng_below(&app->rng, 8);
    if (kind == 0)
        run_stream(app);
    else if (kind < 3)
        run_query(app);
    else
        run_batch(app);
    arena_reset(&app->arena, 0);
    atomic_fetch_add(&world.calls, 1);
}

static void *run_app(void *argument) {
    struct app *app = (struct app *)argument;
    for (unsigned after = 0; after < CALLS_BEFORE && !*app->failure;) {
        if (atomic_load(&world.is_migrated))
            after++;
        run_call(app);
    }
    atomic_fetch_add(&world.calls, CALLS_BEFORE * APPS); // the migrator must not wait for it
    return NULL;
}

static void app_open(struct app *app, size_t index, uint64_t seed) {
    memset(app, 0, sizeof *app);
    app->name = (char)('a' + index);
    rng_seed(&app->rng, seed * APPS + index);
    for (size_t i = 0; i < KEYS; i++)
        snprintf(app->keys[i], sizeof app->keys[i], "%c%d", app->name, (int)i);
    arena_init(&app->arena, ARENA_BYTES);
    app->instance = open_instance(&world.service.config);
}

// ---- The migrator ------------------------------------------------------------------------------

// Waits a moment before each push, so that the applications work in every state.
static struct {
    struct mt_config config;
    struct ct_outcome outcome;
} migrator;

static struct ct_outcome migrator_subscribe(struct mt_config *config,
                                            struct mt_subscription *subscription,
                                            enum mt_state *state) {
    (void)config;
    return world.service.config.ops->subscribe(&world.service.config, subscription, state);
}

static void migrator_unsubscribe(struct mt_config *config, struct mt_subscription *subscription) {
    (void)config;
    world.service.config.ops->unsubscribe(&world.service.config, subscription);
}

static struct ct_outcome migrator_push(struct mt_config *config, const char *where,
                                       enum mt_state state) {
    (void)config;
    int seen = atomic_load(&world.calls);
    while (atomic_load(&world.calls) < seen + CALLS_BEFORE * APPS)
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    return world.service.config.ops->push(&world.service.config, where, state);
}

static void *run_migrator(void *argument) {
    static const struct mt_config_ops ops = {.version = MT_CONFIG_VERSION,
                                             .subscribe = migrator_subscribe,
                                             .unsubscribe = migrator_unsubscribe,
                                             .push = migrator_push};
    (void)argument;
    migrator.config.ops = &ops;
    struct mt_table *instance = open_instance(&migrator.config);
    migrator.outcome = mt_migrate(instance);
    ct_close(mt_interface(instance));
    atomic_store(&world.is_migrated, true);
    return NULL;
}

// ---- The test ----------------------------------------------------------------------------------

static void check_end(struct app *apps) {
    struct arena *arena = &apps[0].arena;
    struct ct_rows rows = file_table_rows(&world.new_file, arena);
    size_t expected = 0;
    assert_int_equal(file_table_rows(&world.old_file, arena).count, 0);
    for (size_t a = 0; a < APPS; a++)
        for (size_t i = 0; i < KEYS; i++) {
            struct ct_key key = {partition_of(&apps[a], i), apps[a].keys[i]};
            check_row(&apps[a], i, ct_rows_find(rows, key));
            assert_string_equal(apps[a].failure, "");
            expected += apps[a].rows[i].exists;
        }
    assert_int_equal(rows.count, expected);
}

static struct app apps[APPS];

static void run_round(uint64_t seed, const char *old_path, const char *new_path) {
    pthread_t thread;
    file_table_create(&world.old_file, old_path, "old-");
    file_table_create(&world.new_file, new_path, "new-");
    thread_env_init(&world.env, ARENA_BYTES);
    mt_config_service_init(&world.service, &world.env.env, MT_USE_OLD_HIDE_METADATA, true);
    atomic_store(&world.calls, 0);
    atomic_store(&world.is_migrated, false);
    for (size_t i = 0; i < APPS; i++)
        app_open(&apps[i], i, seed);
    assert_int_equal(pthread_create(&thread, NULL, run_migrator, NULL), 0);
    for (size_t i = 0; i < APPS; i++)
        assert_int_equal(pthread_create(&apps[i].thread, NULL, run_app, &apps[i]), 0);
    for (size_t i = 0; i < APPS; i++)
        pthread_join(apps[i].thread, NULL);
    pthread_join(thread, NULL);
    for (size_t i = 0; i < APPS; i++) {
        assert_string_equal(apps[i].failure, "");
        assert_true(apps[i].batches > 0);
    }
    assert_int_equal(migrator.outcome.kind, CT_SUCCEEDED);
    thread_env_wait(&world.env); // streams end when they like
    check_end(apps);
    for (size_t i = 0; i < APPS; i++) {
        ct_close(mt_interface(apps[i].instance));
        arena_deinit(&apps[i].arena);
    }
    mt_config_service_deinit(&world.service);
    thread_env_deinit(&world.env);
    ct_close(&world.old_file.table);
    ct_close(&world.new_file.table);
    file_table_remove(&world.old_file);
    file_table_remove(&world.new_file);
}

// Two applications in threads of their own work all through a migration in a third: every call has
// the outcome that the application, sole writer of its rows, expects, and so has the end.
static void test_migration_with_threads(void **state) {
    (void)state;
    char old_path[100], new_path[100];
    snprintf(old_path, sizeof old_path, "/tmp/mtcheck-outside-%ld-old.table", (long)getpid());
    snprintf(new_path, sizeof new_path, "/tmp/mtcheck-outside-%ld-new.table", (long)getpid());
    for (uint64_t round = 0; round < ROUNDS; round++)
        run_round(round, old_path, new_path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_migration_with_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/support/arena.h"

#include "model/config/service.h"
#include "model/migrating/migrating.h"
#include "model/table/filter.h"
#include "model/memory/memory_table.h"
#include "model/table/row.h"

#include <stdio.h>
#include <string.h>

// A MigratingTable over two tables with the real service's limits, in a fixed state, without the
// engine: nothing here waits.

static struct ct_env env;
static struct ct_table *backends[2];
static struct mt_config_service service;
static struct ct_table *table;
static int notes, subscriptions;

static void annotate(struct ct_env *of, const char *where, const struct ct_annotation *annotation) {
    (void)of;
    (void)where;
    (void)annotation;
    notes++;
}

static struct arena *arena_open(struct ct_env *of) {
    (void)of;
    return &arena;
}

static struct ct_outcome subscribe(struct mt_config *config, struct mt_subscription *subscription,
                                   enum mt_state *state) {
    (void)config;
    subscriptions++;
    return service.config.ops->subscribe(&service.config, subscription, state);
}

static void unsubscribe(struct mt_config *config, struct mt_subscription *subscription) {
    (void)config;
    service.config.ops->unsubscribe(&service.config, subscription);
}

static struct ct_table *open_backend(const char *prefix) {
    return ct_memory_table_interface(ct_memory_table_open(&(struct ct_memory_options){
        .arena = &arena, .etag_prefix = prefix, .enforce_limits = true}));
}

static void open_table(enum mt_state state) {
    static const struct ct_env_ops env_ops = {
        .version = CT_ENV_VERSION, .annotate = annotate, .arena_open = arena_open};
    static const struct mt_config_ops config_ops = {
        .version = MT_CONFIG_VERSION, .subscribe = subscribe, .unsubscribe = unsubscribe};
    static struct mt_config config = {.ops = &config_ops};
    arena_reset(&arena, 0);
    notes = subscriptions = 0;
    env = (struct ct_env){.ops = &env_ops};
    backends[0] = open_backend("old-");
    backends[1] = open_backend("new-");
    mt_config_service_init(&service, &env, state, false);
    table = mt_interface(mt_open(&(struct mt_options){
        .old_table = backends[0], .new_table = backends[1], .config = &config, .env = &env}));
}

static struct ct_row *entity(const char *row, const struct ct_property *properties, size_t count) {
    return ct_row_new(&arena, (struct ct_key){"p", row}, NULL, properties, count);
}

// Inserts of rows "000", "001", ...
static struct ct_batch inserts(size_t count) {
    struct ct_batch batch = ct_batch_new(&arena, count);
    for (size_t i = 0; i < count; i++) {
        char *row = arena_alloc(&arena, 24);
        snprintf(row, 24, "%03zu", i);
        ct_batch_add(&batch, CT_INSERT, entity(row, NULL, 0));
    }
    return batch;
}

static struct ct_outcome execute(struct ct_batch *batch) {
    return ct_execute(table, batch, &arena, ARENA_ARRAY(&arena, struct ct_op_result, batch->count));
}

// In every state: refused [at], and nobody was asked anything.
#define assert_refused(at, make_batch)                               \
    for (int s = 0; s < MT_STATE_COUNT; s++) {                       \
        open_table((enum mt_state)s);                                \
        struct ct_batch batch = make_batch;                          \
        struct ct_outcome outcome = execute(&batch);                 \
        assert_true(ct_failed_with(outcome, CT_STATUS_BAD_REQUEST)); \
        assert_int_equal(outcome.op_index, (at));                    \
        assert_int_equal(notes, 0);                                  \
        assert_int_equal(subscriptions, 0);                          \
    }

static struct ct_batch with(struct ct_batch batch, size_t index, const char *row,
                            const struct ct_property *properties, size_t count) {
    batch.operations[index].entity = entity(row, properties, count);
    return batch;
}

// A key of an earlier operation is refused where it comes again.
static void test_repeated_key_is_refused(void **state) {
    (void)state;
    assert_refused(3, with(inserts(5), 3, "001", NULL, 0));
}

// The protocol's two rows are nobody else's, nor is any key that begins as theirs do: who reads the
// old table directly skips those.
static void test_reserved_rows_are_refused(void **state) {
    (void)state;
    assert_refused(0, with(inserts(2), 0, "_mtable_partition_meta", NULL, 0));
    assert_refused(1, with(inserts(2), 1, "_mtable_partition_populated_assertion", NULL, 0));
    assert_refused(1, with(inserts(2), 1, "_mtable_x", NULL, 0));
    assert_refused(0, with(inserts(2), 0, "_mtable_", NULL, 0));
}

// Nor are its two properties: a row that carries the mark would be taken for a tombstone.
static void test_reserved_properties_are_refused(void **state) {
    (void)state;
    const struct ct_property deleted = ct_bool("_mtable_deleted", true);
    const struct ct_property partition_state = {.name = "_mtable_partition_state",
                                                .type = CT_INT32};
    assert_refused(2, with(inserts(3), 2, "x", &deleted, 1));
    assert_refused(0, with(inserts(3), 0, "x", &partition_state, 1));
}

// 99 operations pass in every state, with the guard as the hundredth; the next one is refused.
static void test_operations_up_to_the_limit_pass(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++) {
        open_table((enum mt_state)s);
        struct ct_batch batch = inserts(99);
        assert_int_equal(execute(&batch).kind, CT_SUCCEEDED);
    }
    assert_refused(99, inserts(100));
    assert_refused(99, inserts(120));
}

static const struct ct_property *many_properties(size_t count) {
    struct ct_property *properties = ARENA_ARRAY(&arena, struct ct_property, count);
    for (size_t i = 0; i < count; i++) {
        char *name = arena_alloc(&arena, 24);
        snprintf(name, 24, "n%03zu", i);
        properties[i] = (struct ct_property){.name = name, .type = CT_BOOL};
    }
    return properties;
}

// 251 properties pass in every state, with the mark as the 252nd; one more is refused.
static void test_properties_up_to_the_limit_pass(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++) {
        open_table((enum mt_state)s);
        struct ct_batch batch = with(inserts(1), 0, "x", many_properties(251), 251);
        assert_int_equal(execute(&batch).kind, CT_SUCCEEDED);
    }
    assert_refused(1, with(inserts(2), 1, "x", many_properties(252), 252));
}

// A query that does not target one partition is a program error in every state, and nobody was
// asked anything: an "or" with the partition on its left reaches into other partitions.
static void test_queries_of_no_partition_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "(PartitionKey eq 'p') or (RowKey eq '1')",
        "(PartitionKey eq 'p') or (PartitionKey eq 'p')",
        "(RowKey eq '1') and (PartitionKey eq 'p')",
        "PartitionKey le 'p'",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        for (int s = 0; s < MT_STATE_COUNT; s++) {
            const struct ct_filter *filter;
            struct ct_rows rows;
            struct error error;
            open_table((enum mt_state)s);
            assert_true(ct_filter_parse(&arena, texts[i], &filter, &error));
            assert_int_equal(ct_query(table, filter, &arena, &rows).kind, CT_PROGRAM_ERROR);
            assert_int_equal(ct_query(backends[0], filter, &arena, &rows).kind, CT_PROGRAM_ERROR);
            assert_int_equal(notes, 0);
            assert_int_equal(subscriptions, 0);
        }
}

// The first of several reasons decides; a batch that is ill-formed remains a program error.
static void test_first_reason_decides(void **state) {
    (void)state;
    assert_refused(1,
                   with(with(inserts(4), 3, "000", NULL, 0), 1, "_mtable_partition_meta", NULL, 0));
    open_table(MT_PREFER_OLD);
    struct ct_batch empty = inserts(0);
    assert_int_equal(execute(&empty).kind, CT_PROGRAM_ERROR);
    struct ct_batch null_key = with(inserts(2), 1, NULL, NULL, 0);
    assert_int_equal(execute(&null_key).kind, CT_PROGRAM_ERROR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_repeated_key_is_refused),
        ARENA_TEST(test_reserved_rows_are_refused),
        ARENA_TEST(test_reserved_properties_are_refused),
        ARENA_TEST(test_operations_up_to_the_limit_pass),
        ARENA_TEST(test_properties_up_to_the_limit_pass),
        ARENA_TEST(test_queries_of_no_partition_are_refused),
        ARENA_TEST(test_first_reason_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

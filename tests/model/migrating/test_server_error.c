// Backend calls that fail, and what the tables hold that cannot be moved.
#include "tests/support/faulty_world.h"

// ---- Calls -------------------------------------------------------------------------------------

// Fails the n-th backend call of [call] in [state] for n = 1, 2, ... until it makes fewer: each
// time the call returns the error, and the same call made again succeeds.
static void fail_each_call(enum mt_state state, struct ct_outcome (*call)(void)) {
    for (int n = 1;; n++) {
        open_world_in(state);
        fails_at = calls + n;
        fails_for = 1;
        struct ct_outcome outcome = call();
        if (outcome.kind == CT_SUCCEEDED) {
            assert_true(n > 1);
            return;
        }
        assert_server_error(outcome);
        assert_int_equal(call().kind, CT_SUCCEEDED);
        assert_int_equal(notes_due, 0);
    }
}

// Batches and queries pass the error of each of their backend calls up, in every state.
static void test_calls_pass_the_error_up(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++) {
        fail_each_call((enum mt_state)s, replace_0);
        fail_each_call((enum mt_state)s, query_all);
    }
}

// An error that persists ends the call, too: nothing is tried again.
static void test_persistent_error_ends_the_call(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++)
        for (int n = 1; n <= 6; n++) {
            open_world_in((enum mt_state)s);
            fails_at = calls + n;
            fails_for = 1000;
            struct ct_outcome outcome = replace_0();
            if (outcome.kind == CT_SUCCEEDED)
                break;
            assert_server_error(outcome);
            assert_int_equal(calls, fails_at);
        }
}

// ---- Streams -----------------------------------------------------------------------------------

// Reads to the end; a read that fails is made again. The rows are "0" and "1", each once.
static void read_all(struct ct_stream *stream) {
    static const char *const expected[] = {"0", "1", NULL};
    for (size_t i = 0; i < 3; i++) {
        const struct ct_row *row = NULL;
        struct ct_outcome outcome = ct_stream_read(stream, &row);
        if (outcome.kind != CT_SUCCEEDED) {
            assert_server_error(outcome);
            outcome = ct_stream_read(stream, &row);
        }
        assert_int_equal(outcome.kind, CT_SUCCEEDED);
        assert_true(ct_string_equal(row ? row->key.row : NULL, expected[i]));
    }
}

// A start that fails gives no stream; after a read that fails the stream stands where it stood, in
// PREFER_NEW also where one of two tables has been read and the other fails.
static void test_failed_read_can_be_repeated(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++)
        for (int n = 1; n <= 12; n++) {
            open_world_in((enum mt_state)s);
            if (s == MT_PREFER_NEW)
                replace_0(); // both tables have row 0
            fails_at = calls + n;
            fails_for = 1;
            struct ct_stream *stream = NULL;
            struct ct_outcome outcome = ct_open_stream(table, NULL, &stream);
            if (outcome.kind != CT_SUCCEEDED) {
                assert_server_error(outcome);
                assert_null(stream);
                assert_true(mt_config_service_is_idle(&service)); // no subscription is left
                continue;
            }
            read_all(stream);
            ct_stream_close(stream);
        }
}

// An error in a change of state has nobody to be told to but the reader: it stays.
static void test_error_in_a_change_of_state_fails_the_stream(void **state) {
    (void)state;
    open_world();
    struct ct_stream *stream = NULL;
    assert_int_equal(ct_open_stream(table, NULL, &stream).kind, CT_SUCCEEDED);
    fails_at = calls + 1;
    fails_for = 1;
    push(MT_PREFER_OLD);
    for (int i = 0; i < 2; i++) {
        const struct ct_row *row = NULL;
        assert_server_error(ct_stream_read(stream, &row));
        assert_null(row);
    }
    push(MT_PREFER_NEW); // does not wait for ever
    ct_stream_close(stream);
    assert_true(mt_config_service_is_idle(&service));
}

// Whichever call of whichever change fails: each backend stream is closed once (the tables see to
// it), and nothing is left.
static void test_failed_change_leaves_a_stream_to_close(void **state) {
    (void)state;
    for (int s = 0; s + 1 < MT_STATE_COUNT; s++)
        for (int n = 1;; n++) {
            open_world_in((enum mt_state)s);
            struct ct_stream *stream = NULL;
            assert_int_equal(ct_open_stream(table, NULL, &stream).kind, CT_SUCCEEDED);
            fails_at = calls + n;
            fails_for = 1;
            push((enum mt_state)(s + 1));
            bool failed = calls >= fails_at;
            ct_stream_close(stream);
            assert_true(mt_config_service_is_idle(&service));
            if (!failed)
                break;
        }
}

// ---- The migrator ------------------------------------------------------------------------------

static size_t row_count(struct ct_table *backend) {
    struct ct_rows rows;
    ct_query(backend, ct_filter_in_partition(&arena, "p"), &arena, &rows);
    return rows.count;
}

// Whichever call fails: called again, the migrator ends, and the migration is what it should be.
static void test_migrator_can_be_called_again(void **state) {
    (void)state;
    for (int n = 1;; n++) {
        open_world();
        assert_int_equal(replace_0().kind, CT_SUCCEEDED);
        fails_at = calls + n;
        fails_for = 1;
        struct ct_outcome outcome = mt_migrate(instance);
        bool failed = outcome.kind != CT_SUCCEEDED;
        if (failed) {
            assert_server_error(outcome);
            assert_int_equal(mt_migrate(instance).kind, CT_SUCCEEDED);
        }
        assert_int_equal(row_count(old_table.backend), 0);
        assert_int_equal(row_count(new_table.backend), 2);
        if (!failed) {
            assert_true(n > 10);
            return;
        }
    }
}

static void rewrite_old_0(void) {
    execute_row(old_table.backend, CT_INSERT_OR_REPLACE, "0");
}

static void delete_old_0(void) {
    struct ct_batch batch = ct_batch_new(&arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, CT_DELETE,
                 ct_row_new(&arena, (struct ct_key){"p", "0"}, CT_ANY_ETAG, NULL, 0));
    ct_execute(old_table.backend, &batch, &arena, &result);
}

// A row of the old table that somebody changes or deletes while it is cleaned up is removed, or
// gone: no error.
static void test_clean_up_of_a_changed_row(void **state) {
    (void)state;
    static void (*const changes[])(void) = {rewrite_old_0, delete_old_0};
    for (int i = 0; i < 2; i++) {
        open_world_in(MT_USE_NEW_HIDE_METADATA);
        meddle = changes[i];
        meddle_at = 3; // after the two rows of the new table
        assert_int_equal(mt_migrate(instance).kind, CT_SUCCEEDED);
        assert_int_equal(notes_due, 0);
        assert_null(meddle);
        assert_int_equal(row_count(old_table.backend), 0);
    }
}

static struct ct_row *wide_row(size_t count) {
    struct ct_property *properties = ARENA_ARRAY(&arena, struct ct_property, count);
    for (size_t i = 0; i < count; i++)
        properties[i] =
            (struct ct_property){.name = arena_printf(&arena, "p%03zu", i), .type = CT_BOOL};
    return ct_row_new(&arena, (struct ct_key){"p", "wide"}, NULL, properties, count);
}

// A row of 252 properties in the old table: told before the migration, at the row, and to a batch
// that names it; one of 251 goes.
static void test_wide_row(void **state) {
    (void)state;
    for (size_t count = 251; count <= 252; count++) {
        struct ct_op_result result;
        open_world();
        struct ct_batch batch = ct_batch_new(&arena, 1);
        ct_batch_add(&batch, CT_INSERT, wide_row(count));
        ct_execute(old_table.backend, &batch, &arena, &result);
        struct ct_outcome outcome = mt_check_rows(instance, NULL, NULL);
        assert_int_equal(outcome.kind, count == 251 ? CT_SUCCEEDED : CT_PROGRAM_ERROR);
        if (count == 252)
            assert_non_null(strstr(outcome.message, "'p' 'wide'"));
        outcome = mt_migrate(instance);
        assert_int_equal(outcome.kind, count == 251 ? CT_SUCCEEDED : CT_STORAGE_ERROR);
        if (count == 251)
            continue;
        assert_int_equal(outcome.status, CT_STATUS_BAD_REQUEST);
        assert_non_null(strstr(outcome.message, "'p' 'wide'"));
        assert_int_equal(notes_due, 0);
        outcome = execute_row(table, CT_INSERT_OR_REPLACE, "wide");
        assert_true(ct_failed_with(outcome, CT_STATUS_BAD_REQUEST));
    }
}

// Reserved keys and properties in the old table are told before the migration.
static void test_reserved_rows_are_told(void **state) {
    (void)state;
    open_world();
    execute_row(old_table.backend, CT_INSERT, "_mtable_mine");
    struct ct_outcome outcome = mt_check_rows(instance, NULL, NULL);
    assert_int_equal(outcome.kind, CT_PROGRAM_ERROR);
    assert_non_null(strstr(outcome.message, "_mtable_mine"));
}

// Two tables that give out the same ETags are found out at the first copy.
static void test_colliding_etags_are_told(void **state) {
    (void)state;
    open_world_in(MT_PREFER_NEW);
    new_table.backend = open_backend("old-");
    struct ct_outcome outcome = mt_migrate(instance);
    assert_int_equal(outcome.kind, CT_INTERNAL_ERROR);
    assert_non_null(strstr(outcome.message, "same ETag"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_calls_pass_the_error_up),
        ARENA_TEST(test_persistent_error_ends_the_call),
        ARENA_TEST(test_failed_read_can_be_repeated),
        ARENA_TEST(test_error_in_a_change_of_state_fails_the_stream),
        ARENA_TEST(test_failed_change_leaves_a_stream_to_close),
        ARENA_TEST(test_migrator_can_be_called_again),
        ARENA_TEST(test_clean_up_of_a_changed_row),
        ARENA_TEST(test_wide_row),
        ARENA_TEST(test_reserved_rows_are_told),
        ARENA_TEST(test_colliding_etags_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

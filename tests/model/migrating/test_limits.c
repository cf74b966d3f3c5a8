// MigratingTable over tables that cannot do everything (struct ct_table_limits).
#include "tests/model/migrating/situations.h"

#include "model/table/error.h"

static const struct ct_table_limits no_delete_if_exists = {.no_delete_if_exists = true};

static int setup_limited(void **state) {
    world.limits = no_delete_if_exists;
    return setup_world(state);
}

static int teardown_limited(void **state) {
    world.limits = (struct ct_table_limits){0};
    return teardown_world(state);
}

#define LIMITED(test) cmocka_unit_test_setup_teardown(test, setup_limited, teardown_limited)

static struct ct_batch batch_of(size_t count) {
    static const char *const rows[] = {"5", "1", "3"};
    struct ct_batch batch = ct_batch_new(&world.arena, count);
    for (size_t i = 0; i < count; i++)
        add_form(&batch, i == 1 ? FORMS - 1 : 1, rows[i], NULL);
    return batch;
}

// In every state a DeleteIfExists among other operations is refused, and nobody is asked anything.
static void test_delete_if_exists_in_a_batch(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++) {
        const char *etags[2];
        struct ct_op_result results[3];
        enter((struct situation){(enum mt_state)s, MT_PARTITION_NONE, ROW_ABSENT}, etags);
        struct ct_batch batch = batch_of(3);
        struct ct_outcome outcome = ct_execute(world.table, &batch, &world.arena, results);
        assert_true(ct_failed_with(outcome, CT_STATUS_BAD_REQUEST));
        assert_int_equal(ct_error_of(outcome), CT_ERROR_CANNOT_ASSERT_ABSENCE);
        assert_int_equal(outcome.op_index, 1);
        assert_string_equal(world.record_buffer, "");
        assert_true(ct_limits(world.table).no_delete_if_exists);
    }
}

static struct mt_config_service ahead_service;
static struct ct_table *ahead; // an instance one state ahead
static size_t ahead_form;
static const char *ahead_wrong;

static void write_ahead(void) {
    const struct ct_row *current =
        ct_rows_find(ct_memory_rows(world.reference), (struct ct_key){"p", "1"});
    struct ct_outcome outcome;
    struct ct_batch batch = ct_batch_new(&world.arena, 1);
    add_form(&batch, ahead_form, "1", current ? current->etag : NULL);
    ahead_wrong = direct_run_batch(&world, ahead, &batch, &outcome);
}

static void open_ahead(enum mt_state state) {
    mt_config_service_init(&ahead_service, &world.env, state, false);
    ahead = mt_interface(direct_instance(&world, &ahead_service.config));
}

// One DeleteIfExists, in every situation, while another client, in the same state or one ahead,
// writes the row before any of its backend calls: both are done as the reference does them.
static void test_delete_if_exists_alone(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++)
        for (size_t c = 0; c < 3 * ROW_SITUATIONS * 2 * FORMS; c++) {
            struct situation at =
                situation_at((enum mt_state)s, (int)(c % 3), (int)(c / 3 % ROW_SITUATIONS));
            int is_ahead = c / 3 / ROW_SITUATIONS % 2 && s + 1 < MT_STATE_COUNT;
            struct situation of_other = at;
            of_other.state = (enum mt_state)(s + is_ahead);
            for (size_t n = 1; is_possible(at) && is_possible(of_other); n++) {
                const char *etags[2];
                struct ct_outcome outcome;
                enter(at, etags);
                open_ahead(of_other.state);
                ahead_form = c / 3 / ROW_SITUATIONS / 2;
                ahead_wrong = NULL;
                world.interlude = write_ahead;
                world.interlude_at = n;
                char what[100];
                snprintf(what, sizeof what, "form %zu in state %d before call %zu", ahead_form,
                         s + is_ahead, n);
                set_context(at, what);
                struct ct_batch batch = ct_batch_new(&world.arena, 1);
                add_form(&batch, FORMS - 1, "1", NULL);
                const char *wrong = direct_run_batch(&world, world.table, &batch, &outcome);
                require(!strstr(world.record_buffer, "BROKEN"), "annotations");
                require(!wrong, wrong);
                require(!ahead_wrong, ahead_wrong);
                if (world.interlude_at != 0)
                    break;
                struct ct_rows rows, expected = ct_memory_rows(world.reference);
                const struct ct_filter *filter = ct_filter_in_partition(&world.arena, "p");
                direct_clear(&world);
                outcome = ct_query(ahead, filter, &world.arena, &rows);
                require(outcome.kind == CT_SUCCEEDED && rows.count == expected.count, "rows");
            }
        }
}

// A server error at any call of it ends it in order.
static void test_delete_if_exists_fails(void **state) {
    (void)state;
    for (int row = 0; row < ROW_SITUATIONS; row++) {
        struct situation at = situation_at(MT_PREFER_OLD, MT_PARTITION_POPULATED, row);
        for (size_t n = 1; is_possible(at) && n <= 3; n++) {
            const char *etags[2];
            struct ct_op_result result;
            enter(at, etags);
            world.fail_at = n;
            set_context(at, "a server error");
            struct ct_batch batch = ct_batch_new(&world.arena, 1);
            add_form(&batch, FORMS - 1, "1", NULL);
            struct ct_outcome outcome = ct_execute(world.table, &batch, &world.arena, &result);
            require_orderly_failure(outcome);
            require((outcome.kind == CT_SUCCEEDED) == (world.backend_calls < n), "outcome");
        }
    }
}

// Opens a virtual table of [count] rows, half of them in each table, over tables that answer
// [query_rows] at most.
static void open_rows(enum mt_state state, size_t query_rows, size_t count) {
    world.limits = (struct ct_table_limits){.query_rows = query_rows};
    direct_reset(&world, state);
    bool is_old = state <= MT_PREFER_NEW;
    direct_put_meta(&world, "p",
                    state == MT_USE_OLD_HIDE_METADATA ? MT_PARTITION_NONE : MT_PARTITION_SWITCHED);
    for (size_t i = 0; i < count; i++) {
        const char *key = arena_printf(&world.arena, "%zu", i);
        bool is_in_old = state == MT_USE_OLD_HIDE_METADATA || (is_old && i % 2);
        struct ct_row *row = data_row(key, true, NULL);
        const char *etag =
            direct_put(is_in_old ? world.old_memory : world.new_memory, row, &world.arena);
        direct_put_reference(&world, data_row(key, true, NULL), etag);
    }
    direct_clear(&world);
}

static size_t calls_of(const char *call) {
    size_t count = 0;
    for (const char *at = world.record_buffer; (at = strstr(at, call)); at++)
        count++;
    return count;
}

// The rows of a batch are read as one range if that is no more than the tables answer at once, else
// one by one; what is between them changes nothing.
static void test_rows_of_a_batch(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++)
        for (size_t query_rows = 3; query_rows <= 8; query_rows++) {
            struct ct_outcome outcome;
            open_rows((enum mt_state)s, query_rows, 6);
            struct ct_batch batch = ct_batch_new(&world.arena, 3);
            add_form(&batch, 3, "4", NULL);
            add_form(&batch, 9, "0", NULL);
            add_form(&batch, 0, "7", NULL);
            const char *wrong = direct_run_batch(&world, world.table, &batch, &outcome);
            assert_false(strstr(world.record_buffer, "BROKEN"));
            assert_null(wrong);
            assert_int_equal(outcome.kind, CT_SUCCEEDED);
            // While the old table is read the new one has three of the rows, then all six.
            size_t expected = s == MT_USE_OLD_HIDE_METADATA                        ? 0
                              : s >= MT_USE_NEW_WITH_TOMBSTONES && query_rows >= 6 ? 1
                                                                                   : 2;
            assert_int_equal(calls_of("new.query"), expected);
        }
}

// A query of more rows than one of the tables answers is refused as too large, in order.
static void test_large_query(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++)
        for (size_t query_rows = 1; query_rows <= 8; query_rows++) {
            struct ct_rows rows;
            open_rows((enum mt_state)s, query_rows, 7);
            struct ct_outcome outcome = ct_query(
                world.table, ct_filter_in_partition(&world.arena, "p"), &world.arena, &rows);
            size_t needed = s == MT_PREFER_OLD || s == MT_PREFER_NEW ? 4 : 7;
            assert_false(strstr(world.record_buffer, "BROKEN"));
            assert_int_equal(ct_limits(world.table).query_rows, query_rows);
            assert_int_equal(world.annotations, world.annotatable);
            if (query_rows >= needed) {
                assert_int_equal(outcome.kind, CT_SUCCEEDED);
                assert_int_equal(rows.count, 7);
                continue;
            }
            assert_true(ct_failed_with(outcome, CT_STATUS_TOO_LARGE));
            assert_int_equal(ct_error_of(outcome), CT_ERROR_NOT_ONE_INSTANT);
            outcome =
                ct_query(world.table, ct_filter_point(&world.arena, (struct ct_key){"p", "3"}),
                         &world.arena, &rows);
            bool reads_meta_too = (s == MT_PREFER_OLD || s == MT_PREFER_NEW) && query_rows == 1;
            assert_int_equal(outcome.kind, reads_meta_too ? CT_STORAGE_ERROR : CT_SUCCEEDED);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        LIMITED(test_delete_if_exists_in_a_batch),
        LIMITED(test_delete_if_exists_alone),
        LIMITED(test_delete_if_exists_fails),
        LIMITED(test_rows_of_a_batch),
        LIMITED(test_large_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

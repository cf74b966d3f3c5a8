// Batches that are not answered, and a configuration service that fails.
#include "tests/support/faulty_world.h"

static size_t row_count(struct ct_table *backend) {
    struct ct_rows rows;
    ct_query(backend, ct_filter_in_partition(&arena, "p"), &arena, &rows);
    return rows.count;
}

// ---- Lost answers ------------------------------------------------------------------------------

static const struct ct_row *visible_row(const char *row) {
    struct ct_rows rows;
    struct ct_key key = {"p", row};
    ct_query(table, ct_filter_point(&arena, key), &arena, &rows);
    assert_int_equal(notes_due, 0);
    return ct_rows_find(rows, key);
}

static struct ct_outcome replace_if(const char *etag, bool value) {
    struct ct_property property = ct_bool("a", value);
    struct ct_batch batch = ct_batch_new(&arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, CT_REPLACE,
                 ct_row_new(&arena, (struct ct_key){"p", "0"}, etag, &property, 1));
    struct ct_outcome outcome = ct_execute(table, &batch, &arena, &result);
    assert_int_equal(notes_due, 0);
    return outcome;
}

// Loses the answer of the n-th batch of a Replace, done or not. Whatever the call returns is true:
// a server error only if the row is as it was, "unknown" only if it was the application's own write
// that nobody answered. False if it makes fewer batches.
static bool lose_answer_in(enum mt_state state, int n, bool is_done, const char *etag) {
    open_world_in(state);
    lost_are_done = is_done;
    const struct ct_row *before = visible_row("0");
    loses_at = writes + n;
    loses_for = 1;
    struct ct_outcome outcome = replace_if(etag ? etag : before->etag, false);
    bool was_lost = writes >= loses_at;
    const struct ct_row *after = visible_row("0");
    bool is_changed = !after->properties[0].value.boolean;
    switch (outcome.kind) {
    case CT_SUCCEEDED:
        assert_true(is_changed);
        return was_lost;
    case CT_UNKNOWN:
        assert_true(was_lost);
        assert_int_equal(is_changed, is_done);
        return true;
    case CT_STORAGE_ERROR: // 412: the copy has another ETag
        assert_true(outcome.status == CT_STATUS_SERVER_ERROR ||
                    outcome.status == CT_STATUS_PRECONDITION_FAILED);
        assert_false(is_changed);
        return was_lost;
    case CT_INTERNAL_ERROR:
    case CT_PROGRAM_ERROR:
        break;
    }
    fail_msg("%s", outcome.message);
    return false;
}

static void test_lost_answers_of_a_batch(void **state) {
    (void)state;
    static const char *const etags[] = {CT_ANY_ETAG, NULL};
    for (int s = 0; s < MT_STATE_COUNT; s++)
        for (int e = 0; e < 2; e++)
            for (int is_done = 0; is_done < 2; is_done++) {
                int n = 1;
                while (lose_answer_in((enum mt_state)s, n, is_done, etags[e]))
                    n++;
                assert_true(n > 1);
            }
}

// A write under the row's own ETag that was not done is known not to have been.
static void test_unchanged_etag_decides(void **state) {
    (void)state;
    open_world();
    loses_at = writes + 1;
    loses_for = 1;
    lost_are_done = false;
    assert_server_error(replace_if(visible_row("0")->etag, false));
    loses_at = writes + 1;
    assert_int_equal(replace_if(CT_ANY_ETAG, false).kind, CT_UNKNOWN);
    loses_at = writes + 1;
    lost_are_done = true;
    assert_int_equal(replace_if(visible_row("0")->etag, false).kind, CT_UNKNOWN);
}

// Where no batch is ever answered a call ends all the same.
static void test_persistent_loss_ends_the_call(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++)
        for (int is_done = 0; is_done < 2; is_done++) {
            open_world_in((enum mt_state)s);
            lost_are_done = is_done;
            loses_at = writes + 1;
            loses_for = 1000;
            replace_if(CT_ANY_ETAG, false);
            assert_in_range(writes, loses_at, loses_at + 6);
        }
}

// What the new table refuses for a reason of its own is refused, not sent for ever.
static void test_permanent_refusal_is_passed_up(void **state) {
    (void)state;
    for (int s = MT_USE_NEW_WITH_TOMBSTONES; s < MT_STATE_COUNT; s++) {
        open_world_in((enum mt_state)s);
        refuses_with = ct_storage_error(CT_STATUS_BAD_REQUEST, 0);
        struct ct_outcome outcome = replace_0();
        assert_true(ct_failed_with(outcome, CT_STATUS_BAD_REQUEST));
        assert_int_equal(notes_due, 0);
    }
}

// ---- The migrator ------------------------------------------------------------------------------

// Likewise with any of its answers lost, done or not.
static void test_lost_answers_of_the_migrator(void **state) {
    (void)state;
    bool is_over = false;
    for (int n = 1; !is_over; n++)
        for (int is_done = 0; is_done < 2; is_done++) {
            open_world();
            lost_are_done = is_done;
            loses_at = writes + n;
            loses_for = 1;
            struct ct_outcome outcome = mt_migrate(instance);
            is_over = writes < loses_at;
            if (outcome.kind != CT_SUCCEEDED) {
                assert_server_error(outcome);
                assert_int_equal(mt_migrate(instance).kind, CT_SUCCEEDED);
            }
            assert_int_equal(notes_due, 0);
            assert_int_equal(row_count(old_table.backend), 0);
            assert_int_equal(row_count(new_table.backend), 2);
        }
}

// ---- The configuration service -----------------------------------------------------------------

static struct ct_outcome failing_subscribe(struct mt_config *config,
                                           struct mt_subscription *subscription,
                                           enum mt_state *state) {
    (void)config;
    (void)subscription;
    (void)state;
    return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
}

static struct ct_outcome passing_subscribe(struct mt_config *config,
                                           struct mt_subscription *subscription,
                                           enum mt_state *state) {
    (void)config;
    return service.config.ops->subscribe(&service.config, subscription, state);
}

static void passing_unsubscribe(struct mt_config *config, struct mt_subscription *subscription) {
    (void)config;
    service.config.ops->unsubscribe(&service.config, subscription);
}

static int pushes_left;

static struct ct_outcome failing_push(struct mt_config *config, const char *where,
                                      enum mt_state state) {
    (void)config;
    if (pushes_left-- == 0)
        return ct_unknown("no answer");
    return service.config.ops->push(&service.config, where, state);
}

// Where nobody can subscribe every call fails and asks no table; a push that fails ends the
// migration, which can be called again.
static void test_service_fails(void **state) {
    (void)state;
    static const struct mt_config_ops dead = {.version = MT_CONFIG_VERSION,
                                              .subscribe = failing_subscribe};
    static const struct mt_config_ops lame = {.version = MT_CONFIG_VERSION,
                                              .subscribe = passing_subscribe,
                                              .unsubscribe = passing_unsubscribe,
                                              .push = failing_push};
    struct mt_config config = {.ops = &dead};
    struct mt_options options = {.old_table = &old_table.table,
                                 .new_table = &new_table.table,
                                 .config = &config,
                                 .env = &env};
    struct ct_stream *stream;
    open_world();
    table = mt_interface(mt_open(&options));
    assert_server_error(replace_0());
    assert_server_error(query_all());
    assert_server_error(ct_open_stream(table, NULL, &stream));
    assert_int_equal(calls, 0);
    config.ops = &lame;
    for (int n = 0; n < 4; n++) {
        open_world();
        instance = mt_open(&options);
        pushes_left = n;
        assert_server_error(mt_migrate(instance));
        assert_int_equal(mt_migrate(instance).kind, CT_SUCCEEDED);
        assert_int_equal(row_count(new_table.backend), 2);
    }
}

// A stream whose subscription the service has ended fails, and can be closed.
static void test_expired_stream_fails(void **state) {
    (void)state;
    struct ct_stream *stream = NULL;
    const struct ct_row *row = NULL;
    open_world();
    assert_int_equal(ct_open_stream(table, NULL, &stream).kind, CT_SUCCEEDED);
    mt_config_service_expire(&service);
    push(MT_PREFER_OLD);
    for (int i = 0; i < 2; i++)
        assert_server_error(ct_stream_read(stream, &row));
    ct_stream_close(stream);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_lost_answers_of_a_batch),
        ARENA_TEST(test_unchanged_etag_decides),
        ARENA_TEST(test_persistent_loss_ends_the_call),
        ARENA_TEST(test_permanent_refusal_is_passed_up),
        ARENA_TEST(test_lost_answers_of_the_migrator),
        ARENA_TEST(test_service_fails),
        ARENA_TEST(test_expired_stream_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

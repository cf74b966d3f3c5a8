// Streams and the migrator without concurrency: their backend calls against sections 4.3 and 4.4 of
// the specification, and whole migrations with work between any two of their steps.
#include "tests/model/migrating/situations.h"

// ---- Streams -----------------------------------------------------------------------------------

static struct ct_stream *open_on_data(enum mt_state state) {
    direct_reset(&world, state);
    if (state <= MT_PREFER_NEW)
        place_row("1", ROW_OLD);
    if (state <= MT_PREFER_NEW)
        place_row("3", ROW_OLD);
    if (state > MT_PREFER_NEW)
        place_row("1", ROW_NEW);
    if (state > MT_PREFER_NEW)
        place_row("3", ROW_NEW);
    direct_clear(&world);
    struct ct_stream *stream = NULL;
    struct ct_outcome outcome = ct_open_stream(world.table, NULL, &stream);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return stream;
}

// Opening a stream in each state opens and prefetches the old side below state 3 and the new side
// above state 0, old first; closing closes them and ends the subscription.
static void test_stream_open(void **state) {
    (void)state;
    static const char *const expected[] = {
        "old.open old.read", "old.open old.read new.open new.read",
        "old.open old.read new.open new.read", "new.open new.read", "new.open new.read"};
    static const char *const closed[] = {" old.close", " old.close new.close",
                                         " old.close new.close", " new.close", " new.close"};
    for (int i = 0; i < MT_STATE_COUNT; i++) {
        char whole[200];
        struct ct_stream *stream = open_on_data((enum mt_state)i);
        assert_string_equal(world.record_buffer, expected[i]);
        assert_non_null(world.service.first);
        ct_stream_close(stream);
        ct_stream_close(stream);
        snprintf(whole, sizeof whole, "%s%s", expected[i], closed[i]);
        assert_string_equal(world.record_buffer, whole);
        assert_null(world.service.first);
        assert_int_equal(world.annotations, 0);
    }
}

// A push to an open stream does exactly what section 4.3 says, the old table being dropped at
// state 3 (our deviation 18).
static void test_stream_push_records(void **state) {
    (void)state;
    static const char back_up[] = "old.close new.close new.open new.read";
    static const struct {
        enum mt_state from, to;
        bool at_end;
        const char *calls;
    } cases[] = {
        {MT_USE_OLD_HIDE_METADATA, MT_PREFER_OLD, false, "new.open new.read"},
        {MT_PREFER_OLD, MT_PREFER_NEW, false, ""},
        {MT_PREFER_NEW, MT_USE_NEW_WITH_TOMBSTONES, false, back_up},
        {MT_USE_NEW_WITH_TOMBSTONES, MT_USE_NEW_HIDE_METADATA, false, ""},
        {MT_PREFER_NEW, MT_USE_NEW_HIDE_METADATA, false, back_up},
        {MT_USE_OLD_HIDE_METADATA, MT_USE_NEW_HIDE_METADATA, false, "new.open new.read old.close"},
        {MT_USE_OLD_HIDE_METADATA, MT_PREFER_OLD, true, ""},
        {MT_PREFER_NEW, MT_USE_NEW_WITH_TOMBSTONES, true, "old.close"},
        {MT_USE_NEW_WITH_TOMBSTONES, MT_USE_NEW_HIDE_METADATA, true, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ct_stream *stream = open_on_data(cases[i].from);
        const struct ct_row *row;
        do {
            ct_stream_read(stream, &row);
        } while (cases[i].at_end && row);
        direct_clear(&world);
        direct_push(&world, cases[i].to);
        assert_string_equal(world.record_buffer, cases[i].calls);
        ct_stream_close(stream);
        assert_int_equal(world.locks_held, 0);
    }
}

// Using a stream after its end is a program error, not a crash.
static void test_stream_use_after_close(void **state) {
    (void)state;
    const struct ct_row *row;
    struct ct_key key;
    struct ct_stream *stream = open_on_data(MT_PREFER_OLD);
    ct_stream_close(stream);
    expect_assert_failure(ct_stream_read(stream, &row));
    expect_assert_failure(ct_stream_continuation_key(stream, &key));
}

// A push after the stream's end does not reach it.
static void test_stream_push_after_close(void **state) {
    (void)state;
    struct ct_stream *stream = open_on_data(MT_USE_OLD_HIDE_METADATA);
    ct_stream_close(stream);
    direct_clear(&world);
    direct_push(&world, MT_PREFER_OLD);
    assert_string_equal(world.record_buffer, "");
}

// ---- A migration with a stream open
// --------------------------------------------------------------

enum { ROUNDS = ARENA_POISONS ? 1500 : 12000 };

static const char *const migration_keys[] = {"0", "1", "2", "3", "4", "5"};
enum { MIGRATION_KEYS = sizeof migration_keys / sizeof migration_keys[0] };

// The migrator's view of the configuration: before each push the application does something.
static struct {
    struct mt_config config;
    const struct ct_filter *filter;
    struct ct_stream *stream;
    size_t start; // the reference's revision when the stream was opened
    struct ct_key from;
    bool ended;
    enum mt_state opens_in;
} app;

static void write_randomly(void) {
    const char *row = migration_keys[rng_below(&world.rng, MIGRATION_KEYS)];
    const struct ct_row *current =
        ct_rows_find(ct_memory_rows(world.reference), (struct ct_key){"p", row});
    struct ct_batch batch = ct_batch_new(&world.arena, 1);
    struct ct_outcome outcome;
    add_form(&batch, rng_below(&world.rng, FORMS), row, current ? current->etag : NULL);
    const char *wrong = direct_run_batch(&world, world.table, &batch, &outcome);
    require(!wrong, wrong);
}

static void open_stream(void) {
    app.start = ct_memory_revision(world.reference);
    app.from = ct_key_first();
    app.ended = false;
    struct ct_outcome outcome = ct_open_stream(world.table, app.filter, &app.stream);
    require(outcome.kind == CT_SUCCEEDED, "opening the stream");
}

static void read_stream(void) {
    const struct ct_row *row = NULL;
    struct ct_key key = {NULL, NULL};
    bool has_key = ct_stream_continuation_key(app.stream, &key);
    struct ct_outcome outcome = ct_stream_read(app.stream, &row);
    require(outcome.kind == CT_SUCCEEDED, "outcome of a read");
    require(!app.ended || !row, "a row after the end");
    struct ct_memory_window window = {
        .table = world.reference, .start = app.start, .filter = app.filter, .from = app.from};
    if (!app.ended)
        require(ct_memory_is_valid_row(&window, row, &world.arena),
                row ? "a row that is valid at no instant" : "an end that is valid at no instant");
    require(!has_key || ct_key_compare(key, app.from) >= 0, "continuation key too low");
    require(!row || (has_key && ct_key_compare(key, row->key) <= 0), "continuation key too high");
    app.ended = !row;
    if (row)
        app.from = ct_key_next(row->key, &world.arena);
}

static void act_randomly(void) {
    for (uint32_t writes = rng_below(&world.rng, 4); writes > 0; writes--)
        write_randomly();
    for (uint32_t reads = rng_below(&world.rng, 4); app.stream && reads > 0; reads--)
        read_stream();
}

static struct ct_outcome push_after_acting(struct mt_config *config, const char *where,
                                           enum mt_state state) {
    (void)config;
    (void)where;
    act_randomly();
    if (world.service.current == app.opens_in)
        open_stream();
    act_randomly();
    // The migrator's own calls, which follow, are no application's.
    direct_push(&world, state);
    act_randomly();
    return ct_success();
}

static struct ct_outcome app_subscribe(struct mt_config *config,
                                       struct mt_subscription *subscription, enum mt_state *state) {
    (void)config;
    return world.service.config.ops->subscribe(&world.service.config, subscription, state);
}

static void app_unsubscribe(struct mt_config *config, struct mt_subscription *subscription) {
    (void)config;
    world.service.config.ops->unsubscribe(&world.service.config, subscription);
}

// Old table empty, no metadata, contents and ETags those of the reference.
static void require_migrated(void) {
    struct ct_rows rows = ct_memory_rows(world.new_memory);
    require(ct_memory_rows(world.old_memory).count == 0, "the old table is not empty");
    require(direct_same_rows(rows, ct_memory_rows(world.reference)), "final contents");
    for (size_t i = 0; i < rows.count; i++)
        require(!ct_row_property(rows.rows[i], MT_DELETED_PROPERTY) &&
                    !ct_row_property(rows.rows[i], MT_PARTITION_STATE_PROPERTY),
                "metadata is left");
}

// Whole migrations with random writes and stream reads between the pushes, the stream opened in
// every state: each read is valid, and the end is the reference's.
static void test_stream_across_migration(void **state) {
    (void)state;
    static const struct mt_config_ops ops = {.version = MT_CONFIG_VERSION,
                                             .subscribe = app_subscribe,
                                             .unsubscribe = app_unsubscribe,
                                             .push = push_after_acting};
    static const char *const filters[] = {"", "isHappy eq true", "isHappy eq false"};
    for (uint64_t round = 0; round < ROUNDS; round++) {
        direct_reset(&world, MT_USE_OLD_HIDE_METADATA);
        snprintf(context, sizeof context, "round %d", (int)round);
        rng_seed(&world.rng, round);
        world.choose_randomly = true;
        memset(&app, 0, sizeof app);
        app.config.ops = &ops;
        app.filter = direct_filter(&world, filters[round % 3]);
        app.opens_in = (enum mt_state)(round / 3 % 4);
        for (size_t i = 0; i < MIGRATION_KEYS; i++)
            place_row(migration_keys[i], rng_below(&world.rng, 2) ? ROW_OLD : ROW_ABSENT);
        direct_clear(&world);
        struct mt_table *migrator = direct_instance(&world, &app.config);
        struct ct_outcome outcome = mt_migrate(migrator);
        require(outcome.kind == CT_SUCCEEDED, "outcome of the migration");
        while (!app.ended)
            read_stream();
        ct_stream_close(app.stream);
        require(!strstr(world.record_buffer, "BROKEN"), "annotations");
        require_migrated();
    }
}

// ---- The migrator ------------------------------------------------------------------------------

static struct ct_row *row_of(const char *partition, const char *row) {
    struct ct_property property = direct_bool("isHappy", true);
    return ct_row_new(&world.arena, (struct ct_key){partition, row}, NULL, &property, 1);
}

static void place_old(const char *partition, const char *row) {
    const char *etag = direct_put(world.old_memory, row_of(partition, row), &world.arena);
    direct_put_reference(&world, row_of(partition, row), etag);
}

// A whole run over two partitions: every call of both passes in its order, and the final contents.
static void test_migrator_full_run(void **state) {
    (void)state;
    direct_reset(&world, MT_USE_OLD_HIDE_METADATA);
    set_context((struct situation){MT_USE_OLD_HIDE_METADATA, MT_PARTITION_NONE, ROW_OLD}, "full");
    place_old("p", "1");
    place_old("p", "2");
    place_old("q", "1");
    direct_put_meta(&world, "q", MT_PARTITION_POPULATED);
    direct_clear(&world);
    struct ct_outcome outcome = mt_migrate(world.instance);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    assert_string_equal(
        world.record_buffer,
        // The copy pass: p had no state; q was populated, and its two reserved rows are skipped.
        "old.open old.read old.query A old.execute A new.execute E(1) old.read new.execute E(2) "
        "old.read old.query A old.execute A new.execute E(1) old.read old.read old.read "
        "old.close "
        // Clean-up: three rows rewritten; then three rows and two meta rows deleted.
        "new.open new.read new.execute E(1) new.read new.execute E(2) new.read new.execute E(1) "
        "new.read new.close "
        "old.open old.read old.execute A old.read old.execute A old.read old.execute A "
        "old.read old.execute A old.read old.execute A old.read old.close");
    assert_int_equal(world.service.current, MT_USE_NEW_HIDE_METADATA);
    require_migrated();
}

// What the migrator finds when it is started in [state]: everything that had to be done before is
// done, with a tombstone and a live row in the new table from state 2 on.
static void prepare_restart(enum mt_state state) {
    direct_reset(&world, state);
    place_row("1", state <= MT_PREFER_NEW ? ROW_OLD : ROW_NEW);
    place_row("2", state >= MT_PREFER_NEW ? ROW_NEW : ROW_ABSENT);
    place_row("3", state >= MT_PREFER_NEW ? ROW_TOMBSTONE : ROW_ABSENT);
    direct_put_meta(&world, "p",
                    state >= MT_PREFER_NEW ? MT_PARTITION_SWITCHED : MT_PARTITION_NONE);
    direct_clear(&world);
    snprintf(context, sizeof context, "restart in state %d", (int)state);
}

// Started in each state, the migrator goes on from there and ends with the right contents.
static void test_migrator_restart(void **state) {
    (void)state;
    for (int i = 0; i < MT_STATE_COUNT; i++) {
        prepare_restart((enum mt_state)i);
        struct ct_outcome outcome = mt_migrate(world.instance);
        require(outcome.kind == CT_SUCCEEDED, "outcome");
        bool copies = strncmp(world.record_buffer, "old.open", 8) == 0;
        require(copies == (i <= MT_PREFER_NEW), "whether it began with the copy pass");
        require(world.service.current == MT_USE_NEW_HIDE_METADATA, "last state");
        require_migrated();
        direct_clear(&world);
        outcome = mt_migrate(world.instance);
        require(outcome.kind == CT_SUCCEEDED, "a second migration");
        require_migrated();
    }
}

// Another client writes to any row between any two backend calls of the migration, from every
// state: clean-up tries again with the present version, or leaves a row that is gone.
static void test_migrator_with_a_write_between(void **state) {
    (void)state;
    static const char *const rows[] = {"1", "2", "3", "4"};
    bool retried = false;
    for (int from = 0; from < MT_STATE_COUNT; from++)
        for (size_t c = 0; c < FORMS * 4; c++)
            for (size_t n = 1;; n++) {
                prepare_restart((enum mt_state)from);
                interlude_form = c / 4;
                interlude_row = rows[c % 4];
                world.interlude = interlude;
                world.interlude_at = n;
                interlude_wrong = NULL;
                snprintf(context, sizeof context, "from %d, form %zu of row %s before call %zu",
                         from, interlude_form, interlude_row, n);
                struct ct_outcome outcome = mt_migrate(world.instance);
                require(!strstr(world.record_buffer, "BROKEN"), "annotations");
                require(!interlude_wrong, interlude_wrong);
                require(outcome.kind == CT_SUCCEEDED, "outcome");
                require_migrated();
                retried |=
                    strstr(world.record_buffer, "new.execute A new.query A new.execute") != NULL;
                if (world.interlude_at != 0)
                    break;
            }
    assert_true(retried);
}

// ---- Backend errors ----------------------------------------------------------------------------

// The n-th backend call of a stream answers 500, across a push to every later state: the error is
// passed on by the open or by a read, and closing still works.
static void test_errors_in_streams(void **state) {
    (void)state;
    for (int from = 0; from < MT_STATE_COUNT; from++)
        for (size_t n = 1; n < 20; n++) {
            struct ct_stream *stream = NULL;
            const struct ct_row *row;
            struct ct_outcome outcome;
            direct_reset(&world, (enum mt_state)from);
            place_row("1", from <= MT_PREFER_NEW ? ROW_OLD : ROW_NEW);
            place_row("3", from <= MT_PREFER_NEW ? ROW_OLD : ROW_NEW);
            direct_clear(&world);
            snprintf(context, sizeof context, "stream from state %d, call %zu fails", from, n);
            world.fail_at = n;
            outcome = ct_open_stream(world.table, NULL, &stream);
            require((outcome.kind == CT_SUCCEEDED) == (stream != NULL), "stream without outcome");
            for (int to = from; stream && outcome.kind == CT_SUCCEEDED && to < MT_STATE_COUNT;
                 to++) {
                if (to > from)
                    direct_push(&world, (enum mt_state)to);
                outcome = ct_stream_read(stream, &row);
            }
            while (stream && outcome.kind == CT_SUCCEEDED && row)
                outcome = ct_stream_read(stream, &row);
            bool failed = world.backend_calls >= n;
            require(failed == ct_failed_with(outcome, CT_STATUS_SERVER_ERROR), "outcome");
            if (stream)
                ct_stream_close(stream);
            require(world.service.first == NULL, "still subscribed");
            require(world.locks_held == 0, "a lock is still held");
        }
}

// The n-th backend call of a migration answers 500, for every n: it ends with an error, and a
// migration started again finishes the work.
static void test_errors_in_migrator(void **state) {
    (void)state;
    for (int from = 0; from < MT_STATE_COUNT; from++)
        for (size_t n = 1;; n++) {
            prepare_restart((enum mt_state)from);
            snprintf(context, sizeof context, "migration from state %d, call %zu fails", from, n);
            world.fail_at = n;
            struct ct_outcome outcome = mt_migrate(world.instance);
            if (world.backend_calls < n) {
                require(outcome.kind == CT_SUCCEEDED, "outcome without a failure");
                break;
            }
            require(outcome.kind != CT_SUCCEEDED, "success although a call failed");
            require_orderly_failure(outcome);
            direct_clear(&world);
            outcome = mt_migrate(world.instance);
            require(outcome.kind == CT_SUCCEEDED, "outcome of the second run");
            require_migrated();
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ALONE(test_stream_open),
        ALONE(test_stream_push_records),
        ALONE(test_stream_use_after_close),
        ALONE(test_stream_push_after_close),
        ALONE(test_stream_across_migration),
        ALONE(test_migrator_full_run),
        ALONE(test_migrator_restart),
        ALONE(test_migrator_with_a_write_between),
        ALONE(test_errors_in_streams),
        ALONE(test_errors_in_migrator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

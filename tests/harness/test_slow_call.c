// Slow calls: others make calls while one stands still, and it never waits for what cannot come.
#include "tests/harness/run.h"

#include "harness/migrating/app.h"
#include "harness/migrating/slow_call.h"
#include "harness/migrating/workload.h"
#include "model/migrating/entity.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

enum { RUNS = 300 };

// ---- Programs ----------------------------------------------------------------------------------

static enum slowness slowness;
static enum mt_state slow_state, other_state; // where their calls begin
static enum mt_state began;                   // the slow call's state
static size_t others_calls;                   // that the other had ended at its end

static void query(struct app *app) {
    app_query(app, ct_filter_in_partition(sct_arena(), THE_PARTITION));
}

static void slow_query(struct app *app) {
    app_await_state(app, slow_state, HOLD);
    slow_call_next(app, 1, slowness);
    query(app);
    began = app->view.state;
    others_calls = app->world->apps[1]->calls_ended;
}

static void late_query(struct app *app) {
    app_await_state(app, slow_state, HOLD_TO_END);
    slow_call_begin_late(app, slowness, THE_PARTITION);
    query(app);
    began = app->view.state;
    others_calls = app->world->apps[1]->calls_ended;
}

static void two_queries(struct app *app) {
    app_await_state(app, other_state, AWAIT_ARRIVAL);
    query(app);
    query(app);
}

static struct ct_batch insert_one(struct app *app) {
    struct ct_property property = is_happy(true);
    struct ct_key key = {THE_PARTITION, "9"};
    struct ct_batch batch = ct_batch_new(sct_arena(), 1);
    ct_batch_add(&batch, CT_INSERT, ct_row_new(sct_arena(), key, NULL, &property, 1));
    app_execute(app, &batch);
    return batch;
}

static void (*stand_still)(struct client *client);

// In a window: what its batch writes is still to come, and something was read for it.
static void stand_in_window(struct client *client) {
    assert_true(client_call(client)->has_begun);
    stand_still(client);
}

// It says that the other has made both of its calls if it was refused: the row was there.
static void slow_insert(struct app *app) {
    app_await_state(app, slow_state, HOLD);
    slow_call_in_window(app, 1, SLOW_CHANGE);
    stand_still = app->client.faults.stall;
    app->client.faults.stall = stand_in_window;
    bool is_refused = !insert_one(app).operations[0].entity->etag;
    began = app->view.state;
    others_calls = is_refused ? 2 : 0;
}

// Says how many calls the other has ended when this one goes on, and that something was waited for.
static void stand_and_look(struct client *client) {
    struct app *app = (struct app *)(void *)client; // its first member
    stand_still(client);
    began = slow_state;
    others_calls = app->world->apps[1]->calls_ended;
}

// Its first batch, which marks the partition, is not answered.
static void insert_after_loss(struct app *app) {
    app_await_state(app, slow_state, HOLD);
    began = MT_STATE_COUNT;
    app->client.faults.lost_answer_at = 1;
    slow_call_after_loss(app, slowness);
    stand_still = app->client.faults.stall_after_loss;
    app->client.faults.stall_after_loss = stand_and_look;
    insert_one(app);
}

static void slow_stream(struct app *app) {
    app_await_state(app, slow_state, HOLD);
    began = MT_STATE_COUNT;
    slow_call_in_stream(app, 2, slowness);
    stand_still = app->client.faults.stall_stream;
    app->client.faults.stall_stream = stand_and_look;
    app_stream(app, NULL);
}

// It has stood still until a push waits for it, or none comes any more.
static void stand_and_see_push(struct client *client) {
    const struct app *app = (struct app *)(void *)client; // its first member
    stand_and_look(client);
    assert_true(app->arrivals || app->world->has_migrated);
}

static void very_slow_stream(struct app *app) {
    app_await_state(app, slow_state, HOLD);
    began = MT_STATE_COUNT;
    slow_call_in_stream(app, 2, SLOW_ALL);
    stand_still = app->client.faults.stall_stream;
    app->client.faults.stall_stream = stand_and_see_push;
    app_stream(app, NULL);
}

// The window lasts until the partition is marked, if it was not and the other has calls to make.
static void stand_until_marked(struct client *client) {
    const struct ct_memory_table *old = client->host->tables->backend[TABLE_OLD];
    const struct ct_key meta = mt_meta_key(THE_PARTITION);
    const struct ct_row *before = ct_rows_find(ct_memory_rows(old), meta);
    const struct app *app = (struct app *)(void *)client; // its first member
    bool can_be_marked = !before && app->world->apps[1]->calls_ended < 2;
    stand_still(client);
    if (can_be_marked)
        others_calls = ct_rows_find(ct_memory_rows(old), meta) ? 2 : 0;
}

static void insert_after_mark(struct app *app) {
    app_await_state(app, slow_state, HOLD);
    others_calls = 1; // where it has no window
    slow_call_in_window(app, 1, SLOW_MARK);
    stand_still = app->client.faults.stall;
    app->client.faults.stall = stand_until_marked;
    insert_one(app);
    began = app->view.state;
}

// Notes how many calls were over when the migrator copied a row.
static void note_copy(void *context, const struct request *request, enum fate fate) {
    const struct world *world = context;
    (void)fate;
    if (request->table == TABLE_NEW && began == MT_STATE_COUNT) {
        began = slow_state;
        others_calls = world->apps[0]->calls_ended + world->apps[1]->calls_ended;
    }
}

static void query_and_insert(struct app *app) {
    app_await_state(app, other_state, AWAIT_ARRIVAL);
    query(app);
    insert_one(app);
}

// ---- Runs --------------------------------------------------------------------------------------

static struct {
    void (*slow)(struct app *app);
    void (*other)(struct app *app);
    void (*migrator)(struct app *app);
    enum mt_state deadly_push; // of the migrator
    bool has_slow_pass;
} programs;

static void die(struct client *client) {
    struct app *app = (struct app *)(void *)client; // its first member
    app_die(app);
    app_restart(app);
}

static void kill(void *argument) {
    die(argument);
}

static void start_death(struct client *client) {
    sct_task_start(sct_machine_create("death"), "death", kill, client);
}

static void set_up(void *bugs) {
    struct tables_options options = {.choose = uniform_choice};
    struct world *world = world_new(&transport_direct, &delivery_direct, &options, bugs);
    load_published_rows(world);
    app_add(world, "service-0", programs.slow);
    app_add(world, "service-1", programs.other);
    struct app *migrator = app_add(world, "migrator", programs.migrator);
    migrator->deadly_push = programs.deadly_push;
    if (programs.has_slow_pass) {
        began = MT_STATE_COUNT;
        world->tables.options.executed = note_copy;
        world->tables.options.executed_context = world;
    }
    migrator->slow_at = programs.has_slow_pass;
    migrator->slow_state = slow_state;
    migrator->slowness = SLOW_ALL;
    migrator->client.faults.die = start_death;
    world_start_direct(world);
}

// Runs it; every execution passes. In all those whose slow call was not too late for its state the
// other machine has ended that many calls before it.
static void run_worlds(enum bug bug, size_t calls_min, size_t calls_max) {
    struct run run;
    size_t timely = 0;
    run_open(&run, "default", bug, "random", 1);
    run.program = (struct sct_program){.setup = set_up, .context = &run.bugs};
    for (uint64_t i = 0; i < RUNS; i++) {
        run_passing(&run, i);
        if (began != slow_state)
            continue;
        timely++;
        assert_in_range(others_calls, calls_min, calls_max);
    }
    run_close(&run);
    assert_true(timely > RUNS / 2);
}

static void prepare(void (*slow)(struct app *), void (*other)(struct app *),
                    enum mt_state slow_begins, enum mt_state other_begins) {
    programs.slow = slow;
    programs.other = other;
    programs.migrator = app_migrate;
    programs.deadly_push = MT_USE_OLD_HIDE_METADATA; // none
    programs.has_slow_pass = false;
    slow_state = slow_begins;
    other_state = other_begins;
}

// The other machine is one state ahead, and makes both of its calls while one stands still.
static void test_others_make_their_calls(void **state) {
    (void)state;
    prepare(slow_query, two_queries, MT_PREFER_OLD, MT_PREFER_NEW);
    slowness = SLOW_ALL;
    run_worlds(NO_BUG, 2, 2);
    slowness = SLOW_PUSH;
    run_worlds(NO_BUG, 2, 2);
    slowness = SLOW_ONE_CALL;
    run_worlds(NO_BUG, 1, 2);
}

// One stands still in its window, whatever calls end meanwhile, until its row has changed; if
// nobody changes it, until nobody else can go on.
static void test_a_window_lasts_until_a_change(void **state) {
    (void)state;
    prepare(slow_insert, query_and_insert, MT_PREFER_OLD, MT_PREFER_OLD);
    run_worlds(NO_BUG, 2, 2);
    prepare(slow_insert, query_and_insert, MT_USE_NEW_HIDE_METADATA, MT_USE_NEW_HIDE_METADATA);
    run_worlds(NO_BUG, 2, 2);
    prepare(slow_insert, two_queries, MT_PREFER_OLD, MT_PREFER_OLD);
    run_worlds(NO_BUG, 0, 0);
}

// One that waits for a mark lasts until the other's batch has switched the partition.
static void test_a_window_lasts_until_a_mark(void **state) {
    (void)state;
    prepare(insert_after_mark, query_and_insert, MT_PREFER_NEW, MT_PREFER_NEW);
    run_worlds(NO_BUG, 1, 2);
}

// Who gets no answer stands still before it looks what was done.
static void test_after_a_lost_answer(void **state) {
    (void)state;
    prepare(insert_after_loss, two_queries, MT_PREFER_OLD, MT_PREFER_OLD);
    slowness = SLOW_ALL;
    run_worlds(NO_BUG, 2, 2);
    slowness = SLOW_ONE_CALL;
    run_worlds(NO_BUG, 1, 2);
}

// So does a stream, whose push may wait for it.
static void test_a_slow_stream(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++) {
        prepare(slow_stream, two_queries, (enum mt_state)s, (enum mt_state)s);
        slowness = SLOW_ALL;
        run_worlds(NO_BUG, 2, 2);
        slowness = SLOW_PUSH;
        run_worlds(NO_BUG, 2, 2);
        slowness = SLOW_ONE_CALL;
        run_worlds(NO_BUG, 1, 2);
    }
}

// The migrator goes on meanwhile, though nobody else can.
static void test_the_migrator_goes_on(void **state) {
    (void)state;
    for (int s = 0; s < MT_STATE_COUNT; s++) {
        prepare(very_slow_stream, two_queries, (enum mt_state)s, (enum mt_state)s);
        run_worlds(NO_BUG, 2, 2);
    }
}

// And the migrator: while it does, the others make all calls that they can.
static void test_a_slow_pass(void **state) {
    (void)state;
    prepare(two_queries, two_queries, MT_PREFER_NEW, MT_PREFER_NEW);
    programs.has_slow_pass = true;
    run_worlds(NO_BUG, 4, 4);
}

// The same before a call, whose state is held meanwhile.
static void test_a_late_beginning(void **state) {
    (void)state;
    prepare(late_query, two_queries, MT_PREFER_OLD, MT_PREFER_NEW);
    slowness = SLOW_ALL;
    run_worlds(NO_BUG, 2, 2);
    slowness = SLOW_ONE_CALL;
    run_worlds(NO_BUG, 1, 2);
}

// A machine that needs a state which the slow call keeps from being pushed is not waited for.
static void test_unreachable_state(void **state) {
    (void)state;
    for (int i = 0; i < SLOWNESS_COUNT; i++) {
        slowness = (enum slowness)i;
        prepare(slow_query, two_queries, MT_PREFER_OLD, MT_USE_NEW_WITH_TOMBSTONES);
        run_worlds(NO_BUG, 0, 0);
        prepare(late_query, two_queries, MT_PREFER_OLD, MT_USE_NEW_WITH_TOMBSTONES);
        run_worlds(NO_BUG, 0, 0);
    }
}

// Nor is one that is slow itself, nor any in the last state, which nothing follows.
static void test_all_are_slow(void **state) {
    (void)state;
    for (int i = 0; i < SLOWNESS_COUNT; i++) {
        slowness = (enum slowness)i;
        for (int s = 0; s < MT_STATE_COUNT; s++) {
            prepare(slow_query, slow_query, (enum mt_state)s, (enum mt_state)s);
            run_worlds(NO_BUG, 0, 1);
            prepare(late_query, slow_query, (enum mt_state)s, (enum mt_state)s);
            run_worlds(NO_BUG, 0, 1);
        }
    }
}

// A migrator that starts again pushes the present state once more, which waits for the slow call.
static void test_migrator_starts_again(void **state) {
    (void)state;
    for (int i = 0; i < SLOWNESS_COUNT; i++) {
        slowness = (enum slowness)i;
        for (int s = 1; s < MT_STATE_COUNT; s++) {
            prepare(slow_query, two_queries, (enum mt_state)s, MT_PREFER_NEW);
            programs.deadly_push = (enum mt_state)s;
            run_worlds(NO_BUG, 0, 2);
        }
    }
}

// Where a state is skipped, the others are two states ahead.
static void test_others_are_two_states_ahead(void **state) {
    (void)state;
    prepare(late_query, two_queries, MT_USE_OLD_HIDE_METADATA, MT_PREFER_NEW);
    slowness = SLOW_ALL;
    run_worlds(BUG_MIGRATE_SKIP_PREFER_OLD, 2, 2);
}

static void push_to_nobody(struct app *migrator) {
    migrator->world->state = MT_USE_NEW_HIDE_METADATA;
}

// A push that has waited for nobody is gone: no slow call waits for it, only outcomes may show it.
static void test_push_that_does_not_wait(void **state) {
    (void)state;
    prepare(slow_query, two_queries, MT_USE_OLD_HIDE_METADATA, MT_USE_OLD_HIDE_METADATA);
    programs.migrator = push_to_nobody;
    slowness = SLOW_PUSH;
    run_worlds(NO_BUG, 0, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_others_make_their_calls),
        cmocka_unit_test(test_a_window_lasts_until_a_change),
        cmocka_unit_test(test_a_window_lasts_until_a_mark),
        cmocka_unit_test(test_after_a_lost_answer),
        cmocka_unit_test(test_a_slow_stream),
        cmocka_unit_test(test_the_migrator_goes_on),
        cmocka_unit_test(test_a_slow_pass),
        cmocka_unit_test(test_a_late_beginning),
        cmocka_unit_test(test_unreachable_state),
        cmocka_unit_test(test_all_are_slow),
        cmocka_unit_test(test_migrator_starts_again),
        cmocka_unit_test(test_others_are_two_states_ahead),
        cmocka_unit_test(test_push_that_does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

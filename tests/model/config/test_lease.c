// Leases: guarded tables, client processes and the holder over a control table in memory, in a
// cooperative world whose clock goes on when somebody sleeps.
#include "tests/support/step_env.h"

#include "model/config/holder.h"
#include "model/config/member.h"
#include "model/memory/memory_table.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

enum { LEASE_MS = 1000 };

#define LEASE (mt_nanoseconds(LEASE_MS))

static struct ct_memory_table *memory;

// ---- A table with faults -----------------------------------------------------------------------

static struct ct_table proxy;
static uint64_t deadline; // that was set last
static uint64_t delay;    // of the next answer
static unsigned requests; // that came through
static unsigned lost;     // so many of the next batches are done and not answered
static unsigned refused;  // so many of the next batches are not done
static unsigned readable; // so many of the next queries are answered ...
static unsigned unread;   // ... and so many of those that follow refused
static unsigned fences;   // that were asked for
static unsigned dropped;  // so many of the next batches of [dropped_type] are lost on their way
static enum ct_op_type dropped_type;
static void (*before_delete)(void); // what others do before a Delete comes
static void (*when_dropped)(void);  // ... and when a batch was lost; both once

static void once(void (**others)(void)) {
    void (*act)(void) = *others;
    *others = NULL;
    if (act)
        act();
}

static struct ct_outcome execute(struct ct_table *table, const char *where, struct ct_batch *batch,
                                 struct arena *scratch, struct ct_op_result *results) {
    struct ct_table *inner = ct_memory_table_interface(memory);
    enum ct_op_type type = batch->operations[0].type;
    (void)table;
    requests++;
    if (type == CT_DELETE)
        once(&before_delete);
    if (dropped > 0 && type == dropped_type) {
        dropped--;
        once(&when_dropped);
        return ct_unknown("lost on its way");
    }
    if (refused > 0)
        return refused--, ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    struct ct_outcome outcome = inner->ops->execute(inner, where, batch, scratch, results);
    time_now += delay;
    return lost > 0 ? (lost--, ct_unknown("no answer")) : outcome;
}

static struct ct_outcome query(struct ct_table *table, const char *where,
                               const struct ct_filter *filter, struct arena *scratch,
                               struct ct_rows *rows) {
    struct ct_table *inner = ct_memory_table_interface(memory);
    (void)table;
    assert_true(++requests < 1000); // nobody asks without end
    if (readable > 0)
        readable--;
    else if (unread > 0)
        return unread--, ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    struct ct_outcome outcome = inner->ops->query(inner, where, filter, scratch, rows);
    time_now += delay;
    return outcome;
}

static struct ct_outcome read_some(struct ct_stream *stream, const char *where, size_t most,
                                   struct arena *scratch, const struct ct_row **rows,
                                   size_t *count) {
    (void)stream;
    (void)where;
    requests++;
    *rows = ct_row_new(scratch, (struct ct_key){"p", "r"}, NULL, NULL, 0);
    *count = most > 0;
    time_now += delay;
    return ct_success();
}

static void close_stream(struct ct_stream *stream, const char *where) {
    (void)stream;
    (void)where;
}

static struct ct_outcome open_stream(struct ct_table *table, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream) {
    static const struct ct_stream_ops ops = {
        .version = CT_STREAM_VERSION, .read_some = read_some, .close = close_stream};
    static struct ct_stream opened = {&ops};
    (void)table;
    (void)where;
    (void)filter;
    *stream = &opened;
    return ct_success();
}

static const struct ct_table_ops proxy_ops = {
    .version = CT_TABLE_VERSION, .execute = execute, .query = query, .open_stream = open_stream};

static void set_deadline(struct ct_table *table, uint64_t time) {
    (void)table;
    deadline = time;
}

static struct ct_outcome fence(struct ct_table *table) {
    (void)table;
    fences++;
    return ct_success();
}

static const struct mt_bounded bounded = {&proxy, set_deadline, fence};

// ---- The parties -------------------------------------------------------------------------------

static struct mt_member member;
static struct mt_holder holder, successor;

static void open_holder(struct mt_holder *opened, const char *id) {
    struct mt_holder_options options = {
        .env = &env, .control = &bounded, .migration = "m", .id = id, .fenced_count = 1};
    options.fenced[0] = &bounded;
    mt_holder_init(opened, &options);
}

static int setup(void **state) {
    (void)state;
    begin_world();
    delay = 0;
    lost = refused = readable = unread = requests = fences = dropped = 0;
    before_delete = when_dropped = NULL;
    proxy.ops = &proxy_ops;
    memory = ct_memory_table_open(
        &(struct ct_memory_options){.arena = &arena, .etag_prefix = "control-"});
    struct mt_control control;
    struct mt_control_config config = {.version = 1, .holder = "", .lease_ms = LEASE_MS};
    mt_control_init(&control, &env, &bounded, "m", NULL);
    mt_control_until(&control, LEASE, LEASE);
    assert_int_equal(mt_control_write_config(&control, &arena, &config).kind, CT_SUCCEEDED);
    mt_member_init(
        &member, &(struct mt_member_options){
                     .env = &env, .control = &bounded, .migration = "m", .id = "one", .about = ""});
    open_holder(&holder, "first");
    open_holder(&successor, "second");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

static struct ct_outcome push(struct mt_holder *pusher, enum mt_state state) {
    struct mt_config *config = mt_holder_config(pusher);
    return config->ops->push(config, HERE, state);
}

static size_t client_count(void) {
    return ct_memory_rows(memory).count - 1;
}

static struct ct_outcome read_guarded(struct mt_guard *guard) {
    struct ct_rows rows;
    return ct_query(&guard->table, ct_filter_in_partition(&arena, "m"), &arena, &rows);
}

// ---- Guards ------------------------------------------------------------------------------------

static void test_guard(void **state) {
    struct mt_guard guard;
    (void)state;
    mt_guard_init(&guard, &bounded, mt_member_lease(&member));
    assert_true(ct_failed_with(read_guarded(&guard), CT_STATUS_SERVER_ERROR)); // there is no lease
    assert_int_equal(mt_member_join(&member).kind, CT_SUCCEEDED);
    assert_int_equal(read_guarded(&guard).kind, CT_SUCCEEDED);
    assert_true(deadline <= 1 + mt_own_lease(LEASE));
    delay = LEASE; // what was read may be of a time after the lease
    assert_true(ct_failed_with(read_guarded(&guard), CT_STATUS_SERVER_ERROR));
    delay = 0;
    unsigned before = requests;
    assert_true(ct_failed_with(read_guarded(&guard), CT_STATUS_SERVER_ERROR));
    assert_int_equal(requests, before); // it was not even sent
}

// Several rows that come after the lease are not believed, and are not to be had again.
static void test_guarded_stream(void **state) {
    struct mt_guard guard;
    struct ct_stream *stream;
    const struct ct_row *rows[2];
    size_t count = 0;
    (void)state;
    mt_guard_init(&guard, &bounded, mt_member_lease(&member));
    assert_int_equal(mt_member_join(&member).kind, CT_SUCCEEDED);
    assert_int_equal(ct_open_stream(&guard.table, NULL, &stream).kind, CT_SUCCEEDED);
    assert_true(ct_stream_gives_some(stream));
    deadline = 0;
    assert_int_equal(ct_stream_read_some(stream, 2, &arena, rows, &count).kind, CT_SUCCEEDED);
    assert_int_equal(count, 1);
    assert_true(deadline > 0);
    delay = LEASE;
    assert_true(ct_failed_with(ct_stream_read_some(stream, 2, &arena, rows, &count),
                               CT_STATUS_SERVER_ERROR));
    delay = 0;
    atomic_store(&mt_member_lease(&member)->end, time_now + LEASE); // it is renewed
    unsigned before = requests;
    assert_true(ct_failed_with(ct_stream_read_some(stream, 2, &arena, rows, &count),
                               CT_STATUS_SERVER_ERROR));
    const struct ct_row *row;
    assert_true(ct_failed_with(ct_stream_read(stream, &row), CT_STATUS_SERVER_ERROR));
    assert_int_equal(requests, before);
    ct_stream_close(stream);
}

// A batch that was not answered is told of when it can no longer be done.
static void test_unknown_is_told_late(void **state) {
    struct mt_guard guard;
    struct ct_op_result result;
    (void)state;
    mt_guard_init(&guard, &bounded, mt_member_lease(&member));
    assert_int_equal(mt_member_join(&member).kind, CT_SUCCEEDED);
    struct ct_batch batch = ct_batch_new(&arena, 1);
    ct_batch_add(&batch, CT_INSERT, ct_row_new(&arena, (struct ct_key){"p", "r"}, NULL, NULL, 0));
    lost = 1;
    assert_int_equal(ct_execute(&guard.table, &batch, &arena, &result).kind, CT_UNKNOWN);
    assert_true(time_now >= deadline);
}

// ---- Pushes ------------------------------------------------------------------------------------

static void leave(void) {
    while_sleeping = NULL;
    mt_member_leave(&member);
}

static void sleep_once(void) {
    while_sleeping = leave; // within the next sleep
}

// The member goes once round its loop, and leaves.
static void run_once(void) {
    while_sleeping = sleep_once;
    mt_member_run(&member);
}

static void test_push_without_clients(void **state) {
    (void)state;
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    assert_int_equal(push(&holder, MT_PREFER_OLD).kind, CT_SUCCEEDED);
    assert_int_equal(fences, 1); // who has taken over does not know what was before
    assert_int_equal(push(&holder, MT_PREFER_NEW).kind, CT_SUCCEEDED);
    assert_int_equal(fences, 1);
}

static void beat_holder(void) {
    mt_holder_beat(&holder);
}

// A silent client delays a push by a lease, learns of its expulsion, and comes back.
static void test_dead_client(void **state) {
    (void)state;
    assert_int_equal(mt_member_join(&member).kind, CT_SUCCEEDED);
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    while_sleeping = beat_holder;
    assert_int_equal(push(&holder, MT_USE_OLD_HIDE_METADATA).kind, CT_SUCCEEDED);
    assert_int_equal(client_count(), 0);
    assert_true(time_now > LEASE && time_now < 2 * LEASE);
    assert_int_equal(fences, 1);
    struct mt_config *config = mt_member_config(&member);
    struct mt_subscription call = {.apply = NULL};
    enum mt_state at;
    assert_int_equal(config->ops->subscribe(config, &call, &at).kind, CT_SUCCEEDED);
    config->ops->unsubscribe(config, &call);
    assert_int_equal(member.membership, MT_MEMBER_IN); // it does not know yet
    run_once();                                        // it is told so, and registers anew
    assert_int_equal(member.registrations, 2);
    assert_string_equal(member.id, "one.2"); // not by the name that was counted out
    assert_int_equal(client_count(), 0);
}

// One that shows itself between the look at it and its expulsion is waited for anew.
static void show_itself(void) {
    struct mt_control control;
    struct mt_control_client row = member.row;
    mt_control_init(&control, &env, &bounded, "m", NULL);
    mt_control_until(&control, 10 * LEASE, LEASE);
    row.beat++;
    assert_int_equal(mt_control_write_client(&control, &arena, &row).kind, CT_SUCCEEDED);
}

static void test_client_shows_itself(void **state) {
    (void)state;
    assert_int_equal(mt_member_join(&member).kind, CT_SUCCEEDED);
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    while_sleeping = beat_holder;
    before_delete = show_itself;
    assert_int_equal(push(&holder, MT_USE_OLD_HIDE_METADATA).kind, CT_SUCCEEDED);
    assert_true(time_now > 2 * LEASE);
    assert_int_equal(client_count(), 0);
}

// Its lock is held while it waits for a request.
static void beat_if_free(void) {
    if (!holder.lock->is_held)
        mt_holder_beat(&holder);
}

// An expulsion that was lost on its way is none: the client is registered still.
static void test_lost_expulsion(void **state) {
    (void)state;
    assert_int_equal(mt_member_join(&member).kind, CT_SUCCEEDED);
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    while_sleeping = beat_if_free;
    dropped = 1;
    dropped_type = CT_DELETE;
    assert_int_equal(push(&holder, MT_USE_OLD_HIDE_METADATA).kind, CT_SUCCEEDED);
    assert_int_equal(dropped, 0);
    assert_int_equal(client_count(), 0);
}

// A push ends with the lease of whoever pushes, though clients are still to be waited for.
static unsigned sleeps;

static void count_sleeps(void) {
    assert_true(++sleeps < 100);
}

static void test_lease_ends_in_push(void **state) {
    (void)state;
    assert_int_equal(mt_member_join(&member).kind, CT_SUCCEEDED);
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    sleeps = 0;
    while_sleeping = count_sleeps;
    assert_true(ct_failed_with(push(&holder, MT_PREFER_OLD), CT_STATUS_SERVER_ERROR));
    assert_int_equal(client_count(), 1);
}

static uint64_t end_seen;

static void see_and_leave(void) {
    end_seen = atomic_load(&mt_member_lease(&member)->end);
    leave();
}

static void sleep_and_see(void) {
    while_sleeping = see_and_leave;
}

// The slowest clock of an owner has ended a lease when the fastest of others does; a renewal that
// was not done brings no time.
static void test_end_of_lease(void **state) {
    (void)state;
    assert_true(mt_own_lease(LEASE) * (MT_DRIFT + 1) <=
                mt_foreign_lease(LEASE, 0) * (MT_DRIFT - 1));
    assert_int_equal(mt_member_join(&member).kind, CT_SUCCEEDED);
    uint64_t end = time_now + mt_own_lease(LEASE);
    assert_int_equal(atomic_load(&mt_member_lease(&member)->end), end);
    refused = 1;
    while_sleeping = sleep_and_see;
    mt_member_run(&member);
    assert_int_equal(end_seen, end);
    assert_int_equal(refused, 0);
}

static struct mt_subscription running;

static void end_call(void) {
    struct mt_config *config = mt_member_config(&member);
    assert_int_equal(member.row.version, 1); // nothing was acknowledged while it ran
    config->ops->unsubscribe(config, &running);
}

// Its move is a task of its own.
static void move_and_leave(void) {
    run_tasks();
    leave();
}

static void sleep_and_move(void) {
    while_sleeping = move_and_leave;
}

// A new state is acknowledged when the calls of before have ended.
static void test_acknowledgement(void **state) {
    struct mt_config *config = mt_member_config(&member);
    enum mt_state at;
    (void)state;
    assert_int_equal(mt_member_join(&member).kind, CT_SUCCEEDED);
    running = (struct mt_subscription){.apply = NULL};
    assert_int_equal(config->ops->subscribe(config, &running, &at).kind, CT_SUCCEEDED);
    assert_int_equal(at, MT_USE_OLD_HIDE_METADATA);
    struct mt_control control;
    struct mt_control_config row;
    mt_control_init(&control, &env, &bounded, "m", NULL);
    mt_control_until(&control, 10 * LEASE, LEASE);
    assert_int_equal(mt_control_read_config(&control, &arena, &row).kind, CT_SUCCEEDED);
    row.version = 2;
    row.state = MT_PREFER_OLD;
    assert_int_equal(mt_control_write_config(&control, &arena, &row).kind, CT_SUCCEEDED);
    while_waiting = end_call;
    while_sleeping = sleep_and_move;
    mt_member_run(&member);
    assert_int_equal(member.row.version, 2);
    assert_int_equal(member.mirror.current, MT_PREFER_OLD);
}

// ---- Holders -----------------------------------------------------------------------------------

static void test_successor(void **state) {
    (void)state;
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    uint64_t taken = time_now;
    assert_int_equal(mt_holder_take(&successor).kind, CT_SUCCEEDED);
    assert_true(time_now - taken >= mt_foreign_lease(LEASE, 0));
    // The first has lost it: it can neither push nor send.
    assert_true(ct_failed_with(push(&holder, MT_PREFER_OLD), CT_STATUS_SERVER_ERROR));
    assert_false(mt_lease_holds(mt_holder_lease(&holder)));
    assert_int_equal(push(&successor, MT_PREFER_OLD).kind, CT_SUCCEEDED);
    assert_int_equal(mt_holder_release(&successor, true).kind, CT_SUCCEEDED);
    assert_true(ct_failed_with(mt_holder_take(&holder), CT_STATUS_CONFLICT)); // it is over
}

// A holder's lease, too, is counted from before the request.
static void test_lease_of_holder(void **state) {
    (void)state;
    delay = LEASE / 8;
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    uint64_t sent = time_now - delay;
    assert_int_equal(atomic_load(&mt_holder_lease(&holder)->end), sent + mt_own_lease(LEASE));
}

// The other takes the row, with the beat that the first would have written.
static void take_meanwhile(void) {
    struct mt_control control;
    struct mt_control_config row;
    mt_control_init(&control, &env, &bounded, "m", NULL);
    mt_control_until(&control, 10 * LEASE, LEASE);
    assert_int_equal(mt_control_read_config(&control, &arena, &row).kind, CT_SUCCEEDED);
    row.holder = "second";
    row.beat++;
    assert_int_equal(mt_control_write_config(&control, &arena, &row).kind, CT_SUCCEEDED);
}

// Of two that take the row, one's request is lost on its way: the other has it.
static void test_beat_of_another(void **state) {
    (void)state;
    uint64_t begun = time_now;
    dropped = 1;
    dropped_type = CT_REPLACE;
    when_dropped = take_meanwhile;
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    assert_true(time_now - begun >= mt_foreign_lease(LEASE, 0));
}

// Whether a push was done whose answer was lost, the row tells.
static void test_lost_answer(void **state) {
    (void)state;
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    lost = 1;
    assert_int_equal(push(&holder, MT_PREFER_OLD).kind, CT_SUCCEEDED);
    assert_int_equal(holder.row.version, 2);
    assert_int_equal(holder.row.state, MT_PREFER_OLD);
}

// ---- Neither an answer nor the row -------------------------------------------------------------

// A push of which nothing is known: the row tells, when it is taken anew.
static void test_push_in_doubt(void **state) {
    (void)state;
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    lost = unread = 1;
    assert_true(ct_failed_with(push(&holder, MT_PREFER_OLD), CT_STATUS_SERVER_ERROR));
    assert_int_equal(unread, 0);
    assert_true(mt_lease_holds(mt_holder_lease(&holder))); // its copiers may go on
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    assert_int_equal(holder.row.version, 2);
    assert_int_equal(holder.row.state, MT_PREFER_OLD);
    assert_int_equal(push(&holder, MT_PREFER_OLD).kind, CT_SUCCEEDED);
    assert_int_equal(holder.row.version, 3);
}

// Likewise the row itself, which is taken.
static void test_take_in_doubt(void **state) {
    (void)state;
    lost = 1;
    readable = unread = 1;
    assert_true(ct_failed_with(mt_holder_take(&holder), CT_STATUS_SERVER_ERROR));
    uint64_t begun = time_now;
    assert_int_equal(mt_holder_take(&holder).kind, CT_SUCCEEDED);
    assert_int_equal(time_now, begun); // from nobody
}

static unsigned sleeps_seen;

// While a member sleeps that runs: before a beat, or until the time of a request is up.
static void see_beats_in_doubt(void) {
    const uint64_t first = 1 + LEASE / 3; // when the first beat is sent
    uint64_t end = atomic_load(&mt_member_lease(&member)->end);
    switch (++sleeps_seen) {
    case 3:
        assert_int_equal(unread, 0);
        dropped = 1;
        dropped_type = CT_REPLACE;
        break;
    case 5:
        assert_int_equal(dropped, 0);
        assert_true(end <= first + mt_own_lease(LEASE));
        break;
    case 6: // all is well again
        assert_int_equal(member.row.beat, 4);
        assert_int_equal(member.registrations, 1);
        assert_true(mt_lease_holds(mt_member_lease(&member)));
        leave();
        break;
    default:
        break;
    }
}

// A beat that was done, of which nothing is known, and one that is lost on its way, which would
// have been the same. The lease does not count from the second: who watches the row has seen it
// change at the first one's time.
static void test_beat_in_doubt(void **state) {
    (void)state;
    assert_int_equal(mt_member_join(&member).kind, CT_SUCCEEDED);
    assert_int_equal(member.row.beat, 2);
    assert_int_equal(time_now, 1);
    lost = unread = 1;
    sleeps_seen = 0;
    while_sleeping = see_beats_in_doubt;
    mt_member_run(&member);
    assert_int_equal(sleeps_seen, 6);
}

// A registration of which nothing is known leaves no row for which pushes would wait.
static void test_registration_in_doubt(void **state) {
    enum { ANSWER_LOST, ON_ITS_WAY, GIVEN_UP, CASES };
    for (int i = 0; i < CASES; i++) {
        setup(state);
        lost = i == ANSWER_LOST || i == GIVEN_UP;
        dropped = i == ON_ITS_WAY;
        dropped_type = CT_INSERT;
        readable = unread = 1;
        assert_true(ct_failed_with(mt_member_join(&member), CT_STATUS_SERVER_ERROR));
        assert_int_equal(lost + dropped + unread, 0);
        assert_int_equal(client_count(), i != ON_ITS_WAY);
        if (i == GIVEN_UP) {
            mt_member_leave(&member);
            mt_member_run(&member);
        } else {
            assert_int_equal(mt_member_join(&member).kind, CT_SUCCEEDED);
        }
        assert_int_equal(client_count(), i != GIVEN_UP);
        teardown(state);
    }
}

// Who runs before it has joined tries again at times, not all the time.
static void leave_late(void) {
    if (++sleeps_seen == 3)
        leave();
}

static void test_run_before_joining(void **state) {
    (void)state;
    sleeps_seen = 0;
    unread = 5000;
    while_sleeping = leave_late;
    mt_member_run(&member);
    assert_int_equal(requests, 3); // one of them of the setup
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_guard, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guarded_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_is_told_late, setup, teardown),
        cmocka_unit_test_setup_teardown(test_push_without_clients, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dead_client, setup, teardown),
        cmocka_unit_test_setup_teardown(test_client_shows_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_expulsion, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lease_ends_in_push, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_of_lease, setup, teardown),
        cmocka_unit_test_setup_teardown(test_acknowledgement, setup, teardown),
        cmocka_unit_test_setup_teardown(test_successor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lease_of_holder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beat_of_another, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_push_in_doubt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_take_in_doubt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beat_in_doubt, setup, teardown),
        cmocka_unit_test(test_registration_in_doubt),
        cmocka_unit_test_setup_teardown(test_run_before_joining, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

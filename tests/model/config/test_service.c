// The configuration service: a cooperative world whose tasks run when the test says so.
#include "tests/support/step_env.h"

#include "model/config/service.h"

#include <string.h>

static struct mt_config_service service;

static int setup(void **state) {
    (void)state;
    begin_world();
    mt_config_service_init(&service, &env, MT_USE_OLD_HIDE_METADATA, false);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

// ---- Subscribers -------------------------------------------------------------------------------

struct subscriber {
    struct mt_subscription subscription; // first member
    char heard[40];                      // digits of states, x: expired, r: released
    void (*within_apply)(void);
};

static void hear(struct mt_subscription *subscription, char what) {
    struct subscriber *subscriber = (struct subscriber *)subscription;
    size_t length = strlen(subscriber->heard);
    subscriber->heard[length] = what;
}

static void apply(struct mt_subscription *subscription, enum mt_state state) {
    void (*within)(void) = ((struct subscriber *)subscription)->within_apply;
    ((struct subscriber *)subscription)->within_apply = NULL;
    if (within)
        within();
    hear(subscription, (char)('0' + (int)state));
}

static void expire(struct mt_subscription *subscription) {
    hear(subscription, 'x');
}

static void release(struct mt_subscription *subscription) {
    hear(subscription, 'r');
}

static struct subscriber one, two;

static enum mt_state join(struct subscriber *subscriber) {
    enum mt_state state;
    *subscriber =
        (struct subscriber){.subscription = {.apply = apply, .expire = expire, .release = release}};
    struct ct_outcome outcome =
        service.config.ops->subscribe(&service.config, &subscriber->subscription, &state);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return state;
}

static void leave(struct subscriber *subscriber) {
    service.config.ops->unsubscribe(&service.config, &subscriber->subscription);
}

static void push(enum mt_state state) {
    struct ct_outcome outcome = service.config.ops->push(&service.config, HERE, state);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
}

// ---- Tests -------------------------------------------------------------------------------------

// A push moves everybody once and then returns; who comes later has the new state.
static void test_push(void **state) {
    (void)state;
    assert_int_equal(join(&one), MT_USE_OLD_HIDE_METADATA);
    while_waiting = run_tasks;
    push(MT_PREFER_OLD);
    assert_int_equal(join(&two), MT_PREFER_OLD);
    while_waiting = run_tasks;
    push(MT_PREFER_NEW);
    assert_string_equal(one.heard, "12");
    assert_string_equal(two.heard, "2");
    leave(&one);
    leave(&one);
    leave(&two);
    assert_string_equal(one.heard, "12r");
    assert_true(mt_config_service_is_idle(&service));
}

static void leave_one(void) {
    leave(&one);
}

static void leave_one_and_run(void) {
    leave(&one);
    run_tasks();
}

// A push does not wait for one that has ended, nor tell it anything, whenever it does so: before
// its turn, or while it is being told. Only then is it released, and once.
static void test_ends_during_push(void **state) {
    (void)state;
    join(&one);
    while_waiting = leave_one_and_run;
    push(MT_PREFER_OLD);
    assert_string_equal(one.heard, "r");
    join(&one);
    one.within_apply = leave_one;
    while_waiting = run_tasks;
    push(MT_PREFER_NEW);
    assert_string_equal(one.heard, "2r");
}

static void push_present_again(void) {
    while_waiting = run_tasks;
    push(MT_PREFER_OLD);
}

// The migrator has died in the middle of a push: its successor pushes the present state while that
// push waits, and neither tells anybody twice at a time.
static void test_push_while_a_push_waits(void **state) {
    (void)state;
    join(&one);
    while_waiting = push_present_again;
    push(MT_PREFER_OLD);
    assert_string_equal(one.heard, "1");
    assert_int_equal(task_count, 1);
    leave(&one);
}

// Its pusher dies: nobody is told, and nobody waits any more.
static void die(void) {
    latches[latch_count - 1]->count = 0;
}

// A push that finds one not yet taken is told in its place: never the two in the other order. The
// earlier one is settled by it.
static void test_later_push_overtakes(void **state) {
    (void)state;
    join(&one);
    while_waiting = die;
    push(MT_PREFER_OLD);
    latches[0]->count = 1; // as it stood
    while_waiting = run_tasks;
    push(MT_PREFER_NEW);
    assert_string_equal(one.heard, "2");
    assert_int_equal(task_count, 1);
    assert_int_equal(latches[0]->count, 0);
    leave(&one);
}

static void expire_all(void) {
    mt_config_service_expire(&service);
}

// An expired subscription is told so, holds up no push, waiting or later, and is ended as others.
static void test_expiry(void **state) {
    (void)state;
    struct mt_subscription fixed = {.apply = NULL};
    enum mt_state at;
    join(&one);
    service.config.ops->subscribe(&service.config, &fixed, &at);
    while_waiting = expire_all;
    push(MT_PREFER_OLD);
    push(MT_PREFER_NEW);
    run_tasks();
    assert_string_equal(one.heard, "x");
    service.config.ops->unsubscribe(&service.config, &fixed);
    leave(&one);
    assert_string_equal(one.heard, "xr");
    assert_null(fixed.place);
}

// Places are used again: any number of subscriptions takes no more memory than one.
static void test_places_are_used_again(void **state) {
    (void)state;
    struct mt_subscription fixed = {.apply = NULL};
    enum mt_state at;
    size_t used = 0;
    for (int i = 0; i < 1000; i++) {
        service.config.ops->subscribe(&service.config, &fixed, &at);
        service.config.ops->unsubscribe(&service.config, &fixed);
        if (i == 0)
            used = arena_mark(&arena);
    }
    assert_int_equal(arena_mark(&arena), used);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_push, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ends_during_push, setup, teardown),
        cmocka_unit_test_setup_teardown(test_push_while_a_push_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_later_push_overtakes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_places_are_used_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// What listeners hear, and where everyone stands.
#include "tests/support/programs.h"

#include "core/engine/listener.h"
#include "core/engine/sync.h"

static char heard_buffer[4096];
static struct text heard;

static const char *const names[] = {
    [SCT_EVENT_TURN] = "turn",     [SCT_EVENT_VALUE] = "value", [SCT_EVENT_NOTE] = "note",
    [SCT_EVENT_SENT] = "sent",     [SCT_EVENT_TAKEN] = "taken", [SCT_EVENT_TASK_STARTED] = "start",
    [SCT_EVENT_TASK_ENDED] = "end"};

static void listen(void *context, const struct sct_event *event) {
    (void)context;
    text_add(&heard, "%u %s %s '%s'%s%s %u/%u\n", event->decision, names[event->kind],
             event->machine, event->text, event->to ? " to " : "", event->to ? event->to : "",
             event->answer, event->count);
}

static void hear(void) {
    heard = text_in(heard_buffer, sizeof heard_buffer);
    sct_engine_listen(engine, listen, NULL);
}

static struct sct_machine *receiver;
static struct sct_message message;

static void receive(void *argument) {
    (void)argument;
    sct_receive(UINT32_MAX, true, "a message");
    sct_note_as(SCT_NOTE_POINT, "has it");
}

static void send(void *argument) {
    (void)argument;
    sct_choose(3, "a value");
    message.kind = 1;
    sct_send(receiver, &message, "hello", "here:2");
}

static void two_machines(void *context) {
    (void)context;
    receiver = start("r", receive, NULL);
    start("s", send, NULL);
}

// Every kind of event is told, in order, with its decision's number: decided turns and values with
// their own, the rest with the next one's. Turns that nobody decided are told too.
static void test_events_are_told_in_order(void **state) {
    (void)state;
    hear();
    run_stay(two_machines);
    sct_engine_listen(engine, NULL, NULL);
    assert_string_equal(heard.data, "0 start r 'main' 0/0\n"
                                    "0 start s 'main' 0/0\n"
                                    "0 turn r 'main' 0/2\n" // decided
                                    "1 turn s 'main' 0/1\n" // the other one waits
                                    "1 value s 'a value' 0/3\n"
                                    "2 sent s 'hello' to r 0/0\n"
                                    "2 turn s 'hello' 0/2\n"
                                    "3 end s 'main' 0/0\n"
                                    "3 turn r 'a message' 0/1\n"
                                    "3 taken r '' 0/0\n"
                                    "3 note r 'has it' 0/0\n"
                                    "3 end r 'main' 0/0\n");
}

static void lock_twice(void *argument) {
    sct_mutex_acquire(argument, "the mutex");
    step("in the mutex");
    sct_mutex_release(argument);
}

static void give_way_and_draw(void *argument) {
    for (uint32_t i = 0; i < 4; i++) {
        sct_yield("here:3");
        sct_choose(1 + i, "a value");
        lock_twice(argument);
    }
}

static void draws_and_contention(void *context) {
    (void)context;
    struct sct_mutex *mutex = ARENA_NEW(sct_arena(), struct sct_mutex);
    sct_mutex_init(mutex);
    sct_choose(7, "a value of setup");
    for (int i = 0; i < 3; i++)
        start("m", give_way_and_draw, mutex);
}

enum { DECISIONS_MAX = 200 };

static uint32_t keep_decisions(struct sct_decision *decisions, const struct sct_result *result) {
    assert_in_range(result->decision_count, 20, DECISIONS_MAX);
    for (uint32_t i = 0; i < result->decision_count; i++)
        decisions[i] = sct_engine_decision(engine, i);
    return result->decision_count;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

// Listening changes no decision, whatever the strategy chooses: where nobody listens some are made
// on a shorter way. Nor what is known of them, and what is counted.
static void test_listening_changes_nothing(void **state) {
    (void)state;
    static struct sct_decision silent[DECISIONS_MAX], aloud[DECISIONS_MAX];
    const struct sct_program program = {.setup = draws_and_contention};
    static const char *const specs[] = {"random", "pct:3", "pos"};
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct sct_strategy *strategy = new_strategy(specs[seed % 3]);
        struct sct_result first = *run_with(strategy, &program, seed);
        uint32_t count = keep_decisions(silent, &first);
        hear();
        const struct sct_result *second = run_with(strategy, &program, seed);
        assert_int_equal(keep_decisions(aloud, second), count);
        sct_engine_listen(engine, NULL, NULL);
        sct_strategy_free(strategy);
        assert_true(second->fingerprint == first.fingerprint);
        assert_int_equal(second->schedule_count, first.schedule_count);
        assert_int_equal(second->point_count, first.point_count);
        for (uint32_t i = 0; i < count; i++)
            assert_true(silent[i].count == aloud[i].count && silent[i].answer == aloud[i].answer &&
                        same_text(silent[i].machine, aloud[i].machine) &&
                        same_text(silent[i].label, aloud[i].label) &&
                        same_text(silent[i].where, aloud[i].where));
    }
}

static void never(void *argument) {
    sct_latch_wait(argument, "what never comes");
}

__attribute__((noinline)) static void fail_here(void) {
    sct_violation("wrong", "on purpose");
}

static void wrong(void *argument) {
    (void)argument;
    step("first");
    fail_here();
}

static void stuck_and_wrong(void *context) {
    (void)context;
    struct sct_latch *latch = ARENA_NEW(sct_arena(), struct sct_latch);
    sct_latch_init(latch, 1);
    start("stuck", never, latch);
    start("wrong", wrong, NULL);
    start("ready", wrong, NULL);
}

static void describe(void *context, const struct sct_standing *standing) {
    text_add(context, "%s: %s%s%s%s\n", standing->machine,
             standing->waits_for ? standing->waits_for : standing->label,
             standing->is_runnable ? " runnable" : "", standing->was_running ? " running" : "",
             standing->is_idle ? " idle" : "");
#ifndef SCT_UCONTEXT
    bool has_begun = strcmp(standing->machine, "ready") != 0;
    assert_true(!has_begun || standing->frame_count >= 2);
#endif
    for (uint32_t i = 0; i < standing->frame_count; i++)
        assert_non_null(standing->frames[i]);
}

// After the end it is known what everyone waits for, could do, or was doing, and in which calls.
static void test_standings_after_a_violation(void **state) {
    (void)state;
    heard = text_in(heard_buffer, sizeof heard_buffer);
    assert_violation(run_stay(stuck_and_wrong), "wrong", "wrong", "on purpose");
    sct_engine_standings(engine, describe, &heard);
    assert_string_equal(heard.data, "stuck: what never comes\n"
                                    "wrong: first runnable running\n"
                                    "ready: main runnable\n");
}

// The line of a note of expectation says what it is; messages have none; that of a step which
// nobody could have taken another one instead of says so.
static void test_lines_of_events(void **state) {
    (void)state;
    char buffer[100];
    struct text text = text_in(buffer, sizeof buffer);
    struct sct_event event = {.kind = SCT_EVENT_NOTE, .note = SCT_NOTE_EXPECTED, .text = "x"};
    assert_true(sct_event_format(&event, &text));
    assert_string_equal(buffer, "expected: x");
    event.kind = SCT_EVENT_SENT;
    assert_false(sct_event_format(&event, &text));
    event.kind = SCT_EVENT_TURN;
    event.count = 1;
    event.where = "a.c:1";
    text = text_in(buffer, sizeof buffer);
    assert_true(sct_event_format(&event, &text));
    assert_string_equal(buffer, "> x   (forced; a.c:1)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_events_are_told_in_order),
        ENGINE_TEST(test_listening_changes_nothing),
        ENGINE_TEST(test_standings_after_a_violation),
        ENGINE_TEST(test_lines_of_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

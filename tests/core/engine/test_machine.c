#include "core/engine/state.h"
#include "tests/support/programs.h"

enum { KIND_A, KIND_B, KIND_REPLY };
#define ANY_KIND (SCT_KIND_BIT(KIND_A) | SCT_KIND_BIT(KIND_B) | SCT_KIND_BIT(KIND_REPLY))

struct letter {
    struct sct_message header;
    char text;
};

static struct letter *new_letter(uint32_t kind, char text) {
    struct letter *letter = ARENA_NEW(sct_arena(), struct letter);
    letter->header.kind = kind;
    letter->text = text;
    return letter;
}

static void post(struct sct_machine *to, uint32_t kind, char text) {
    sct_post(to, &new_letter(kind, text)->header);
}

static void receive_and_tell(uint32_t kinds) {
    const struct letter *letter = (struct letter *)sct_receive(kinds, false, "a letter");
    text_add(&story, "%c", letter->text);
}

static struct sct_machine *server; // of the present execution

// ---- Messages ----------------------------------------------------------------------------------

static void send_abc(void *argument) {
    (void)argument;
    for (char text = 'a'; text <= 'c'; text++)
        sct_send(server, &new_letter(KIND_A, text)->header, "send", NULL);
}

static void receive_three(void *argument) {
    (void)argument;
    for (int i = 0; i < 3; i++)
        receive_and_tell(ANY_KIND);
}

static void one_sender(void *context) {
    (void)context;
    server = start("server", receive_three, NULL);
    start("client", send_abc, NULL);
}

// Messages of one sender arrive in the order in which they were sent, under every schedule.
static void test_receive_keeps_the_order_of_one_sender(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        assert_passed(run_random(one_sender, seed));
        assert_string_equal(story.data, "abc");
    }
}

static void two_senders(void *context) {
    (void)context;
    server = start("server", receive_three, NULL);
    sct_task_start(sct_machine_create("first"), "main", send_abc, NULL);
    sct_task_start(sct_machine_create("second"), "main", send_abc, NULL);
}

// Letters of two senders arrive in the order of sending: each sender's own order is kept.
static void test_receive_takes_the_oldest_of_several_senders(void **state) {
    (void)state;
    bool was_mixed = false;
    for (uint64_t seed = 0; seed < 200; seed++) {
        assert_passed(run_random(two_senders, seed));
        bool is_alone = strcmp(story.data, "abc") == 0;
        bool is_mixed = strcmp(story.data, "aab") == 0 || strcmp(story.data, "aba") == 0;
        assert_true(is_alone || is_mixed);
        was_mixed |= is_mixed;
    }
    assert_true(was_mixed);
}

static void receive_selectively(void *argument) {
    (void)argument;
    receive_and_tell(SCT_KIND_BIT(KIND_B));
    receive_and_tell(SCT_KIND_BIT(KIND_B));
    // The newest letter is gone: another one must go behind those that are left.
    post(sct_machine_self(), KIND_B, 'e');
    for (int i = 0; i < 3; i++)
        receive_and_tell(ANY_KIND);
}

static void deferred_letters(void *context) {
    (void)context;
    server = start("server", receive_selectively, NULL);
    post(server, KIND_A, 'a');
    post(server, KIND_B, 'b');
    post(server, KIND_A, 'c');
    post(server, KIND_B, 'd');
}

// A selective receive takes the oldest of the wanted kinds; the others keep place and order.
static void test_receive_leaves_other_kinds_in_order(void **state) {
    (void)state;
    assert_passed(run_stay(deferred_letters));
    assert_string_equal(story.data, "bdace");
}

static void wait_for_b(void *argument) {
    (void)argument;
    receive_and_tell(SCT_KIND_BIT(KIND_B));
    receive_and_tell(ANY_KIND);
}

static void send_a_then_b(void *argument) {
    (void)argument;
    post(server, KIND_A, 'a');
    step("between");
    text_add(&story, "-");
    post(server, KIND_B, 'b');
}

static void unwanted_first(void *context) {
    (void)context;
    server = start("server", wait_for_b, NULL);
    start("client", send_a_then_b, NULL);
}

// A message of an unwanted kind does not make the waiting receiver run.
static void test_receive_is_not_woken_by_other_kinds(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        assert_passed(run_random(unwanted_first, seed));
        assert_string_equal(story.data, "-ba");
    }
    // Not for a moment: both could run at the beginning only.
    assert_int_equal(run_stay(unwanted_first)->schedule_count, 1);
}

enum { UNWANTED = 10000 };

static uint64_t passed_messages; // while those were in the mailbox

static void receive_among_many(void *argument) {
    (void)argument;
    struct sct_machine *self = sct_machine_self();
    for (int i = 0; i < UNWANTED; i++)
        post(self, KIND_A, 'a');
    uint64_t before = sct_engine_now->passed_messages;
    for (int i = 0; i < UNWANTED; i++) {
        uint32_t kind = i % 2 ? KIND_B : KIND_REPLY;
        post(self, kind, 'b');
        sct_receive(SCT_KIND_BIT(kind), false, "a letter");
    }
    passed_messages = sct_engine_now->passed_messages - before;
}

static void many_unwanted(void *context) {
    (void)context;
    server = start("server", receive_among_many, NULL);
}

// Messages that nobody takes are passed by once, not by everybody who receives: 10^4, where 10^4
// receivers would pass 10^8.
static void test_receive_passes_others_once(void **state) {
    (void)state;
    assert_passed(run_stay(many_unwanted));
    assert_in_range(passed_messages, 1, 2 * UNWANTED);
}

// Posts and receives at random; an array says what is the oldest of the kinds.
static void receive_as_an_array_would(void *argument) {
    (void)argument;
    struct {
        uint32_t kind;
        char text;
    } letters[200];
    uint32_t count = 0;
    for (int i = 0; i < 2000; i++) {
        uint32_t kinds = 1 + sct_choose(ANY_KIND, "kinds"), at = 0;
        while (at < count && !(kinds & SCT_KIND_BIT(letters[at].kind)))
            at++;
        if (count < 200 && (at == count || sct_choose(2, "post"))) {
            letters[count].kind = sct_choose(3, "kind");
            letters[count].text = (char)('a' + i % 26);
            post(sct_machine_self(), letters[count].kind, letters[count].text);
            count++;
        } else if (at < count) {
            const struct letter *letter =
                (struct letter *)sct_receive(kinds, false, "one of these");
            sct_check(letter->text == letters[at].text, "wrong", "it is not the oldest");
            memmove(letters + at, letters + at + 1, (count - at - 1) * sizeof letters[0]);
            count--;
        }
    }
}

static void many_letters(void *context) {
    (void)context;
    server = start("server", receive_as_an_array_would, NULL);
}

static void test_receive_takes_the_oldest_wanted(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++)
        assert_passed(run_random(many_letters, seed));
}

static void serve(void *argument) {
    (void)argument;
    for (;;) {
        struct letter *letter = (struct letter *)sct_receive(SCT_KIND_BIT(KIND_A), true, "a call");
        sct_check(letter->header.sender != sct_machine_self(), "wrong", "sender is the server");
        sct_send(letter->header.sender, &new_letter(KIND_REPLY, letter->text)->header, "reply",
                 NULL);
    }
}

static void call_four_times(void *argument) {
    char first = *(const char *)argument;
    for (char text = first; text < first + 4; text++) {
        sct_send(server, &new_letter(KIND_A, text)->header, "call", NULL);
        const struct letter *reply =
            (struct letter *)sct_receive(SCT_KIND_BIT(KIND_REPLY), false, "a reply");
        sct_check(reply->text == text, "wrong", "reply %c to call %c", reply->text, text);
        text_add(&story, "%c", text);
    }
}

static void callers(void *context) {
    (void)context;
    static char firsts[] = {'a', 'k', 'u'};
    server = start("server", serve, NULL);
    for (int i = 0; i < 3; i++)
        start("client", call_four_times, &firsts[i]);
}

// Three clients call one server and each gets its own replies; the idle server is a proper end.
static void test_send_supports_requests_and_replies(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        assert_passed(run_random(callers, seed));
        assert_int_equal(story.length, 12);
    }
}

static void post_to_waiting(void *argument) {
    (void)argument;
    post(server, KIND_A, 'a');
    text_add(&story, "p");
    step("after");
    text_add(&story, "q");
}

static void receive_one(void *argument) {
    (void)argument;
    receive_and_tell(ANY_KIND);
}

static void poster(void *context) {
    (void)context;
    server = start("server", receive_one, NULL);
    start("client", post_to_waiting, NULL);
}

// Posting is not a scheduling point: the receiver never runs before the poster's next one.
static void test_post_is_not_a_scheduling_point(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        assert_passed(run_random(poster, seed));
        assert_true(strcmp(story.data, "paq") == 0 || strcmp(story.data, "pqa") == 0);
    }
}

// ---- Calls -------------------------------------------------------------------------------------

struct doubling {
    struct sct_call call; // of KIND_A
    int number, answer;
};

static void answer_doublings(void *argument) {
    (void)argument;
    for (;;) {
        struct sct_message *message = sct_receive(SCT_KIND_BIT(KIND_A), true, "a call");
        struct doubling *doubling = (struct doubling *)message;
        step("work");
        doubling->answer = 2 * doubling->number;
        sct_answer(&doubling->call);
        text_add(&story, "%d", doubling->number);
    }
}

static void call_doublings(void *argument) {
    int first = *(const int *)argument;
    for (int i = first; i < first + 3; i++) {
        struct doubling *doubling = ARENA_NEW(sct_arena(), struct doubling);
        doubling->call.message.kind = KIND_A;
        doubling->number = i;
        sct_call(server, &doubling->call, "double", NULL);
        sct_check(doubling->answer == 2 * i, "wrong", "2 * %d = %d", i, doubling->answer);
    }
}

static void doublers(void *context) {
    (void)context;
    static int firsts[] = {0, 3, 6};
    server = start("server", answer_doublings, NULL);
    for (int i = 0; i < 3; i++)
        start("client", call_doublings, &firsts[i]);
}

// A call returns when it was answered, not earlier, whoever runs in between.
static void test_call_waits_for_the_answer(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        assert_passed(run_random(doublers, seed));
        assert_int_equal(story.length, 9);
    }
}

static void take_and_forget(void *argument) {
    (void)argument;
    sct_receive(SCT_KIND_BIT(KIND_A), false, "a call");
}

static void unanswered_call(void *context) {
    (void)context;
    static int first = 0;
    server = start("server", take_and_forget, NULL);
    start("client", call_doublings, &first);
}

// A call that nobody answers is a deadlock of its caller.
static void test_call_without_an_answer_is_a_deadlock(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++)
        assert_violation(run_random(unanswered_call, seed), SCT_KIND_DEADLOCK, "client",
                         "nothing can run: client (main) waits for double");
}

static void answer_twice(void *argument) {
    (void)argument;
    struct sct_call *call = (struct sct_call *)sct_receive(SCT_KIND_BIT(KIND_A), false, "a call");
    sct_answer(call);
    sct_answer(call);
}

static void twice_answered_call(void *context) {
    (void)context;
    static int first = 0;
    server = start("server", answer_twice, NULL);
    start("client", call_doublings, &first);
}

// Answering a call twice is a mistake of the one who does it.
static void test_answer_asserts_that_it_is_the_only_one(void **state) {
    (void)state;
    const struct sct_result *result = run_stay(twice_answered_call);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, SCT_KIND_ASSERTION);
    assert_string_equal(result->violation.machine, "server");
}

// ---- Tasks -------------------------------------------------------------------------------------

static void tell_depth(void *argument) {
    char *depth = argument;
    text_add(&story, "%c", *depth);
    if (*depth == '0')
        return;
    sct_task_start(sct_machine_self(), "child", tell_depth, depth + 1);
    text_add(&story, "<");
    step("after");
    text_add(&story, ">");
}

static void nested_tasks(void *context) {
    (void)context;
    static char depth[] = "210";
    start("m", tell_depth, depth);
}

// Tasks start tasks; a new one runs later, not at once.
static void test_task_start_works_inside_tasks(void **state) {
    (void)state;
    const struct sct_result *result = run_stay(nested_tasks);
    assert_passed(result);
    assert_string_equal(story.data, "2<>1<>0");
    assert_int_equal(result->task_count, 3);
}

static void wait_forever(void *argument) {
    (void)argument;
    sct_receive(ANY_KIND, true, "nothing");
}

static size_t tasks_wanted;

static void many_tasks(void *context) {
    (void)context;
    for (size_t i = 0; i < tasks_wanted; i++)
        start("m", wait_forever, NULL);
}

// 512 tasks may live at a time; one more is out of memory.
static void test_task_start_refuses_more_than_512(void **state) {
    (void)state;
    tasks_wanted = SCT_TASKS_MAX;
    const struct sct_result *result = run_random(many_tasks, 1);
    assert_passed(result);
    assert_int_equal(result->task_count, 512);
    assert_int_equal(result->schedule_count, 511);
    tasks_wanted++;
    assert_violation(run_random(many_tasks, 1), SCT_KIND_OUT_OF_MEMORY, "harness",
                     "more than 512 tasks live at a time");
}

static struct sct_strand *parent;

static void wake_parent(void *argument) {
    (void)argument;
    sct_wake(parent);
}

static void start_many_in_turn(void *argument) {
    (void)argument;
    parent = sct_self();
    for (int i = 0; i < 500; i++) {
        sct_task_start(sct_machine_self(), "child", wake_parent, NULL);
        sct_park("its child");
    }
}

static void tasks_in_turn(void *context) {
    (void)context;
    start("m", start_many_in_turn, NULL);
}

// What counts is how many live at a time: 501 tasks in all are fine.
static void test_task_start_reuses_the_place_of_ended_tasks(void **state) {
    (void)state;
    const struct sct_result *result = run_random(tasks_in_turn, 1);
    assert_passed(result);
    assert_int_equal(result->task_count, 501);
}

static void tell_own_machine(void *argument) {
    struct sct_machine *expected = *(struct sct_machine **)argument;
    sct_check(sct_machine_self() == expected, "wrong", "another machine is running");
    step("other");
    sct_check(sct_machine_self() == expected, "wrong", "another machine is running");
    text_add(&story, "%s", sct_machine_name(sct_machine_self()));
}

static void two_machines(void *context) {
    (void)context;
    static struct sct_machine *machines[2];
    machines[0] = start("x", tell_own_machine, &machines[0]);
    machines[1] = start("y", tell_own_machine, &machines[1]);
}

// The running machine is the one whose task was chosen, before and after a switch.
static void test_machine_self_is_the_running_one(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++)
        assert_passed(run_random(two_machines, seed));
}

// ---- The end -----------------------------------------------------------------------------------

static bool server_may_idle;

static void receive_once(void *argument) {
    (void)argument;
    sct_receive(SCT_KIND_BIT(KIND_A), server_may_idle, "a request");
}

static void lonely_server(void *context) {
    (void)context;
    server = start("server", receive_once, NULL);
}

// Waiting for ever is a proper end where the server may idle, a deadlock where it may not.
static void test_receive_may_idle_tells_end_from_deadlock(void **state) {
    (void)state;
    server_may_idle = true;
    assert_passed(run_stay(lonely_server));
    server_may_idle = false;
    assert_violation(run_stay(lonely_server), SCT_KIND_DEADLOCK, "server",
                     "nothing can run: server (main) waits for a request");
}

static void unwanted_letter(void *context) {
    (void)context;
    lonely_server(NULL);
    post(server, KIND_B, 'b');
}

// An idle server with a message that it does not take is no proper end.
static void test_message_not_taken_is_a_deadlock(void **state) {
    (void)state;
    server_may_idle = true;
    assert_violation(run_stay(unwanted_letter), SCT_KIND_DEADLOCK, "server",
                     "nothing can run: server (main) has a message that it does not take");
}

static void wait_for_reply(void *argument) {
    (void)argument;
    sct_receive(SCT_KIND_BIT(KIND_REPLY), false, "a reply");
}

static void park_for_lock(void *argument) {
    (void)argument;
    sct_park("the lock");
}

static void several_waiters(void *context) {
    (void)context;
    server_may_idle = true;
    lonely_server(NULL);
    start("client", wait_for_reply, NULL);
    sct_task_start(sct_machine_create("worker"), "copy", park_for_lock, NULL);
}

// A deadlock names everybody who waits and for what, except those who may; the first is blamed.
static void test_deadlock_names_who_waits_for_what(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++)
        assert_violation(run_random(several_waiters, seed), SCT_KIND_DEADLOCK, "client",
                         "nothing can run: client (main) waits for a reply; worker (copy) waits "
                         "for the lock");
}

static void leave_activity(void *argument) {
    (void)argument;
    sct_activity_start("stream", park_for_lock, NULL);
}

static void left_activity(void *context) {
    (void)context;
    start("m", leave_activity, NULL);
}

// An activity that still waits after its task has ended is unfinished business.
static void test_activity_left_waiting_is_a_deadlock(void **state) {
    (void)state;
    assert_violation(run_stay(left_activity), SCT_KIND_DEADLOCK, "m",
                     "nothing can run: m (stream) waits for the lock");
}

static void receive_in_two_tasks(void *context) {
    (void)context;
    server = start("server", receive_three, NULL);
    sct_task_start(server, "second", receive_three, NULL);
}

// One task per machine may receive: a second one that waits too is a mistake.
static void test_receive_asserts_one_receiver(void **state) {
    (void)state;
    const struct sct_result *result = run_stay(receive_in_two_tasks);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, SCT_KIND_ASSERTION);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_receive_keeps_the_order_of_one_sender),
        ENGINE_TEST(test_receive_takes_the_oldest_of_several_senders),
        ENGINE_TEST(test_receive_leaves_other_kinds_in_order),
        ENGINE_TEST(test_receive_is_not_woken_by_other_kinds),
        ENGINE_TEST(test_receive_passes_others_once),
        ENGINE_TEST(test_receive_takes_the_oldest_wanted),
        ENGINE_TEST(test_send_supports_requests_and_replies),
        ENGINE_TEST(test_post_is_not_a_scheduling_point),
        ENGINE_TEST(test_call_waits_for_the_answer),
        ENGINE_TEST(test_call_without_an_answer_is_a_deadlock),
        ENGINE_TEST(test_answer_asserts_that_it_is_the_only_one),
        ENGINE_TEST(test_task_start_works_inside_tasks),
        ENGINE_TEST(test_task_start_refuses_more_than_512),
        ENGINE_TEST(test_task_start_reuses_the_place_of_ended_tasks),
        ENGINE_TEST(test_machine_self_is_the_running_one),
        ENGINE_TEST(test_receive_may_idle_tells_end_from_deadlock),
        ENGINE_TEST(test_message_not_taken_is_a_deadlock),
        ENGINE_TEST(test_deadlock_names_who_waits_for_what),
        ENGINE_TEST(test_activity_left_waiting_is_a_deadlock),
        ENGINE_TEST(test_receive_asserts_one_receiver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

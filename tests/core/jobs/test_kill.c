#include "tests/support/programs.h"

#include "core/engine/sync.h"

static struct sct_machine *victim;
static struct sct_mutex mutex;
static struct sct_waiters waiters;
static struct sct_latch latch;

// ---- Ends where it is --------------------------------------------------------------------------

static void tell_for_ever(void *argument) {
    for (;;) {
        text_add(&story, "%s", (const char *)argument);
        step("tell");
    }
}

static void kill_after_two(void *argument) {
    (void)argument;
    step("one");
    step("two");
    sct_machine_stop(victim);
    text_add(&story, ".");
    step("three");
    text_add(&story, ".");
}

static void two_endless_tasks(void *context) {
    (void)context;
    victim = start("victim", tell_for_ever, "a");
    sct_task_start(victim, "other", tell_for_ever, "b");
    start("killer", kill_after_two, NULL);
}

// All tasks of a stopped machine end, those that never ran and running ones alike; the execution
// passes although none of them came to its end, and nobody of them speaks after the stop.
static void test_stop_ends_all_tasks(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        assert_passed(run_random(two_endless_tasks, seed));
        const char *stop = strchr(story_buffer, '.');
        assert_non_null(stop);
        assert_string_equal(stop, "..");
    }
}

static void stop_itself(void *argument) {
    (void)argument;
    text_add(&story, "before ");
    sct_machine_stop(sct_machine_self());
    text_add(&story, "after");
}

static void activity_stops_its_machine(void *argument) {
    sct_activity_start("activity", stop_itself, argument);
    text_add(&story, "after");
}

static void suicides(void *context) {
    (void)context;
    start("task", stop_itself, NULL);
    start("activity", activity_stops_its_machine, NULL);
}

// A machine may stop itself, from a task and from an activity: the call does not come back.
static void test_stop_of_the_running_machine(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        assert_passed(run_random(suicides, seed));
        assert_string_equal(story_buffer, "before before ");
    }
}

// ---- What it held and waited for ---------------------------------------------------------------

static void hold_for_ever(void *argument) {
    (void)argument;
    sct_mutex_acquire(&mutex, "the mutex");
    sct_park("its end");
}

static void hold_a_while(void *argument) {
    (void)argument;
    sct_mutex_acquire(&mutex, "the mutex");
    text_add(&story, "held ");
    step("inside");
    sct_mutex_release(&mutex);
}

static void wait_in_queue(void *argument) {
    sct_waiters_wait(&waiters, "the queue");
    text_add(&story, "%s ", (const char *)argument);
}

static void kill_and_wake(void *argument) {
    (void)argument;
    step("kill");
    sct_machine_stop(victim);
    step("wake");
    sct_waiters_wake(&waiters);
    sct_latch_count_down(&latch);
}

static void wait_for_latch(void *argument) {
    (void)argument;
    sct_latch_wait(&latch, "the latch");
    text_add(&story, "latched ");
}

static void holder_and_waiters(void *context) {
    (void)context;
    sct_mutex_init(&mutex);
    sct_waiters_init(&waiters);
    sct_latch_init(&latch, 1);
    victim = start("victim", hold_for_ever, NULL);
    sct_task_start(victim, "queued", wait_in_queue, "dead");
    sct_task_start(victim, "latched", wait_for_latch, NULL);
    start("living", wait_in_queue, "living");
    start("next", hold_a_while, NULL);
    start("killer", kill_and_wake, NULL);
}

// A stopped machine's mutexes are free for those who wait for them; its places in a queue and at a
// latch are passed over.
static void test_stop_frees_mutexes_and_leaves_queues(void **state) {
    (void)state;
    assert_passed(run_stay(holder_and_waiters));
    assert_non_null(strstr(story_buffer, "held "));
    assert_non_null(strstr(story_buffer, "living "));
    assert_null(strstr(story_buffer, "dead"));
    assert_null(strstr(story_buffer, "latched"));
}

// ---- Messages and return -----------------------------------------------------------------------

static struct sct_machine *server;

static void ask(void *argument) {
    (void)argument;
    struct sct_call call = {.message.kind = 1}; // on the stack that is abandoned
    sct_call(server, &call, "ask", NULL);
    text_add(&story, "answered ");
}

static void answer_late(void *argument) {
    (void)argument;
    for (int i = 0; i < 2; i++) {
        struct sct_message *message = sct_receive(SCT_KIND_BIT(1), false, "a question");
        if (i == 0)
            sct_machine_stop(victim);
        for (int j = 0; j < 3; j++)
            step("think");
        if (i == 0)
            sct_task_start(victim, "again", ask, NULL);
        sct_answer((struct sct_call *)message);
    }
}

static void asker_dies(void *context) {
    (void)context;
    server = start("server", answer_late, NULL);
    victim = start("victim", ask, NULL);
}

// What a stopped machine has sent can still be read and answered, to no effect; started again, it
// works as before.
static void test_stopped_machine_can_be_started_again(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        assert_passed(run_random(asker_dies, seed));
        assert_string_equal(story_buffer, "answered ");
    }
}

static struct sct_message letters[2];

static void take_one(void *argument) {
    struct sct_message *message = sct_receive(SCT_KIND_BIT(1), false, "a letter");
    text_add(&story, "%s%zu", (const char *)argument, (size_t)(message - letters));
}

static void write_twice(void *argument) {
    (void)argument;
    letters[0].kind = letters[1].kind = 1;
    sct_post(victim, &letters[0]);
    sct_machine_stop(victim);
    sct_post(victim, &letters[1]);
    sct_task_start(victim, "again", take_one, "again ");
}

static void letters_to_the_dead(void *context) {
    (void)context;
    victim = sct_machine_create("victim");
    start("writer", write_twice, NULL);
}

// The mailbox is lost with the machine; what comes afterwards is for whoever is started next.
static void test_stop_empties_the_mailbox(void **state) {
    (void)state;
    assert_passed(run_stay(letters_to_the_dead));
    assert_string_equal(story_buffer, "again 1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_stop_ends_all_tasks),
        ENGINE_TEST(test_stop_of_the_running_machine),
        ENGINE_TEST(test_stop_frees_mutexes_and_leaves_queues),
        ENGINE_TEST(test_stopped_machine_can_be_started_again),
        ENGINE_TEST(test_stop_empties_the_mailbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

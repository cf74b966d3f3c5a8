// Which accesses of threads race, by every execution of small programs: one for each thing that
// orders, and one like it that does not.
#include "tests/support/every.h"

#include "core/engine/sync.h"
#include "core/memory/clock.h"
#include "core/memory/race.h"
#include "core/threads/atomic.h"
#include "core/threads/barrier.h"
#include "core/threads/lock.h"
#include "core/threads/rwlock.h"
#include "core/threads/semaphore.h"
#include "core/threads/thread.h"

#include <stdio.h>

static struct sct_shared variable;
static struct sct_lock lock;
static struct sct_condition condition;
static struct sct_rwlock rwlock;
static struct sct_semaphore semaphore;
static struct sct_barrier barrier;
static struct sct_mutex mutex;
static struct sct_latch latch;
static struct sct_machine *receiver;
static bool is_ready;

static uint64_t races, deadlocks, others;
static char first_race[256];

static void visit(const struct sct_result *result) {
    if (result->outcome == SCT_PASSED) {
        others++;
    } else if (strcmp(result->violation.kind, SCT_KIND_DEADLOCK) == 0) {
        deadlocks++;
    } else {
        assert_string_equal(result->violation.kind, SCT_KIND_DATA_RACE);
        if (races++ == 0)
            snprintf(first_race, sizeof first_race, "%s: %.200s", result->violation.machine,
                     result->violation.message);
    }
}

static void run_all(void (*setup)(void *), enum sct_races what) {
    struct sct_program program = {
        .setup = setup, .memory = sct_memory_new(&(struct sct_memory_options){.races = what})};
    races = deadlocks = others = 0;
    run_every(&program, visit);
    sct_memory_free(program.memory);
}

static void expect_race(void (*setup)(void *)) {
    run_all(setup, SCT_RACES_FIRST);
    assert_true(races > 0);
    run_all(setup, SCT_RACES_OFF);
    assert_int_equal(races, 0);
}

static void expect_none(void (*setup)(void *)) {
    run_all(setup, SCT_RACES_FIRST);
    assert_int_equal(races, 0);
    assert_true(others > 0);
}

static void init_all(void) {
    sct_shared_init(&variable, "variable");
    sct_lock_init(&lock, "lock");
    sct_condition_init(&condition, "condition");
    sct_rwlock_init(&rwlock, "rwlock");
    sct_semaphore_init(&semaphore, "semaphore", 0);
    sct_barrier_init(&barrier, "barrier", 2);
    sct_mutex_init(&mutex);
    sct_latch_init(&latch, 1);
    is_ready = false;
}

// ---- Threads -----------------------------------------------------------------------------------

static void *write_it(void *unused) {
    (void)unused;
    sct_shared_write(&variable);
    return NULL;
}

static void *do_nothing(void *unused) {
    return unused;
}

static void *read_it(void *unused) {
    (void)unused;
    sct_shared_read(&variable);
    return NULL;
}

#define TWO(name, first, second)                \
    static void name(void *unused) {            \
        (void)unused;                           \
        init_all();                             \
        sct_thread_create("a", (first), NULL);  \
        sct_thread_create("b", (second), NULL); \
    }

TWO(two_writes, write_it, write_it)
TWO(two_reads, read_it, read_it)
TWO(write_and_read, write_it, read_it)

static void test_race_of_two_threads(void **state) {
    (void)state;
    expect_race(two_writes);
    expect_race(write_and_read);
    expect_none(two_reads);
    run_all(two_writes, SCT_RACES_FIRST);
    assert_int_equal(others, 0); // whatever the order
    assert_string_equal(first_race,
                        "b: write of 'variable' by b, write by a before: nothing orders the two");
}

static void *create_and_join(void *unused) {
    sct_shared_write(&variable);
    struct sct_thread *thread = sct_thread_create("child", write_it, unused);
    sct_thread_join(thread);
    sct_shared_write(&variable);
    return NULL;
}

static void *create_and_write(void *unused) {
    sct_thread_create("child", write_it, unused);
    sct_shared_write(&variable);
    return NULL;
}

static void parent(void *unused) {
    init_all();
    sct_thread_create("parent", create_and_join, unused);
}

static void hasty_parent(void *unused) {
    init_all();
    sct_thread_create("parent", create_and_write, unused);
}

static void test_race_create_and_join_order(void **state) {
    (void)state;
    expect_none(parent);
    expect_race(hasty_parent);
}

// ---- Locks and the like ------------------------------------------------------------------------

static void *write_locked(void *unused) {
    sct_lock_acquire(&lock);
    write_it(unused);
    sct_lock_release(&lock);
    return NULL;
}

static void *try_locked(void *unused) {
    if (!sct_lock_try(&lock))
        return NULL;
    write_it(unused);
    sct_lock_release(&lock);
    return NULL;
}

static void *write_after_lock(void *unused) {
    sct_lock_acquire(&lock);
    sct_lock_release(&lock);
    return write_it(unused);
}

TWO(both_locked, write_locked, write_locked)
TWO(one_tries, write_locked, try_locked)
TWO(one_locked, write_locked, write_it)
TWO(after_lock, write_after_lock, write_after_lock)

static void test_race_lock_orders(void **state) {
    (void)state;
    expect_none(both_locked);
    expect_none(one_tries);
    expect_race(one_locked);
    expect_race(after_lock);
}

static void *write_and_signal(void *unused) {
    write_it(unused);
    sct_lock_acquire(&lock);
    is_ready = true;
    sct_condition_signal(&condition);
    sct_lock_release(&lock);
    return NULL;
}

static void *await_and_write(void *unused) {
    sct_lock_acquire(&lock);
    while (!is_ready)
        sct_condition_wait(&condition, &lock);
    sct_lock_release(&lock);
    return write_it(unused);
}

static void *signal_alone(void *unused) {
    write_it(unused);
    is_ready = true;
    sct_condition_signal(&condition);
    return NULL;
}

TWO(signalled, write_and_signal, await_and_write)
TWO(signalled_without_lock, signal_alone, await_and_write)

// The lock orders; the signal itself does not. (Without the lock it may also be lost.)
static void test_race_condition_orders_by_its_lock(void **state) {
    (void)state;
    expect_none(signalled);
    expect_race(signalled_without_lock);
}

static void *write_as_writer(void *unused) {
    sct_rwlock_write(&rwlock);
    write_it(unused);
    sct_rwlock_release(&rwlock);
    return NULL;
}

static void *read_as_reader(void *unused) {
    sct_rwlock_read(&rwlock);
    read_it(unused);
    sct_rwlock_release(&rwlock);
    return NULL;
}

static void *write_as_reader(void *unused) {
    sct_rwlock_read(&rwlock);
    write_it(unused);
    sct_rwlock_release(&rwlock);
    return NULL;
}

TWO(writers, write_as_writer, write_as_writer)
TWO(reader_and_writer, read_as_reader, write_as_writer)
TWO(readers_who_write, write_as_reader, write_as_reader)

static void test_race_rwlock_orders_but_not_readers(void **state) {
    (void)state;
    expect_none(writers);
    expect_none(reader_and_writer);
    expect_race(readers_who_write);
}

static void *write_and_post(void *unused) {
    write_it(unused);
    sct_semaphore_post(&semaphore);
    return NULL;
}

static void *wait_and_write(void *unused) {
    sct_semaphore_wait(&semaphore);
    return write_it(unused);
}

static void *post_and_write(void *unused) {
    sct_semaphore_post(&semaphore);
    return write_it(unused);
}

TWO(posted, write_and_post, wait_and_write)
TWO(posted_early, post_and_write, wait_and_write)

static void test_race_semaphore_orders(void **state) {
    (void)state;
    expect_none(posted);
    expect_race(posted_early);
}

static void *write_then_meet(void *unused) {
    write_it(unused);
    sct_barrier_wait(&barrier);
    return NULL;
}

static void *meet_then_write(void *unused) {
    sct_barrier_wait(&barrier);
    return write_it(unused);
}

TWO(around_barrier, write_then_meet, meet_then_write)
TWO(behind_barrier, meet_then_write, meet_then_write)

static void test_race_barrier_orders(void **state) {
    (void)state;
    expect_none(around_barrier);
    expect_race(behind_barrier);
}

// ---- What the engine itself offers -------------------------------------------------------------

static void *write_and_count(void *unused) {
    write_it(unused);
    sct_latch_count_down(&latch);
    return NULL;
}

static void *wait_for_latch(void *unused) {
    sct_latch_wait(&latch, "the latch");
    return write_it(unused);
}

static void *write_in_mutex(void *unused) {
    sct_mutex_acquire(&mutex, "the mutex");
    write_it(unused);
    sct_mutex_release(&mutex);
    return NULL;
}

static struct sct_strand *sleeper;

static void *sleep_and_write(void *unused) {
    sleeper = sct_self();
    sct_park("somebody");
    return write_it(unused);
}

static void *write_and_wake(void *unused) {
    write_it(unused);
    if (sleeper)
        sct_wake(sleeper);
    return NULL;
}

static void woken(void *unused) {
    init_all();
    sleeper = NULL;
    sct_thread_create("a", sleep_and_write, unused);
    sct_thread_create("b", write_and_wake, unused);
}

TWO(counted, write_and_count, wait_for_latch)
TWO(in_mutex, write_in_mutex, write_in_mutex)

static void send(void *unused) {
    struct sct_message *message = ARENA_NEW(sct_arena(), struct sct_message);
    write_it(unused);
    sct_send(receiver, message, "send", HERE);
}

static void receive_and_write(void *unused) {
    sct_receive(SCT_KIND_BIT(0), false, "a message");
    write_it(unused);
}

static void call_and_write(void *unused) {
    struct sct_call *call = ARENA_NEW(sct_arena(), struct sct_call);
    sct_call(receiver, call, "call", HERE);
    write_it(unused);
}

static void write_and_answer(void *unused) {
    struct sct_message *message = sct_receive(SCT_KIND_BIT(0), false, "a call");
    write_it(unused);
    sct_answer((struct sct_call *)message);
}

static void messages(void *unused) {
    (void)unused;
    init_all();
    receiver = start("receiver", receive_and_write, NULL);
    start("sender", send, NULL);
}

static void calls(void *unused) {
    (void)unused;
    init_all();
    receiver = start("receiver", write_and_answer, NULL);
    start("caller", call_and_write, NULL);
}

static void test_race_engine_orders(void **state) {
    (void)state;
    expect_none(counted);
    expect_none(in_mutex);
    expect_none(woken);
    expect_none(messages);
    expect_none(calls);
}

// ---- Going on ----------------------------------------------------------------------------------

static uint32_t told;
static char advice[256];

static void note_race(void *context, const struct sct_race *race) {
    (void)context;
    struct text text = text_in(advice, sizeof advice);
    sct_race_advise(race, &text);
    told++;
}

static bool ignore(void *context, const struct sct_race *race) {
    (void)context;
    return strcmp(race->later.thread_name, "b") == 0;
}

// The execution goes on; each pair of places is told once, however often it is met.
static void test_race_all_are_told_once(void **state) {
    (void)state;
    struct sct_program program = {.setup = hasty_parent};
    program.memory =
        sct_memory_new(&(struct sct_memory_options){.races = SCT_RACES_ALL, .on_race = note_race});
    told = 0;
    races = others = 0;
    assert_true(run_every(&program, visit) > 1);
    assert_int_equal(races, 0);
    assert_int_equal(told, 1);
    assert_non_null(strstr(advice, "parent has let go of something"));
    sct_memory_free(program.memory);
}

static void test_race_may_be_ignored(void **state) {
    (void)state;
    struct sct_program program = {.setup = two_writes};
    program.memory = sct_memory_new(&(struct sct_memory_options){
        .races = SCT_RACES_FIRST, .on_race = note_race, .ignores_race = ignore});
    told = 0;
    races = others = 0;
    run_every(&program, visit);
    assert_true(races > 0 && others > 0); // the second write is a's, or b's
    assert_int_equal(told, races);
    sct_memory_free(program.memory);
}

enum { THREADS = SCT_THREADS_MAX + 300 };

static void *spawn_in_turn(void *unused) {
    for (int i = 0; i < THREADS; i++)
        sct_thread_join(sct_thread_create("one", write_it, unused));
    return write_it(unused);
}

static void many(void *unused) {
    init_all();
    sct_thread_create("first", spawn_in_turn, unused);
}

static void many_and_one(void *unused) {
    many(unused);
    sct_thread_create("other", write_it, unused);
}

// The threads that come after it have its number, and the one that it races with knows none of
// them.
static void *spawn_after_one(void *unused) {
    sct_thread_join(sct_thread_create("culprit", write_it, unused));
    for (int i = 0; i < 3; i++)
        sct_thread_join(sct_thread_create("innocent", do_nothing, unused));
    return unused;
}

static void one_of_a_number(void *unused) {
    init_all();
    sct_thread_create("first", spawn_after_one, unused);
    sct_thread_create("other", write_it, unused);
}

static void test_race_names_who_had_the_number(void **state) {
    (void)state;
    run_all(one_of_a_number, SCT_RACES_FIRST);
    assert_true(races > 0);
    assert_int_equal(others, 0);
    assert_non_null(strstr(first_race, "culprit"));
}

// More threads than live at a time, and than there are numbers: both are used again.
static void test_race_among_many_threads(void **state) {
    (void)state;
    struct sct_program program = {.setup = many};
    program.memory = sct_memory_new(&(struct sct_memory_options){.races = SCT_RACES_FIRST});
    assert_passed(run_stay_program(&program));
    program.setup = many_and_one;
    const struct sct_result *result = run_stay_program(&program);
    assert_int_equal(result->outcome, SCT_VIOLATED);
    assert_string_equal(result->violation.kind, SCT_KIND_DATA_RACE);
    sct_memory_free(program.memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_race_of_two_threads),
        ENGINE_TEST(test_race_create_and_join_order),
        ENGINE_TEST(test_race_lock_orders),
        ENGINE_TEST(test_race_condition_orders_by_its_lock),
        ENGINE_TEST(test_race_rwlock_orders_but_not_readers),
        ENGINE_TEST(test_race_semaphore_orders),
        ENGINE_TEST(test_race_barrier_orders),
        ENGINE_TEST(test_race_engine_orders),
        ENGINE_TEST(test_race_all_are_told_once),
        ENGINE_TEST(test_race_may_be_ignored),
        ENGINE_TEST(test_race_names_who_had_the_number),
        ENGINE_TEST(test_race_among_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#define _GNU_SOURCE // pthread_cancel, pause
#include "tests/support/test.h"

#include "core/coro/coro.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STACK_BYTES = 256 * 1024, GUARD_BYTES = 64 * 1024, CORO_COUNT = 200, ROUNDS = 50 };

static struct sct_coro_pool pool;
static struct sct_coro home;
static struct sct_coro *coros[CORO_COUNT];

static int setup(void **state) {
    (void)state;
    memset(&home, 0, sizeof home);
    sct_coro_pool_init(&pool, STACK_BYTES, GUARD_BYTES);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sct_coro_pool_deinit(&pool);
    return 0;
}

// ---- Switching ---------------------------------------------------------------------------------

static char story[64];

static void tell_and_go_home(void *argument) {
    const char *words = argument;
    for (size_t i = 0;; i++) {
        char word[2] = {words[i], '\0'};
        strcat(story, word);
        sct_coro_switch(coros[0], &home);
    }
}

// Two sides take turns: each switch continues the other where it left off.
static void test_coro_switch_goes_both_ways(void **state) {
    (void)state;
    char words[] = "abc";
    story[0] = '\0';
    coros[0] = sct_coro_take(&pool, tell_and_go_home, words);
    for (int i = 0; i < 3; i++) {
        strcat(story, ".");
        sct_coro_switch(&home, coros[0]);
    }
    assert_string_equal(story, ".a.b.c");
}

static size_t ring_steps[CORO_COUNT];

static void ring(void *argument) {
    size_t index = *(const size_t *)argument;
    for (;;) {
        ring_steps[index]++;
        struct sct_coro *next = index + 1 < CORO_COUNT ? coros[index + 1] : &home;
        sct_coro_switch(coros[index], next);
    }
}

// Many coroutines hand control on in a ring, without the program's own stack in between.
static void test_coro_switch_works_between_many(void **state) {
    (void)state;
    static size_t indices[CORO_COUNT];
    memset(ring_steps, 0, sizeof ring_steps);
    for (size_t i = 0; i < CORO_COUNT; i++) {
        indices[i] = i;
        coros[i] = sct_coro_take(&pool, ring, &indices[i]);
    }
    for (int round = 0; round < ROUNDS; round++)
        sct_coro_switch(&home, coros[0]);
    for (size_t i = 0; i < CORO_COUNT; i++)
        assert_int_equal(ring_steps[i], ROUNDS);
}

// ---- Preserved values --------------------------------------------------------------------------

struct sums {
    uint64_t seed;
    struct sct_coro **self; // NULL: do not switch
    uint64_t whole;
    double real;
};

// Sixteen integers and eight floating-point numbers that live across every switch.
static void mix(struct sums *sums) {
    uint64_t a = sums->seed, b = a * 3, c = a * 5, d = a * 7, e = a * 11, f = a * 13, g = a * 17,
             h = a * 19, i = a * 23, j = a * 29, k = a * 31, l = a * 37, m = a * 41, n = a * 43,
             o = a * 47, p = a * 53;
    double r = (double)a, s = r / 3, t = r / 7, u = r / 11, v = r / 13, w = r / 17, x = r / 19,
           y = r / 23;
    for (int round = 0; round < ROUNDS; round++) {
        if (sums->self)
            sct_coro_switch(*sums->self, &home);
        a ^= b + 1, b ^= c * 3, c += d, d ^= e, e -= f, f ^= g, g += h, h ^= i;
        i ^= j + 1, j ^= k * 3, k += l, l ^= m, m -= n, n ^= o, o += p, p ^= a;
        r = r / 2 + s, s = s / 2 + t, t = t / 2 + u, u = u / 2 + v;
        v = v / 2 + w, w = w / 2 + x, x = x / 2 + y, y = y / 2 + r;
    }
    sums->whole = a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ i ^ j ^ k ^ l ^ m ^ n ^ o ^ p;
    sums->real = r + s + t + u + v + w + x + y;
}

static void mix_in_coro(void *argument) {
    struct sums *sums = argument;
    mix(sums);
    sct_coro_switch(*sums->self, &home);
}

// Locals of several coroutines, more than there are registers, survive interleaved switches.
static void test_coro_switch_preserves_locals(void **state) {
    (void)state;
    enum { COUNT = 7 };
    struct sums sums[COUNT], expected[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        expected[i] = (struct sums){.seed = i + 1};
        mix(&expected[i]);
        sums[i] = (struct sums){.seed = i + 1, .self = &coros[i]};
        coros[i] = sct_coro_take(&pool, mix_in_coro, &sums[i]);
    }
    for (int round = 0; round <= ROUNDS; round++)
        for (size_t i = 0; i < COUNT; i++)
            sct_coro_switch(&home, coros[i]);
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(sums[i].whole == expected[i].whole);
        assert_memory_equal(&sums[i].real, &expected[i].real, sizeof(double));
    }
}

// ---- Alignment ---------------------------------------------------------------------------------

struct alignment {
    bool is_aligned;
    char text[16];
};

// Volatile pointers, lest the compiler answers from what it was promised.
static void look_at_alignment(void *argument) {
    struct alignment *alignment = argument;
    _Alignas(16) char sixteen[16] = {0};
    _Alignas(32) char thirty_two[32] = {0};
    char *volatile first = sixteen;
    char *volatile second = thirty_two;
    alignment->is_aligned = (uintptr_t)first % 16 == 0 && (uintptr_t)second % 32 == 0;
    // The library saves vector registers with aligned stores.
    snprintf(alignment->text, sizeof alignment->text, "%.3f", 2.5);
    sct_coro_switch(coros[0], &home);
}

// Stacks start aligned as the ABI demands, whatever their colour.
static void test_coro_stack_is_aligned(void **state) {
    (void)state;
    for (int i = 0; i < 30; i++) {
        struct alignment alignment = {0};
        coros[0] = sct_coro_take(&pool, look_at_alignment, &alignment);
        sct_coro_switch(&home, coros[0]);
        assert_true(alignment.is_aligned);
        assert_string_equal(alignment.text, "2.500");
    }
}

// ---- The pool ----------------------------------------------------------------------------------

static void go_home(void *argument) {
    sct_coro_switch(*(struct sct_coro **)argument, &home);
}

// What was given back is taken next; no second stack is made.
static void test_coro_pool_reuses_what_was_given_back(void **state) {
    (void)state;
    coros[0] = sct_coro_take(&pool, go_home, &coros[0]);
    sct_coro_switch(&home, coros[0]);
    sct_coro_give_back(&pool, coros[0]);
    coros[1] = sct_coro_take(&pool, go_home, &coros[1]);
    sct_coro_switch(&home, coros[1]);
    assert_ptr_equal(coros[0], coros[1]);
    assert_int_equal(pool.made_count, 1);
}

static void give_itself_back(void *argument) {
    struct sct_coro *self = *(struct sct_coro **)argument;
    sct_coro_give_back(&pool, self);
    sct_coro_switch(self, &home);
}

// The running coroutine may give itself back before it switches away.
static void test_coro_give_back_accepts_the_running_one(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) {
        coros[0] = sct_coro_take(&pool, give_itself_back, &coros[0]);
        sct_coro_switch(&home, coros[0]);
    }
    assert_int_equal(pool.made_count, 1);
}

// A reset takes back suspended coroutines; taken again they start afresh.
static void test_coro_pool_reset_takes_back_suspended_ones(void **state) {
    (void)state;
    for (int round = 0; round < 5; round++) {
        story[0] = '\0';
        char words[] = "xyz";
        for (size_t i = 1; i < 10; i++)
            coros[i] = sct_coro_take(&pool, go_home, &coros[i]);
        coros[0] = sct_coro_take(&pool, tell_and_go_home, words);
        for (size_t i = 0; i < 10; i++)
            sct_coro_switch(&home, coros[i]);
        assert_string_equal(story, "x");
        sct_coro_pool_reset(&pool);
    }
    assert_int_equal(pool.made_count, 10);
}

// No stack is made before it is needed, and sizes are rounded up to pages.
static void test_coro_pool_makes_stacks_when_needed(void **state) {
    (void)state;
    struct sct_coro_pool odd;
    sct_coro_pool_init(&odd, 100001, 1);
    assert_int_equal(odd.made_count, 0);
    assert_int_equal(odd.stack_bytes % 4096, 0);
    assert_true(odd.stack_bytes >= 100001);
    sct_coro_pool_deinit(&odd);
}

// The bytes below each stack are guard; stacks, other memory and NULL are not.
static void test_coro_in_guard_knows_the_bytes_below_stacks(void **state) {
    (void)state;
    int local = 0;
    for (size_t i = 0; i < 5; i++)
        coros[i] = sct_coro_take(&pool, go_home, &coros[i]);
    for (size_t i = 0; i < 5; i++) {
        const char *low = coros[i]->stack_low;
        assert_true(sct_coro_in_guard(&pool, low - 1));
        assert_true(sct_coro_in_guard(&pool, low - 4096));
        assert_false(sct_coro_in_guard(&pool, low));
        assert_false(sct_coro_in_guard(&pool, low + coros[i]->stack_bytes - 1));
        assert_false(sct_coro_in_guard(&pool, coros[i]));
    }
    assert_false(sct_coro_in_guard(&pool, &local));
    assert_false(sct_coro_in_guard(&pool, NULL));
}

// ---- Thread-local variables --------------------------------------------------------------------

static __thread int local_number;
static void *lent_pointer;
static sem_t is_lent;

// A kernel thread whose thread-local variables others use.
static void *lend(void *unused) {
    lent_pointer = sct_coro_thread_pointer();
    sem_post(&is_lent);
    for (;;)
        pause();
    return unused;
}

// Adds one at every turn.
static void count_locally(void *self) {
    for (;;) {
        local_number++;
        sct_coro_switch(*(struct sct_coro **)self, &home);
    }
}

static void borrow(void *self) {
    sct_coro_use_thread_pointer(*(struct sct_coro **)self, lent_pointer);
    local_number = 100;
    sct_coro_switch(*(struct sct_coro **)self, &home);
    count_locally(self);
}

static void test_coro_use_thread_pointer_gives_locals_of_its_own(void **state) {
    (void)state;
    if (!sct_coro_can_be_copied())
        skip(); // sanitizers keep what they know of a thread there
    pthread_t lender;
    sem_init(&is_lent, 0, 0);
    assert_int_equal(pthread_create(&lender, NULL, lend, NULL), 0);
    sem_wait(&is_lent);
    struct sct_coro *borrower = sct_coro_take(&pool, borrow, &borrower);
    struct sct_coro *plain = sct_coro_take(&pool, count_locally, &plain);
    local_number = 0;
    for (int i = 1; i <= 3; i++) {
        sct_coro_switch(&home, borrower);
        sct_coro_switch(&home, plain);
        assert_int_equal(local_number, i); // the process's own, and not the borrower's
    }
    assert_ptr_equal(borrower->thread_pointer, lent_pointer);
    pthread_cancel(lender);
    pthread_join(lender, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_coro_switch_goes_both_ways),
        TEST(test_coro_switch_works_between_many),
        TEST(test_coro_switch_preserves_locals),
        TEST(test_coro_stack_is_aligned),
        TEST(test_coro_pool_reuses_what_was_given_back),
        TEST(test_coro_give_back_accepts_the_running_one),
        TEST(test_coro_pool_reset_takes_back_suspended_ones),
        TEST(test_coro_pool_makes_stacks_when_needed),
        TEST(test_coro_in_guard_knows_the_bytes_below_stacks),
        TEST(test_coro_use_thread_pointer_gives_locals_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

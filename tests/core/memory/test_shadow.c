// Shadow of memory: bytes, regions, slots; and random programs compared with the definition of a
// race.
#include "tests/support/every.h"

#include "core/base/rng.h"
#include "core/memory/race.h"
#include "core/threads/lock.h"
#include "core/threads/thread.h"

enum { SHADOWED = 128 };
static char bytes_of_program[2 * SHADOWED] __attribute__((aligned(8)));

static uint32_t found;
static struct sct_race last;

static void note_race(void *context, const struct sct_race *race) {
    (void)context;
    found++;
    last = *race;
}

static void look(size_t offset, size_t bytes, enum sct_access_kind kind) {
    static const char places[] = "rwRW";
    sct_shadow_access((uintptr_t)bytes_of_program + offset, bytes, kind, places + kind);
}

static struct sct_memory *new_memory(void) {
    struct sct_memory *memory =
        sct_memory_new(&(struct sct_memory_options){.races = SCT_RACES_ALL, .on_race = note_race});
    sct_shadow_add(memory, (uintptr_t)bytes_of_program, SHADOWED);
    return memory;
}

// ---- By hand -----------------------------------------------------------------------------------

static void (*first)(void), (*second)(void);

static void *run_first(void *unused) {
    first();
    return unused;
}

static void *run_second(void *unused) {
    if (second)
        second();
    return unused;
}

static void two(void *unused) {
    sct_thread_create("a", run_first, unused);
    sct_thread_create("b", run_second, unused);
}

// How many races are told of when [of_a] runs, then [of_b].
static uint32_t count_races(void (*of_a)(void), void (*of_b)(void)) {
    first = of_a;
    second = of_b;
    struct sct_program program = {.setup = two, .memory = new_memory()};
    found = 0;
    assert_passed(run_stay_program(&program));
    uint32_t of_first_execution = found;
    // The next execution begins without accesses.
    first = of_b;
    second = NULL;
    assert_passed(run_stay_program(&program));
    assert_int_equal(found, of_first_execution);
    sct_memory_free(program.memory);
    return of_first_execution;
}

#define LOOK(name, offset, bytes, kind)  \
    static void name(void) {             \
        look((offset), (bytes), (kind)); \
    }

LOOK(write_byte_3, 3, 1, SCT_PLAIN_WRITE)
LOOK(write_byte_4, 4, 1, SCT_PLAIN_WRITE)
LOOK(write_byte_13, 13, 1, SCT_PLAIN_WRITE)
LOOK(write_byte_14, 14, 1, SCT_PLAIN_WRITE)
LOOK(read_bytes_0_to_3, 0, 4, SCT_PLAIN_READ)
LOOK(read_bytes_4_to_7, 4, 4, SCT_PLAIN_READ)
LOOK(read_bytes_4_to_11, 4, 8, SCT_PLAIN_READ)
LOOK(read_bytes_6_to_13, 6, 8, SCT_PLAIN_READ)
LOOK(write_all, 0, SHADOWED, SCT_PLAIN_WRITE)
LOOK(write_last, SHADOWED - 1, 1, SCT_PLAIN_WRITE)
LOOK(write_outside, SHADOWED, 8, SCT_PLAIN_WRITE)
LOOK(read_beyond, SHADOWED - 8, 30, SCT_PLAIN_READ)
LOOK(store_word, 0, 8, SCT_ATOMIC_WRITE)
LOOK(load_word, 0, 8, SCT_ATOMIC_READ)
LOOK(read_word, 0, 8, SCT_PLAIN_READ)

static void test_shadow_bytes_overlap(void **state) {
    (void)state;
    assert_int_equal(count_races(write_byte_3, read_bytes_0_to_3), 1);
    assert_int_equal(count_races(read_bytes_0_to_3, write_byte_3), 1);
    assert_int_equal(last.address, (uintptr_t)bytes_of_program + 3);
    assert_int_equal(last.bytes, 1);
    assert_int_equal(last.earlier.kind, SCT_PLAIN_READ);
    assert_int_equal(last.later.kind, SCT_PLAIN_WRITE);
    assert_string_equal(last.earlier.thread_name, "a");
    assert_string_equal(last.later.thread_name, "b");
    assert_int_equal(count_races(write_byte_4, read_bytes_0_to_3), 0);
    assert_int_equal(count_races(write_byte_3, read_bytes_4_to_7), 0);
    assert_int_equal(count_races(read_bytes_6_to_13, write_byte_13), 1);
    assert_int_equal(count_races(read_bytes_6_to_13, write_byte_14), 0);
    assert_int_equal(count_races(write_all, write_last), 1);
    assert_int_equal(count_races(write_last, read_beyond), 1);
    assert_int_equal(count_races(write_outside, write_outside), 0);
}

static void test_shadow_atomics_race_with_plain_accesses_alone(void **state) {
    (void)state;
    assert_int_equal(count_races(store_word, store_word), 0);
    assert_int_equal(count_races(store_word, load_word), 0);
    assert_int_equal(count_races(load_word, read_word), 0);
    assert_int_equal(count_races(store_word, read_word), 1);
    assert_int_equal(count_races(write_all, load_word), 1);
}

static void write_and_forget(void) {
    look(0, 16, SCT_PLAIN_WRITE);
    sct_shadow_forget((uintptr_t)bytes_of_program + 4, 8);
}

static void test_shadow_forgets_ranges(void **state) {
    (void)state;
    assert_int_equal(count_races(write_and_forget, read_bytes_4_to_11), 0);
    assert_int_equal(count_races(write_and_forget, write_byte_3), 1);
    assert_int_equal(count_races(write_and_forget, write_byte_13), 1);
}

// ---- By definition -----------------------------------------------------------------------------

// Random programs of accesses and locks. Their steps are noted, and happens-before is made of the
// order in each thread and of the order of each lock's sections. Two accesses race if they conflict
// and it does not order them.
enum { THREADS = 3, STEPS = 4, EVENTS_MAX = 64 };

static struct {
    bool is_lock;
    uint32_t lock, offset, bytes;
    enum sct_access_kind kind;
} text_of[THREADS][STEPS];

static struct event {
    uint32_t thread;
    int released;    // a lock, or -1
    uint64_t mask;   // of bytes that it accesses
    uint64_t before; // events that happen before it
    enum sct_access_kind kind;
} events[EVENTS_MAX];
static uint32_t event_count;

static struct sct_lock locks[2];
static bool is_racy;                 // by definition
static uint32_t accesses_of_cell[3]; // of which the last is touched from the second alone

static void add_before(struct event *event, uint32_t index) {
    event->before |= events[index].before | UINT64_C(1) << index;
}

static struct event *add_event(uint32_t thread) {
    struct event *event = &events[event_count];
    *event = (struct event){.thread = thread, .released = -1};
    for (uint32_t i = 0; i < event_count; i++)
        if (events[i].thread == thread)
            add_before(event, i);
    event_count++;
    return event;
}

static void note_acquire(uint32_t thread, int lock) {
    struct event *event = add_event(thread);
    for (uint32_t i = 0; i + 1 < event_count; i++)
        if (events[i].released == lock)
            add_before(event, i);
}

static void note_access(uint32_t thread, uint64_t mask, enum sct_access_kind kind) {
    struct event *event = add_event(thread);
    event->mask = mask;
    event->kind = kind;
    for (int i = 0; i < 3; i++)
        accesses_of_cell[i] += (mask >> (8 * i) & 0xff) != 0;
    for (uint32_t i = 0; i + 1 < event_count; i++) {
        const struct event *other = &events[i];
        bool are_atomic = other->kind >= SCT_ATOMIC_READ && kind >= SCT_ATOMIC_READ;
        bool is_write = (other->kind | kind) & SCT_PLAIN_WRITE;
        bool is_before = event->before >> i & 1;
        is_racy |= (other->mask & mask) && is_write && !are_atomic && !is_before;
    }
}

static void release(uint32_t thread, int lock) {
    sct_lock_release(&locks[lock]);
    add_event(thread)->released = lock;
}

static void *interpret(void *argument) {
    uint32_t thread = (uint32_t)(uintptr_t)argument;
    int held = -1;
    for (int i = 0; i < STEPS; i++) {
        if (text_of[thread][i].is_lock && held < 0) {
            held = (int)text_of[thread][i].lock;
            sct_lock_acquire(&locks[held]);
            note_acquire(thread, held);
        } else if (text_of[thread][i].is_lock) {
            release(thread, held);
            held = -1;
        } else {
            step("access");
            uint32_t offset = text_of[thread][i].offset, bytes = text_of[thread][i].bytes;
            look(offset, bytes, text_of[thread][i].kind);
            note_access(thread, ((UINT64_C(1) << bytes) - 1) << offset, text_of[thread][i].kind);
        }
    }
    if (held >= 0)
        release(thread, held);
    return NULL;
}

static void set_up(void *unused) {
    static const char *const names[] = {"a", "b", "c"};
    (void)unused;
    found = event_count = 0;
    is_racy = false;
    memset(accesses_of_cell, 0, sizeof accesses_of_cell);
    sct_lock_init(&locks[0], "first");
    sct_lock_init(&locks[1], "second");
    for (uintptr_t i = 0; i < THREADS; i++)
        sct_thread_create(names[i], interpret, (void *)i);
}

static void draw(struct rng *rng) {
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < STEPS; i++) {
            text_of[t][i].is_lock = rng_below(rng, 2);
            text_of[t][i].lock = rng_below(rng, 2);
            text_of[t][i].offset = rng_below(rng, 8) * 2;
            text_of[t][i].bytes = 1U << rng_below(rng, 3);
            text_of[t][i].kind = (enum sct_access_kind)rng_below(rng, 4);
        }
}

static bool has_room(void) {
    return accesses_of_cell[0] <= SCT_SLOTS && accesses_of_cell[1] <= SCT_SLOTS &&
           accesses_of_cell[2] <= SCT_SLOTS;
}

// A race is found exactly where there is one, as long as no cell sees more accesses than it has
// slots. Beyond, they push each other out: a race may be missed, but none is found that is none.
static void test_shadow_finds_what_the_definition_says(void **state) {
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1);
    struct sct_strategy *strategy = new_strategy("random");
    uint32_t racy = 0, clean = 0, missed = 0;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        draw(&rng);
        struct sct_program program = {.setup = set_up, .memory = new_memory()};
        assert_passed(run_with(strategy, &program, seed));
        if (found > 0 ? !is_racy : is_racy && has_room())
            fail_msg("seed %d: %u races found", (int)seed, found);
        missed += found == 0 && is_racy;
        racy += is_racy;
        clean += !is_racy;
        sct_memory_free(program.memory);
    }
    sct_strategy_free(strategy);
    print_message("%u racy, %u clean, %u missed\n", racy, clean, missed);
    assert_true(racy > 1000 && clean > 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_shadow_bytes_overlap),
        ENGINE_TEST(test_shadow_atomics_race_with_plain_accesses_alone),
        ENGINE_TEST(test_shadow_forgets_ranges),
        ENGINE_TEST(test_shadow_finds_what_the_definition_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

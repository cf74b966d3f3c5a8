// Processes that write and are killed at any moment: what was acknowledged is there, and no batch
// is there by half. 9 rounds; MTCHECK_FULL=1 makes 200.
#include "tests/model/sqlite/store.h"
#include "tests/support/fork.h"

#include "core/base/rng.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

enum { PROCESSES = 3, THREADS = 4, WRITERS = PROCESSES * THREADS };
enum { ROWS = 5, ROUNDS_USUAL = 9, ROUNDS_FULL = 200 };

struct answer {
    int32_t writer, number;
};

struct writer {
    int32_t number, first; // its own, and that of its first batch
    int answers;
    struct ct_sqlite_turn *turn; // or NULL
};

// Writes batches of five rows, one number each, and tells the number when it was answered. That it
// waited too long for the others is no failure.
static void *write_for_ever(void *context) {
    const struct writer *writer = context;
    int32_t number = writer->first;
    char name[8];
    struct error error;
    struct ct_sqlite_table *table = ct_sqlite_open(
        &(struct ct_sqlite_options){.path = path, .name = "t", .busy_ms = 10000}, &error);
    snprintf(name, sizeof name, "w%d", (int)writer->number);
    arena_init(&arena, 1 << 20);
    if (table && writer->turn)
        ct_sqlite_take_turns(table, writer->turn);
    while (table) {
        arena_reset(&arena, 0);
        struct ct_outcome outcome = put_rows(table, name, ROWS, number);
        struct answer answer = {writer->number, number};
        if (outcome.kind == CT_SUCCEEDED) {
            number++;
            if (write(writer->answers, &answer, sizeof answer) != sizeof answer)
                break;
        } else if (!ct_failed_with(outcome, CT_STATUS_SERVER_ERROR)) {
            break;
        }
    }
    _exit(1);
}

// A process with [count] writers, from the [first] on, who take turns if they are several.
_Noreturn static void run_writers(int32_t first, int count, const int32_t *numbers, int answers) {
    struct ct_sqlite_turn turn;
    struct writer writers[THREADS];
    struct error error;
    pthread_t thread;
    ct_sqlite_turn_init(&turn, 10000);
    if (!ct_sqlite_turn_open(&turn, &(struct ct_sqlite_options){.path = path, .busy_ms = 10000},
                             &error))
        _exit(2);
    for (int i = 0; i < count; i++) {
        writers[i] =
            (struct writer){first + i, numbers[first + i] + 1, answers, count > 1 ? &turn : NULL};
        if (i > 0 && pthread_create(&thread, NULL, write_for_ever, &writers[i]) != 0)
            _exit(3);
    }
    write_for_ever(&writers[0]);
    _exit(4);
}

// Reads up to [count] answers, while there are writers; how many there were.
static uint32_t take_answers(int answers, int32_t *numbers, uint32_t count) {
    struct answer answer;
    uint32_t taken = 0;
    while (taken < count && read(answers, &answer, sizeof answer) == sizeof answer) {
        numbers[answer.writer] = answer.number;
        taken++;
    }
    return taken;
}

// All writers, so many in each process, begin behind [numbers] and are killed after [count]
// answers, wherever they are. Then [numbers] are the last that they were told are done.
static void write_and_kill(int threads, int32_t *numbers, uint32_t count) {
    pid_t processes[PROCESSES];
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    for (int32_t i = 0; i < PROCESSES; i++) {
        processes[i] = fork_or_fail();
        if (processes[i] == 0) {
            close(ends[0]); // without the test nobody goes on writing
            run_writers(i * threads, threads, numbers, ends[1]);
        }
    }
    close(ends[1]);
    uint32_t taken = take_answers(ends[0], numbers, count);
    for (int i = 0; i < PROCESSES; i++)
        kill(processes[i], SIGKILL);
    take_answers(ends[0], numbers, UINT32_MAX);
    close(ends[0]);
    for (int i = 0; i < PROCESSES; i++) {
        waitpid(processes[i], &status, 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
    assert_int_equal(taken, count);
}

// The number in the rows of a writer: the same in all of them.
static int32_t stored_number(struct ct_sqlite_table *table, int writer) {
    char name[8];
    snprintf(name, sizeof name, "w%d", writer);
    int32_t number = number_in(table, name, 0);
    for (int i = 1; i < ROWS; i++)
        assert_int_equal(number_in(table, name, i), number);
    return number;
}

static void write_and_look(int threads) {
    const char *full = getenv("MTCHECK_FULL");
    int rounds = full && strcmp(full, "1") == 0 ? ROUNDS_FULL : ROUNDS_USUAL;
    int32_t numbers[WRITERS] = {0};
    struct rng rng;
    rng_seed(&rng, 1);
    close_store(open_named(path, "t"));
    for (int round = 0; round < rounds; round++) {
        write_and_kill(threads, numbers, 1 + rng_below(&rng, 40 * (uint32_t)threads));
        arena_reset(&arena, 0);
        struct ct_sqlite_table *table = open_named(path, "t");
        for (int i = 0; i < PROCESSES * threads; i++) {
            int32_t stored = stored_number(table, i);
            // The one under way may have been done, too, without an answer.
            assert_true(stored == numbers[i] || stored == numbers[i] + 1 ||
                        (stored == -1 && numbers[i] == 0));
            numbers[i] = stored > 0 ? stored : 0;
        }
        close_store(table);
    }
}

static void test_kill(void **state) {
    (void)state;
    write_and_look(1);
}

// The same of processes whose threads share transactions.
static void test_kill_sharing(void **state) {
    (void)state;
    write_and_look(THREADS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kill, make_store, remove_store),
        cmocka_unit_test_setup_teardown(test_kill_sharing, make_store, remove_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

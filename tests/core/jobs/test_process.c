#define _POSIX_C_SOURCE 200809L // kill, pause
#include "tests/support/test.h"

#include "core/jobs/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 3 };

static struct sct_worker workers[WORKERS];

static void start_all(void (*run)(void *, unsigned, int), void *context, bool is_told) {
    const struct sct_work work = {.run = run, .context = context, .is_told = is_told};
    struct error error = {{0}};
    memset(workers, 0, sizeof workers);
    for (unsigned i = 0; i < WORKERS; i++)
        if (!sct_worker_start(workers, i, &work, &error))
            fail_msg("%s", error.text);
}

// No process is left behind.
static void end_all(void) {
    sct_workers_dismiss(workers, WORKERS);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

// ---- Messages ----------------------------------------------------------------------------------

static const size_t sizes[] = {0, 1, 7, 16384, 16385, 300 * 1000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void fill(struct sct_bytes *bytes, size_t size, unsigned char first) {
    bytes->size = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)(first + i);
        sct_bytes_add(bytes, &byte, 1);
    }
}

static void tell_all(void *context, unsigned index, int channel) {
    (void)context;
    struct sct_bytes bytes = {0};
    for (int i = 0; i < SIZES; i++) {
        fill(&bytes, sizes[i], (unsigned char)index);
        sct_write_message(channel, &bytes);
    }
    _exit(0);
}

// Messages of all sizes come whole and in order, from whichever worker is asked; then the end.
static void test_messages_come_whole(void **state) {
    (void)state;
    struct sct_bytes expected = {0}, found = {0};
    start_all(tell_all, NULL, false);
    for (unsigned worker = WORKERS; worker-- > 0;) {
        for (int i = 0; i < SIZES; i++) {
            fill(&expected, sizes[i], (unsigned char)worker);
            assert_int_equal(sct_read_message(workers[worker].channel, &found, NULL), SCT_READ_ALL);
            assert_int_equal(found.size, expected.size);
            assert_true(found.size == 0 || memcmp(found.data, expected.data, found.size) == 0);
        }
        assert_int_equal(sct_read_message(workers[worker].channel, &found, NULL), SCT_READ_END);
    }
    end_all();
    sct_bytes_free(&expected);
    sct_bytes_free(&found);
}

static void echo(void *context, unsigned index, int channel) {
    (void)context;
    (void)index;
    struct sct_bytes bytes = {0};
    while (sct_read_message(channel, &bytes, NULL) == SCT_READ_ALL)
        sct_write_message(channel, &bytes);
    _exit(0);
}

// Where messages go both ways; a worker sees the end of its channel, though it was forked while
// those of others were open.
static void test_both_ways(void **state) {
    (void)state;
    struct sct_bytes sent = {0}, found = {0};
    start_all(echo, NULL, true);
    for (int i = 0; i < SIZES; i++)
        for (unsigned worker = 0; worker < WORKERS; worker++) {
            fill(&sent, sizes[i] % 100000, (unsigned char)(worker + 9));
            assert_true(sct_write_message(workers[worker].channel, &sent));
            assert_int_equal(sct_read_message(workers[worker].channel, &found, NULL), SCT_READ_ALL);
            assert_int_equal(found.size, sent.size);
            assert_true(found.size == 0 || memcmp(found.data, sent.data, found.size) == 0);
        }
    for (unsigned worker = 0; worker < WORKERS; worker++) {
        int status;
        close(workers[worker].channel);
        workers[worker].channel = 0;
        assert_int_equal(waitpid(workers[worker].process, &status, 0), workers[worker].process);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        workers[worker].process = 0;
    }
    end_all();
    sct_bytes_free(&sent);
    sct_bytes_free(&found);
}

static void wait_for_ever(void *context, unsigned index, int channel) {
    (void)context;
    (void)index;
    (void)channel;
    for (;;)
        pause();
}

static volatile sig_atomic_t is_interrupted;

static void interrupt(int number) {
    (void)number;
    is_interrupted = 1;
}

// An interrupt ends the waiting for a worker that says nothing.
static void test_interrupts(void **state) {
    (void)state;
    struct sct_bytes bytes = {0};
    struct sigaction action = {.sa_handler = interrupt}, old;
    sigaction(SIGALRM, &action, &old);
    start_all(wait_for_ever, NULL, false);
    alarm(1);
    assert_int_equal(sct_read_message(workers[0].channel, &bytes, &is_interrupted),
                     SCT_READ_INTERRUPTED);
    end_all();
    sigaction(SIGALRM, &old, NULL);
    sct_bytes_free(&bytes);
}

// Stops, if it is the first one, with a message half told.
static void stop_and_tell(void *context, unsigned index, int channel) {
    (void)context;
    uint64_t size = 4;
    if (index == 0 && write(channel, &size, sizeof size) == sizeof size &&
        write(channel, "ab", 2) == 2 && raise(SIGSTOP) == 0 && write(channel, "cd", 2) == 2)
        _exit(0);
    for (;;)
        pause();
}

// Who waits for the rest of a message lets the one go on who was stopped, when an interrupt comes.
static void test_stopped_in_a_message(void **state) {
    (void)state;
    struct sct_bytes bytes = {0};
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART}, old;
    is_interrupted = 0;
    sigaction(SIGALRM, &action, &old);
    start_all(stop_and_tell, NULL, true);
    alarm(1);
    assert_true(sct_worker_read(workers, WORKERS, 0, &bytes, &is_interrupted));
    assert_true(is_interrupted);
    assert_int_equal(bytes.size, 4);
    assert_memory_equal(bytes.data, "abcd", 4);
    end_all();
    sigaction(SIGALRM, &old, NULL);
    sct_bytes_free(&bytes);
}

// Writing to a worker that has ended fails, and raises no signal.
static void leave(void *context, unsigned index, int channel) {
    (void)context;
    (void)channel;
    _exit((int)index + 40);
}

static void test_nobody_reads(void **state) {
    (void)state;
    struct sct_bytes bytes = {0};
    start_all(leave, NULL, true);
    fill(&bytes, 1000, 0);
    assert_int_equal(sct_read_message(workers[1].channel, &bytes, NULL), SCT_READ_END);
    fill(&bytes, 1000, 0);
    assert_false(sct_write_message(workers[1].channel, &bytes));
    end_all();
    sct_bytes_free(&bytes);
}

// ---- Ends --------------------------------------------------------------------------------------

static void die(void *context, unsigned index, int channel) {
    if (index == 1)
        kill(getpid(), SIGKILL);
    leave(context, index, channel);
}

// How a worker ended is told, and that it is waited for no more.
static void test_deaths_are_told(void **state) {
    (void)state;
    struct error error = {{0}};
    start_all(die, NULL, false);
    assert_false(sct_worker_died(workers, 0, "at the beginning", &error));
    assert_string_equal(error.text, "worker 0 ended with status 40 at the beginning");
    assert_false(sct_worker_died(workers, 1, "in step 7", &error));
    assert_string_equal(error.text, "worker 1 was killed by signal 9 in step 7");
    assert_true(workers[0].process == 0 && workers[1].process == 0);
    end_all();
}

// One that comes back from its work has failed.
static void come_back(void *context, unsigned index, int channel) {
    (void)context;
    (void)index;
    (void)channel;
}

static void test_work_must_not_return(void **state) {
    (void)state;
    struct error error = {{0}};
    start_all(come_back, NULL, false);
    assert_false(sct_worker_died(workers, 2, "early", &error));
    assert_string_equal(error.text, "worker 2 ended with status 1 early");
    end_all();
}

// Workers leave interrupts to the first process.
static void ignore_interrupts(void *context, unsigned index, int channel) {
    struct sct_bytes bytes = {0};
    raise(SIGINT);
    raise(SIGTERM);
    sct_write_message(channel, &bytes);
    leave(context, index, channel);
}

static void test_workers_ignore_interrupts(void **state) {
    (void)state;
    struct sct_bytes bytes = {0};
    start_all(ignore_interrupts, NULL, false);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(sct_read_message(workers[i].channel, &bytes, NULL), SCT_READ_ALL);
    end_all();
    sct_bytes_free(&bytes);
}

// ---- Shared memory -----------------------------------------------------------------------------

static void write_number(void *context, unsigned index, int channel) {
    volatile int *numbers = context;
    struct sct_bytes bytes = {0};
    numbers[index] = (int)index + 1;
    sct_write_message(channel, &bytes);
    leave(context, index, channel);
}

static void test_memory_is_shared(void **state) {
    (void)state;
    int *numbers = sct_map_shared(WORKERS * sizeof *numbers);
    struct sct_bytes bytes = {0};
    for (int i = 0; i < WORKERS; i++)
        assert_int_equal(numbers[i], 0);
    start_all(write_number, numbers, false);
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(sct_read_message(workers[i].channel, &bytes, NULL), SCT_READ_ALL);
        assert_int_equal(numbers[i], i + 1);
    }
    end_all();
    sct_bytes_free(&bytes);
}

static volatile sig_atomic_t is_wished;

static void end_late(void *unused) {
    (void)unused;
    alarm(60); // a test that fails must end, too
    for (;;)
        pause();
}

static void end_at_once(void *unused) {
    (void)unused;
    _exit(7);
}

// A process that is waited for ends by itself, or when somebody wants no more: it does not hear of
// that itself.
static void test_process_is_ended(void **state) {
    (void)state;
    is_wished = 0;
    int status = sct_process_run_until(end_at_once, NULL, &is_wished);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    is_wished = 1;
    status = sct_process_run_until(end_late, NULL, &is_wished);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_come_whole),
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_interrupts),
        cmocka_unit_test(test_stopped_in_a_message),
        cmocka_unit_test(test_nobody_reads),
        cmocka_unit_test(test_deaths_are_told),
        cmocka_unit_test(test_work_must_not_return),
        cmocka_unit_test(test_workers_ignore_interrupts),
        cmocka_unit_test(test_memory_is_shared),
        cmocka_unit_test(test_process_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

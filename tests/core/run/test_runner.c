#define _GNU_SOURCE // mkdtemp, open_memstream
#include "tests/support/test.h"

#include "core/campaign/marks.h"
#include "core/threads/atomic.h"
#include "core/run/runner.h"
#include "core/threads/thread.h"
#include "core/trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/test-runner-XXXXXX";

// ---- The suite: a counter that loses updates ---------------------------------------------------

static struct sct_atomic counter;

static void *increment(void *argument) {
    if (argument)
        sct_atomic_fetch_add_explicit(&counter, 1, SCT_RELAXED);
    else
        sct_atomic_store(&counter, sct_atomic_load(&counter) + 1);
    return NULL;
}

static void setup(void *context) {
    sct_atomic_init(&counter, "counter", 0);
    sct_thread_create("a", increment, context);
    sct_thread_create("b", increment, context);
}

static void finish(void *context) {
    (void)context;
    if (counter.value == 2)
        MARK("both counted");
    sct_check(counter.value == 2, "lost-update", "the counter is %d", (int)counter.value);
}

static int depends_on_the_past(void) {
    static int calls;
    return calls++;
}

static void setup_unrepeatable(void *context) {
    (void)context;
    sct_check(depends_on_the_past() % 2 == 0, "odd", "this is not repeated");
}

static const struct sct_test suite_tests[] = {
    {.name = "lost", .program = {.setup = setup, .finish = finish, .context = NULL}},
    {.name = "fixed", .program = {.setup = setup, .finish = finish, .context = &counter}},
    {.name = "past", .summary = "not repeatable", .program = {.setup = setup_unrepeatable}},
};
static const struct sct_suite suite = {"counter", suite_tests, 3};

// Runs the suite with up to 8 arguments; the status.
#define RUN(...) run((const char *const[]){"counter", __VA_ARGS__, NULL})

static int run(const char *const *arguments) {
    char *argv[10] = {NULL};
    int argc = 0;
    for (; arguments[argc]; argc++)
        argv[argc] = strdup(arguments[argc]);
    int status = sct_run(argc, argv, &suite);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    return status;
}

static int enter_folder(void **state) {
    (void)state;
    return !mkdtemp(folder) || chdir(folder) != 0;
}

static int leave_folder(void **state) {
    (void)state;
    return chdir("/") != 0 || rmdir(folder) != 0;
}

// ---- Tests -------------------------------------------------------------------------------------

// A violation is status 1 and leaves a trace of the usual name, which replays to status 1; the test
// that replays is the trace's.
static void test_runner_finds_and_replays(void **state) {
    (void)state;
    assert_int_equal(RUN("--iterations", "1000", "--trace", "first.trace"), 1);
    assert_int_equal(RUN("--replay", "first.trace"), 1);
    assert_int_equal(RUN("--replay", "first.trace", "--verbose"), 1);
    assert_int_equal(RUN("--replay", "first.trace", "--test", "fixed"), 2);
    assert_int_equal(unlink("first.trace"), 0);
    assert_int_equal(RUN("--test=lost", "--strategy", "random", "-s", "4", "--keep-going"), 1);
    assert_int_equal(system("test $(ls counter-lost-4-*.trace | wc -l) = 1 && rm counter-*.trace"),
                     0);
}

// The correct variant is status 0, and so is a replay of a trace that claims no failure.
static void test_runner_clean(void **state) {
    (void)state;
    assert_int_equal(RUN("--test", "fixed", "--iterations", "1000"), 0);
    assert_int_equal(RUN("--test", "fixed", "--only-iteration", "3", "--verbose"), 0);
    assert_int_equal(RUN("--list", "tests"), 0);
    assert_int_equal(RUN("--list", "strategies"), 0);
    assert_int_equal(RUN("--help"), 0);
}

// One iteration alone is the same as in the campaign.
static void test_runner_only_iteration(void **state) {
    (void)state;
    assert_int_equal(RUN("--trace", "a.trace"), 1);
    assert_int_equal(system("i=$(sed -n 's/^iteration //p' a.trace); printf %s \"$i\" > iteration"),
                     0);
    char iteration[32] = "";
    FILE *in = fopen("iteration", "r");
    assert_non_null(in);
    assert_non_null(fgets(iteration, sizeof iteration, in));
    fclose(in);
    assert_int_equal(RUN("--only-iteration", iteration, "--trace", "b.trace"), 1);
    assert_int_equal(system("cmp a.trace b.trace && rm a.trace b.trace iteration"), 0);
}

// Wrong usage is status 2: options, values, names, files, traces of another suite.
static void test_runner_usage(void **state) {
    (void)state;
    assert_int_equal(RUN("--nonsense"), 2);
    assert_int_equal(RUN("extra"), 2);
    assert_int_equal(RUN("--test"), 2);
    assert_int_equal(RUN("--test", "other"), 2);
    assert_int_equal(RUN("--iterations", "-1"), 2);
    assert_int_equal(RUN("--iterations", "many"), 2);
    assert_int_equal(RUN("--max-steps", "0"), 2);
    assert_int_equal(RUN("--seed", "99999999999999999999"), 2);
    assert_int_equal(RUN("--strategy", "clever"), 2);
    assert_int_equal(RUN("--list", "bugs"), 2);
    assert_int_equal(RUN("--replay", "missing.trace"), 2);
    assert_int_equal(RUN("--trace", "t"), 1);
    char *argv[] = {(char[]){"other"}, (char[]){"--replay"}, (char[]){"t"}, NULL};
    assert_int_equal(sct_run(3, argv, &(struct sct_suite){"other", suite_tests, 3}), 2);
    assert_int_equal(system("sed -i s/lost/list/ t"), 0);
    assert_int_equal(RUN("--replay", "t"), 2);
    assert_int_equal(unlink("t"), 0);
}

// A trace of a program that has changed is not reproduced: status 4.
static void test_runner_changed_program(void **state) {
    (void)state;
    assert_int_equal(RUN("--trace", "t"), 1);
    struct sct_test changed[] = {suite_tests[0]};
    changed[0].program.context = &counter;
    char *argv[] = {(char[]){"counter"}, (char[]){"--replay"}, (char[]){"t"}, NULL};
    assert_int_equal(sct_run(3, argv, &(struct sct_suite){"counter", changed, 1}), 4);
    assert_int_equal(unlink("t"), 0);
}

static void *wait_for_ever(void *argument) {
    while (sct_atomic_load(argument) == 0)
        sct_thread_yield();
    return NULL;
}

// One waits for what never comes; the other, if there is a [context], sometimes brings it.
static void setup_spinning(void *context) {
    sct_atomic_init(&counter, "counter", 0);
    sct_thread_create("waits", wait_for_ever, &counter);
    if (context && sct_choose(2, "comes"))
        sct_thread_create("comes", increment, context);
}

// Where every execution is cut off there is no verdict, of campaigns and of searches: status 4.
// Where only some are, the others have one.
static void test_runner_cut_off_is_no_verdict(void **state) {
    (void)state;
    static const struct sct_test tests[] = {
        {.name = "never", .program = {.setup = setup_spinning}},
        {.name = "sometimes", .program = {.setup = setup_spinning, .context = &counter}},
    };
    static const char *const strategies[] = {"random", "pct:2", "dfs:preempt=1"};
    for (int i = 0; i < 6; i++) {
        char *argv[] = {strdup("spin"),
                        strdup("--test"),
                        strdup(tests[i % 2].name),
                        strdup("--strategy"),
                        strdup(strategies[i / 2]),
                        strdup("--max-steps"),
                        strdup("100"),
                        strdup("-i"),
                        strdup("50"),
                        NULL};
        int status = sct_run(9, argv, &(struct sct_suite){"spin", tests, 2});
        assert_int_equal(status, i % 2 == 0 ? 4 : 0);
        for (int k = 0; k < 9; k++)
            free(argv[k]);
    }
}

// A spin loop with room for a fair tail is a livelock: also where only some executions hang, and of
// a lock that is tried by exchange.
static void *exchange_for_ever(void *argument) {
    while (sct_atomic_exchange(argument, 1) == 1)
        ;
    return NULL;
}

static void setup_exchanging(void *context) {
    (void)context;
    sct_atomic_init(&counter, "counter", 1);
    sct_thread_create("tries", exchange_for_ever, &counter);
}

static void test_runner_finds_spinners(void **state) {
    (void)state;
    static const struct sct_test tests[] = {
        {.name = "never", .program = {.setup = setup_spinning}},
        {.name = "sometimes", .program = {.setup = setup_spinning, .context = &counter}},
        {.name = "exchange", .program = {.setup = setup_exchanging}},
    };
    for (int i = 0; i < 3; i++) {
        char *argv[] = {strdup("spin"), strdup("--test"),  strdup(tests[i].name), strdup("-i"),
                        strdup("50"),   strdup("--trace"), strdup("t"),           NULL};
        assert_int_equal(sct_run(7, argv, &(struct sct_suite){"spin", tests, 3}), 1);
        char *again[] = {strdup("spin"), strdup("--replay"), strdup("t"), NULL};
        assert_int_equal(sct_run(3, again, &(struct sct_suite){"spin", tests, 3}), 1);
        for (int k = 0; k < 7; k++)
            free(argv[k]);
        for (int k = 0; k < 3; k++)
            free(again[k]);
        assert_int_equal(unlink("t"), 0);
    }
}

static unsigned decisions_of(const char *path) {
    struct sct_trace trace;
    struct error error;
    if (!sct_trace_read(path, &trace, &error))
        fail_msg("%s", error.text);
    assert_int_equal(trace.outcome, SCT_VIOLATED);
    assert_string_equal(trace.kind, "lost-update");
    unsigned count = trace.decision_count;
    sct_trace_free(&trace);
    return count;
}

// --minimize writes a smaller trace of the same failure beside the original, from a campaign or a
// replay alike; what passes has nothing to minimize.
static void test_runner_minimizes(void **state) {
    (void)state;
    assert_int_equal(RUN("--trace", "t", "--minimize", "--strategy", "random"), 1);
    assert_true(decisions_of("t.min") <= decisions_of("t"));
    assert_int_equal(RUN("--replay", "t.min"), 1);
    assert_int_equal(rename("t.min", "first"), 0);
    assert_int_equal(RUN("--replay", "t", "--minimize", "--verbose"), 1);
    assert_int_equal(system("cmp first t.min && rm first t t.min"), 0);
    assert_int_equal(RUN("--test", "fixed", "--minimize", "--iterations", "50"), 0);
    assert_int_equal(RUN("--trace", "/dev/null", "--minimize"), 1);
    assert_int_not_equal(access("/dev/null.min", F_OK), 0);
}

// A program that does not repeat is status 3, whatever it found.
static void test_runner_unrepeatable(void **state) {
    (void)state;
    assert_int_equal(RUN("--test", "past", "--trace", "/dev/null"), 3);
}

// What [line], a command of the shell, finds in the files here.
static void assert_shell(const char *line) {
    if (system(line) != 0)
        fail_msg("%s", line);
}

// Worker processes, reports and searches, as mtcheck has them: the same campaign by two workers and
// by one; the page, JUnit and JSON name suite and test; a search goes to its end.
static void test_runner_reports(void **state) {
    (void)state;
    assert_int_equal(RUN("--jobs", "2", "--report", "x.html", "--junit", "x.xml", "--trace", "t"),
                     1);
    assert_int_equal(RUN("--trace", "u"), 1);
    assert_shell("cmp t u && grep -q lost-update x.html && grep -q 'counter.lost' x.xml");
    assert_int_equal(RUN("--strategy", "dfs", "--jobs", "2", "--keep-going", "--trace", "v"), 1);
    assert_int_equal(RUN("--replay", "t", "--explain", "--export", "chrome", "c.json"), 1);
    assert_shell("grep -q fetch c.json || grep -q counter c.json");
    assert_shell("rm -f t u v v.* x.html x.xml c.json");
    assert_int_equal(RUN("--test", "fixed", "--strategy", "dfs", "--quiet", "--require-coverage"),
                     2);
    assert_int_equal(RUN("--bug", "1"), 2);
}

// What a run with up to 8 arguments prints; static.
#define PRINTED(...) printed((const char *const[]){"counter", __VA_ARGS__, NULL})

static const char *printed(const char *const *arguments) {
    static char text[20000];
    fflush(stdout);
    int out = dup(STDOUT_FILENO);
    assert_non_null(freopen("printed", "w", stdout));
    run(arguments);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    FILE *in = fopen("printed", "r");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    unlink("printed");
    return text;
}

// A clean search says that it was exhausted and no rate; marks tell that something has happened;
// what orders allow beside is said not to be shown.
static void test_runner_says_what_it_knows(void **state) {
    (void)state;
    const char *text = PRINTED("--test", "fixed", "--strategy", "dfs");
    assert_non_null(strstr(text, "exhausted: these are all executions"));
    assert_null(strstr(text, "is excluded at 95 % confidence"));
    assert_non_null(strstr(text, "marks reached:\n"));
    assert_non_null(strstr(text, "  both counted\n"));
    assert_non_null(strstr(text, "all that they allow beside is not shown here"));
}

// A program without notes is explained by its steps, in the words that there are for them.
static void test_runner_explains_steps(void **state) {
    (void)state;
    const char *text = PRINTED("--trace", "t", "--minimize", "--strategy", "random");
    assert_non_null(strstr(text, "explanation\n"));
    assert_non_null(strstr(text, ": begins; load counter"));
    assert_non_null(strstr(text, " is stopped (decision "));
    assert_null(strstr(text, "operations"));
    assert_int_equal(unlink("t") + unlink("t.min"), 0);
}

static void setup_hostile(void *context) {
    static const char long_kind[] = "0123456789012345678901234567890123456789012345678901234567890"
                                    "0123456789012345678901234567890123456789012345678901234567890";
    static const char *const kinds[] = {"", "two\nlines and \x1b[1m", " ", long_kind};
    uint32_t which = sct_choose(4, "which\nkind; or another");
    (void)context;
    sct_check(which == 9, kinds[which], "%s\n\n%s", which % 2 ? "" : "a message", "of lines");
}

// Whatever a check calls its violation: the trace can be read, replays, and is minimised.
static void test_runner_hostile_texts(void **state) {
    (void)state;
    static const struct sct_test hostile[] = {{.name = "t", .program = {.setup = setup_hostile}}};
    for (int seed = 1; seed <= 20; seed++) {
        char number[12];
        snprintf(number, sizeof number, "%d", seed);
        char *argv[] = {(char[]){"s"}, (char[]){"--seed"},     number, (char[]){"--trace"},
                        (char[]){"t"}, (char[]){"--minimize"}, NULL};
        assert_int_equal(sct_run(6, argv, &(struct sct_suite){"s", hostile, 1}), 1);
        char *again[] = {(char[]){"s"}, (char[]){"--replay"}, (char[]){"t.min"}, NULL};
        assert_int_equal(sct_run(3, again, &(struct sct_suite){"s", hostile, 1}), 1);
    }
    assert_int_equal(unlink("t") + unlink("t.min"), 0);
}

// Names that traces or files could not hold are refused.
static void test_runner_names(void **state) {
    (void)state;
    char long_name[200];
    memset(long_name, 'n', sizeof long_name);
    long_name[96] = '\0';
    const char *const names[] = {"", "a b", "a\nb", "a/b", "\x1b", long_name};
    char *argv[] = {(char[]){"s"}, (char[]){"-i1"}, NULL};
    struct sct_test test = suite_tests[1];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        test.name = "test";
        assert_int_equal(sct_run(2, argv, &(struct sct_suite){names[i], &test, 1}), 2);
        test.name = names[i];
        assert_int_equal(sct_run(2, argv, &(struct sct_suite){"suite", &test, 1}), 2);
    }
    long_name[95] = '\0';
    test.name = long_name;
    assert_int_equal(sct_run(2, argv, &(struct sct_suite){"suite", &test, 1}), 0);
    const struct sct_test twice[] = {suite_tests[1], suite_tests[1]};
    assert_int_equal(sct_run(2, argv, &(struct sct_suite){"suite", twice, 2}), 2);
}

// A campaign that is written down goes on and comes to the same end; of another test it is not.
static void test_runner_resumes(void **state) {
    (void)state;
    assert_int_equal(RUN("--test", "fixed", "-i", "3000", "--checkpoint", "c"), 0);
    assert_int_equal(RUN("--resume", "c", "--jobs", "2"), 0);
    assert_int_equal(RUN("--resume", "c", "--test", "lost"), 2);
    assert_shell("grep -q -a -e '--test=fixed' c && rm c");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runner_finds_and_replays),
        cmocka_unit_test(test_runner_clean),
        cmocka_unit_test(test_runner_only_iteration),
        cmocka_unit_test(test_runner_usage),
        cmocka_unit_test(test_runner_changed_program),
        cmocka_unit_test(test_runner_unrepeatable),
        cmocka_unit_test(test_runner_minimizes),
        cmocka_unit_test(test_runner_reports),
        cmocka_unit_test(test_runner_resumes),
        cmocka_unit_test(test_runner_hostile_texts),
        cmocka_unit_test(test_runner_names),
        cmocka_unit_test(test_runner_says_what_it_knows),
        cmocka_unit_test(test_runner_explains_steps),
        cmocka_unit_test(test_runner_cut_off_is_no_verdict),
        cmocka_unit_test(test_runner_finds_spinners),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}

// Recorded histories: the formats, malformed input, the verdicts of the files in
// ../shared/data/histories (skipped where that folder is absent), and the report.
#define _POSIX_C_SOURCE 200809L // open_memstream
#include "tests/support/test.h"

#include "harness/cli/history.h"
#include "harness/history/record.h"
#include "tests/harness/hard_histories.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct lin_limits limits = {.steps_max = 10000000, .memory_bytes = 1 << 26};

static bool parse(struct record *record, const char *format, const char *text,
                  struct error *error) {
    const struct record_format *found = record_format_find(format);
    assert_non_null(found);
    return record_parse(record, &(struct record_text){"file", text, strlen(text)}, found, error);
}

static enum lin_verdict check(struct record *record, struct lin_result *result) {
    struct lin_spec spec = store_spec(&record->store);
    struct lin_checker *checker = lin_open(&limits);
    lin_check(checker, &spec, &record->history, result);
    enum lin_verdict verdict = result->verdict;
    if (verdict == LIN_NOT_LINEARIZABLE)
        lin_explain(checker, &spec, &record->history, result);
    lin_close(checker);
    return verdict;
}

static enum lin_verdict verdict_of(const char *format, const char *text) {
    struct record record;
    struct error error;
    struct lin_result result;
    if (!parse(&record, format, text, &error))
        fail_msg("%s", error.text);
    enum lin_verdict verdict = check(&record, &result);
    record_free(&record);
    return verdict;
}

// [text] is refused with exactly this message.
static void assert_refused(const char *format, const char *text, const char *message) {
    struct record record;
    struct error error = {{0}};
    assert_false(parse(&record, format, text, &error));
    assert_string_equal(error.text, message);
}

// ---- Hard ones, made up ------------------------------------------------------------------------

// [hard] is decided, in no more than [steps_max] steps.
static void check_hard(const struct hard *hard, uint64_t seed, uint64_t steps_max) {
    struct record record;
    struct lin_result result;
    hard_history(hard, seed, &record);
    enum lin_verdict verdict = check(&record, &result);
    if (verdict != (hard->fault == HARD_NONE ? LIN_LINEARIZABLE : LIN_NOT_LINEARIZABLE))
        fail_msg("%s, seed %d: verdict %d, limit %d", hard->name, (int)seed, (int)verdict,
                 (int)result.limit);
    if (result.steps > steps_max)
        fail_msg("%s, seed %d: %d steps", hard->name, (int)seed, (int)result.steps);
    if (verdict == LIN_NOT_LINEARIZABLE)
        assert_true(result.is_longest);
    record_free(&record);
}

// A bisection of 2^13 events looks at them, and at what was appended before each, 13 times; so few
// steps no search takes, which tries 10^9 in vain for some of these. Those of common values take
// one.
static void test_history_hard_ones_are_decided(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof hard_kinds / sizeof hard_kinds[0]; i++)
        for (uint64_t seed = 1; seed <= 3; seed++)
            check_hard(&hard_kinds[i], seed, hard_kinds[i].common > 0 ? limits.steps_max : 1000000);
}

// Twice as many operations are little more than twice as many steps.
static void test_history_unique_writes_take_few_steps(void **state) {
    (void)state;
    for (uint32_t operations = 1000; operations <= 64000; operations *= 2)
        check_hard(&(struct hard){"unique writes", HARD_NONE, 60, 1, operations, 1, 1, 0, 0, 0, 0},
                   1, 4 * operations);
}

// One key that takes more steps than there are does not hide what is wrong with another.
static void test_history_a_hard_key_hides_no_other(void **state) {
    (void)state;
    // 24 writes at once, two of them of 1; then 1 is read, and then 2: no order has that, but each
    // of the 2^24 sets of writes may come first.
    char text[4096];
    struct text out = text_in(text, sizeof text);
    text_add(&out, "mtcheck-history 1 map\n");
    for (int i = 0; i < 24; i++)
        text_add(&out, "%d call put hard %d\n", i, i + !i);
    for (int i = 0; i < 24; i++)
        text_add(&out, "%d return put\n", i);
    text_add(&out, "0 call get hard\n0 return get 1\n0 call get hard\n0 return get 2\n");
    assert_int_equal(verdict_of("native", text), LIN_UNKNOWN);
    // Needs a search, too, since 5 is read and was written twice.
    for (int i = 0; i < 2; i++)
        text_add(&out, "0 call put easy 5\n0 return put\n");
    text_add(&out, "0 call get easy\n0 return get 5\n0 call get easy\n0 return get nil\n");
    assert_int_equal(verdict_of("native", text), LIN_NOT_LINEARIZABLE);
}

// Whether [result]'s order is one: real time and results are right up to the blocked return.
static void assert_is_order(struct record *record, const struct lin_result *result) {
    struct lin_spec spec = store_spec(&record->store);
    const struct sct_operation *all = record->history.operations;
    uint32_t cut = all[result->blocked].returned_at, latest_call = 0, needed = 0;
    uint64_t value, next;
    spec.init(spec.context, &value);
    for (uint32_t i = 0; i < result->order_count; i++) {
        struct sct_operation operation = all[result->order[i]];
        assert_true(operation.returned_at > latest_call);
        latest_call = operation.called_at > latest_call ? operation.called_at : latest_call;
        needed += operation.returned_at < cut;
        operation.has_output &= operation.returned_at < cut;
        assert_int_equal(spec.step(spec.context, &value, &operation, 0, &next), 1);
        value = next;
    }
    assert_int_equal(value, result->state[0]);
    for (uint32_t i = 0; i < record->history.operation_count; i++)
        if (all[i].key == all[result->blocked].key && all[i].returned_at < cut)
            needed--;
    assert_int_equal(needed, 0);
}

// Checks and explains with [spec]; what is found is valid until the next check.
static void explain(struct lin_checker *checker, const struct lin_spec *spec,
                    const struct record *record, struct lin_result *result) {
    lin_check(checker, spec, &record->history, result);
    if (result->verdict == LIN_NOT_LINEARIZABLE)
        lin_explain(checker, spec, &record->history, result);
}

// Small histories of all kinds, half of them with some read changed to another value: what needs no
// search agrees with the search, in the verdict and in the return it blames.
static void test_history_unique_agrees_with_search(void **state) {
    (void)state;
    struct lin_checker *checker = lin_open(&limits);
    unsigned bad = 0;
    for (uint64_t seed = 1; seed <= 4000; seed++) {
        struct record record;
        struct lin_result unique, other;
        struct rng rng;
        rng_seed(&rng, seed);
        struct hard hard = {.name = "small", .reads = 2};
        hard.clients = 2 + rng_below(&rng, 5);
        hard.keys = 1 + rng_below(&rng, 2);
        hard.operations = 4 + rng_below(&rng, 16);
        hard.writes = rng_below(&rng, 3);
        hard.appends = rng_below(&rng, 3);
        hard.unanswered = rng_below(&rng, 2) * 200;
        hard_history(&hard, seed, &record);
        struct sct_operation *changed =
            &record.history.operations[rng_below(&rng, record.history.operation_count)];
        if (changed->function == STORE_READ && seed % 2)
            changed->output = 1 + rng_below(&rng, record.store.values.count - 1);
        struct lin_spec spec = store_spec(&record.store);
        explain(checker, &spec, &record, &unique);
        if (unique.verdict == LIN_NOT_LINEARIZABLE)
            assert_is_order(&record, &unique);
        spec.access = NULL;
        explain(checker, &spec, &record, &other);
        assert_int_equal(unique.verdict, other.verdict);
        bad += unique.verdict == LIN_NOT_LINEARIZABLE;
        if (unique.verdict == LIN_NOT_LINEARIZABLE)
            assert_int_equal(unique.blocked, other.blocked);
        record_free(&record);
    }
    assert_in_range(bad, 200, 3800);
    lin_close(checker);
}

// ---- The files with known verdicts -------------------------------------------------------------

#define FOLDER "../shared/data/histories"

static const char *format_of(const char *file) {
    return strncmp(file, "kv/", 3) == 0 ? "kv" : "jepsen-register";
}

static void read_file(struct record *record, const char *file) {
    char path[256];
    struct error error;
    snprintf(path, sizeof path, "%s/%s", FOLDER, file);
    if (!record_read(record, path, record_format_find(format_of(file)), &error))
        fail_msg("%s", error.text);
}

static void check_file(const char *file, bool is_linearizable, unsigned operations) {
    struct record record;
    struct lin_result result;
    read_file(&record, file);
    enum lin_verdict verdict = check(&record, &result);
    if (verdict != (is_linearizable ? LIN_LINEARIZABLE : LIN_NOT_LINEARIZABLE))
        fail_msg("%s: verdict %d", file, (int)verdict);
    if (verdict == LIN_NOT_LINEARIZABLE)
        assert_true(result.is_longest);
    assert_int_equal(record.history.operation_count, operations);
    record_free(&record);
}

static void test_history_files_have_their_verdicts(void **state) {
    (void)state;
    FILE *verdicts = fopen(FOLDER "/verdicts.csv", "r");
    char line[256], file[128], verdict[16];
    unsigned operations, count = 0;
    if (!verdicts) {
        print_message("skipped: there is no folder " FOLDER "\n");
        skip();
    }
    while (fgets(line, sizeof line, verdicts)) {
        if (sscanf(line, "%127[^,],%15[^,],%u", file, verdict, &operations) != 3)
            continue; // the heading
        check_file(file, strcmp(verdict, "true") == 0, operations);
        count++;
    }
    fclose(verdicts);
    assert_true(count > 0);
}

// Key by key, or all keys in one state: the same verdict. Only the files that a search of the whole
// can finish.
static void test_history_keys_are_independent(void **state) {
    (void)state;
    static const char *const files[] = {"kv/c01-ok.txt", "kv/c01-bad.txt", "kv/c10-bad.txt"};
    for (int i = 0; i < 3; i++) {
        struct record record;
        struct lin_result by_key, whole;
        FILE *file = fopen(FOLDER "/verdicts.csv", "r");
        if (!file) {
            print_message("skipped: there is no folder " FOLDER "\n");
            skip();
        }
        fclose(file);
        read_file(&record, files[i]);
        check(&record, &by_key);
        record.store.is_whole = true;
        check(&record, &whole);
        assert_int_equal(whole.parts, 1);
        assert_int_equal(by_key.verdict, whole.verdict);
        record_free(&record);
    }
}

// ---- Jepsen's format ---------------------------------------------------------------------------

#define J "INFO  jepsen.util - "

static void test_history_jepsen_events(void **state) {
    (void)state;
    const char *const ok =
        J "0\t:invoke\t:write\t3\n"
          "INFO  jepsen.core - Worker 0 starting\n" J ":nemesis   :info :start nil\n" J
          "1  :invoke   :cas [3 4]\r\n" J "1  :ok :cas [3 4]\n"
          "\n" J "2  :invoke :read nil\n" J "2  :fail :read :timed-out\n" J
          "2  :invoke :read nil\n" J "0\t:info\t:write\t:timed-out\n" J "2  :ok :read 4";
    assert_int_equal(verdict_of("jepsen-register", ok), LIN_LINEARIZABLE);
    const char *const bad = J "0 :invoke :read nil\n" J "0 :ok :read 1\n";
    assert_int_equal(verdict_of("jepsen-register", bad), LIN_NOT_LINEARIZABLE);
    const char *const failed = J "0 :invoke :cas [1 2]\n" J "0 :fail :cas [1 2]\n" J
                                 "0 :invoke :read nil\n" J "0 :ok :read nil\n";
    assert_int_equal(verdict_of("jepsen-register", failed), LIN_LINEARIZABLE);
}

static void test_history_jepsen_malformed(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "file: expected operations of the format jepsen-register, found none"},
        {"something else\n", "file: expected operations of the format jepsen-register, found none"},
        {J "0 :ok :read 1\n", "file:1: process 0 returns, but it has no call open"},
        {J "0 :invoke :read nil\n" J "0 :invoke :read nil\n",
         "file:2: process 0 calls, but its call of line 1 is open"},
        {J "0 :invoke :read nil\n" J "0 :ok :write 1\n",
         "file:2: process 0 returns from something else than its call of line 1"},
        {J "0 :invoke :write x\n", "file:1: expected a number, found 'x'"},
        {J "0 :invoke :cas [1]\n", "file:1: expected a space, found ']'"},
        {J "0 :invoke :cas [1 2\n", "file:1: expected ], found the end of the line"},
        {J "0 :invoke :read 3\n", "file:1: expected nil, found '3'"},
        {J "0 :invoke :write 1 2\n", "file:1: expected the end of the line, found ' 2'"},
        {J "0 :invoke :write 1\n" J "0 :ok :write 2\n",
         "file:2: expected the value of the call, found the end of the line"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused("jepsen-register", cases[i][0], cases[i][1]);
}

// ---- The format of the key-value store ---------------------------------------------------------

#define KV(process, type, function, key, value)                                                  \
    "{:process " #process ", :type :" type ", :f :" function ", :key \"" key "\", :value " value \
    "}\n"

static void test_history_kv_events(void **state) {
    (void)state;
    const char *const ok =
        KV(0, "invoke", "append", "a", "\"x\\\"\"") KV(1, "invoke", "put", "b", "\"1\"")
            KV(0, "ok", "append", "a", "\"x\\\"\"") KV(0, "invoke", "get", "a", "nil")
                KV(0, "ok", "get", "a", "\"x\\\"\"") KV(2, "invoke", "get", "b", "nil")
                    KV(2, "ok", "get", "b", "\"\"") KV(1, "ok", "put", "b", "\"1\"");
    assert_int_equal(verdict_of("kv", ok), LIN_LINEARIZABLE);
    const char *const bad =
        KV(0, "invoke", "append", "a", "\"x\"") KV(0, "ok", "append", "a", "\"x\"")
            KV(0, "invoke", "get", "a", "nil") KV(0, "ok", "get", "a", "\"\"");
    assert_int_equal(verdict_of("kv", bad), LIN_NOT_LINEARIZABLE);
}

static void test_history_kv_malformed(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\n", "file: expected operations of the format kv, found none"},
        {"hello\n", "file:1: expected {:process , found 'hello'"},
        {"{:process x", "file:1: expected a process number, found 'x'"},
        {KV(0, "info", "get", "a", "nil"),
         "file:1: expected :invoke or :ok, found ':info, :f :get, "
         ":key \"a\", :value nil}'"},
        {KV(0, "invoke", "get", "a", "\"1\""), "file:1: expected nil, found '\"1\"}'"},
        {KV(0, "invoke", "put", "a", "nil"),
         "file:1: expected a string in double quotes, found 'nil}'"},
        {"{:process 0, :type :invoke, :f :put, :key \"a",
         "file:1: expected a double quote, found the end of the line"},
        {KV(0, "invoke", "get", "a", "nil") KV(0, "ok", "get", "b", "\"\""),
         "file:2: expected the key of the call, found the end of the line"},
        {KV(99999999, "invoke", "get", "a", "nil"),
         "file:1: expected a process number, found ', :type :invoke, :f :get, :key \"a\", :value "
         "nil}'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused("kv", cases[i][0], cases[i][1]);
}

// ---- The native format -------------------------------------------------------------------------

#define REGISTER "mtcheck-history 1 register\n"
#define MAP "mtcheck-history 1 map\n"

static void test_history_native_register(void **state) {
    (void)state;
    // The example of harness/history/record.h.
    assert_int_equal(verdict_of("native", REGISTER "0 call write 4\n"
                                                   "1 call read\n"
                                                   "1 return read nil\n"
                                                   "0 return write\n"),
                     LIN_LINEARIZABLE);
    assert_int_equal(verdict_of("native",
                                "# a comment\n\n" REGISTER "  0 call write \"a b\\\"\\\\\"\n"
                                "0 return write\n"
                                "0 call append c\n"
                                "0 return append ?\n"
                                "1 call read\n"
                                "1 return read \"a b\\\"\\\\c\"\n"),
                     LIN_LINEARIZABLE);
    assert_int_equal(verdict_of("native", REGISTER "0 call cas nil 1\n"
                                                   "0 return cas fail\n"),
                     LIN_NOT_LINEARIZABLE);
    assert_int_equal(verdict_of("native", REGISTER "0 call cas nil 1\n"
                                                   "0 return cas ?\n"
                                                   "0 call read\n"
                                                   "0 return read 1\n"),
                     LIN_LINEARIZABLE);
}

// A word and nothing: "nil" in quotes is a text.
static void test_history_native_nil_is_no_text(void **state) {
    (void)state;
    assert_int_equal(verdict_of("native", REGISTER "0 call read\n0 return read \"nil\"\n"),
                     LIN_NOT_LINEARIZABLE);
    assert_int_equal(verdict_of("native", REGISTER "0 call read\n0 return read nil\n"),
                     LIN_LINEARIZABLE);
}

static void test_history_native_map(void **state) {
    (void)state;
    assert_int_equal(verdict_of("native", MAP "0 call put a 1\n"
                                              "1 call put b 2\n"
                                              "0 return put\n"
                                              "0 call remove a\n"
                                              "0 return remove\n"
                                              "2 call get a\n"
                                              "2 return get nil\n"
                                              "2 call get b\n"
                                              "2 return get 2\n"
                                              "2 call cas b 2 3\n"
                                              "2 return cas ok\n"),
                     LIN_LINEARIZABLE);
    assert_int_equal(verdict_of("native", MAP "0 call append a x\n"
                                              "0 return append\n"
                                              "0 call get b\n"
                                              "0 return get x\n"),
                     LIN_NOT_LINEARIZABLE);
}

static void test_history_native_malformed(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "file: expected operations of the format native, found none"},
        {REGISTER, "file: expected operations of the format native, found none"},
        {"0 call read\n", "file:1: expected 'mtcheck-history 1 register' or 'mtcheck-history 1 map'"
                          " (other formats: --history-format), found '0 call read'"},
        {"mtcheck-history 2 map\n",
         "file:1: expected 'mtcheck-history 1 register' or 'mtcheck-history 1 map'"
         " (other formats: --history-format), found 'mtcheck-history 2 map'"},
        {"mtcheck-history 1 stack\n", "file:1: expected 'register' or 'map', found ' stack'"},
        {REGISTER "x call read\n",
         "file:2: expected a process number below 1048576, found 'x call read'"},
        {REGISTER "1048576 call read\n",
         "file:2: expected a process number below 1048576, found ' call read'"},
        {REGISTER "0 calls read\n", "file:2: expected 'call' or 'return', found ' calls read'"},
        {REGISTER "0 call get a\n", "file:2: expected read, write, cas or append, found ' get a'"},
        {REGISTER "0 call write\n", "file:2: expected a value, found the end of the line"},
        {REGISTER "0 call write 1 2\n", "file:2: expected the end of the line, found '2'"},
        {REGISTER "0 call write \"1\n",
         "file:2: expected a double quote, found the end of the line"},
        {REGISTER "0 call write \"\\x\"\n", "file:2: expected \" or \\ after \\, found 'x\"'"},
        {REGISTER "0 call cas 1\n", "file:2: expected a value, found the end of the line"},
        {REGISTER "0 return read 1\n", "file:2: process 0 returns, but it has no call open"},
        {REGISTER "0 call read\n0 return read\n",
         "file:3: expected a value, nil or ?, found the end of the line"},
        {REGISTER "0 call cas 1 2\n0 return cas maybe\n",
         "file:3: expected ok, fail or ?, found ' maybe'"},
        {REGISTER "0 call write 1\n0 return write 1\n",
         "file:3: expected the end of the line, found '1'"},
        {MAP "0 call get\n", "file:2: expected a key, found the end of the line"},
        {MAP "0 call write a 1\n",
         "file:2: expected get, put, cas, append or remove, found ' write a 1'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused("native", cases[i][0], cases[i][1]);
}

// Every history cut off anywhere, or with any byte changed, is read or refused with a line, and
// nothing worse.
static void test_history_damaged_input(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"native",
         MAP "0 call put \"a\\\"\" 1\n1 call cas b nil 2\n0 return put\n1 return cas ok\n"},
        {"kv", KV(0, "invoke", "get", "a", "nil") KV(0, "ok", "get", "a", "\"\"")},
        {"jepsen-register", J "0 :invoke :cas [1 2]\n" J "0 :fail :cas [1 2]\n"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t length = strlen(texts[i][1]);
        for (size_t at = 0; at < length; at++) {
            for (unsigned byte = 0; byte <= 256; byte++) {
                // Exactly as long as needed, so that a read beyond the end is caught.
                size_t bytes = byte == 256 ? at : length;
                char *text = malloc(bytes ? bytes : 1);
                struct record record;
                struct error error = {{0}};
                assert_non_null(text);
                memcpy(text, texts[i][1], bytes);
                if (byte < 256)
                    text[at] = (char)byte;
                if (record_parse(&record, &(struct record_text){"file", text, bytes},
                                 record_format_find(texts[i][0]), &error))
                    record_free(&record);
                else
                    assert_memory_equal(error.text, "file:", 5);
                free(text);
            }
        }
    }
}

static void test_history_unreadable_file(void **state) {
    (void)state;
    struct record record;
    struct error error;
    assert_false(record_read(&record, "no such file", record_format_find("native"), &error));
    assert_string_equal(error.text,
                        "cannot open history 'no such file': No such file or directory");
    assert_false(record_read(&record, ".", record_format_find("native"), &error));
    assert_null(record_format_find("no such format"));
}

// ---- Options and report ------------------------------------------------------------------------

static void assert_options_refused(const char *first, const char *second, const char *third,
                                   const char *message) {
    char *arguments[] = {(char *)"mtcheck", (char *)first, (char *)second, (char *)third, NULL};
    struct options options;
    struct error error = {{0}};
    assert_false(options_parse(FRONT_MODELS, arguments, NULL, &options, &error));
    assert_string_equal(error.text, message);
}

static void test_history_options(void **state) {
    (void)state;
    assert_options_refused("--history-format=kv", NULL, NULL,
                           "option --history-format: expected --check-history too");
    assert_options_refused("--check-history=a", "--history-format=x", NULL,
                           "option --history-format: expected 'native', 'jepsen-register' or 'kv', "
                           "found 'x'");
    assert_options_refused("--check-history=a", "--seed=1", NULL,
                           "options --check-history and --seed contradict each other");
    assert_options_refused("--check-history=a", "--replay=b", NULL,
                           "options --replay and --check-history contradict each other");
    assert_options_refused("--check-history=a", "--model=migrating-table", NULL,
                           "options --check-history and --model contradict each other");
    assert_options_refused("--check-history=a", "--history-format=kv", "--list=bugs",
                           "options --check-history and --list contradict each other");
}

// Writes [text] to a file and returns the report about it; the caller frees it.
static char *report_about(const char *text, enum report_format format, enum lin_verdict *verdict) {
    char path[] = "/tmp/mtcheck-history-XXXXXX";
    int descriptor = mkstemp(path);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    char *report = NULL;
    size_t length;
    struct error error;
    struct options options = {.check_history = path, .format = format};
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    FILE *out = open_memstream(&report, &length);
    assert_non_null(out);
    bool is_checked = history_check(out, &options, verdict, &error);
    fclose(out);
    remove(path);
    if (!is_checked)
        fail_msg("%s", error.text);
    return report;
}

static const char failing[] = REGISTER "0 call write 1\n"
                                       "1 call write 2\n"
                                       "0 return write\n"
                                       "2 call read\n"
                                       "2 return read 2\n"
                                       "2 call read\n"
                                       "2 return read 1\n"
                                       "2 call read\n"
                                       "2 return read 2\n";

static void test_history_report_text(void **state) {
    (void)state;
    enum lin_verdict verdict;
    char *report = report_about(failing, FORMAT_TEXT, &verdict);
    assert_int_equal(verdict, LIN_NOT_LINEARIZABLE);
    assert_memory_equal(report, "not linearizable: ", strlen("not linearizable: "));
    const char *rest = strchr(report, '\n') + 1;
    assert_string_equal(rest, "up to line 7 it can be linearized, in this order (3 operations):\n"
                              "  lines 2-4           process 0    write 1\n"
                              "  lines 3-            process 1    write 2, never returned\n"
                              "  lines 5-6           process 2    read -> 2\n"
                              "then the value is 2\n"
                              "and this operation, which must come before its return, cannot be "
                              "placed anywhere:\n"
                              "  lines 7-8           process 2    read -> 1\n");
    free(report);
    report = report_about(REGISTER "0 call read\n0 return read nil\n", FORMAT_TEXT, &verdict);
    assert_int_equal(verdict, LIN_LINEARIZABLE);
    assert_memory_equal(report, "linearizable: ", strlen("linearizable: "));
    free(report);
}

static void test_history_report_json(void **state) {
    (void)state;
    enum lin_verdict verdict;
    char *report = report_about(failing, FORMAT_JSON, &verdict);
    json_t *object = json_loads(report, 0, NULL);
    const char *text, *operation;
    int count, call_line, return_line;
    json_t *order;
    assert_non_null(object);
    assert_int_equal(json_unpack(object, "{s:s, s:i, s:o, s:{s:s, s:i, s:i}}", "verdict", &text,
                                 "operations", &count, "linearized", &order, "not_placed",
                                 "operation", &operation, "call_line", &call_line, "return_line",
                                 &return_line),
                     0);
    assert_string_equal(text, "not linearizable");
    assert_int_equal(count, 5);
    assert_int_equal(json_array_size(order), 3);
    assert_string_equal(operation, "read -> 1");
    assert_int_equal(call_line, 7);
    assert_int_equal(return_line, 8);
    json_decref(object);
    free(report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history_hard_ones_are_decided),
        cmocka_unit_test(test_history_unique_writes_take_few_steps),
        cmocka_unit_test(test_history_a_hard_key_hides_no_other),
        cmocka_unit_test(test_history_unique_agrees_with_search),
        cmocka_unit_test(test_history_files_have_their_verdicts),
        cmocka_unit_test(test_history_keys_are_independent),
        cmocka_unit_test(test_history_jepsen_events),
        cmocka_unit_test(test_history_jepsen_malformed),
        cmocka_unit_test(test_history_kv_events),
        cmocka_unit_test(test_history_kv_malformed),
        cmocka_unit_test(test_history_native_register),
        cmocka_unit_test(test_history_native_nil_is_no_text),
        cmocka_unit_test(test_history_native_map),
        cmocka_unit_test(test_history_native_malformed),
        cmocka_unit_test(test_history_damaged_input),
        cmocka_unit_test(test_history_unreadable_file),
        cmocka_unit_test(test_history_options),
        cmocka_unit_test(test_history_report_text),
        cmocka_unit_test(test_history_report_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

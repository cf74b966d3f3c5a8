#include "tests/model/memory/short_table.h"

#include "core/base/rng.h"

// ---- The valid-row rule by hand ----------------------------------------------------------------

static const char *valid(struct ct_memory_table *table, size_t start, const char *filter,
                         const char *from) {
    struct ct_memory_window window = {
        .table = table, .start = start, .filter = parse(filter), .from = key("p", from)};
    struct ct_valid_rows rows = ct_memory_valid_rows(&window, &arena);
    return describe(rows.rows, rows.count, rows.may_end);
}

// Without changes the answer is the next row, and only the end after the last.
static void test_valid_rows_of_a_quiet_table(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    assert_string_equal(valid(table, 0, "", ""), "end");
    put(table, "0", "a=1");
    put(table, "2", "a=2");
    assert_string_equal(valid(table, 2, "", ""), "0:t1[a=1]");
    assert_string_equal(valid(table, 2, "", "0"), "0:t1[a=1]");
    assert_string_equal(valid(table, 2, "", "0 "), "2:t2[a=2]");
    assert_string_equal(valid(table, 2, "", "2 "), "end");
    assert_string_equal(valid(table, 2, "a eq '2'", ""), "2:t2[a=2]");
    assert_string_equal(valid(table, 2, "a eq '3'", ""), "end");
}

// A row inserted before a row that was there all the time may be returned or not; a row inserted
// after it not yet.
static void test_valid_rows_with_rows_that_appear(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "5", "");
    put(table, "7", "");
    put(table, "3", "");
    assert_string_equal(valid(table, 1, "", ""), "5:t1[],3:t3[]");
    assert_string_equal(valid(table, 2, "", "3 "), "5:t1[]");
    assert_string_equal(valid(table, 0, "", ""), "5:t1[],7:t2[],3:t3[],end");
    assert_string_equal(valid(table, 1, "", "5 "), "7:t2[],end");
    assert_string_equal(valid(table, 2, "", "5 "), "7:t2[]");
}

// A row deleted on the way may still be returned, and bounds nothing.
static void test_valid_rows_with_rows_that_disappear(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "");
    put(table, "2", "");
    put(table, "3", "");
    drop(table, "1");
    assert_string_equal(valid(table, 3, "", ""), "1:t1[],2:t2[]");
    assert_string_equal(valid(table, 4, "", ""), "2:t2[]");
    drop(table, "3");
    assert_string_equal(valid(table, 3, "", "2 "), "3:t3[],end");
    drop(table, "2");
    assert_string_equal(valid(table, 3, "", ""), "1:t1[],2:t2[],3:t3[],end");
}

// All versions of the bounding row are valid, old to new: the key counts, not the contents.
static void test_valid_rows_with_rows_that_change(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "a=1");
    put(table, "2", "a=1");
    put(table, "1", "a=2");
    put(table, "1", "a=3");
    put(table, "2", "a=4");
    assert_string_equal(valid(table, 2, "", ""), "1:t1[a=1],1:t3[a=2],1:t4[a=3]");
    assert_string_equal(valid(table, 3, "", ""), "1:t3[a=2],1:t4[a=3]");
    assert_string_equal(valid(table, 2, "", "1 "), "2:t2[a=1],2:t5[a=4]");
}

// A row that is deleted and comes back does not bound, since it was absent in between.
static void test_valid_rows_with_rows_that_come_back(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "");
    put(table, "2", "");
    drop(table, "1");
    put(table, "1", "");
    assert_string_equal(valid(table, 2, "", ""), "1:t1[],2:t2[],1:t3[]");
}

// The filter is evaluated in every revision: what matched at any time may be returned, and only
// what matched at all times bounds.
static void test_valid_rows_with_matches_that_change(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "a=1");
    put(table, "2", "a=1");
    put(table, "1", "a=2");
    put(table, "1", "a=1");
    assert_string_equal(valid(table, 2, "a eq '1'", ""), "1:t1[a=1],2:t2[a=1],1:t4[a=1]");
    put(table, "2", "a=2");
    assert_string_equal(valid(table, 2, "a eq '1'", ""), "1:t1[a=1],2:t2[a=1],1:t4[a=1],end");
    assert_string_equal(valid(table, 2, "a eq '2'", ""), "1:t3[a=2],2:t5[a=2],end");
}

// Versions that are equal by value, as mirrored ETags make them, are one answer.
static void test_valid_rows_drops_equal_versions(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "2", "");
    for (int i = 0; i < 2; i++) {
        struct ct_operation operation = {CT_INSERT, entity("1", NULL, "a=1")};
        struct ct_batch batch = batch_of(1, &operation);
        struct ct_op_result mirrored = {.etag = "x"};
        struct ct_op_result result;
        ct_memory_execute_mirror(table, &batch, &mirrored, &result);
        drop(table, "1");
    }
    assert_string_equal(valid(table, 1, "", ""), "2:t1[],1:x[a=1]");
}

// Membership: by value; the end is NULL.
static void test_is_valid_row_compares_values(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "a=1");
    struct ct_row *same = ct_row_copy(&arena, ct_memory_rows(table).rows[0]);
    struct ct_row *other = ct_row_copy(&arena, same);
    other->etag = "t9";
    size_t mark = arena_mark(&arena);
    struct ct_memory_window window = {.table = table, .start = 1, .from = ct_key_first()};
    assert_true(ct_memory_is_valid_row(&window, same, &arena));
    assert_false(ct_memory_is_valid_row(&window, other, &arena));
    assert_false(ct_memory_is_valid_row(&window, NULL, &arena));
    window.start = 0;
    assert_true(ct_memory_is_valid_row(&window, same, &arena));
    assert_true(ct_memory_is_valid_row(&window, NULL, &arena));
    assert_int_equal(arena_mark(&arena), mark);
}

// A start in the future is a mistake of the caller.
static void test_valid_rows_asserts_the_start(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    struct ct_memory_window window = {.table = table, .start = 1, .from = ct_key_first()};
    expect_assert_failure(ct_memory_valid_rows(&window, &arena));
    assert_int_equal(failed_as, FAIL_ASSERTION);
}

// ---- The valid-row rule by brute force ---------------------------------------------------------

// The definition of the valid-row rule word by word, with its own order, equality and filter.
enum { UNIVERSE = 6 };
static const char *const universe[UNIVERSE] = {"0", "0 ", "00", "1", "2", "a"};

// "Property a is [value]" (NULL: every row matches), in both forms.
struct simple_filter {
    const char *text, *value;
};

static bool simply_matches(const struct simple_filter *filter, const struct ct_row *row) {
    if (!filter->value)
        return true;
    for (size_t i = 0; i < row->property_count; i++)
        if (strcmp(row->properties[i].name, "a") == 0)
            return strcmp(row->properties[i].value.string, filter->value) == 0;
    return false;
}

// The row of D_j with the key number [k], or NULL.
static const struct ct_row *member(struct ct_rows snapshot, const struct simple_filter *filter,
                                   const char *from, int k) {
    for (size_t i = 0; i < snapshot.count; i++) {
        const struct ct_row *row = snapshot.rows[i];
        if (strcmp(row->key.row, universe[k]) == 0)
            return strcmp(row->key.row, from) >= 0 && simply_matches(filter, row) ? row : NULL;
    }
    return NULL;
}

// The number of the smallest key in every D_j, or UNIVERSE.
static int smallest_common(const struct ct_memory_table *table, size_t start,
                           const struct simple_filter *filter, const char *from) {
    for (int k = 0; k < UNIVERSE; k++) {
        bool in_all = true;
        for (size_t j = start; j <= ct_memory_revision(table); j++)
            in_all &= member(ct_memory_rows_at(table, j), filter, from, k) != NULL;
        if (in_all)
            return k;
    }
    return UNIVERSE;
}

// All versions in words, each once: the words hold everything that tells two versions apart here.
static const char *brute_force(const struct ct_memory_table *table, size_t start,
                               const struct simple_filter *filter, const char *from) {
    const char *seen[512];
    size_t count = 0;
    int last = smallest_common(table, start, filter, from);
    for (size_t j = start; j <= ct_memory_revision(table); j++) {
        for (int k = 0; k < UNIVERSE && k <= last; k++) {
            const struct ct_row *row = member(ct_memory_rows_at(table, j), filter, from, k);
            const char *words = row ? describe(&row, 1, false) : NULL;
            bool known = !row;
            for (size_t i = 0; i < count; i++)
                known = known || strcmp(seen[i], words) == 0;
            assert_true(count < 512);
            if (!known)
                seen[count++] = words;
        }
    }
    char *buffer = arena_alloc(&arena, 1024);
    struct text text = text_in(buffer, 1024);
    for (size_t i = 0; i < count; i++)
        text_add(&text, "%s%s", i ? "," : "", seen[i]);
    if (last == UNIVERSE)
        text_add(&text, "%send", count ? "," : "");
    return buffer;
}

// A batch of one or two operations that cannot fail; some with ETags that come again.
static void random_batch(struct ct_memory_table *table, struct rng *rng) {
    static const char *const properties[] = {"", "a=1", "a=2", "a=1 b=1", "b=1"};
    static const char *const etags[] = {"x", "y", NULL};
    struct ct_operation operations[2];
    struct ct_op_result mirrored[2];
    struct ct_op_result results[2];
    size_t count = 1 + rng_below(rng, 2);
    for (size_t i = 0; i < count; i++) {
        static const enum ct_op_type types[] = {CT_DELETE, CT_INSERT_OR_REPLACE,
                                                CT_INSERT_OR_MERGE};
        enum ct_op_type type = types[rng_below(rng, 3)];
        const char *row = universe[rng_below(rng, UNIVERSE)];
        operations[i].type = type;
        operations[i].entity =
            entity(row, type == CT_DELETE ? "**" : NULL, properties[rng_below(rng, 5)]);
        mirrored[i] = (struct ct_op_result){.etag = etags[rng_below(rng, 3)]};
    }
    struct ct_batch batch = batch_of(count, operations);
    bool mirrors = rng_below(rng, 3) == 0;
    struct ct_outcome outcome =
        ct_memory_execute_mirror(table, &batch, mirrors ? mirrored : NULL, results);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
}

// In 400 random histories of 12 batches, for every start, filter and position, the list is the one
// of the definition, in the same order.
static void test_valid_rows_agrees_with_brute_force(void **state) {
    (void)state;
    static const struct simple_filter filters[] = {{"", NULL}, {"a eq '1'", "1"}};
    struct rng rng;
    rng_seed(&rng, 17);
    for (int history = 0; history < 400; history++) {
        arena_reset(&arena, 0);
        struct ct_memory_table *table = open_table();
        for (int i = 0; i < 12; i++)
            random_batch(table, &rng);
        size_t mark = arena_mark(&arena);
        for (size_t start = 0; start <= 12; start++) {
            for (int k = -1; k < UNIVERSE; k++) {
                arena_reset(&arena, mark);
                const struct simple_filter *filter = &filters[rng_below(&rng, 2)];
                const char *from = k < 0 ? "" : universe[k];
                assert_string_equal(valid(table, start, filter->text, from),
                                    brute_force(table, start, filter, from));
            }
        }
    }
}

// ---- Streams -----------------------------------------------------------------------------------

static struct ct_stream *open_stream(struct ct_memory_table *table,
                                     const struct ct_filter *filter) {
    struct ct_stream *stream;
    struct ct_outcome outcome = ct_open_stream(ct_memory_table_interface(table), filter, &stream);
    assert_int_equal(outcome.kind, CT_SUCCEEDED);
    return stream;
}

static const char *read_row(struct ct_stream *stream) {
    const struct ct_row *row;
    assert_int_equal(ct_stream_read(stream, &row).kind, CT_SUCCEEDED);
    return describe(&row, row ? 1 : 0, !row);
}

// On a quiet table a stream gives the matching rows in order and stays at the end; every answer is
// the only one, and after the end nothing is asked.
static void test_stream_gives_rows_then_the_end_for_ever(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "0", "a=1");
    put(table, "1", "a=2");
    put(table, "2", "a=1");
    struct ct_stream *stream = open_stream(table, parse("a eq '1'"));
    assert_string_equal(read_row(stream), "0:t1[a=1]");
    assert_string_equal(read_row(stream), "2:t3[a=1]");
    assert_string_equal(read_row(stream), "end");
    put(table, "9", "a=1");
    assert_string_equal(read_row(stream), "end");
    assert_int_equal(choices.asked, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(choices.counts[i], 1);
    ct_stream_close(stream);
}

// Each read asks with the number of answers of that moment, the end last, and goes on behind the
// row that was picked, also behind one that is gone by now.
static void test_stream_picks_among_the_answers_of_the_moment(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "1", "");
    put(table, "3", "");
    struct ct_stream *stream = open_stream(table, NULL);
    drop(table, "1");
    put(table, "2", "");
    put(table, "4", "");
    memcpy(choices.answers, (size_t[]){0, 1, 0, 1}, 4 * sizeof(size_t));
    assert_string_equal(read_row(stream), "1:t1[]"); // of 1, 3, 2
    assert_string_equal(read_row(stream), "2:t3[]"); // of 3, 2
    drop(table, "3");
    assert_string_equal(read_row(stream), "3:t2[]"); // of 3, 4, end
    assert_string_equal(read_row(stream), "end");    // of 4, end
    assert_int_equal(choices.asked, 4);
    const size_t counts[] = {3, 2, 3, 2};
    for (int i = 0; i < 4; i++)
        assert_int_equal(choices.counts[i], counts[i]);
}

// What happened before a stream was opened does not concern it.
static void test_stream_starts_at_the_revision_of_its_opening(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    put(table, "0", "");
    drop(table, "0");
    assert_string_equal(read_row(open_stream(table, NULL)), "end");
    assert_int_equal(choices.counts[0], 1);
}

// The empty keys are a row's too, and the stream goes on behind them.
static void test_stream_begins_with_the_first_key(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    struct ct_row *row = entity("", NULL, "");
    row->key.partition = "";
    apply(table, CT_INSERT, row);
    put(table, "", "");
    struct ct_stream *stream = open_stream(table, NULL);
    assert_string_equal(read_row(stream), ":t1[]");
    assert_string_equal(read_row(stream), ":t2[]");
    assert_string_equal(read_row(stream), "end");
}

// Without a chooser the first answer is taken.
static void test_stream_without_a_chooser_takes_the_first(void **state) {
    (void)state;
    struct ct_memory_options options = {.arena = &arena, .etag_prefix = "t"};
    struct ct_memory_table *table = ct_memory_table_open(&options);
    put(table, "1", "");
    struct ct_stream *stream = open_stream(table, NULL);
    put(table, "0", "");
    assert_string_equal(read_row(stream), "1:t1[]");
}

// An answer outside the count is a mistake of the chooser.
static void test_stream_asserts_the_choice(void **state) {
    (void)state;
    struct ct_memory_table *table = open_table();
    struct ct_stream *stream = open_stream(table, NULL);
    choices.answers[0] = 1;
    const struct ct_row *row;
    expect_assert_failure(ct_stream_read(stream, &row));
    assert_int_equal(failed_as, FAIL_ASSERTION);
}

// Closing twice does nothing; reading a closed stream is a program error.
static void test_stream_is_not_read_after_close(void **state) {
    (void)state;
    struct ct_stream *stream = open_stream(open_table(), NULL);
    assert_null(stream->ops->continuation_key);
    ct_stream_close(stream);
    expect_assert_failure(ct_stream_close(stream));
    const struct ct_row *row;
    assert_int_equal(ct_stream_read(stream, &row).kind, CT_PROGRAM_ERROR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_valid_rows_of_a_quiet_table),
        TEST(test_valid_rows_with_rows_that_appear),
        TEST(test_valid_rows_with_rows_that_disappear),
        TEST(test_valid_rows_with_rows_that_change),
        TEST(test_valid_rows_with_rows_that_come_back),
        TEST(test_valid_rows_with_matches_that_change),
        TEST(test_valid_rows_drops_equal_versions),
        TEST(test_is_valid_row_compares_values),
        TEST(test_valid_rows_asserts_the_start),
        TEST(test_valid_rows_agrees_with_brute_force),
        TEST(test_stream_gives_rows_then_the_end_for_ever),
        TEST(test_stream_picks_among_the_answers_of_the_moment),
        TEST(test_stream_starts_at_the_revision_of_its_opening),
        TEST(test_stream_begins_with_the_first_key),
        TEST(test_stream_without_a_chooser_takes_the_first),
        TEST(test_stream_asserts_the_choice),
        TEST(test_stream_is_not_read_after_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

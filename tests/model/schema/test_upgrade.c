// The rolling schema upgrade without an engine: what each release reads and writes, the worker, and
// the order of the roll-out, over one memory table.
#include "tests/support/test.h"

#include "core/base/text.h"
#include "model/schema/entry.h"
#include "model/table/batch.h"
#include "model/memory/memory_table.h"
#include "model/table/row.h"

#include <string.h>

static struct arena arena;
static struct ct_memory_table *memory;
static struct bug_set bugs;
static struct su_server server;

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 1 << 22);
    memory =
        ct_memory_table_open(&(struct ct_memory_options){.arena = &arena, .etag_prefix = "e-"});
    bugs = (struct bug_set){.on = 0};
    server = (struct su_server){.station = "athgr",
                                .table = ct_memory_table_interface(memory),
                                .arena = &arena,
                                .bugs = &bugs};
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_deinit(&arena);
    return 0;
}

// The server of [release] from now on.
static struct su_server *as(enum su_release release) {
    server.release = release;
    return &server;
}

static void insert(enum su_release release, const char *key) {
    struct su_sample sample = {.time = 1, .temperature = 20, .area = "Athens"};
    assert_int_equal(su_insert(as(release), key, &sample).result, SU_DONE);
}

// The stored entry as text: version, temperature, area, scale.
static void assert_stored(const char *key, const char *expected) {
    const struct ct_row *row = ct_rows_find(ct_memory_rows(memory), (struct ct_key){"athgr", key});
    char buffer[100];
    struct text text = text_in(buffer, sizeof buffer);
    assert_non_null(row);
    const struct ct_property *area = ct_row_property(row, SU_AREA);
    const struct ct_property *scale = ct_row_property(row, SU_SCALE);
    text_add(&text, "%s %d %s %s", ct_row_property(row, SU_VERSION)->value.string,
             (int)ct_row_property(row, SU_TEMPERATURE)->value.int32,
             area ? area->value.string : "-", scale ? scale->value.string : "-");
    assert_string_equal(buffer, expected);
}

// Each release inserts entries of its own version.
static void test_inserts(void **state) {
    (void)state;
    static const char *const expected[] = {"1.0 20 - C", "1.0 20 - C", "1.5 20 Spata C",
                                           "2.0 20 Athens C", "3.0 20 Athens -"};
    for (int release = 0; release < SU_RELEASE_COUNT; release++) {
        char key[2] = {(char)('0' + release), '\0'};
        insert((enum su_release)release, arena_strdup(&arena, key));
        assert_stored(key, expected[release]);
    }
    struct su_sample sample = {.time = 1};
    assert_int_equal(su_insert(as(SU_R2), "0", &sample).result, SU_CONFLICT);
}

// A temperature update of each release on an entry of each that it may meet.
static void test_updates(void **state) {
    (void)state;
    static const struct {
        enum su_release writer, updater;
        const char *expected;
    } cases[] = {
        {SU_R1_STRICT, SU_R1_STRICT, "1.0 21 - C"},  {SU_R1_STRICT, SU_R1_TOLERANT, "1.0 21 - C"},
        {SU_R1_5, SU_R1_TOLERANT, "1.5 21 Spata C"}, {SU_R1_STRICT, SU_R1_5, "1.5 21 Spata C"},
        {SU_R1_5, SU_R1_5, "1.5 21 Spata C"},        {SU_R2, SU_R1_5, "2.0 21 Athens C"},
        {SU_R1_STRICT, SU_R2, "1.0 21 - C"},         {SU_R1_5, SU_R2, "1.5 21 Spata C"},
        {SU_R2, SU_R2, "2.0 21 Athens C"},           {SU_R3, SU_R2, "3.0 21 Athens -"},
        {SU_R2, SU_R3, "3.0 21 Athens -"},           {SU_R3, SU_R3, "3.0 21 Athens -"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        insert(cases[i].writer, "k");
        struct su_outcome outcome = su_update_temperature(as(cases[i].updater), "k", 1);
        assert_int_equal(outcome.result, SU_DONE);
        assert_int_equal(outcome.retries, 0);
        assert_stored("k", cases[i].expected);
        assert_int_equal(su_delete(&server, "k").result, SU_DONE);
    }
    assert_int_equal(su_update_temperature(&server, "k", 1).result, SU_NOT_FOUND);
    assert_int_equal(su_delete(&server, "k").result, SU_NOT_FOUND);
}

// Choosing an area makes 2.0 of what is older; an entry at 3.0 keeps its version.
static void test_choices(void **state) {
    (void)state;
    static const char *const expected[] = {"2.0 20 Patras C", "2.0 20 Patras C", "2.0 20 Patras C",
                                           "2.0 20 Patras C", "3.0 20 Patras -"};
    for (int release = 0; release < SU_RELEASE_COUNT; release++) {
        insert((enum su_release)release, "k");
        assert_int_equal(su_choose_area(as(SU_R2), "k", "Patras").result, SU_DONE);
        assert_stored("k", expected[release]);
        su_delete(&server, "k");
    }
}

static const char *area_read(enum su_release release, const char *key) {
    struct su_reading reading;
    assert_int_equal(su_read(as(release), key, &reading).result, SU_DONE);
    assert_string_equal(reading.scale, "C");
    return reading.area;
}

// Only R2 and later use an area, and only one that was chosen.
static void test_readings(void **state) {
    (void)state;
    insert(SU_R1_5, "default");
    insert(SU_R2, "chosen");
    insert(SU_R3, "three");
    assert_null(area_read(SU_R1_5, "chosen"));
    assert_null(area_read(SU_R2, "default"));
    assert_string_equal(area_read(SU_R2, "chosen"), "Athens");
    assert_string_equal(area_read(SU_R2, "three"), "Athens");
    assert_string_equal(area_read(SU_R3, "three"), "Athens");
    bug_set_inject(&bugs, BUG_TRUST_DEFAULT);
    if (bug_are_built_in())
        assert_string_equal(area_read(SU_R2, "default"), "Spata");
}

// What a class cannot read: a strict one the unknown, all but R2 and R3 a missing Scale.
static void test_unreadable(void **state) {
    (void)state;
    struct su_reading reading;
    insert(SU_R1_5, "area");
    insert(SU_R3, "scale");
    struct su_outcome outcome = su_read(as(SU_R1_STRICT), "area", &reading);
    assert_int_equal(outcome.result, SU_UNREADABLE);
    assert_string_equal(outcome.property, SU_AREA);
    assert_int_equal(su_read(as(SU_R1_TOLERANT), "area", &reading).result, SU_DONE);
    outcome = su_read(as(SU_R1_5), "scale", &reading);
    assert_int_equal(outcome.result, SU_UNREADABLE);
    assert_string_equal(outcome.property, SU_SCALE);
}

static void count(void *context, const char *key, const struct su_reading *reading) {
    (void)key;
    (void)reading;
    ++*(int *)context;
}

// A scan shows every entry and stops at one that cannot be read.
static void test_scan(void **state) {
    (void)state;
    int seen = 0;
    insert(SU_R1_STRICT, "a");
    insert(SU_R1_STRICT, "b");
    assert_int_equal(su_scan(as(SU_R1_STRICT), count, &seen).result, SU_DONE);
    assert_int_equal(seen, 2);
    insert(SU_R1_5, "aa");
    seen = 0;
    assert_int_equal(su_scan(as(SU_R1_STRICT), count, &seen).result, SU_UNREADABLE);
    assert_int_equal(seen, 1);
}

// ---- Somebody in between -----------------------------------------------------------------------

// A table that runs [interlude] once before the next execute.
static struct ct_table meddled;
static void (*interlude)(void);

static struct ct_outcome meddled_execute(struct ct_table *table, const char *where,
                                         struct ct_batch *batch, struct arena *to,
                                         struct ct_op_result *results) {
    (void)table;
    (void)where;
    void (*now)(void) = interlude;
    interlude = NULL;
    if (now)
        now();
    return ct_execute(ct_memory_table_interface(memory), batch, to, results);
}

static struct ct_outcome meddled_query(struct ct_table *table, const char *where,
                                       const struct ct_filter *filter, struct arena *to,
                                       struct ct_rows *rows) {
    (void)table;
    (void)where;
    return ct_query(ct_memory_table_interface(memory), filter, to, rows);
}

static struct ct_outcome meddled_open(struct ct_table *table, const char *where,
                                      const struct ct_filter *filter, struct ct_stream **stream) {
    (void)table;
    (void)where;
    return ct_open_stream(ct_memory_table_interface(memory), filter, stream);
}

static struct su_server meddle(enum su_release release, void (*function)(void)) {
    static const struct ct_table_ops ops = {.version = CT_TABLE_VERSION,
                                            .execute = meddled_execute,
                                            .query = meddled_query,
                                            .open_stream = meddled_open};
    meddled.ops = &ops;
    interlude = function;
    struct su_server other = server;
    other.release = release;
    other.table = &meddled;
    return other;
}

static void update_k(void) {
    assert_int_equal(su_update_temperature(&server, "k", 5).result, SU_DONE);
}

static void delete_k(void) {
    assert_int_equal(su_delete(&server, "k").result, SU_DONE);
}

static void choose_k(void) {
    assert_int_equal(su_choose_area(as(SU_R2), "k", "Patras").result, SU_DONE);
}

// An update that meets a 412 reads again and adds to what is there now; on a 404 it gives up.
static void test_update_tries_again(void **state) {
    (void)state;
    insert(SU_R1_STRICT, "k");
    struct su_server other = meddle(SU_R1_STRICT, update_k);
    struct su_outcome outcome = su_update_temperature(&other, "k", 1);
    assert_int_equal(outcome.result, SU_DONE);
    assert_int_equal(outcome.retries, 1);
    assert_stored("k", "1.0 26 - C");
    other = meddle(SU_R1_STRICT, delete_k);
    assert_int_equal(su_update_temperature(&other, "k", 1).result, SU_NOT_FOUND);
}

// The worker brings every version to 2.0 and then to 3.0, and keeps what was chosen.
static void test_worker_passes(void **state) {
    (void)state;
    insert(SU_R1_STRICT, "0");
    insert(SU_R1_5, "1");
    insert(SU_R2, "2");
    assert_int_equal(su_worker_pass(as(SU_R2)).result, SU_DONE);
    assert_stored("0", "2.0 20 survey C");
    assert_stored("1", "2.0 20 survey C");
    assert_stored("2", "2.0 20 Athens C");
    assert_int_equal(su_worker_pass(as(SU_R3)).result, SU_DONE);
    assert_stored("0", "3.0 20 survey -");
    assert_stored("2", "3.0 20 Athens -");
    size_t revision = ct_memory_revision(memory);
    assert_int_equal(su_worker_pass(&server).result, SU_DONE);
    assert_int_equal(ct_memory_revision(memory), revision);
}

// What the worker finds changed under its hands: updated, chosen, deleted.
static void test_worker_meets_others(void **state) {
    (void)state;
    static const struct {
        void (*interlude)(void);
        const char *expected;
    } cases[] = {{update_k, "2.0 25 survey C"}, {choose_k, "2.0 20 Patras C"}, {delete_k, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        insert(SU_R1_STRICT, "k");
        as(SU_R2);
        struct su_server worker = meddle(SU_R2, cases[i].interlude);
        assert_int_equal(su_worker_pass(&worker).result, SU_DONE);
        if (!cases[i].expected)
            break;
        assert_stored("k", cases[i].expected);
        delete_k();
    }
    assert_int_equal(ct_memory_rows(memory).count, 0);
}

// ---- The roll-out ------------------------------------------------------------------------------

static bool allows(const struct su_fleet *fleet, size_t index, enum su_release expected) {
    enum su_release next = SU_RELEASE_COUNT;
    return su_rollout_allows(fleet, index, &next) && next == expected;
}

// Rows are written with their properties in order, which nobody looks at there.
static void test_entries_are_in_the_order_of_names(void **state) {
    (void)state;
    for (int i = 0; i < SU_RELEASE_COUNT * 4; i++) {
        struct su_entry entry = {
            .key = {"athgr", "0"}, .scale = i & 1 ? "C" : NULL, .area = i & 2 ? "Athens" : NULL};
        const struct ct_row *row = su_entry_format((enum su_release)(i / 4), &entry, "e-1", &arena);
        assert_in_range(row->property_count, 3, 5);
        const struct ct_row *sorted =
            ct_row_new(&arena, row->key, row->etag, row->properties, row->property_count);
        assert_true(ct_row_equal(row, sorted));
    }
}

// In every fleet of two and three servers: an upgrade goes one release on, never away from a server
// that is behind, and to R3 only when nothing below 2.0 is left.
static void test_rollout(void **state) {
    (void)state;
    for (int code = 0; code < 2 * 5 * 5; code++) {
        struct su_fleet fleet = {
            .releases = {(enum su_release)(code / 2 % 5), (enum su_release)(code / 10)},
            .count = 2,
            .swept = code % 2 ? SU_2_0 : SU_1_0,
            .bugs = &bugs};
        enum su_release mine = fleet.releases[0], other = fleet.releases[1], next;
        bool expected = mine < SU_R3 && mine <= other && (mine != SU_R2 || code % 2);
        assert_int_equal(su_rollout_allows(&fleet, 0, &next), expected);
        if (expected)
            assert_int_equal(next, mine + 1);
    }
}

static void test_rollout_bugs(void **state) {
    (void)state;
    struct su_fleet fleet = {.releases = {SU_R1_TOLERANT, SU_R1_STRICT}, .count = 2, .bugs = &bugs};
    if (!bug_are_built_in())
        return;
    assert_false(allows(&fleet, 0, SU_R1_5));
    bug_set_inject(&bugs, BUG_HYBRID_BEFORE_TOLERANT);
    assert_true(allows(&fleet, 0, SU_R1_5));
    bugs.on = 0;
    assert_true(allows(&fleet, 1, SU_R1_TOLERANT));
    bug_set_inject(&bugs, BUG_SKIP_HYBRID);
    assert_true(allows(&fleet, 1, SU_R2));
}

static void test_worker_is_due(void **state) {
    (void)state;
    struct su_fleet fleet = {.releases = {SU_R2, SU_R2}, .count = 2};
    assert_true(su_worker_is_due(&fleet));
    fleet.swept = SU_2_0;
    assert_false(su_worker_is_due(&fleet));
    fleet.releases[0] = SU_R3;
    assert_false(su_worker_is_due(&fleet));
    fleet.releases[1] = SU_R3;
    assert_true(su_worker_is_due(&fleet));
    fleet.swept = SU_3_0;
    assert_false(su_worker_is_due(&fleet));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_inserts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_entries_are_in_the_order_of_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_updates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_choices, setup, teardown),
        cmocka_unit_test_setup_teardown(test_readings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_scan, setup, teardown),
        cmocka_unit_test_setup_teardown(test_update_tries_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_worker_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_worker_meets_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rollout, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rollout_bugs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_worker_is_due, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

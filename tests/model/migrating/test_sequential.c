// The protocol without concurrency: every operation in every situation, its outcome against the
// reference table and its backend calls against section 4.2 of the specification.
//
// The model deviates from the published protocol in three points (bugs 16 to 18): in the last state
// no partition is switched and no metadata is written, and a stream drops the old table one state
// earlier. The expectations here are those of the model.
#include "tests/model/migrating/situations.h"

// ---- Expected records --------------------------------------------------------------------------

static void expect_switch(struct text *text, enum mt_partition_state partition) {
    text_add(text, "old.query A ");
    if (partition != MT_PARTITION_SWITCHED)
        text_add(text, "old.execute A ");
}

// The calls of NewTableBatch over the rows named in [rows], all in the situation [at].
static void expect_new_table(struct text *text, struct situation at, const char *rows,
                             bool succeeds) {
    if (at.state < MT_USE_NEW_HIDE_METADATA)
        expect_switch(text, at.partition);
    if (at.state <= MT_PREFER_NEW) {
        text_add(text, "old.query A new.query A ");
        for (const char *row = rows; at.row == ROW_OLD && *row; row++)
            text_add(text, "new.execute E(%c) ", *row);
    }
    text_add(text, succeeds ? "new.query A new.execute LP" : "new.query LP");
}

static void expect_batch(struct text *text, struct situation at, const char *rows, bool succeeds) {
    if (at.state == MT_USE_OLD_HIDE_METADATA) {
        text_add(text, "old.execute LP");
        return;
    }
    if (at.state == MT_PREFER_OLD) {
        text_add(text, "old.execute A old.execute ");
        if (at.partition != MT_PARTITION_SWITCHED) {
            text_add(text, "LP");
            return;
        }
        text_add(text, "A ");
    }
    expect_new_table(text, at, rows, succeeds);
}

static void expect_query(struct text *text, struct situation at) {
    if (at.state >= MT_USE_NEW_WITH_TOMBSTONES)
        text_add(text, "new.query LP");
    else if (at.state == MT_USE_OLD_HIDE_METADATA || at.partition != MT_PARTITION_SWITCHED)
        text_add(text, "old.query LP");
    else
        text_add(text, "old.query A new.query LP");
}

// ---- Checks ------------------------------------------------------------------------------------

static void require_record(const char *expected) {
    if (strcmp(world.record_buffer, expected) != 0)
        fail_msg("%s:\n  expected %s\n  recorded %s", context, expected, world.record_buffer);
}

// The whole virtual table is the reference's, and the calls of that query are as specified.
static void require_same_view(struct situation at, enum mt_partition_state partition) {
    char buffer[200];
    struct text expected = text_in(buffer, sizeof buffer);
    struct ct_outcome outcome;
    direct_clear(&world);
    const char *wrong =
        direct_run_query(&world, world.table, ct_filter_in_partition(&world.arena, "p"), &outcome);
    require(!wrong, wrong);
    expect_query(&expected, (struct situation){at.state, partition, at.row});
    require_record(buffer);
}

static const struct ct_row *raw_new_row(const char *row) {
    return ct_rows_find(ct_memory_rows(world.new_memory), (struct ct_key){"p", row});
}

// How a row that a successful operation wrote must stand in the new table.
static void require_written_form(struct situation at, const char *row, size_t form) {
    const struct ct_row *raw = raw_new_row(row);
    const struct ct_property *mark = raw ? ct_row_property(raw, MT_DELETED_PROPERTY) : NULL;
    bool is_delete = forms[form].type == CT_DELETE;
    if (at.state == MT_USE_NEW_HIDE_METADATA) {
        // A Merge leaves what it does not name, so an older mark may stay until clean-up.
        bool merges = forms[form].type == CT_MERGE || forms[form].type == CT_INSERT_OR_MERGE;
        require(is_delete ? !raw : raw && (!mark || merges), "form of the row in the last state");
        require(!mark || !mark->value.boolean, "a tombstone in the last state");
    } else {
        require(mark && mark->type == CT_BOOL && mark->value.boolean == is_delete,
                "form of the row in the new table");
    }
}

static enum mt_partition_state partition_after(struct situation at) {
    if (at.state == MT_USE_OLD_HIDE_METADATA || at.state == MT_USE_NEW_HIDE_METADATA)
        return at.partition;
    if (at.state == MT_PREFER_OLD && at.partition != MT_PARTITION_SWITCHED)
        return MT_PARTITION_POPULATED;
    return MT_PARTITION_SWITCHED;
}

static void require_partition(enum mt_partition_state expected) {
    struct ct_rows rows = ct_memory_rows(world.old_memory);
    const struct ct_row *meta = ct_rows_find(rows, (struct ct_key){"p", MT_META_ROW});
    const struct ct_row *assertion = ct_rows_find(rows, (struct ct_key){"p", MT_ASSERTION_ROW});
    const struct ct_property *state =
        meta ? ct_row_property(meta, MT_PARTITION_STATE_PROPERTY) : NULL;
    require((expected == MT_PARTITION_NONE) == !meta, "existence of the meta row");
    require(!meta || (state && state->value.int32 == (int32_t)expected), "state in the meta row");
    require((expected == MT_PARTITION_POPULATED) == (assertion != NULL), "the assertion row");
}

// Runs one batch of [count] operations on the rows 1 and 5.
static void try_batch(struct situation at, const size_t *form, size_t count) {
    static const char *const rows[] = {"1", "5"};
    const char *etags[2];
    char expected_buffer[600];
    struct text expected = text_in(expected_buffer, sizeof expected_buffer);
    enter(at, etags);
    struct ct_batch batch = ct_batch_new(&world.arena, count);
    for (size_t i = 0; i < count; i++)
        add_form(&batch, form[i], rows[i], etags[i]);
    char what[100];
    snprintf(what, sizeof what, "forms %zu %d", form[0], count > 1 ? (int)form[1] : -1);
    set_context(at, what);
    struct ct_outcome outcome;
    const char *wrong = direct_run_batch(&world, world.table, &batch, &outcome);
    require(!wrong, wrong);
    require(outcome.kind == CT_SUCCEEDED || outcome.kind == CT_STORAGE_ERROR, "kind of outcome");
    bool succeeded = outcome.kind == CT_SUCCEEDED;
    expect_batch(&expected, at, count > 1 ? "15" : "1", succeeded);
    require_record(expected_buffer);
    require(world.annotations == world.annotatable, "annotations");
    bool is_in_new = at.state >= MT_PREFER_NEW ||
                     (at.state == MT_PREFER_OLD && at.partition == MT_PARTITION_SWITCHED);
    for (size_t i = 0; succeeded && is_in_new && i < count; i++)
        require_written_form(at, rows[i], form[i]);
    require_partition(partition_after(at));
    require_same_view(at, partition_after(at));
}

// Every operation with every kind of If-Match, alone, in every situation of one client state:
// outcome, results, entities, backend calls, stored form and view afterwards are as specified.
static void test_batch_of_one(void **state) {
    enum mt_state client_state = *(enum mt_state *)*state;
    size_t tried = 0;
    for (int partition = 0; partition <= MT_PARTITION_NONE; partition++)
        for (int row = 0; row < ROW_SITUATIONS; row++)
            for (size_t form = 0; form < FORMS; form++) {
                struct situation at = situation_at(client_state, partition, row);
                if (!is_possible(at))
                    continue;
                try_batch(at, &form, 1);
                tried++;
            }
    assert_true(tried >= 4 * FORMS);
}

// Every pair of operations in one batch: also the first failing index and the all-or-nothing rule.
static void test_batch_of_two(void **state) {
    enum mt_state client_state = *(enum mt_state *)*state;
    for (int partition = 0; partition <= MT_PARTITION_NONE; partition++)
        for (int row = 0; row < ROW_SITUATIONS; row++)
            for (size_t pair = 0; pair < (size_t)FORMS * FORMS; pair++) {
                struct situation at = situation_at(client_state, partition, row);
                if (is_possible(at))
                    try_batch(at, (const size_t[]){pair / FORMS, pair % FORMS}, 2);
            }
}

// Every kind of filter in every situation of one client state: the rows and the calls are those
// specified.
static void test_query(void **state) {
    static const char *const filters[] = {
        "PartitionKey eq 'p'",
        "(PartitionKey eq 'p') and (isHappy eq true)",
        "(PartitionKey eq 'p') and (isHappy eq false)",
        "(PartitionKey eq 'p') and (isHappy ne true)",
        "(PartitionKey eq 'p') and (RowKey eq '1')",
        "(PartitionKey eq 'p') and (RowKey eq '3')",
        "(PartitionKey eq 'p') and ((RowKey ge '1') and (RowKey lt '5'))",
        "(PartitionKey eq 'p') and ((isHappy eq false) or (RowKey eq '5'))",
        "PartitionKey eq 'nobody'",
    };
    for (int partition = 0; partition <= MT_PARTITION_NONE; partition++)
        for (int row = 0; row < ROW_SITUATIONS; row++)
            for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
                struct situation at = situation_at(*(enum mt_state *)*state, partition, row);
                const char *etags[2];
                char buffer[200];
                struct text expected = text_in(buffer, sizeof buffer);
                struct ct_outcome outcome;
                if (!is_possible(at))
                    continue;
                enter(at, etags);
                set_context(at, filters[i]);
                const char *wrong = direct_run_query(&world, world.table,
                                                     direct_filter(&world, filters[i]), &outcome);
                require(!wrong, wrong);
                if (strstr(filters[i], "nobody"))
                    at.partition = MT_PARTITION_NONE; // that partition has no meta row
                expect_query(&expected, at);
                require_record(buffer);
            }
}

// Program errors of the caller, in every state: answered before any backend call.
static void test_program_errors(void **state) {
    const char *etags[2];
    struct ct_outcome outcome;
    struct ct_rows rows;
    enter((struct situation){*(enum mt_state *)*state, MT_PARTITION_NONE, ROW_ABSENT}, etags);
    struct ct_batch empty = ct_batch_new(&world.arena, 1);
    outcome = ct_execute(world.table, &empty, &world.arena, NULL);
    assert_int_equal(outcome.kind, CT_PROGRAM_ERROR);
    struct ct_batch null_key = ct_batch_new(&world.arena, 1);
    struct ct_op_result result;
    ct_batch_add(&null_key, CT_INSERT,
                 ct_row_new(&world.arena, (struct ct_key){"p", NULL}, NULL, NULL, 0));
    outcome = ct_execute(world.table, &null_key, &world.arena, &result);
    assert_int_equal(outcome.kind, CT_PROGRAM_ERROR);
    static const char *const filters[] = {"", "isHappy eq true", "PartitionKey ge 'p'",
                                          "(isHappy eq true) and (PartitionKey eq 'p')"};
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        outcome = ct_query(world.table, direct_filter(&world, filters[i]), &world.arena, &rows);
        assert_int_equal(outcome.kind, CT_PROGRAM_ERROR);
    }
    assert_string_equal(world.record_buffer, "");
    assert_null(world.service.first); // nor is anybody still subscribed
}

// ---- The overlay -------------------------------------------------------------------------------

// A partition with every mixture of old and new rows, in the overlay states: the new row wins,
// tombstones hide, a new row that does not match hides its old version, order is ordinal.
static void test_query_overlay(void **state) {
    enum mt_state client_state = *(enum mt_state *)*state;
    static const struct {
        const char *row;
        enum row_situation situation;
    } data[] = {{"0", ROW_OLD},       {"0 ", ROW_NEW}, {"00", ROW_OLD}, {"1", ROW_NEW},
                {"2", ROW_TOMBSTONE}, {"_", ROW_OLD},  {"_z", ROW_NEW}, {"z", ROW_TOMBSTONE}};
    static const struct {
        const char *filter, *rows;
    } cases[] = {{"PartitionKey eq 'p'", "0,0 ,00,1,_,_z,"},
                 {"(PartitionKey eq 'p') and (isHappy eq true)", "0,00,_,"},
                 {"(PartitionKey eq 'p') and (isHappy eq false)", "0 ,1,_z,"},
                 {"(PartitionKey eq 'p') and (RowKey ge '_')", "_,_z,"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        direct_reset(&world, client_state);
        direct_put_meta(&world, "p", MT_PARTITION_SWITCHED);
        for (size_t k = 0; k < sizeof data / sizeof data[0]; k++)
            place_row(data[k].row, data[k].situation);
        direct_clear(&world);
        struct ct_rows rows;
        struct ct_outcome outcome =
            ct_query(world.table, direct_filter(&world, cases[i].filter), &world.arena, &rows);
        assert_int_equal(outcome.kind, CT_SUCCEEDED);
        char buffer[200];
        struct text found = text_in(buffer, sizeof buffer);
        for (size_t k = 0; k < rows.count; k++) {
            text_add(&found, "%s,", rows.rows[k]->key.row);
            assert_null(ct_row_property(rows.rows[k], MT_DELETED_PROPERTY));
        }
        assert_string_equal(buffer, cases[i].rows);
        assert_string_equal(world.record_buffer, "old.query A new.query LP");
    }
}

// ---- Interference and errors -------------------------------------------------------------------

// Another client writes to the same or another row between any two backend calls of a batch, in
// every situation: both outcomes, in the order of their linearization points, are the reference's.
static void test_batch_with_a_write_between(void **state) {
    enum mt_state client_state = *(enum mt_state *)*state;
    for (int partition = 0; partition <= MT_PARTITION_NONE; partition++)
        for (int row = 0; row < ROW_SITUATIONS; row++)
            for (size_t c = 0; c < (size_t)FORMS * FORMS * 2; c++) {
                struct situation at = situation_at(client_state, partition, row);
                char what[100];
                for (size_t n = 1; is_possible(at); n++) {
                    const char *etags[2];
                    struct ct_outcome outcome;
                    enter(at, etags);
                    struct ct_batch batch = ct_batch_new(&world.arena, 1);
                    add_form(&batch, c / 2 / FORMS, "1", etags[0]);
                    interlude_form = c / 2 % FORMS;
                    interlude_row = c % 2 ? "1" : "5";
                    interlude_wrong = NULL;
                    world.interlude = interlude;
                    world.interlude_at = n;
                    snprintf(what, sizeof what, "form %zu, form %zu of row %s before call %zu",
                             c / 2 / FORMS, interlude_form, interlude_row, n);
                    set_context(at, what);
                    const char *wrong = direct_run_batch(&world, world.table, &batch, &outcome);
                    require(!strstr(world.record_buffer, "BROKEN"), "annotations");
                    require(!wrong, wrong);
                    require(!interlude_wrong, interlude_wrong);
                    if (world.interlude_at != 0)
                        break;
                    require_same_view(at, partition_after(at));
                }
            }
}

// The n-th backend call of a batch or query answers 500, for every n and situation: no crash, and
// an error, or (where the protocol tries again) the right success.
static void test_errors_in_atomic_calls(void **state) {
    for (int partition = 0; partition <= MT_PARTITION_NONE; partition++)
        for (int row = 0; row < ROW_SITUATIONS; row++)
            for (size_t form = 0; form <= FORMS; form++) { // the last: a query
                struct situation at = situation_at(*(enum mt_state *)*state, partition, row);
                const char *etags[2];
                char what[100];
                size_t calls = SIZE_MAX;
                for (size_t n = 1; is_possible(at) && n <= calls; n++) {
                    struct ct_outcome outcome;
                    const char *wrong;
                    enter(at, etags);
                    snprintf(what, sizeof what, "form %zu, call %zu fails", form, n);
                    set_context(at, what);
                    world.fail_at = n;
                    struct ct_batch batch = ct_batch_new(&world.arena, 1);
                    if (form < FORMS)
                        add_form(&batch, form, "1", etags[0]);
                    wrong =
                        form < FORMS
                            ? direct_run_batch(&world, world.table, &batch, &outcome)
                            : direct_run_query(&world, world.table,
                                               ct_filter_in_partition(&world.arena, "p"), &outcome);
                    calls = world.backend_calls;
                    if (n > calls)
                        break;
                    require_orderly_failure(outcome);
                    require(outcome.kind == CT_SUCCEEDED ? !wrong : true, wrong);
                    // A lost attempt and a lost guard may be made good; nothing else may.
                    if (outcome.kind == CT_SUCCEEDED)
                        require(strstr(world.record_buffer, "execute A ") != NULL,
                                "success although a call failed");
                    require(world.service.first == NULL, "still subscribed");
                }
            }
}

// ---- The list of tests -------------------------------------------------------------------------

static enum mt_state states[] = {MT_USE_OLD_HIDE_METADATA, MT_PREFER_OLD, MT_PREFER_NEW,
                                 MT_USE_NEW_WITH_TOMBSTONES, MT_USE_NEW_HIDE_METADATA};

#define IN_STATE(test, i) \
    { #test " in state " #i, test, setup_world, teardown_world, &states[i] }
#define IN_ALL_STATES(test) \
    IN_STATE(test, 0), IN_STATE(test, 1), IN_STATE(test, 2), IN_STATE(test, 3), IN_STATE(test, 4)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_ALL_STATES(test_batch_of_one),
        IN_ALL_STATES(test_batch_of_two),
        IN_ALL_STATES(test_query),
        IN_ALL_STATES(test_program_errors),
        IN_STATE(test_query_overlay, 1),
        IN_STATE(test_query_overlay, 2),
        IN_ALL_STATES(test_batch_with_a_write_between),
        IN_ALL_STATES(test_errors_in_atomic_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

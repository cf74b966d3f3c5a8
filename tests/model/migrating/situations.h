// What the tests of the sequential protocol share: the situations a row and its partition can be
// in, the operations, and checks that say which case failed.
#ifndef TESTS_MODEL_MIGRATING_SITUATIONS_H
#define TESTS_MODEL_MIGRATING_SITUATIONS_H

#include "tests/support/direct_world.h"

#include <stdio.h>

enum { ARENA_BYTES = 1 << 26 };

static struct direct_world world;

static inline void raise_in_test(enum fail_kind kind, const char *where, const char *message) {
    static char kept[400]; // cmocka prints it after the stack of fail() is gone
    (void)kind;
    snprintf(kept, sizeof kept, "%s", message);
    mock_assert(0, kept, where, 0);
}

static inline int setup_world(void **state) {
    (void)state;
    arena_init(&world.arena, ARENA_BYTES);
    fail_handler_set(raise_in_test);
    return 0;
}

static inline int teardown_world(void **state) {
    (void)state;
    fail_handler_set(NULL);
    arena_deinit(&world.arena);
    return 0;
}

// ---- Situations --------------------------------------------------------------------------------

enum row_situation {
    ROW_ABSENT,
    ROW_OLD,       // only in the old table
    ROW_NEW,       // live in the new table, a stale version in the old one
    ROW_TOMBSTONE, // a tombstone in the new table, a stale version in the old one
    ROW_SITUATIONS,
};

struct situation {
    enum mt_state state;
    enum mt_partition_state partition;
    enum row_situation row;
};

static const char *const row_names[] = {"absent", "old", "new", "tombstone"};
static const char *const partition_names[] = {"POPULATED", "SWITCHED", "none"};

// Whether the protocol can get there.
static inline bool is_possible(struct situation at) {
    bool is_switched = at.partition == MT_PARTITION_SWITCHED;
    if (at.state == MT_USE_OLD_HIDE_METADATA)
        return !is_switched && at.row <= ROW_OLD;
    if (at.row == ROW_OLD)
        return at.state <= MT_PREFER_NEW; // later the copy pass has ended
    return at.row == ROW_ABSENT || is_switched || at.state == MT_USE_NEW_HIDE_METADATA;
}

static inline struct ct_row *data_row(const char *row, bool is_happy, const char *etag) {
    struct ct_property properties[] = {direct_bool("isHappy", is_happy), direct_bool("kept", true)};
    return ct_row_new(&world.arena, (struct ct_key){"p", row}, etag, properties, 2);
}

static inline struct ct_row *marked_row(const char *row, bool is_happy, bool is_deleted) {
    struct ct_property properties[] = {direct_bool(MT_DELETED_PROPERTY, is_deleted),
                                       direct_bool("isHappy", is_happy), direct_bool("kept", true)};
    return ct_row_new(&world.arena, (struct ct_key){"p", row}, NULL, properties,
                      is_deleted ? 1 : 3);
}

// Brings row [row] into its situation in backends and reference; its visible ETag, or NULL.
static inline const char *place_row(const char *row, enum row_situation situation) {
    const char *etag = NULL;
    if (situation == ROW_OLD) {
        etag = direct_put(world.old_memory, data_row(row, true, NULL), &world.arena);
        direct_put_reference(&world, data_row(row, true, NULL), etag);
    } else if (situation != ROW_ABSENT) {
        direct_put(world.old_memory, data_row(row, true, NULL), &world.arena);
        etag = direct_put(world.new_memory, marked_row(row, false, situation == ROW_TOMBSTONE),
                          &world.arena);
        if (situation == ROW_TOMBSTONE)
            return NULL;
        direct_put_reference(&world, data_row(row, false, NULL), etag);
    }
    return etag;
}

static inline void enter(struct situation at, const char *etags[2]) {
    direct_reset(&world, at.state);
    direct_put_meta(&world, "p", at.partition);
    etags[0] = place_row("1", at.row);
    etags[1] = place_row("5", at.row);
    place_row("3", ROW_ABSENT);
    direct_clear(&world);
}

// ---- Operations --------------------------------------------------------------------------------

// If-Match as a test names it: the visible ETag of the row, if there is one.
#define CURRENT "current"

static const struct {
    enum ct_op_type type;
    const char *if_match;
} forms[] = {
    {CT_INSERT, NULL},
    {CT_INSERT_OR_REPLACE, NULL},
    {CT_INSERT_OR_MERGE, NULL},
    {CT_REPLACE, CT_ANY_ETAG},
    {CT_REPLACE, "wrong"},
    {CT_REPLACE, CURRENT},
    {CT_MERGE, CT_ANY_ETAG},
    {CT_MERGE, "wrong"},
    {CT_MERGE, CURRENT},
    {CT_DELETE, CT_ANY_ETAG},
    {CT_DELETE, "wrong"},
    {CT_DELETE, CURRENT},
    {CT_DELETE, CT_IF_EXISTS_ETAG},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

static inline void add_form(struct ct_batch *batch, size_t form, const char *row,
                            const char *current) {
    const char *if_match = forms[form].if_match;
    if (if_match && strcmp(if_match, CURRENT) == 0)
        if_match = current ? current : "gone";
    struct ct_property properties[] = {direct_bool("isHappy", false), direct_bool("added", true)};
    ct_batch_add(batch, forms[form].type,
                 ct_row_new(&world.arena, (struct ct_key){"p", row}, if_match, properties, 2));
}

// ---- Checks ------------------------------------------------------------------------------------

static char context[400]; // which case is being tried

static inline void set_context(struct situation at, const char *what) {
    snprintf(context, sizeof context, "state %d, partition %s, rows %s: %s", (int)at.state,
             partition_names[at.partition], row_names[at.row], what);
}

static inline void require(bool condition, const char *what) {
    if (!condition)
        fail_msg("%s: %s; calls: %s", context, what, world.record_buffer);
}

static inline struct situation situation_at(enum mt_state state, int partition, int row) {
    return (struct situation){state, (enum mt_partition_state)partition, (enum row_situation)row};
}

// After a call during which one backend call answered 500: at most that one is not annotated, and
// then the outcome is an error and nothing came after it.
static inline void require_orderly_failure(struct ct_outcome outcome) {
    require(!strstr(world.record_buffer, "BROKEN"), "annotations");
    require(world.annotations + 1 >= world.annotatable, "number of annotations");
    if (world.awaits_annotation)
        require(outcome.kind == CT_INTERNAL_ERROR || outcome.kind == CT_STORAGE_ERROR,
                "kind of error");
    if (world.awaits_annotation)
        require(world.backend_calls == world.fail_at, "a call after the failure");
    require(world.locks_held == 0, "a lock is still held");
}

// ---- A write in the middle of a call -----------------------------------------------------------

static size_t interlude_form;
static const char *interlude_row;
static const char *interlude_wrong;

// Another client's write, in the middle of a call of the first.
static inline void interlude(void) {
    const struct ct_row *current =
        ct_rows_find(ct_memory_rows(world.reference), (struct ct_key){"p", interlude_row});
    struct ct_outcome outcome;
    struct ct_batch batch = ct_batch_new(&world.arena, 1);
    add_form(&batch, interlude_form, interlude_row, current ? current->etag : NULL);
    interlude_wrong = direct_run_batch(&world, world.table, &batch, &outcome);
}

// A test that needs no state.
#define ALONE(test) cmocka_unit_test_setup_teardown(test, setup_world, teardown_world)

#endif

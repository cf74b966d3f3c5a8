#include "tests/support/arena.h"

#include "model/table/batch.h"
#include "model/table/row.h"

static struct ct_row *entity(const char *partition, const char *row, const char *if_match) {
    struct ct_key key = {.partition = partition, .row = row};
    return ct_row_new(&arena, key, if_match, NULL, 0);
}

// An operation that the builder refuses, put in behind its back.
static void force(struct ct_batch *batch, enum ct_op_type type, struct ct_row *row) {
    assert_true(batch->count < batch->capacity);
    batch->operations[batch->count++] = (struct ct_operation){.type = type, .entity = row};
}

// In a function of its own because of the jump.
static void assert_add_fails(struct ct_batch *batch, enum ct_op_type type, struct ct_row *row,
                             enum fail_kind kind) {
    expect_assert_failure(ct_batch_add(batch, type, row));
    assert_int_equal(failed_as, kind);
}

// Operations stand in the batch in the order they were added, with the caller's own entities.
static void test_batch_add_keeps_order_and_entities(void **state) {
    (void)state;
    struct ct_batch batch = ct_batch_new(&arena, 2);
    struct ct_row *first = entity("p", "1", NULL);
    struct ct_row *second = entity("p", "0", "*");
    ct_batch_add(&batch, CT_INSERT, first);
    ct_batch_add(&batch, CT_MERGE, second);
    assert_int_equal(batch.count, 2);
    assert_int_equal(batch.operations[0].type, CT_INSERT);
    assert_ptr_equal(batch.operations[0].entity, first);
    assert_int_equal(batch.operations[1].type, CT_MERGE);
    assert_ptr_equal(batch.operations[1].entity, second);
}

// Which If-Match each operation accepts when it is built: the three conditional ones need one, and
// only a Delete takes "**".
static void test_batch_add_requires_an_if_match(void **state) {
    (void)state;
    static const char *const values[] = {NULL, "", "*", "**", "e"};
    static const bool accepted[][5] = {
        [CT_INSERT] = {true, true, true, true, true},
        [CT_REPLACE] = {false, false, true, false, true},
        [CT_MERGE] = {false, false, true, false, true},
        [CT_DELETE] = {false, false, true, true, true},
        [CT_INSERT_OR_REPLACE] = {true, true, true, true, true},
        [CT_INSERT_OR_MERGE] = {true, true, true, true, true},
    };
    for (int type = CT_INSERT; type <= CT_INSERT_OR_MERGE; type++) {
        for (int i = 0; i < 5; i++) {
            struct ct_batch batch = ct_batch_new(&arena, 1);
            struct ct_row *row = entity("p", "r", values[i]);
            if (accepted[type][i]) {
                ct_batch_add(&batch, (enum ct_op_type)type, row);
                assert_int_equal(batch.count, 1);
                continue;
            }
            assert_add_fails(&batch, (enum ct_op_type)type, row, FAIL_PROGRAM_ERROR);
            assert_int_equal(batch.count, 0);
        }
    }
}

// An operation of another partition is refused, a null partition being another one than "".
static void test_batch_add_requires_one_partition(void **state) {
    (void)state;
    static const char *const partitions[] = {"p", "q", "", NULL};
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            struct ct_batch batch = ct_batch_new(&arena, 2);
            ct_batch_add(&batch, CT_INSERT, entity(partitions[i], "0", NULL));
            struct ct_row *other = entity(partitions[j], "1", NULL);
            if (i == j || !partitions[i]) { // null sets no partition
                ct_batch_add(&batch, CT_INSERT, other);
                continue;
            }
            assert_add_fails(&batch, CT_INSERT, other, FAIL_PROGRAM_ERROR);
        }
    }
}

// A full batch takes no more.
static void test_batch_add_asserts_room(void **state) {
    (void)state;
    struct ct_batch batch = ct_batch_new(&arena, 1);
    ct_batch_add(&batch, CT_INSERT, entity("p", "0", NULL));
    assert_add_fails(&batch, CT_INSERT, entity("p", "1", NULL), FAIL_ASSERTION);
}

// A copy keeps the If-Match values when the original's entities get their new ETags.
static void test_batch_copy_is_deep(void **state) {
    (void)state;
    struct ct_batch batch = ct_batch_new(&arena, 2);
    ct_batch_add(&batch, CT_REPLACE, entity("p", "0", "before"));
    ct_batch_add(&batch, CT_DELETE, entity("p", "1", "**"));
    struct ct_batch copy = ct_batch_copy(&arena, &batch);
    batch.operations[0].entity->etag = "after";
    assert_int_equal(copy.count, 2);
    assert_int_equal(copy.operations[0].type, CT_REPLACE);
    assert_string_equal(copy.operations[0].entity->etag, "before");
    assert_int_equal(copy.operations[1].type, CT_DELETE);
    assert_string_equal(copy.operations[1].entity->key.row, "1");
}

// A well-formed batch has no program error; an empty one, a null key and a second partition are.
static void test_batch_program_error_names_ill_formed_batches(void **state) {
    (void)state;
    struct ct_batch batch = ct_batch_new(&arena, 3);
    assert_non_null(ct_batch_program_error(&batch));
    force(&batch, CT_INSERT, entity("", "", NULL));
    assert_null(ct_batch_program_error(&batch));
    force(&batch, CT_INSERT, entity("", NULL, NULL));
    assert_non_null(ct_batch_program_error(&batch));
    batch.operations[1].entity = entity(NULL, "", NULL);
    assert_non_null(ct_batch_program_error(&batch));
    batch.operations[1].entity = entity("p", "", NULL);
    assert_non_null(ct_batch_program_error(&batch));
    batch.operations[1].entity = entity("", "r", NULL);
    assert_null(ct_batch_program_error(&batch));
}

// Every operation has its name, a Delete with "**" one of its own.
static void test_operation_name_names_every_operation(void **state) {
    (void)state;
    static const char *const names[] = {
        [CT_INSERT] = "Insert",
        [CT_REPLACE] = "Replace",
        [CT_MERGE] = "Merge",
        [CT_DELETE] = "Delete",
        [CT_INSERT_OR_REPLACE] = "InsertOrReplace",
        [CT_INSERT_OR_MERGE] = "InsertOrMerge",
    };
    for (int type = CT_INSERT; type <= CT_INSERT_OR_MERGE; type++) {
        struct ct_operation operation = {.type = (enum ct_op_type)type,
                                         .entity = entity("p", "r", "*")};
        assert_string_equal(ct_operation_name(&operation), names[type]);
        assert_false(ct_is_delete_if_exists(&operation));
        operation.entity->etag = "**";
        assert_int_equal(ct_is_delete_if_exists(&operation), type == CT_DELETE);
    }
    struct ct_operation operation = {.type = CT_DELETE, .entity = entity("p", "r", "**")};
    assert_string_equal(ct_operation_name(&operation), "DeleteIfExists");
    operation.entity->etag = NULL;
    assert_string_equal(ct_operation_name(&operation), "Delete");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_batch_add_keeps_order_and_entities),
        ARENA_TEST(test_batch_add_requires_an_if_match),
        ARENA_TEST(test_batch_add_requires_one_partition),
        ARENA_TEST(test_batch_add_asserts_room),
        ARENA_TEST(test_batch_copy_is_deep),
        ARENA_TEST(test_batch_program_error_names_ill_formed_batches),
        ARENA_TEST(test_operation_name_names_every_operation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

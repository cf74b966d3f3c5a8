// The way back, when it stops half-way: the next migration finds nothing that leads it astray.
#include "tests/model/migrating/situations.h"

// What [type] of row '0' through [table] is answered that the reference is not; NULL: nothing.
static const char *call(struct ct_table *table, enum ct_op_type type, const char *if_match) {
    struct ct_batch batch = ct_batch_new(&world.arena, 1);
    struct ct_outcome outcome;
    direct_clear(&world);
    ct_batch_add(&batch, type, data_row("0", true, if_match));
    return direct_run_batch(&world, table, &batch, &outcome);
}

// After an undo whose call [fail_at] fails: a client in PREFER_NEW and one in PREFER_OLD.
static void undo_and_migrate(size_t fail_at) {
    direct_reset(&world, MT_PREFER_OLD);
    place_row("0", ROW_OLD);
    assert_null(call(world.table, CT_INSERT_OR_REPLACE, NULL)); // it makes the partition POPULATED
    direct_clear(&world);
    world.fail_at = fail_at;
    world.backend_calls = 0;
    mt_undo(world.instance);
    world.fail_at = 0;
    world.awaits_annotation = false;
    direct_push(&world, MT_PREFER_OLD);
    static struct mt_config_service second;
    mt_config_service_init(&second, &world.env, MT_PREFER_NEW, false);
    struct ct_table *ahead = mt_interface(direct_instance(&world, &second.config));
    const char *wrong = call(ahead, CT_INSERT_OR_REPLACE, NULL);
    if (!wrong)
        wrong = call(world.table, CT_DELETE, CT_ANY_ETAG);
    if (!wrong)
        wrong = call(ahead, CT_INSERT, NULL);
    if (wrong)
        fail_msg("when call %zu of the undo fails: %s", fail_at, wrong);
}

static void test_undo_that_fails(void **state) {
    (void)state;
    for (size_t fail_at = 0; fail_at <= 12; fail_at++)
        undo_and_migrate(fail_at);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undo_that_fails),
    };
    return cmocka_run_group_tests(tests, setup_world, teardown_world);
}

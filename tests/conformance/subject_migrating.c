// A MigratingTable over two memory tables, in a state that does not change.
#include "tests/conformance/subjects.h"

#include "tests/support/direct_world.h"

static struct direct_world world;

struct ct_table *open_migrating(struct arena *arena, int number) {
    (void)arena;
    world.limits = (struct ct_table_limits){0};
    arena_init(&world.arena, 1 << 24);
    direct_reset(&world, (enum mt_state)number);
    return world.table;
}

// Its tables are as a service is.
struct ct_table *open_migrating_limited(struct arena *arena, int number) {
    (void)arena;
    world.limits = (struct ct_table_limits){.query_rows = 1000, .no_delete_if_exists = true};
    arena_init(&world.arena, 1 << 24);
    direct_reset(&world, (enum mt_state)number);
    return world.table;
}

void close_migrating(struct ct_table *table) {
    ct_close(table);
    arena_deinit(&world.arena);
}

#include "model/migrating/mtable.h"

struct mt_table *mt_open(const struct mt_options *options) {
    static const struct ct_table_ops ops = {
        .execute = mt_execute, .query = mt_query, .open_stream = mt_open_stream};
    ASSERT(options->old_table);
    ASSERT(options->new_table);
    ASSERT(options->config);
    struct mt_table *table = ARENA_NEW(options->env->arena, struct mt_table);
    *table = (struct mt_table){
        .interface = {.ops = &ops},
        .old_table = options->old_table,
        .new_table = options->new_table,
        .config = options->config,
        .env = options->env,
        .arena = options->env->arena,
        .bugs = options->bugs,
    };
    return table;
}

struct ct_table *mt_interface(struct mt_table *table) {
    return &table->interface;
}

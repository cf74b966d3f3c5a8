#include "model/migrating/mtable.h"

const struct ct_rules mt_rules = {
    .operations = MT_BATCH_OPERATIONS_MAX,
    .batch_bytes = CT_BATCH_BYTES_MAX - CT_BATCH_OPERATIONS_MAX * MT_MARK_BYTES_MAX,
    .properties = MT_ROW_PROPERTIES_MAX,
    .row_bytes = CT_ROW_BYTES_MAX - MT_MARK_BYTES_MAX,
};

static void close_table(struct ct_table *interface) {
    struct mt_table *table = (struct mt_table *)interface;
    struct ct_env *env = table->env;
    env->ops->arena_close(env, table->arena);
}

// The stricter of the two in every state, so that what an application may do does not change while
// its data moves.
struct ct_table_limits mt_limits(struct ct_table *interface) {
    struct mt_table *table = (struct mt_table *)interface;
    struct ct_table_limits old = ct_limits(table->old_table), new = ct_limits(table->new_table);
    if (old.query_rows == 0 || (new.query_rows > 0 && new.query_rows < old.query_rows))
        old.query_rows = new.query_rows;
    old.no_delete_if_exists = old.no_delete_if_exists || new.no_delete_if_exists;
    old.batch_operations = 0; // see mt_rules
    return old;
}

// The most rows that go into a batch of the migrator.
static size_t copy_rows_of(const struct mt_options *options) {
    struct ct_table *tables[2] = {options->old_table, options->new_table};
    size_t most = options->copy_rows;
    for (int i = 0; i < 2; i++) {
        size_t limit = ct_limits(tables[i]).batch_operations;
        if (limit == 0)
            limit = CT_BATCH_OPERATIONS_MAX;
        most = limit < most ? limit : most;
    }
    return most;
}

struct mt_table *mt_open(const struct mt_options *options) {
    static const struct ct_table_ops ops = {.version = CT_TABLE_VERSION,
                                            .execute = mt_execute,
                                            .query = mt_query,
                                            .open_stream = mt_open_stream,
                                            .close = close_table,
                                            .limits = mt_limits};
    struct ct_env *env = options->env;
    ASSERT(options->old_table->ops->version >= 1 && options->new_table->ops->version >= 1);
    ASSERT(options->config->ops->version >= 1);
    ASSERT(env->ops->version >= 1);
    struct arena *arena = env->ops->arena_open(env);
    struct mt_table *table = ARENA_NEW(arena, struct mt_table);
    *table = (struct mt_table){
        .interface = {.ops = &ops},
        .old_table = options->old_table,
        .new_table = options->new_table,
        .config = options->config,
        .env = env,
        .arena = arena,
        .copy_rows = copy_rows_of(options),
        .copiers = options->copiers,
        .copier_count = options->copier_count,
        .bugs = options->bugs,
    };
    return table;
}

struct mt_table mt_with_arena(const struct mt_table *table, struct arena *arena) {
    struct mt_table copy = *table;
    copy.arena = arena;
    return copy;
}

struct ct_table *mt_interface(struct mt_table *table) {
    return &table->interface;
}

// Whether the call has a note: it was executed, or may have been.
static bool was_executed(struct ct_outcome outcome) {
    return outcome.kind == CT_SUCCEEDED || outcome.kind == CT_UNKNOWN ||
           (outcome.kind == CT_STORAGE_ERROR && !mt_is_server_error(outcome));
}

static void execute_one(struct mt_table *table, struct ct_table *backend, struct ct_write *write) {
    write->outcome = ct_execute(backend, &write->batch, table->arena, write->results);
}

void mt_execute_all(struct mt_table *table, struct ct_table *backend, struct ct_write *writes,
                    size_t count,
                    void (*note)(struct mt_table *table, const struct ct_write *write)) {
    bool is_together = ct_takes_groups(backend);
    if (is_together)
        ct_execute_all(backend, writes, count, table->arena);
    for (size_t i = 0; i < count; i++) {
        if (!is_together && i > 0 && !was_executed(writes[i - 1].outcome))
            // What has failed may fail for long, and each try would cost the caller its deadline.
            writes[i].outcome = writes[i - 1].outcome; // without a further call
        else if (!is_together)
            execute_one(table, backend, &writes[i]);
        if (was_executed(writes[i].outcome))
            note(table, &writes[i]);
    }
}

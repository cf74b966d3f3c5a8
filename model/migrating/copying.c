// The copy pass: one scan of the old table, whose rows go to the new one portion by portion.
//
// A portion is what the scan gives next, rows of one or of several partitions. Whoever copies it
// makes sure that its partitions are switched, and then copies its rows; portions need nothing of
// each other. So several copiers may be at it at once, each with connections of its own: they take
// portions in turn, and a partition that ends in another's portion is switched by both. The pass
// has ended when every copier has: what one of them has under way belongs to this state.
#include "model/migrating/mtable.h"

struct copy_pass {
    struct mt_table *table;
    struct ct_stream *stream; // of its old table
    struct ct_lock *lock;     // of what stands here; NULL: there is one copier
    struct ct_latch *running; // of the copiers; likewise
    bool has_ended;           // nothing is left to be taken
    struct ct_outcome outcome;
};

struct copier {
    struct copy_pass *pass;
    struct mt_table table;      // with tables and an arena of its own
    struct arena *names;        // of [partition] alone
    const char *partition;      // the last that it has switched; NULL: none yet
    const struct ct_row **rows; // the portion, in key order
    size_t count;
    size_t start; // mark of the arena: what is above it is the portion's
};

static void lock(struct copy_pass *pass) {
    struct ct_env *env = pass->table->env;
    if (pass->lock)
        env->ops->lock_acquire(env, HERE, pass->lock);
}

static void unlock(struct copy_pass *pass) {
    struct ct_env *env = pass->table->env;
    if (pass->lock)
        env->ops->lock_release(env, pass->lock);
}

// With the lock. The first failure is that of the pass.
static void end_pass(struct copy_pass *pass, struct ct_outcome outcome) {
    if (outcome.kind != CT_SUCCEEDED && pass->outcome.kind == CT_SUCCEEDED) {
        if (outcome.message) // it may be in an arena of the copier
            outcome.message = arena_strdup(pass->table->arena, outcome.message);
        pass->outcome = outcome;
    }
    pass->has_ended = true;
}

// ---- Taking a portion --------------------------------------------------------------------------

static size_t portion_rows(const struct mt_table *table) {
    return table->copy_rows > 1 ? table->copy_rows : 1;
}

// The next rows, to behind those of the portion: [most] at most, in the copier's arena.
static struct ct_outcome read_rows(struct copier *copier, size_t most, size_t *count) {
    struct ct_stream *stream = copier->pass->stream;
    const struct ct_row **rows = copier->rows + copier->count;
    if (ct_stream_gives_some(stream))
        return ct_stream_read_some(stream, most, copier->table.arena, rows, count);
    struct ct_outcome outcome = ct_stream_read(stream, rows);
    *count = outcome.kind == CT_SUCCEEDED && *rows;
    if (*count > 0)
        *rows = ct_row_clone(copier->table.arena, *rows);
    return outcome;
}

// With the lock.
// It ends at so many rows, or at so many bytes, since a batch holds them all at once.
static struct ct_outcome read_portion(struct copier *copier) {
    struct copy_pass *pass = copier->pass;
    size_t most = portion_rows(&copier->table);
    while (copier->count < most && !mt_has_much(&copier->table, copier->start)) {
        size_t count;
        struct ct_outcome outcome = read_rows(copier, most - copier->count, &count);
        if (outcome.kind != CT_SUCCEEDED)
            return outcome;
        if (count == 0) {
            pass->has_ended = true;
            break;
        }
        const struct ct_row **rows = copier->rows + copier->count;
        for (size_t i = 0; i < count; i++)
            if (!mt_is_internal(rows[i]->key))
                copier->rows[copier->count++] = rows[i];
    }
    return ct_success();
}

// False: there is none.
static bool take_portion(struct copier *copier) {
    struct copy_pass *pass = copier->pass;
    copier->count = 0;
    lock(pass);
    if (!pass->has_ended) {
        struct ct_outcome outcome = read_portion(copier);
        if (outcome.kind != CT_SUCCEEDED) {
            end_pass(pass, outcome);
            copier->count = 0;
        }
    }
    unlock(pass);
    return copier->count > 0;
}

// ---- Copying it --------------------------------------------------------------------------------

static void know_partition(struct copier *copier, const char *partition) {
    struct ct_env *env = copier->table.env;
    env->ops->arena_reset(env, copier->names, 0);
    copier->partition = arena_strdup(copier->names, partition);
}

// Switches the partitions of the portion, but for the one that was switched last.
static struct ct_outcome switch_partitions(struct copier *copier, bool *has_entered) {
    struct mt_table *table = &copier->table;
    const char **partitions = ARENA_ARRAY(table->arena, const char *, copier->count);
    const char *last = copier->partition;
    size_t count = 0;
    for (size_t i = 0; i < copier->count; i++) {
        const char *partition = copier->rows[i]->key.partition;
        if (!ct_string_equal(partition, last))
            partitions[count++] = last = partition;
    }
    // Only with what stands before is compared: rows are in key order, so a partition's are
    // together.
    *has_entered = count > 0;
    if (count == 0)
        return ct_success();
    // Before it is switched: if that fails the pass is over, and nobody asks again.
    know_partition(copier, last);
    return mt_ensure_all_switched(table, partitions, count);
}

// Bug InsertBehindMigrator: goes on with a stream opened now, from the partition on.
static struct ct_outcome reopen(struct copier *copier) {
    struct copy_pass *pass = copier->pass;
    struct mt_table *table = pass->table;
    const struct ct_filter *filter = ct_filter_compare_string(
        table->arena, CT_PARTITION_KEY, CT_GE, arena_strdup(table->arena, copier->partition));
    lock(pass);
    ct_stream_close(pass->stream);
    struct ct_outcome outcome = ct_open_stream(table->old_table, filter, &pass->stream);
    unlock(pass);
    return outcome;
}

static struct ct_outcome copy_portion(struct copier *copier) {
    bool has_entered;
    struct ct_outcome outcome = switch_partitions(copier, &has_entered);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    // The row cannot be stale: nobody has changed the old table since the scan began.
    // In PREFER_NEW every writer switches a partition before it writes, and then writes the new
    // table.
    if (has_entered && bug_on(copier->table.bugs, BUG_INSERT_BEHIND_MIGRATOR))
        return reopen(copier);
    return copier->count == 1 ? mt_try_copy(&copier->table, copier->rows[0])
                              : mt_try_copy_rows(&copier->table, copier->rows, copier->count);
}

// The lock is held while a portion is read and not while it is copied: so one reads while another
// writes.
static void copy_portions(struct copier *copier) {
    struct mt_table *table = &copier->table;
    struct digest mark = mt_observed(table);
    while (take_portion(copier)) {
        struct ct_outcome outcome = copy_portion(copier);
        if (outcome.kind != CT_SUCCEEDED) {
            lock(copier->pass);
            end_pass(copier->pass, outcome);
            unlock(copier->pass);
            return;
        }
        // Copied rows are done with; known is the partition.
        mt_forget(table, mark, copier->partition, 0);
        mt_reset(table, copier->start);
    }
}

// ---- The copiers -------------------------------------------------------------------------------

static void copier_init(struct copier *copier, struct copy_pass *pass) {
    struct ct_env *env = pass->table->env;
    struct arena *arena = env->ops->arena_open(env);
    *copier = (struct copier){.pass = pass,
                              .table = mt_with_arena(pass->table, arena),
                              .names = env->ops->arena_open(env)};
    copier->rows = ARENA_ARRAY(arena, const struct ct_row *, portion_rows(pass->table));
    copier->start = arena_mark(arena);
}

static void copier_deinit(struct copier *copier) {
    struct ct_env *env = copier->table.env;
    env->ops->arena_close(env, copier->names);
    env->ops->arena_close(env, copier->table.arena);
}

static void run_copier(void *argument) {
    struct copier *copier = argument;
    struct ct_env *env = copier->table.env;
    copy_portions(copier);
    env->ops->latch_count_down(env, copier->pass->running);
}

static void copy_alone(struct copy_pass *pass) {
    struct copier copier;
    copier_init(&copier, pass);
    copy_portions(&copier);
    copier_deinit(&copier);
}

static void copy_together(struct copy_pass *pass) {
    struct mt_table *table = pass->table;
    struct ct_env *env = table->env;
    size_t count = table->copier_count;
    struct copier *copiers = ARENA_ARRAY(table->arena, struct copier, count);
    pass->lock = env->ops->lock_create(env);
    pass->running = env->ops->latch_create(env, count);
    for (size_t i = 0; i < count; i++) {
        copier_init(&copiers[i], pass);
        copiers[i].table.old_table = table->copiers[i].old_table;
        copiers[i].table.new_table = table->copiers[i].new_table;
    }
    for (size_t i = 0; i < count; i++)
        env->ops->start(env, "copier", run_copier, &copiers[i]);
    // Also after a failure: a copier that is still writing would do so in the state to come.
    env->ops->latch_wait(env, HERE, pass->running);
    for (size_t i = 0; i < count; i++)
        copier_deinit(&copiers[i]);
    env->ops->latch_destroy(env, pass->running);
    env->ops->lock_destroy(env, pass->lock);
}

struct ct_outcome mt_copy_pass(struct mt_table *table) {
    struct copy_pass pass = {.table = table, .outcome = ct_success()};
    struct ct_outcome outcome = ct_open_stream(table->old_table, NULL, &pass.stream);
    if (outcome.kind == CT_SUCCEEDED) {
        if (table->copier_count > 0)
            copy_together(&pass);
        else
            copy_alone(&pass);
        outcome = pass.outcome;
    }
    if (pass.stream)
        ct_stream_close(pass.stream);
    if (ct_failed_with(outcome, CT_STATUS_BAD_REQUEST) && outcome.message)
        return outcome; // a row that cannot be moved
    return mt_unexpected(outcome, "copy pass: unexpected answer of the old table");
}

// migrate, abort.
#define _POSIX_C_SOURCE 200809L
#include "core/base/clock.h"
#include "model/config/holder.h"
#include "model/live/accounts.h"
#include "model/live/pace.h"
#include "model/live/session.h"
#include "model/migrating/migrating.h"
#include "model/migrating/state.h"
#include "model/table/row.h"

#include <string.h>
#include <unistd.h>

enum {
    SECOND = 1000000000,
    TELL = SECOND,
    RETRY = SECOND / 5,
    // With RETRY: 20 s at least.
    FAILURES_MAX = 100, // one after the other, without a row in between
    COPY_ROWS = 1000,
    HOLDER_NAP = SECOND / 50,
    WRITING_TO_READING = 10, // of a whole migration to two readings of the table, measured
    KEPT_BYTES = 8 << 20,    // of an arena: what a batch takes, again and again
    NAMED_MAX = 10,          // of rows that cannot be moved
    JOBS = 2,
    JOBS_MAX = 64,
};

enum { OLD_TABLE, NEW_TABLE, TABLES };

// The two tables as one thread uses them.
struct lane {
    struct file_connection files[TABLES];
    struct mt_guard guards[TABLES];
    struct paced_table paced[TABLES];
};

struct migration {
    struct session session;
    // Fences: of the old table, the new one, and the control table.
    struct file_connection orders, fences[3];
    struct lane own;
    struct lane lanes[JOBS_MAX]; // of copiers, if there are several
    struct mt_copier copiers[JOBS_MAX];
    uint32_t lane_count;
    struct ct_sqlite_turn turns[TABLES];
    _Atomic uint64_t rows[TABLES]; // written or deleted
    struct pace pace;
    struct mt_holder holder;
    struct mt_config config; // the holder's, with the operator's patience before each push
    struct mt_table *instance;
    char id[128];
    char progress[2][160]; // in turn: the one that the holder does not have
    int turn;
    uint64_t begun, told;
    uint64_t total;        // rows of the old table at the beginning
    uint64_t total_new;    // of the new one, if they may be cleaned up already
    uint64_t cleaned_from; // the count of rows when the clean-up began
    bool is_terminal;
    bool is_warned; // that the lease is renewed late
};

static FILE *out_of(const struct migration *migration) {
    return migration->session.options->out;
}

static struct ct_env *env_of(struct migration *migration) {
    return &migration->session.env.env;
}

static enum mt_state state_of(const struct migration *migration) {
    return (enum mt_state)atomic_load(&migration->holder.state);
}

// ---- Progress ----------------------------------------------------------------------------------

// Of this run: what a migrator before has done is in none of these numbers.
static double seconds_since(const struct migration *migration) {
    return (double)(clock_nanoseconds() - migration->begun) / SECOND;
}

// What is done of the pass that runs, and of how much. Rows that a repeated pass finds done are not
// counted; applications write some meanwhile, so that there may be more than there were.
// Clean-up rewrites each row of the new table and deletes each of the old one.
static uint64_t done_of(const struct migration *migration, uint64_t *total) {
    bool is_copying = state_of(migration) < MT_USE_NEW_HIDE_METADATA;
    uint64_t copies =
        migration->total > migration->total_new ? migration->total : migration->total_new;
    uint64_t done =
        is_copying ? migration->rows[NEW_TABLE] : migration->pace.rows - migration->cleaned_from;
    *total = is_copying ? migration->total : migration->total + copies;
    *total = *total > done ? *total : done;
    return done;
}

static void describe(struct migration *migration, struct text *text) {
    uint64_t total, rows = done_of(migration, &total);
    double time = seconds_since(migration);
    double rate = time > 0 ? (double)migration->pace.rows / time : 0;
    enum mt_state state = state_of(migration);
    text_add(text, "%s", mt_state_name(state));
    if (migration->pace.orders.is_paused)
        text_add(text, " paused");
    else if (migration->pace.orders.hold_before == (int32_t)state + 1)
        text_add(text, " held before %s", mt_state_name(state + 1));
    if (total > 0 && state != MT_USE_NEW_WITH_TOMBSTONES) // no pass belongs to it
        text_add(text, " %s %llu of %llu rows",
                 state < MT_USE_NEW_HIDE_METADATA ? "copied" : "cleaned up",
                 (unsigned long long)rows, (unsigned long long)total);
    if (total > 0 && state == MT_PREFER_NEW && migration->lane_count > 0)
        text_add(text, " by %u copiers", (unsigned)migration->lane_count);
    if (total > 0 && state != MT_USE_NEW_WITH_TOMBSTONES)
        text_add(text, ", %.0f rows/s", rate);
    if (rows > 0 && total > rows && state != MT_USE_NEW_WITH_TOMBSTONES)
        text_add(text, ", %.0f s left of it", (double)(total - rows) / rate);
}

static void print_progress(const struct migration *migration, const char *text) {
    FILE *out = out_of(migration);
    uint64_t total, rows = done_of(migration, &total);
    if (migration->session.options->is_json)
        fprintf(out, "{\"seconds\":%.1f,\"state\":\"%s\",\"rows\":%llu,\"total\":%llu}\n",
                seconds_since(migration), mt_state_name(state_of(migration)),
                (unsigned long long)rows, (unsigned long long)total);
    else
        fprintf(out, migration->is_terminal ? "\r\033[K%s" : "%s\n", text);
    fflush(out);
}

// Says, once, that the lease is renewed too late for comfort. It is renewed when a third of it is
// over, so that two thirds are left; here less than one is.
static void watch_lease(struct migration *migration, uint64_t now) {
    uint64_t end = atomic_load(&mt_holder_lease(&migration->holder)->end);
    int32_t lease_ms = atomic_load(&migration->holder.lease_ms);
    bool is_late = end > 0 && end < now + mt_nanoseconds(lease_ms) / 3;
    if (!is_late || migration->is_warned || migration->session.options->is_json)
        return;
    migration->is_warned = true;
    fprintf(out_of(migration),
            "%sthe lease of %d ms is renewed late: the control table is slow or the machine is "
            "loaded; make the next migration with a longer one (init --lease-ms)\n",
            migration->is_terminal ? "\r\033[K" : "", (int)lease_ms);
}

static void tell(void *context) {
    struct migration *migration = context;
    uint64_t now = clock_nanoseconds();
    watch_lease(migration, now);
    if (now - migration->told < TELL)
        return;
    migration->told = now;
    // The holder may be writing the other one into the control row right now.
    migration->turn = !migration->turn;
    char *buffer = migration->progress[migration->turn];
    struct text text = text_in(buffer, sizeof migration->progress[0]);
    describe(migration, &text);
    mt_holder_tell(&migration->holder, buffer);
    print_progress(migration, buffer);
}

// Who holds up a push.
static void waits(void *context, const struct mt_control_clients *clients) {
    struct migration *migration = context;
    uint64_t now = clock_nanoseconds();
    if (now - migration->told < TELL || migration->session.options->is_json)
        return;
    migration->told = now;
    for (size_t i = 0; i < clients->count; i++)
        if (clients->clients[i].version < migration->holder.row.version)
            fprintf(out_of(migration), "%swaiting for %s (%s)\n",
                    migration->is_terminal ? "\r\033[K" : "", clients->clients[i].about,
                    clients->clients[i].id);
    fflush(out_of(migration));
}

// ---- The holder's configuration ----------------------------------------------------------------

static struct migration *migration_of(struct mt_config *config) {
    return (struct migration *)(void *)((char *)config - offsetof(struct migration, config));
}

static struct ct_outcome subscribe(struct mt_config *config, struct mt_subscription *subscription,
                                   enum mt_state *state) {
    struct mt_config *inner = mt_holder_config(&migration_of(config)->holder);
    return inner->ops->subscribe(inner, subscription, state);
}

static void unsubscribe(struct mt_config *config, struct mt_subscription *subscription) {
    struct mt_config *inner = mt_holder_config(&migration_of(config)->holder);
    inner->ops->unsubscribe(inner, subscription);
}

// Has the disk what the migrator has written so far: a batch that changes nothing, by a connection
// that syncs the file's log.
// Without it a machine that fails after a push might come back with a state that says "copied", and
// without the copies.
static struct ct_outcome harden(struct migration *migration) {
    struct ct_env *env = env_of(migration);
    struct arena *arena = env->ops->arena_open(env);
    struct ct_outcome outcome = ct_success();
    for (int i = 0; i < 2 && outcome.kind == CT_SUCCEEDED; i++) {
        struct ct_batch batch = ct_batch_new(arena, 1);
        struct ct_op_result result;
        ct_batch_add(&batch, CT_DELETE,
                     ct_row_new(arena, (struct ct_key){"", MT_RESERVED_PREFIX "sync"},
                                CT_IF_EXISTS_ETAG, NULL, 0));
        outcome = ct_execute(migration->fences[i].table, &batch, arena, &result);
    }
    env->ops->arena_close(env, arena);
    return outcome.kind == CT_SUCCEEDED ? outcome : ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
}

// Rows first, state second: the new state promises what the pass before it has done.
static struct ct_outcome push(struct mt_config *config, const char *where, enum mt_state state) {
    struct migration *migration = migration_of(config);
    struct mt_config *inner = mt_holder_config(&migration->holder);
    bool is_new = state != state_of(migration);
    // A push of the present state, after a failure, is not held: nobody is moved by it.
    if (is_new && !pace_hold(&migration->pace, state))
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    if (is_new && state == MT_USE_NEW_HIDE_METADATA)
        migration->cleaned_from = migration->pace.rows; // progress is told within the push, too
    struct ct_outcome outcome = harden(migration);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = inner->ops->push(inner, where, state);
    if (outcome.kind == CT_SUCCEEDED && is_new && !migration->session.options->is_json)
        fprintf(out_of(migration), "%sstate %s after %.1f s\n",
                migration->is_terminal ? "\r\033[K" : "", mt_state_name(state),
                seconds_since(migration));
    fflush(out_of(migration));
    return outcome;
}

// ---- Opening -----------------------------------------------------------------------------------

// The migrator's own writes are not synced one by one, but before whatever counts on them (harden).
// Each lane has connections of its own: an SQLite connection serves one thread at a time.
static bool open_lane(struct migration *migration, struct lane *lane, struct error *error) {
    const struct mt_control_config *config = &migration->session.config;
    return file_open_named(&lane->files[OLD_TABLE], config->old_name, true, error) &&
           file_open_named(&lane->files[NEW_TABLE], config->new_name, true, error);
}

static void close_lane(struct lane *lane) {
    for (int i = 0; i < TABLES; i++)
        file_close(&lane->files[i]);
}

static bool open_files(struct migration *migration, struct error *error) {
    const char *control = migration->session.options->control;
    const struct mt_control_config *config = &migration->session.config;
    for (uint32_t i = 0; i < migration->lane_count; i++)
        if (!open_lane(migration, &migration->lanes[i], error))
            return false;
    return open_lane(migration, &migration->own, error) &&
           file_open_control(&migration->orders, control, error) &&
           file_open_named(&migration->fences[0], config->old_name, false, error) &&
           file_open_named(&migration->fences[1], config->new_name, false, error) &&
           file_open_control(&migration->fences[2], control, error);
}

static void close_files(struct migration *migration) {
    close_lane(&migration->own);
    for (uint32_t i = 0; i < migration->lane_count; i++)
        close_lane(&migration->lanes[i]);
    file_close(&migration->orders);
    for (int i = 0; i < 3; i++)
        file_close(&migration->fences[i]);
}

static void init_holder(struct migration *migration) {
    const struct live_options *options = migration->session.options;
    char host[64] = "";
    gethostname(host, sizeof host - 1);
    // The time, too, for process numbers come back; and an operator reads it in status.
    snprintf(migration->id, sizeof migration->id, "%s process %ld at %llu", host, (long)getpid(),
             (unsigned long long)clock_nanoseconds());
    struct mt_holder_options holder = {.env = env_of(migration),
                                       .control = &migration->session.control.bounded,
                                       .migration = options->name,
                                       .id = migration->id,
                                       .fenced_count = 3,
                                       .waits = waits,
                                       .context = migration,
                                       .nap = HOLDER_NAP,
                                       .bugs = options->bugs};
    for (int i = 0; i < 3; i++)
        // All of them: a migrator before may still have requests on their way to any.
        holder.fenced[i] = &migration->fences[i].bounded;
    mt_holder_init(&migration->holder, &holder);
}

static void init_lane(struct migration *migration, struct lane *lane) {
    for (int i = 0; i < TABLES; i++) {
        file_take_turns(&lane->files[i], &migration->turns[i]);
        // In this order from within: the file, its lease, the operator's pace. A batch that waits
        // for its pace is bounded when it goes, not when it came.
        mt_guard_init(&lane->guards[i], &lane->files[i].bounded,
                      mt_holder_lease(&migration->holder));
        pace_init(&lane->paced[i], &lane->guards[i].table, &migration->pace, &migration->rows[i]);
    }
}

static void init_lanes(struct migration *migration) {
    for (int i = 0; i < TABLES; i++)
        ct_sqlite_turn_init(&migration->turns[i], 0);
    init_lane(migration, &migration->own);
    for (uint32_t i = 0; i < migration->lane_count; i++) {
        struct lane *lane = &migration->lanes[i];
        init_lane(migration, lane);
        migration->copiers[i] =
            (struct mt_copier){&lane->paced[OLD_TABLE].table, &lane->paced[NEW_TABLE].table};
    }
}

static void init_tables(struct migration *migration) {
    const struct live_options *options = migration->session.options;
    static const struct mt_config_ops ops = {.version = MT_CONFIG_VERSION,
                                             .subscribe = subscribe,
                                             .unsubscribe = unsubscribe,
                                             .push = push};
    migration->config.ops = &ops;
    migration->pace = (struct pace){.env = &migration->session.env,
                                    .control = &migration->orders,
                                    .migration = options->name,
                                    .is_interrupted = options->is_interrupted,
                                    .tell = tell,
                                    .context = migration};
    pthread_mutex_init(&migration->pace.mutex, NULL);
    init_lanes(migration);
    migration->instance = mt_open(
        &(struct mt_options){.old_table = &migration->own.paced[OLD_TABLE].table,
                             .new_table = &migration->own.paced[NEW_TABLE].table,
                             .config = &migration->config,
                             .env = env_of(migration),
                             .copy_rows = options->batch_rows ? options->batch_rows : COPY_ROWS,
                             .copiers = migration->copiers,
                             .copier_count = migration->lane_count,
                             .bugs = options->bugs});
}

static void run_holder(void *holder) {
    mt_holder_run(holder);
}

static void migration_close(struct migration *migration) {
    mt_holder_stop(&migration->holder);
    thread_env_wait(&migration->session.env);
    ct_close(mt_interface(migration->instance));
    mt_holder_deinit(&migration->holder);
    close_files(migration);
    pthread_mutex_destroy(&migration->pace.mutex);
    for (int i = 0; i < TABLES; i++)
        ct_sqlite_turn_close(&migration->turns[i]);
    session_close(&migration->session);
}

static bool migration_open(struct migration *migration, const struct live_options *options,
                           struct error *error) {
    uint32_t jobs = options->jobs ? options->jobs : JOBS;
    *migration = (struct migration){.begun = clock_nanoseconds()};
    // One needs no connections beside the migrator's own.
    migration->lane_count = jobs <= 1 ? 0 : jobs < JOBS_MAX ? jobs : JOBS_MAX;
    if (!session_open(&migration->session, options, false, error))
        return false;
    migration->session.env.kept_bytes = KEPT_BYTES;
    migration->is_terminal = isatty(fileno(options->out)) == 1;
    if (!open_files(migration, error)) {
        close_files(migration);
        session_close(&migration->session);
        return false;
    }
    init_holder(migration);
    init_tables(migration);
    // From the beginning: it renews nothing as long as nothing is held.
    if (thread_env_start(&migration->session.env, run_holder, &migration->holder))
        return true;
    migration_close(migration);
    return error_set(error, "no thread can be had to renew the lease");
}

// ---- Orders of this run ------------------------------------------------------------------------

static int give_orders(struct migration *migration, struct error *error) {
    const struct live_options *options = migration->session.options;
    struct orders *orders = &migration->pace.orders;
    struct arena *arena = migration->session.arena;
    enum mt_state state = MT_USE_OLD_HIDE_METADATA;
    if (options->hold_before && !session_state(options->hold_before, &state)) {
        error_set(error, "--hold-before '%.100s': expected the name of a state",
                  options->hold_before);
        return LIVE_USAGE;
    }
    // What is written contains what was read: else a pause might be lost.
    if (orders_read(&migration->orders, options->name, arena, orders).kind != CT_SUCCEEDED) {
        error_set(error, "%.200s: cannot read the orders", options->control);
        return LIVE_FAILED;
    }
    if (!options->hold_before && options->rows_per_second == 0)
        return LIVE_DONE;
    if (options->hold_before)
        orders->hold_before = (int32_t)state;
    if (options->rows_per_second > 0)
        orders->rows_per_second = (int32_t)options->rows_per_second;
    if (orders_write(&migration->orders, options->name, arena, orders).kind == CT_SUCCEEDED)
        return LIVE_DONE;
    error_set(error, "%.200s: cannot write the orders", options->control);
    return LIVE_FAILED;
}

// ---- Counting ----------------------------------------------------------------------------------

static uint64_t count_rows(struct ct_table *table) {
    struct ct_stream *stream;
    const struct ct_row *row = NULL;
    uint64_t count = 0;
    if (ct_open_stream(table, NULL, &stream).kind != CT_SUCCEEDED)
        return 0;
    while (ct_stream_read(stream, &row).kind == CT_SUCCEEDED && row)
        count++;
    ct_stream_close(stream);
    return count;
}

// ---- The migration -----------------------------------------------------------------------------

static bool is_interrupted(const struct migration *migration) {
    const volatile sig_atomic_t *flag = migration->session.options->is_interrupted;
    return flag && *flag;
}

// Does [work] under the lease until it succeeds, is refused, or fails too often.
// Any server error may be a lease that was lost, so the row is taken anew, which does nothing if it
// is held. As long as rows get done the failures do not count: a full disk ends it, a loaded one
// does not.
static struct ct_outcome persist(struct migration *migration,
                                 struct ct_outcome (*work)(struct mt_table *)) {
    struct ct_outcome outcome = ct_success();
    uint64_t rows = migration->pace.rows;
    for (int failures = 0; failures < FAILURES_MAX && !is_interrupted(migration); failures++) {
        // Waits out a migrator before, if there was one.
        outcome = mt_holder_take(&migration->holder);
        if (outcome.kind == CT_SUCCEEDED)
            outcome = work(migration->instance);
        if (!ct_failed_with(outcome, CT_STATUS_SERVER_ERROR))
            return outcome;
        if (migration->pace.rows != rows)
            failures = 0;
        rows = migration->pace.rows;
        env_of(migration)->ops->sleep(env_of(migration), HERE, RETRY);
    }
    return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
}

// [command] is the one that has failed, and that is to be given again: the other one would have the
// migration go the other way.
static int explain(const struct migration *migration, struct ct_outcome outcome,
                   const char *command, struct error *error) {
    if (is_interrupted(migration)) {
        error_set(error, "interrupted: nothing is lost, go on with %s", command);
        return LIVE_INTERRUPTED;
    }
    error_set(error, "the migration '%.100s' cannot go on: %.300s; see status, then %s again",
              migration->session.options->name,
              outcome.message ? outcome.message : "a table is busy, full or failed", command);
    return LIVE_FAILED;
}

static int migrate(struct migration *migration, struct error *error) {
    const struct live_options *options = migration->session.options;
    struct ct_outcome outcome = persist(migration, mt_migrate);
    if (ct_failed_with(outcome, CT_STATUS_CONFLICT)) {
        fprintf(options->out, "migration %s has ended already: verify, then finish\n",
                options->name);
        return LIVE_DONE;
    }
    bool is_done = outcome.kind == CT_SUCCEEDED;
    // The row says "ended" only of what is on the disk.
    struct ct_outcome released = is_done ? harden(migration) : ct_success();
    if (released.kind == CT_SUCCEEDED)
        // After a failure, too: the next migrator need not wait for the lease to end.
        released = mt_holder_release(&migration->holder, is_done);
    if (!is_done || released.kind != CT_SUCCEEDED)
        return explain(migration, is_done ? released : outcome, "migrate", error);
    if (options->is_json)
        print_progress(migration, "");
    else
        fprintf(options->out, "%smigrated in %.1f s, %llu rows written; verify, then finish\n",
                migration->is_terminal ? "\r\033[K" : "", seconds_since(migration),
                (unsigned long long)migration->pace.rows);
    return LIVE_DONE;
}

// Rows that cannot be moved.
struct immovable {
    const struct live_options *options;
    uint64_t count;
};

static void name_row(void *context, const char *why) {
    struct immovable *immovable = context;
    FILE *out = immovable->options->out;
    bool is_json = immovable->options->is_json;
    if (immovable->count++ >= NAMED_MAX)
        return;
    if (is_json) {
        fputs(immovable->count == 1 ? "{\"immovable\":[" : ",", out);
        session_json(out, why);
    } else {
        fprintf(out, "cannot be moved: %s\n", why);
    }
}

// Of what has ended with [outcome].
static int tell_immovable(const struct immovable *immovable, struct ct_outcome outcome,
                          struct error *error) {
    unsigned long long count = immovable->count;
    if (immovable->options->is_json && count > 0)
        fprintf(immovable->options->out, "],\"count\":%llu}\n", count);
    if (outcome.kind == CT_SUCCEEDED)
        return LIVE_DONE;
    if (count > 1 && outcome.kind == CT_PROGRAM_ERROR)
        error_set(error, "the old table: %llu rows cannot be moved, %s named", count,
                  count > NAMED_MAX ? "the first ten are" : "all are");
    else
        error_set(error, "the old table: %.300s",
                  outcome.message ? outcome.message : "a read failed");
    return outcome.kind == CT_PROGRAM_ERROR ? LIVE_NEGATIVE : LIVE_FAILED;
}

// Another migrator may have begun since the configuration was read: applications leave marks in the
// old table then.
static bool has_begun(struct migration *migration) {
    struct error ignored;
    return session_read_config(&migration->session, &ignored) &&
           migration->session.config.state != MT_USE_OLD_HIDE_METADATA;
}

// A migration that has begun was checked then; rows may still be such as cannot be moved, then it
// says so.
static int check_rows(struct migration *migration, struct error *error) {
    struct ct_table *tables[2] = {migration->own.files[OLD_TABLE].table,
                                  migration->own.files[NEW_TABLE].table};
    struct immovable immovable = {.options = migration->session.options};
    if (migration->session.config.state != MT_USE_OLD_HIDE_METADATA)
        return LIVE_DONE;
    // Without the lease and the pace: it only reads, and nothing is held yet.
    struct mt_table *plain = mt_open(&(struct mt_options){.old_table = tables[0],
                                                          .new_table = tables[1],
                                                          .config = &migration->config,
                                                          .env = env_of(migration)});
    struct ct_outcome outcome = mt_check_rows(plain, name_row, &immovable);
    int status = tell_immovable(&immovable, outcome, error);
    if (status == LIVE_NEGATIVE && has_begun(migration)) {
        error->text[0] = '\0';
        status = LIVE_DONE;
    }
    ct_close(mt_interface(plain));
    return status;
}

// Each row is written three times: into the new table, there without its marks, and deleted in the
// old one.
static void tell_plan(struct migration *migration) {
    const struct live_options *options = migration->session.options;
    // The table was read twice by now: checked and counted.
    double time = seconds_since(migration) * WRITING_TO_READING;
    if (options->rows_per_second > 0 &&
        time < 3 * (double)migration->total / options->rows_per_second)
        time = 3 * (double)migration->total / options->rows_per_second;
    if (options->is_json)
        fprintf(options->out, "{\"rows\":%llu,\"seconds\":%.0f}\n",
                (unsigned long long)migration->total, time);
    else
        fprintf(options->out,
                "%llu rows of %s can be moved, in some %.0f s (by the time it took to read "
                "them); nothing was changed\n",
                (unsigned long long)migration->total, migration->session.config.old_name, time);
}

int live_migrate(const struct live_options *options, struct error *error) {
    struct migration migration;
    if (!migration_open(&migration, options, error))
        return LIVE_FAILED;
    int status = check_rows(&migration, error);
    if (status == LIVE_DONE)
        migration.total = count_rows(migration.own.files[OLD_TABLE].table);
    if (migration.session.config.state > MT_PREFER_NEW)
        migration.total_new = count_rows(migration.own.files[NEW_TABLE].table);
    if (status == LIVE_DONE && options->is_dry_run) {
        tell_plan(&migration);
    } else if (status == LIVE_DONE) {
        status = give_orders(&migration, error);
        if (status == LIVE_DONE)
            status = migrate(&migration, error);
    }
    migration_close(&migration);
    return status;
}

// ---- The way back ------------------------------------------------------------------------------

static int refuse_abort(struct error *error) {
    error_set(error, "PREFER_NEW was pushed: finish the migration, and make one the other way");
    return LIVE_NEGATIVE;
}

static int check_abort(const struct live_options *options, struct error *error) {
    struct session session;
    if (!session_open(&session, options, false, error))
        return LIVE_FAILED;
    bool is_early = !session.config.has_ended && session.config.state <= MT_PREFER_OLD;
    session_close(&session);
    if (!is_early)
        return refuse_abort(error);
    fprintf(options->out, "migration %s can go back to the first state; nothing was changed\n",
            options->name);
    return LIVE_DONE;
}

int live_abort(const struct live_options *options, struct error *error) {
    struct migration migration;
    if (options->is_dry_run)
        return check_abort(options, error);
    if (!migration_open(&migration, options, error))
        return LIVE_FAILED;
    struct ct_outcome outcome = persist(&migration, mt_undo);
    int status = LIVE_DONE;
    if (ct_failed_with(outcome, CT_STATUS_CONFLICT))
        status = refuse_abort(error);
    // "Back in the first state" is said only of what is on the disk.
    if (outcome.kind == CT_SUCCEEDED)
        outcome = harden(&migration);
    struct ct_outcome released = mt_holder_release(&migration.holder, false);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = released;
    if (status == LIVE_DONE && outcome.kind != CT_SUCCEEDED)
        status = explain(&migration, outcome, "abort", error);
    if (status == LIVE_DONE && !options->is_json)
        fprintf(options->out, "migration %s is back in the first state\n", options->name);
    migration_close(&migration);
    return status;
}

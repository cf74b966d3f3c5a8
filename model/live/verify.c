// verify, finish.
#include "model/live/session.h"
#include "model/migrating/state.h"
#include "model/table/batch.h"
#include "model/table/row.h"

#include <string.h>

enum { NAMED_MAX = 5, TRIES = 5 }; // keys of each sort that are reported; readings of the tables

enum finding {
    FINDING_NOT_COPIED,  // a row of the old table that the new one lacks, after the copy pass
    FINDING_LEFT_IN_OLD, // anything in the old table after the end
    FINDING_METADATA,    // marks of the migration after the end, or after it was undone
    FINDING_EARLY,       // a row in the new table before anybody writes there
    // If nobody has written since; else that is what applications do.
    FINDING_DIFFERS,
    FINDING_ADDED,
    FINDING_DELETED,
    FINDING_COUNT,
};

static const char *const finding_texts[FINDING_COUNT] = {
    "rows of the old table are missing in the new one",
    "rows are left in the old table",
    "rows carry marks of the migration",
    "rows are in the new table before the migration has begun",
    "rows differ in the two tables",
    "rows are in the new table alone",
    "rows of the old table are deleted in the new one",
};

// A walk over both tables in key order.
struct verification {
    struct session *session;
    bool is_still;                // nobody has written since the copy pass began
    struct ct_stream *streams[2]; // old, or what stands in its place; new
    const struct ct_row *rows[2]; // the next of each; NULL: its end
    uint64_t counts[2], tombstones, written;
    uint64_t findings[FINDING_COUNT];
    struct ct_key first[FINDING_COUNT][NAMED_MAX];
};

static bool is_flag_set(const struct ct_row *row, const char *name) {
    const struct ct_property *property = ct_row_property(row, name);
    return property && property->type == CT_BOOL && property->value.boolean;
}

static bool is_reserved_name(const char *name) {
    return strncmp(name, MT_RESERVED_PREFIX, strlen(MT_RESERVED_PREFIX)) == 0;
}

// Keys are copied, for rows go with the next read; of each sort only the first few are kept.
static void find(struct verification *verification, enum finding finding,
                 const struct ct_row *row) {
    struct arena *arena = verification->session->arena;
    uint64_t count = verification->findings[finding]++;
    if (count < NAMED_MAX)
        verification->first[finding][count] = (struct ct_key){
            arena_strdup(arena, row->key.partition), arena_strdup(arena, row->key.row)};
}

// What applications may have done.
static void find_change(struct verification *verification, enum finding finding,
                        const struct ct_row *row) {
    verification->written++;
    if (verification->is_still)
        find(verification, finding, row);
}

static size_t skip_marks(const struct ct_row *row, size_t i) {
    while (i < row->property_count && is_reserved_name(row->properties[i].name))
        i++;
    return i;
}

// Whether the rows have the same properties, bit by bit, but for the marks of the migration.
// ETags and times are the tables' own, and differ. Both lists are sorted: one pass.
static bool have_same_contents(const struct ct_row *a, const struct ct_row *b) {
    size_t i = skip_marks(a, 0), j = skip_marks(b, 0);
    while (i < a->property_count && j < b->property_count) {
        if (!ct_property_equal(&a->properties[i], &b->properties[j]))
            return false;
        i = skip_marks(a, i + 1);
        j = skip_marks(b, j + 1);
    }
    return i == a->property_count && j == b->property_count;
}

// A key's rows in the two tables, of which one may be missing, while or after the new one takes the
// old one's place. [must_be_there]: the copy pass has ended.
// A tombstone stands for a row that is deleted, whether the old table had it or not.
static void compare(struct verification *verification, const struct ct_row *old_row,
                    const struct ct_row *new_row, bool must_be_there) {
    if (!new_row) {
        if (must_be_there && !is_reserved_name(old_row->key.row))
            find(verification, FINDING_NOT_COPIED, old_row);
    } else if (is_flag_set(new_row, MT_DELETED_PROPERTY)) {
        find_change(verification, FINDING_DELETED, new_row);
    } else if (!old_row) {
        find_change(verification, FINDING_ADDED, new_row);
    } else if (!have_same_contents(old_row, new_row)) {
        find_change(verification, FINDING_DIFFERS, new_row);
    }
}

// After the end; [old_row] is one of the copy of the old table that is compared with, if there is
// one.
static void look_after_end(struct verification *verification, const struct ct_row *old_row,
                           const struct ct_row *new_row) {
    bool has_copy = verification->session->options->against;
    if (new_row && ct_row_property(new_row, MT_DELETED_PROPERTY))
        find(verification, FINDING_METADATA, new_row);
    if (has_copy)
        compare(verification, old_row, new_row, true);
    else if (old_row)
        find(verification, FINDING_LEFT_IN_OLD, old_row);
}

static void look(struct verification *verification, const struct ct_row *old_row,
                 const struct ct_row *new_row) {
    const struct mt_control_config *config = &verification->session->config;
    verification->counts[0] += old_row != NULL;
    verification->counts[1] += new_row != NULL;
    verification->tombstones += new_row && is_flag_set(new_row, MT_DELETED_PROPERTY);
    if (config->has_ended) {
        look_after_end(verification, old_row, new_row);
    } else if (config->state <= MT_PREFER_OLD) {
        // Nobody switches a partition before PREFER_NEW is pushed: the new table is empty still.
        if (new_row)
            find(verification, FINDING_EARLY, new_row);
        if (old_row && is_reserved_name(old_row->key.row) &&
            config->state == MT_USE_OLD_HIDE_METADATA)
            find(verification, FINDING_METADATA, old_row);
    } else if (config->state <= MT_USE_NEW_WITH_TOMBSTONES) {
        compare(verification, old_row, new_row, config->state == MT_USE_NEW_WITH_TOMBSTONES);
    }
}

static bool read_next(struct verification *verification, int table, struct error *error) {
    struct ct_outcome outcome =
        ct_stream_read(verification->streams[table], &verification->rows[table]);
    return outcome.kind == CT_SUCCEEDED ||
           error_set(error, "the %s table cannot be read; try again", table == 0 ? "old" : "new");
}

static bool walk(struct verification *verification, struct error *error) {
    // A merge of two sorted streams: each table is read once, in constant memory.
    const struct ct_row **rows = verification->rows;
    bool is_read = read_next(verification, 0, error) && read_next(verification, 1, error);
    while (is_read && (rows[0] || rows[1])) {
        int order = !rows[0] ? 1 : !rows[1] ? -1 : ct_key_compare(rows[0]->key, rows[1]->key);
        look(verification, order <= 0 ? rows[0] : NULL, order >= 0 ? rows[1] : NULL);
        if (order <= 0)
            is_read = read_next(verification, 0, error);
        if (is_read && order >= 0)
            is_read = read_next(verification, 1, error);
    }
    return is_read;
}

static bool walk_tables(struct verification *verification, struct ct_table *old_table,
                        struct ct_table *new_table, struct error *error) {
    struct ct_table *tables[2] = {old_table, new_table};
    int open = 0;
    // The old one first: what is copied meanwhile is then in the new one, too.
    while (open < 2 &&
           ct_open_stream(tables[open], NULL, &verification->streams[open]).kind == CT_SUCCEEDED)
        open++;
    bool is_read = open == 2 ? walk(verification, error)
                             : error_set(error, "a table cannot be read; try again");
    for (int i = 0; i < open; i++)
        ct_stream_close(verification->streams[i]);
    return is_read;
}

// ---- What was found ----------------------------------------------------------------------------

static bool has_findings(const struct verification *verification) {
    for (int i = 0; i < FINDING_COUNT; i++)
        if (verification->findings[i] > 0)
            return true;
    return false;
}

static size_t named(const struct verification *verification, int finding) {
    uint64_t count = verification->findings[finding];
    return count < NAMED_MAX ? (size_t)count : NAMED_MAX;
}

static void report_json(const struct verification *verification) {
    const struct session *session = verification->session;
    FILE *out = session->options->out;
    bool is_first = true;
    fprintf(out, "{\"state\":\"%s\",\"ended\":%s,\"old_rows\":%llu,\"new_rows\":%llu,",
            mt_state_name(session->config.state), session->config.has_ended ? "true" : "false",
            (unsigned long long)verification->counts[0],
            (unsigned long long)verification->counts[1]);
    fprintf(out, "\"tombstones\":%llu,\"written\":%llu,\"findings\":[",
            (unsigned long long)verification->tombstones,
            (unsigned long long)verification->written);
    for (int i = 0; i < FINDING_COUNT; i++) {
        if (verification->findings[i] == 0)
            continue;
        fprintf(out, "%s{\"what\":\"%s\",\"rows\":%llu,\"first\":[", is_first ? "" : ",",
                finding_texts[i], (unsigned long long)verification->findings[i]);
        for (size_t k = 0; k < named(verification, i); k++) {
            fprintf(out, "%s[", k > 0 ? "," : "");
            session_json(out, verification->first[i][k].partition);
            fputc(',', out);
            session_json(out, verification->first[i][k].row);
            fputc(']', out);
        }
        fprintf(out, "]}");
        is_first = false;
    }
    fprintf(out, "]}\n");
}

static void report_text(const struct verification *verification) {
    const struct session *session = verification->session;
    FILE *out = session->options->out;
    for (int i = 0; i < FINDING_COUNT; i++) {
        for (size_t k = 0; k < named(verification, i); k++)
            fprintf(out, "%s: '%s' '%s'\n", finding_texts[i], verification->first[i][k].partition,
                    verification->first[i][k].row);
        if (verification->findings[i] > NAMED_MAX)
            fprintf(out, "%s: %llu in all\n", finding_texts[i],
                    (unsigned long long)verification->findings[i]);
    }
    if (verification->written > 0 && !verification->is_still)
        fprintf(out, "%llu rows are other than in the old table: written since the copy began\n",
                (unsigned long long)verification->written);
    fprintf(
        out, "%s%s: %llu rows in the %s table, %llu in the new one (%llu tombstones): %s\n",
        mt_state_name(session->config.state), session->config.has_ended ? ", ended" : "",
        (unsigned long long)verification->counts[0], session->options->against ? "other" : "old",
        (unsigned long long)verification->counts[1], (unsigned long long)verification->tombstones,
        has_findings(verification) ? "not as it should be" : "as it should be");
}

// ---- verify ------------------------------------------------------------------------------------

// Reads both tables in one and the same state of the migration.
static bool read_tables(struct verification *verification, struct ct_table *old_table,
                        struct ct_table *new_table, struct error *error) {
    struct session *session = verification->session;
    bool is_still = session->options->is_still || session->options->against;
    for (int i = 0; i < TRIES; i++) {
        int32_t version = session->config.version;
        bool had_ended = session->config.has_ended;
        // What was found under a state that has passed is forgotten: findings mean something in one
        // state alone.
        *verification = (struct verification){.session = session, .is_still = is_still};
        if (!walk_tables(verification, old_table, new_table, error) ||
            !session_read_config(session, error))
            return false;
        if (session->config.version == version && session->config.has_ended == had_ended)
            return true;
    }
    return error_set(error, "the state changes more quickly than the tables can be read; try "
                            "again");
}

static int verify(struct session *session, struct error *error) {
    struct verification verification = {.session = session};
    struct file_connection old_file, new_file = {.table = NULL};
    const char *against = session->options->against;
    int status = LIVE_FAILED;
    if (against && !session->config.has_ended) {
        error_set(error, "--against is for a migration that has ended: before, the old table is "
                         "there");
        return LIVE_USAGE;
    }
    if (against && !file_resolve(session->arena, against, error))
        return LIVE_USAGE;
    if (file_open_named(&old_file, against ? against : session->config.old_name, false, error) &&
        file_open_named(&new_file, session->config.new_name, false, error) &&
        read_tables(&verification, old_file.table, new_file.table, error)) {
        (session->options->is_json ? report_json : report_text)(&verification);
        status = has_findings(&verification) ? LIVE_NEGATIVE : LIVE_DONE;
    }
    file_close(&old_file);
    file_close(&new_file);
    if (status == LIVE_NEGATIVE)
        error_set(error, "the tables are not as the state of the migration promises");
    return status;
}

int live_verify(const struct live_options *options, struct error *error) {
    struct session session;
    if (!session_open(&session, options, false, error))
        return LIVE_FAILED;
    int status = verify(&session, error);
    session_close(&session);
    return status;
}

// ---- finish ------------------------------------------------------------------------------------

// How many of [now] have given no sign of life since [first].
static size_t count_silent(const struct mt_control_clients *first,
                           const struct mt_control_clients *now) {
    size_t count = 0;
    for (size_t i = 0; i < now->count; i++)
        for (size_t j = 0; j < first->count; j++)
            count += strcmp(now->clients[i].id, first->clients[j].id) == 0 &&
                     strcmp(now->clients[i].etag, first->clients[j].etag) == 0;
    return count;
}

static bool delete_clients(struct session *session, const struct mt_control_clients *clients,
                           struct error *error) {
    for (size_t i = 0; i < clients->count; i++) {
        struct mt_control control;
        session_control(session, &control);
        struct ct_outcome outcome =
            mt_control_delete_client(&control, session->arena, &clients->clients[i]);
        if (outcome.kind != CT_SUCCEEDED && !ct_failed_with(outcome, CT_STATUS_NOT_FOUND))
            return error_set(error, "a client process cannot be counted out; try again");
    }
    return true;
}

// Counts out who has been silent for as long as a lease may last: nobody else does with a process
// that died after the last push. It needs no fence, for all clients are in the state that stays.
// False as soon as one gives a sign of life: it would look for the control row in vain, and stop
// serving.
static bool count_out(struct session *session, struct error *error) {
    enum { LOOKS = 16 };
    struct ct_env *env = &session->env.env;
    const volatile sig_atomic_t *is_interrupted = session->options->is_interrupted;
    struct mt_control_clients first, now;
    uint64_t patience = mt_foreign_lease(mt_nanoseconds(session->config.lease_ms),
                                         mt_nanoseconds(session->config.request_ms));
    uint64_t begin = env->ops->now(env);
    if (!session_read_clients(session, &first, error))
        return false;
    for (now = first; now.count > 0 && count_silent(&first, &now) == now.count;) {
        if (env->ops->now(env) - begin >= patience)
            return delete_clients(session, &now, error);
        if (is_interrupted && *is_interrupted)
            return error_set(error, "interrupted: nothing was removed");
        env->ops->sleep(env, HERE, patience / LOOKS);
        if (!session_read_clients(session, &now, error))
            return false;
    }
    return now.count == 0 ||
           error_set(error,
                     "%zu client processes still take part (see status): let them use the "
                     "%s table directly first",
                     now.count, session->config.has_ended ? "new" : "old");
}

// Whether it is time, or was never begun.
static bool is_over(struct session *session, struct error *error) {
    if (!session->config.has_ended && session->config.state != MT_USE_OLD_HIDE_METADATA)
        return error_set(error, "the migration has not ended: go on with migrate");
    return count_out(session, error);
}

static bool remove_rows(struct session *session, struct error *error) {
    struct arena *arena = session->arena;
    struct ct_batch batch = ct_batch_new(arena, 1);
    struct ct_op_result result;
    // The orders first: if the second fails there is still a migration that finish can be tried on
    // again.
    struct ct_outcome outcome = orders_delete(&session->control, session->options->name, arena);
    if (outcome.kind == CT_SUCCEEDED) {
        // Only as it was looked at: a migrator may have come.
        ct_batch_add(&batch, CT_DELETE,
                     ct_row_new(arena, (struct ct_key){session->options->name, "config"},
                                session->config.etag, NULL, 0));
        outcome = ct_execute(session->control.table, &batch, arena, &result);
    }
    return outcome.kind == CT_SUCCEEDED ||
           error_set(error, "%.200s: the control row has changed or cannot be removed; try again",
                     session->options->control);
}

int live_finish(const struct live_options *options, struct error *error) {
    struct session session;
    if (!session_open(&session, options, false, error))
        return LIVE_FAILED;
    // All looks come before the rows go: afterwards nothing tells that the tables belong together.
    int status = is_over(&session, error) ? LIVE_DONE : LIVE_NEGATIVE;
    if (status == LIVE_DONE)
        status = verify(&session, error);
    if (status == LIVE_DONE && !remove_rows(&session, error))
        status = LIVE_FAILED;
    if (status == LIVE_DONE && !options->is_json)
        fprintf(options->out, "migration %s is finished: %s has everything\n", options->name,
                session.config.has_ended ? session.config.new_name : session.config.old_name);
    session_close(&session);
    return status;
}

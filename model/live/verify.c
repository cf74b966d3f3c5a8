// verify, finish.
#include "model/live/session.h"
#include "model/migrating/state.h"
#include "model/table/batch.h"
#include "model/table/row.h"

#include <string.h>

enum { NAMED_MAX = 5 }; // keys of each sort that are reported

enum finding {
    FINDING_NOT_COPIED,  // a row of the old table that the new one lacks, after the copy pass
    FINDING_LEFT_IN_OLD, // anything in the old table after the end
    FINDING_METADATA,    // marks of the migration after the end, or after it was undone
    FINDING_EARLY,       // a row in the new table before anybody writes there
    FINDING_COUNT,
};

static const char *const finding_texts[FINDING_COUNT] = {
    "rows of the old table are missing in the new one",
    "rows are left in the old table",
    "rows carry marks of the migration",
    "rows are in the new table before the migration has begun",
};

// A walk over both tables in key order.
struct verification {
    struct session *session;
    struct ct_stream *streams[2];
    const struct ct_row *rows[2]; // the next of each; NULL: its end
    uint64_t counts[2], tombstones;
    uint64_t findings[FINDING_COUNT];
};

static bool is_flag_set(const struct ct_row *row, const char *name) {
    const struct ct_property *property = ct_row_property(row, name);
    return property && property->type == CT_BOOL && property->value.boolean;
}

static bool is_reserved(const struct ct_row *row) {
    return strncmp(row->key.row, MT_RESERVED_PREFIX, strlen(MT_RESERVED_PREFIX)) == 0;
}

static void find(struct verification *verification, enum finding finding,
                 const struct ct_row *row) {
    const struct live_options *options = verification->session->options;
    if (verification->findings[finding]++ >= NAMED_MAX || options->is_json)
        return;
    fprintf(options->out, "%s: '%s' '%s'\n", finding_texts[finding], row->key.partition,
            row->key.row);
}

static void look_at_old(struct verification *verification, const struct ct_row *row,
                        bool has_copy) {
    const struct mt_control_config *config = &verification->session->config;
    verification->counts[0]++;
    if (config->has_ended)
        find(verification, FINDING_LEFT_IN_OLD, row);
    else if (is_reserved(row) && config->state == MT_USE_OLD_HIDE_METADATA)
        find(verification, FINDING_METADATA, row);
    else if (!is_reserved(row) && !has_copy && config->state == MT_USE_NEW_WITH_TOMBSTONES)
        find(verification, FINDING_NOT_COPIED, row);
}

static void look_at_new(struct verification *verification, const struct ct_row *row) {
    const struct mt_control_config *config = &verification->session->config;
    verification->counts[1]++;
    verification->tombstones += is_flag_set(row, MT_DELETED_PROPERTY);
    if (config->has_ended && ct_row_property(row, MT_DELETED_PROPERTY))
        find(verification, FINDING_METADATA, row);
    else if (config->state == MT_USE_OLD_HIDE_METADATA)
        find(verification, FINDING_EARLY, row);
}

static bool read_next(struct verification *verification, int table, struct error *error) {
    struct ct_outcome outcome =
        ct_stream_read(verification->streams[table], &verification->rows[table]);
    return outcome.kind == CT_SUCCEEDED ||
           error_set(error, "the %s table cannot be read; try again", table == 0 ? "old" : "new");
}

static bool walk(struct verification *verification, struct error *error) {
    const struct ct_row **rows = verification->rows;
    bool is_read = read_next(verification, 0, error) && read_next(verification, 1, error);
    while (is_read && (rows[0] || rows[1])) {
        int order = !rows[0] ? 1 : !rows[1] ? -1 : ct_key_compare(rows[0]->key, rows[1]->key);
        if (order <= 0)
            look_at_old(verification, rows[0], order == 0);
        if (order >= 0)
            look_at_new(verification, rows[1]);
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

static bool has_findings(const struct verification *verification) {
    for (int i = 0; i < FINDING_COUNT; i++)
        if (verification->findings[i] > 0)
            return true;
    return false;
}

static void report(const struct verification *verification) {
    const struct session *session = verification->session;
    FILE *out = session->options->out;
    if (session->options->is_json) {
        fprintf(out, "{\"state\":\"%s\",\"ended\":%s,\"old_rows\":%llu,\"new_rows\":%llu,",
                mt_state_name(session->config.state), session->config.has_ended ? "true" : "false",
                (unsigned long long)verification->counts[0],
                (unsigned long long)verification->counts[1]);
        fprintf(out, "\"tombstones\":%llu,\"findings\":{",
                (unsigned long long)verification->tombstones);
        for (int i = 0; i < FINDING_COUNT; i++)
            fprintf(out, "%s\"%s\":%llu", i > 0 ? "," : "", finding_texts[i],
                    (unsigned long long)verification->findings[i]);
        fprintf(out, "}}\n");
        return;
    }
    for (int i = 0; i < FINDING_COUNT; i++)
        if (verification->findings[i] > NAMED_MAX)
            fprintf(out, "%s: %llu in all\n", finding_texts[i],
                    (unsigned long long)verification->findings[i]);
    fprintf(out, "%s%s: %llu rows in the old table, %llu in the new one (%llu tombstones): %s\n",
            mt_state_name(session->config.state), session->config.has_ended ? ", ended" : "",
            (unsigned long long)verification->counts[0],
            (unsigned long long)verification->counts[1],
            (unsigned long long)verification->tombstones,
            has_findings(verification) ? "not as it should be" : "as it should be");
}

static int verify(struct session *session, struct error *error) {
    struct verification verification = {.session = session};
    struct file_connection old_file, new_file = {.table = NULL};
    int status = LIVE_FAILED;
    if (file_open(&old_file, session->config.old_name, false, error) &&
        file_open(&new_file, session->config.new_name, false, error) &&
        walk_tables(&verification, old_file.table, new_file.table, error)) {
        report(&verification);
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

// Whether it is time, or was never begun.
static bool is_over(struct session *session, struct error *error) {
    struct mt_control_clients clients;
    if (!session->config.has_ended && session->config.state != MT_USE_OLD_HIDE_METADATA)
        return error_set(error, "the migration has not ended: go on with migrate");
    if (!session_read_clients(session, &clients, error))
        return false;
    return clients.count == 0 ||
           error_set(error,
                     "%zu client processes still take part (see status): let them use the "
                     "%s table directly first",
                     clients.count, session->config.has_ended ? "new" : "old");
}

static bool remove_rows(struct session *session, struct error *error) {
    struct arena *arena = session->arena;
    struct ct_batch batch = ct_batch_new(arena, 1);
    struct ct_op_result result;
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

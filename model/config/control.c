#include "model/config/control.h"

#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <string.h>

#define CONFIG_ROW "config"
#define CLIENT_PREFIX "client-"

enum { CONFIG_PROPERTIES = 10, CLIENT_PROPERTIES = 3 };

void mt_control_init(struct mt_control *control, struct ct_env *env, const struct mt_bounded *table,
                     const char *migration, struct bug_set *bugs) {
    *control = (struct mt_control){.bound = {.env = env, .bugs = bugs}, .migration = migration};
    mt_guard_init(&control->guard, table, &control->bound);
}

void mt_control_until(struct mt_control *control, uint64_t time, uint64_t request) {
    atomic_store(&control->bound.end, time);
    control->bound.request = request;
}

// ---- Rows --------------------------------------------------------------------------------------

static struct ct_property of_string(const char *name, const char *value) {
    return ct_string(name, value ? value : "");
}

// A property that is absent or of another type reads as 0, or as "": a row of somebody else's is
// told by config_of_row, in one place.
static int32_t int32_of(const struct ct_row *row, const char *name) {
    const struct ct_property *property = ct_row_property(row, name);
    return property && property->type == CT_INT32 ? property->value.int32 : 0;
}

static const char *string_of(const struct ct_row *row, const char *name) {
    const struct ct_property *property = ct_row_property(row, name);
    return property && property->type == CT_STRING ? property->value.string : "";
}

// Properties are in the order of their names.
static struct ct_row *row_of_config(const struct mt_control *control, struct arena *arena,
                                    const struct mt_control_config *config) {
    const struct ct_property properties[CONFIG_PROPERTIES] = {
        ct_int32("beat", config->beat),
        ct_bool("ended", config->has_ended),
        of_string("holder", config->holder),
        ct_int32("lease_ms", config->lease_ms),
        of_string("new_table", config->new_name),
        of_string("old_table", config->old_name),
        of_string("progress", config->progress),
        ct_int32("request_ms", config->request_ms),
        ct_int32("state", (int32_t)config->state),
        ct_int32("version", config->version),
    };
    return ct_row_new(arena, (struct ct_key){control->migration, CONFIG_ROW}, config->etag,
                      properties, CONFIG_PROPERTIES);
}

static struct ct_outcome config_of_row(const struct ct_row *row, struct mt_control_config *config) {
    const struct ct_property *ended = ct_row_property(row, "ended");
    int32_t state = int32_of(row, "state");
    *config = (struct mt_control_config){
        .version = int32_of(row, "version"),
        .state = (enum mt_state)state,
        .holder = string_of(row, "holder"),
        .beat = int32_of(row, "beat"),
        .lease_ms = int32_of(row, "lease_ms"),
        .request_ms = int32_of(row, "request_ms"),
        .has_ended = ended && ended->type == CT_BOOL && ended->value.boolean,
        .progress = string_of(row, "progress"),
        .old_name = string_of(row, "old_table"),
        .new_name = string_of(row, "new_table"),
        .etag = row->etag,
    };
    // Versions begin with 1: 0 is what a client says that has acknowledged nothing.
    bool is_whole = state >= 0 && state < MT_STATE_COUNT && config->version > 0 &&
                    config->lease_ms > 0 && config->request_ms >= 0;
    return is_whole ? ct_success()
                    : ct_internal_error("the control table's row 'config' is none of ours");
}

static struct ct_key key_of_client(const struct mt_control *control, struct arena *arena,
                                   const char *id) {
    return (struct ct_key){control->migration, arena_printf(arena, CLIENT_PREFIX "%s", id)};
}

static struct mt_control_client client_of_row(const struct ct_row *row) {
    return (struct mt_control_client){
        .id = row->key.row + strlen(CLIENT_PREFIX),
        .version = int32_of(row, "version"),
        .beat = int32_of(row, "beat"),
        .about = string_of(row, "about"),
        .etag = row->etag,
    };
}

static struct ct_row *row_of_client(const struct mt_control *control, struct arena *arena,
                                    const struct mt_control_client *client) {
    const struct ct_property properties[CLIENT_PROPERTIES] = {
        of_string("about", client->about),
        ct_int32("beat", client->beat),
        ct_int32("version", client->version),
    };
    return ct_row_new(arena, key_of_client(control, arena, client->id), client->etag, properties,
                      CLIENT_PROPERTIES);
}

// ---- Requests ----------------------------------------------------------------------------------

static struct ct_outcome read_row(struct mt_control *control, struct arena *arena,
                                  struct ct_key key, const struct ct_row **row) {
    struct ct_table *table = &control->guard.table;
    struct ct_rows rows;
    struct ct_outcome outcome = ct_query(table, ct_filter_point(arena, key), arena, &rows);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    *row = ct_rows_find(rows, key);
    return *row ? outcome : ct_storage_error(CT_STATUS_NOT_FOUND, 0);
}

// What a write or a delete has come to, of which neither the answer nor the row could be read.
static struct ct_outcome unread(struct ct_outcome read) {
    return ct_failed_with(read, CT_STATUS_SERVER_ERROR)
               ? ct_unknown("no answer came, and the row cannot be read")
               : read;
}

// [row] was written and no answer came; nothing of it is under way any more. Its beat is this
// write's alone: if it is there it was done.
static struct ct_outcome decide(struct mt_control *control, struct arena *arena,
                                struct ct_row *row) {
    const struct ct_row *present;
    struct ct_outcome outcome = read_row(control, arena, row->key, &present);
    if (ct_failed_with(outcome, CT_STATUS_NOT_FOUND) && !row->etag)
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    if (outcome.kind != CT_SUCCEEDED)
        return unread(outcome);
    // Two migrators may write the same beat over the same row, hence the holder. Client rows have
    // no holder, and each has one writer.
    bool is_ours = int32_of(present, "beat") == int32_of(row, "beat") &&
                   ct_string_equal(string_of(present, "holder"), string_of(row, "holder"));
    if (!is_ours)
        // The ETag that the write was to replace is still there: it was not done, and may be made
        // again. Else somebody else has written, and the write could not have been done before or
        // since.
        return ct_storage_error(
            row->etag && ct_string_equal(present->etag, row->etag)
                ? CT_STATUS_SERVER_ERROR
                : (row->etag ? CT_STATUS_PRECONDITION_FAILED : CT_STATUS_CONFLICT),
            0);
    row->etag = present->etag;
    return ct_success();
}

// A caller that does not know whether it is registered, or holds the row, can do little. So the row
// is read, and its beat decides.
static struct ct_outcome write_row(struct mt_control *control, struct arena *arena,
                                   struct ct_row *row) {
    struct ct_table *table = &control->guard.table;
    struct ct_batch batch = ct_batch_new(arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, row->etag ? CT_REPLACE : CT_INSERT, row);
    struct ct_outcome outcome = ct_execute(table, &batch, arena, &result);
    return outcome.kind == CT_UNKNOWN ? decide(control, arena, row) : outcome;
}

// ---- The interface -----------------------------------------------------------------------------

struct ct_outcome mt_control_read_config(struct mt_control *control, struct arena *arena,
                                         struct mt_control_config *config) {
    const struct ct_row *row;
    struct ct_outcome outcome =
        read_row(control, arena, (struct ct_key){control->migration, CONFIG_ROW}, &row);
    return outcome.kind == CT_SUCCEEDED ? config_of_row(row, config) : outcome;
}

struct ct_outcome mt_control_write_config(struct mt_control *control, struct arena *arena,
                                          struct mt_control_config *config) {
    struct ct_row *row = row_of_config(control, arena, config);
    struct ct_outcome outcome = write_row(control, arena, row);
    if (outcome.kind == CT_SUCCEEDED)
        config->etag = row->etag;
    return outcome;
}

struct ct_outcome mt_control_read_clients(struct mt_control *control, struct arena *arena,
                                          struct mt_control_clients *clients) {
    struct ct_table *table = &control->guard.table;
    struct ct_rows rows;
    struct ct_outcome outcome =
        // As of one instant: so a table whose queries have a limit bounds the number of processes.
        ct_query(table, ct_filter_in_partition(arena, control->migration), arena, &rows);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    const size_t prefix = strlen(CLIENT_PREFIX);
    *clients = (struct mt_control_clients){
        .clients = ARENA_ARRAY(arena, struct mt_control_client, rows.count)};
    for (size_t i = 0; i < rows.count; i++) {
        const struct ct_row *row = rows.rows[i];
        if (strncmp(row->key.row, CLIENT_PREFIX, prefix) == 0)
            clients->clients[clients->count++] = client_of_row(row);
    }
    return outcome;
}

struct ct_outcome mt_control_read_client(struct mt_control *control, struct arena *arena,
                                         const char *id, struct mt_control_client *client) {
    const struct ct_row *row;
    struct ct_outcome outcome = read_row(control, arena, key_of_client(control, arena, id), &row);
    if (outcome.kind == CT_SUCCEEDED)
        *client = client_of_row(row);
    return outcome;
}

struct ct_outcome mt_control_write_client(struct mt_control *control, struct arena *arena,
                                          struct mt_control_client *client) {
    struct ct_row *row = row_of_client(control, arena, client);
    struct ct_outcome outcome = write_row(control, arena, row);
    if (outcome.kind == CT_SUCCEEDED)
        client->etag = row->etag;
    return outcome;
}

struct ct_outcome mt_control_delete_client(struct mt_control *control, struct arena *arena,
                                           const struct mt_control_client *client) {
    struct ct_table *table = &control->guard.table;
    struct ct_row *row =
        ct_row_new(arena, key_of_client(control, arena, client->id), client->etag, NULL, 0);
    struct ct_batch batch = ct_batch_new(arena, 1);
    struct ct_op_result result;
    const struct ct_row *present;
    ct_batch_add(&batch, CT_DELETE, row);
    struct ct_outcome outcome = ct_execute(table, &batch, arena, &result);
    if (outcome.kind != CT_UNKNOWN)
        return outcome;
    // No beat is needed here: a row that was deleted does not come back, since no registration uses
    // the key of another.
    outcome = read_row(control, arena, row->key, &present);
    if (outcome.kind != CT_SUCCEEDED)
        return unread(outcome); // 404 among others
    bool is_meant =
        ct_string_equal(row->etag, CT_ANY_ETAG) || ct_string_equal(present->etag, row->etag);
    return ct_storage_error(is_meant ? CT_STATUS_SERVER_ERROR : CT_STATUS_PRECONDITION_FAILED, 0);
}

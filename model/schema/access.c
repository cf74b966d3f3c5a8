#include "model/schema/access.h"
#include "model/table/batch.h"
#include "model/table/filter.h"

struct su_outcome su_done(void) {
    return (struct su_outcome){.result = SU_DONE};
}

struct su_outcome su_unreadable(const char *property) {
    return (struct su_outcome){.result = SU_UNREADABLE, .property = property};
}

struct su_outcome su_failed(struct ct_outcome cause) {
    return (struct su_outcome){.result = SU_FAILED, .cause = cause};
}

struct digest su_observed(const struct su_server *server) {
    struct ct_env *env = server->env;
    return env && env->ops->observed ? env->ops->observed(env) : (struct digest){0, 0};
}

void su_forget(const struct su_server *server, struct digest mark, const char *place,
               uint64_t value) {
    struct ct_env *env = server->env;
    if (env && env->ops->forget)
        env->ops->forget(env, mark, place, value);
}

struct su_outcome su_retrieve(struct su_server *server, const char *key, struct su_entry *entry) {
    struct ct_rows rows;
    const char *property;
    const struct ct_filter *filter =
        ct_filter_point(server->arena, (struct ct_key){server->station, key});
    struct ct_outcome outcome = ct_query(server->table, filter, server->arena, &rows);
    if (outcome.kind != CT_SUCCEEDED)
        return su_failed(outcome);
    if (rows.count == 0)
        return (struct su_outcome){.result = SU_NOT_FOUND};
    // A point has one row at most.
    if (!su_entry_parse(server->release, rows.rows[0], entry, &property))
        return su_unreadable(property);
    return su_done();
}

// Reads one entry and acts on it. SU_NOT_FOUND at the end.
static struct su_outcome read_next(struct su_server *server, struct ct_stream *stream,
                                   struct su_outcome (*act)(void *context, struct su_entry *entry),
                                   void *context) {
    const struct ct_row *row;
    struct su_entry entry;
    const char *property;
    struct ct_outcome outcome = ct_stream_read(stream, &row);
    if (outcome.kind != CT_SUCCEEDED)
        return su_failed(outcome);
    if (!row)
        return (struct su_outcome){.result = SU_NOT_FOUND};
    if (!su_entry_parse(server->release, row, &entry, &property))
        return su_unreadable(property);
    return act(context, &entry);
}

struct su_outcome su_for_each(struct su_server *server,
                              struct su_outcome (*act)(void *context, struct su_entry *entry),
                              void *context) {
    struct ct_stream *stream;
    struct ct_outcome outcome = ct_open_stream(server->table, NULL, &stream);
    if (outcome.kind != CT_SUCCEEDED)
        return su_failed(outcome);
    struct su_outcome next;
    struct digest mark = su_observed(server);
    while ((next = read_next(server, stream, act, context)).result == SU_DONE)
        su_forget(server, mark, "scan: next entry", 0); // where it stands is the stream's to know
    ct_stream_close(stream);
    // The end of the stream stops the loop as an entry does that was acted on in vain.
    return next.result == SU_NOT_FOUND ? su_done() : next;
}

struct ct_outcome su_execute(struct su_server *server, enum ct_op_type type, struct ct_row *row) {
    struct ct_operation operation;
    struct ct_op_result result;
    struct ct_batch batch = {.operations = &operation, .capacity = 1};
    ct_batch_add(&batch, type, row);
    return ct_execute(server->table, &batch, server->arena, &result);
}

static enum ct_op_type update_type(enum su_release release, struct bug_set *bugs) {
    switch (release) {
    // It knows all properties, or it could not have read the entry: a replace loses none.
    case SU_R1_STRICT:
        return CT_REPLACE;
    case SU_R1_TOLERANT: // what the class does not know must survive
        return !bug_on(bugs, BUG_OLD_CLIENT_REPLACES) ? CT_MERGE : CT_REPLACE;
    // What they have not written stays as it is.
    case SU_R1_5:
    case SU_R2:
        return CT_MERGE;
    case SU_R3: // a merge would keep the removed property
        return !bug_on(bugs, BUG_MERGE_ON_REMOVE) ? CT_REPLACE : CT_MERGE;
    case SU_RELEASE_COUNT:
        break;
    }
    fail_at(FAIL_ASSERTION, HERE, "unknown release %d", (int)release);
}

struct ct_outcome su_store(struct su_server *server, const struct su_entry *entry,
                           const char *if_match) {
    return su_execute(server, update_type(server->release, server->bugs),
                      su_entry_format(server->release, entry, if_match, server->arena));
}

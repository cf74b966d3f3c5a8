// What a server does for its clients, in each release.
#include "model/schema/access.h"
#include "model/table/row.h"

// An update under way: what it changes.
struct change {
    int32_t increment;
    const char *area; // to be chosen; NULL: it stays
};

struct su_outcome su_insert(struct su_server *server, const char *key,
                            const struct su_sample *sample) {
    struct su_entry entry =
        su_entry_new(server->release, (struct ct_key){server->station, key}, sample);
    struct ct_outcome outcome = su_execute(
        server, CT_INSERT, su_entry_format(server->release, &entry, NULL, server->arena));
    if (ct_failed_with(outcome, CT_STATUS_CONFLICT))
        return (struct su_outcome){.result = SU_CONFLICT};
    return outcome.kind == CT_SUCCEEDED ? su_done() : su_failed(outcome);
}

static void apply(const struct su_server *server, const struct change *change,
                  struct su_entry *entry) {
    su_entry_touch(server->release, entry, server->bugs);
    entry->temperature += change->increment;
    if (!change->area)
        return;
    entry->area = change->area;
    if (entry->version < SU_2_0) // one at 3.0 keeps its version
        entry->version = SU_2_0;
}

// Reads, changes and writes until nobody has come in between.
// The increment is applied to what was read in the same attempt: an attempt that fails leaves no
// trace of itself. Each 412 was somebody else's success.
static struct su_outcome modify(struct su_server *server, const char *key,
                                const struct change *change) {
    struct digest mark = su_observed(server);
    for (uint32_t retries = 0;; retries++) {
        su_forget(server, mark, "update: attempt", retries); // nothing seen before is used
        struct su_entry entry;
        struct su_outcome read = su_retrieve(server, key, &entry);
        read.retries = retries;
        if (read.result != SU_DONE)
            return read;
        apply(server, change, &entry);
        // Only what was read may be overwritten.
        struct ct_outcome outcome = su_store(
            server, &entry, !bug_on(server->bugs, BUG_BLIND_UPDATE) ? entry.etag : CT_ANY_ETAG);
        if (outcome.kind == CT_SUCCEEDED)
            return read;
        if (ct_failed_with(outcome, CT_STATUS_NOT_FOUND))
            return (struct su_outcome){.result = SU_NOT_FOUND, .retries = retries};
        if (!ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED))
            return su_failed(outcome);
    }
}

struct su_outcome su_update_temperature(struct su_server *server, const char *key,
                                        int32_t increment) {
    return modify(server, key, &(struct change){.increment = increment});
}

struct su_outcome su_choose_area(struct su_server *server, const char *key, const char *area) {
    ASSERT(server->release >= SU_R2);
    return modify(server, key, &(struct change){.area = area});
}

struct su_outcome su_delete(struct su_server *server, const char *key) {
    struct ct_outcome outcome = su_execute(
        server, CT_DELETE,
        // Whatever it holds: a delete decides nothing by what it has read.
        ct_row_new(server->arena, (struct ct_key){server->station, key}, CT_ANY_ETAG, NULL, 0));
    if (ct_failed_with(outcome, CT_STATUS_NOT_FOUND))
        return (struct su_outcome){.result = SU_NOT_FOUND};
    return outcome.kind == CT_SUCCEEDED ? su_done() : su_failed(outcome);
}

struct su_outcome su_read(struct su_server *server, const char *key, struct su_reading *reading) {
    struct su_entry entry;
    struct su_outcome outcome = su_retrieve(server, key, &entry);
    if (outcome.result == SU_DONE)
        *reading = su_entry_reading(server->release, &entry, server->bugs);
    return outcome;
}

struct scan {
    const struct su_server *server;
    void (*visit)(void *context, const char *key, const struct su_reading *reading);
    void *context;
};

static struct su_outcome show(void *context, struct su_entry *entry) {
    const struct scan *scan = context;
    struct su_reading reading = su_entry_reading(scan->server->release, entry, scan->server->bugs);
    scan->visit(scan->context, entry->key.row, &reading);
    return su_done();
}

struct su_outcome su_scan(struct su_server *server,
                          void (*visit)(void *context, const char *key,
                                        const struct su_reading *reading),
                          void *context) {
    return su_for_each(server, show, &(struct scan){server, visit, context});
}

// The worker: brings every entry to the newest version.
#include "model/schema/access.h"

static enum su_version target_of(const struct su_server *worker) {
    return worker->release == SU_R3 ? SU_3_0 : SU_2_0;
}

// Makes of [entry], which is older, one of the version [target].
static void lift(struct su_entry *entry, enum su_version target) {
    // Below 2.0 the area is none or the default, which nobody chose.
    if (entry->version < SU_2_0)
        entry->area = SU_AREA_SURVEYED;
    entry->version = target;
}

// Upgrades [entry] as it was read, and whatever has become of it when somebody came in between.
static struct su_outcome upgrade(void *context, struct su_entry *entry) {
    struct su_server *worker = context;
    struct bug_set *bugs = worker->bugs;
    enum su_version target = target_of(worker);
    // An entry that somebody has brought to [target] meanwhile is done with, whoever did it.
    while (entry->version < target) {
        const char *key = entry->key.row;
        lift(entry, target);
        // Only what was read may be overwritten.
        struct ct_outcome outcome = su_store(
            worker, entry, !bug_on(bugs, BUG_WORKER_OVERWRITES) ? entry->etag : CT_ANY_ETAG);
        if (outcome.kind == CT_SUCCEEDED || ct_failed_with(outcome, CT_STATUS_NOT_FOUND))
            break;
        if (!ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED))
            return su_failed(outcome);
        // Somebody has changed it, but need not have upgraded it.
        if (bug_on(bugs, BUG_WORKER_SKIPS_CONFLICT))
            break;
        struct su_outcome read = su_retrieve(worker, key, entry);
        if (read.result == SU_NOT_FOUND)
            break;
        if (read.result != SU_DONE)
            return read;
    }
    return su_done();
}

struct su_outcome su_worker_pass(struct su_server *worker) {
    ASSERT(worker->release >= SU_R2);
    return su_for_each(worker, upgrade, worker);
}

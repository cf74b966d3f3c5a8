// Client states, and what a configuration service is that moves clients through them.
//
// A service holds the current state and the subscriptions of running calls. A push is a barrier: it
// ends only when every call that ran in an earlier state has ended or has been moved. So clients
// are at most one state apart, and what the migrator does after a push happens when nobody is in an
// earlier state. The in-process service is in service.h.
//
// A service may be remote, and its clients may be processes that die or stand still. Then every
// call of it may fail, and it may end a subscription by itself, so that no push waits for ever.
#ifndef MODEL_CONFIG_CONFIG_H
#define MODEL_CONFIG_CONFIG_H

#include "core/base/digest.h"
#include "model/table/table.h"

enum mt_state {
    MT_USE_OLD_HIDE_METADATA,   // everything is in the old table; its metadata is hidden
    MT_PREFER_OLD,              // writes go to the old table unless the partition is switched
    MT_PREFER_NEW,              // writes go to the new table, old rows are copied first
    MT_USE_NEW_WITH_TOMBSTONES, // the new table holds everything; deletes leave tombstones
    MT_USE_NEW_HIDE_METADATA,   // deletes are physical; leftovers are being cleaned up
    MT_STATE_COUNT,
};

// "USE_OLD_HIDE_METADATA", ...
const char *mt_state_name(enum mt_state state);

// A running call's (or a mirror's) place at a service. Storage and functions are the subscriber's;
// the functions may be called by other threads than the subscriber's, one at a time.
struct mt_subscription {
    // Moves the subscriber to [state]; may block. NULL: a fixed subscription, which accepts no
    // update and so blocks a push until it is ended.
    void (*apply)(struct mt_subscription *subscription, enum mt_state state);
    // The service has ended the subscription, because it has heard nothing of this process for too
    // long: pushes do not wait for it any more. It is to be ended as any other. NULL: there is
    // nothing to do about it, since the tables refuse the process's calls from then on anyway.
    void (*expire)(struct mt_subscription *subscription);
    // The service does not touch the subscription any more: it was ended, and what it was to be
    // told has returned. Called once for each that was ended, perhaps before [unsubscribe] returns.
    // NULL: for one that is told nothing, with which that is so on return, or is never ended.
    void (*release)(struct mt_subscription *subscription);
    // For the comparison of states: what the subscriber has that several tasks may read. NULL:
    // nothing.
    struct digest (*digest)(const struct mt_subscription *subscription);
    struct mt_place *place; // the service's; NULL unless subscribed
};

// A service as its clients see it.
struct mt_config {
    const struct mt_config_ops *ops;
};

enum { MT_CONFIG_VERSION = 1 };

struct mt_config_ops {
    uint32_t version; // MT_CONFIG_VERSION; as of struct ct_table_ops
    // Registers, atomically with a look at the current state, which goes to [state]. All members of
    // [subscription] but [place], which must be NULL, are the caller's. No scheduling point. Fails
    // with CT_STATUS_SERVER_ERROR; then it is not registered and is not released.
    struct ct_outcome (*subscribe)(struct mt_config *config, struct mt_subscription *subscription,
                                   enum mt_state *state);
    // Ends a subscription; ending one that is not there is harmless. A waiting push may go on
    // within this call.
    void (*unsubscribe)(struct mt_config *config, struct mt_subscription *subscription);
    // Makes [state] current and returns when every subscription that was there has been moved to it
    // or has ended. May be the current state again: then it only waits. The migrator's call, one at
    // a time but for those of migrators that died. Fails with CT_STATUS_SERVER_ERROR or CT_UNKNOWN:
    // [state] may be current or not, and nobody may have waited; push again.
    struct ct_outcome (*push)(struct mt_config *config, const char *where, enum mt_state state);
};

#endif

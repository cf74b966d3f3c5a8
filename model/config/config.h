// Client states and the configuration service that moves clients through them.
//
// The service holds the current state and the subscriptions of running calls. A push is a barrier:
// it ends only when every call that ran in an earlier state has ended or has been moved. So clients
// are at most one state apart, and what the migrator does after a push happens when nobody is in an
// earlier state. There is one push at a time.
#ifndef MODEL_CONFIG_CONFIG_H
#define MODEL_CONFIG_CONFIG_H

#include "model/table/env.h"

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

// A running call's (or a mirror's) place at a service; storage is the subscriber's.
struct mt_subscription {
    // Moves the subscriber to [state]; may block. NULL: a fixed subscription, which accepts no
    // update and so blocks a push until it is ended.
    void (*apply)(struct mt_subscription *subscription, enum mt_state state);
    // For the comparison of states: what the subscriber has that several tasks may read. NULL:
    // nothing.
    struct digest (*digest)(const struct mt_subscription *subscription);
    // The rest is the service's.
    struct mt_subscription *next, **link; // link is NULL unless subscribed
    struct mt_delivery *pending;          // the push that waits for this subscription, if any
};

// A service as its clients see it.
struct mt_config {
    const struct mt_config_ops *ops;
};

struct mt_config_ops {
    // Registers and returns the current state, atomically. [subscription]->apply is set by the
    // caller. No scheduling point.
    enum mt_state (*subscribe)(struct mt_config *config, struct mt_subscription *subscription);
    // Ends a subscription; ending it again is harmless. A waiting push may go on within this call.
    void (*unsubscribe)(struct mt_config *config, struct mt_subscription *subscription);
    // Makes [state] current and returns when every subscription that was there has been moved to it
    // or has ended. May be the current state again: then it only waits. The migrator's call.
    void (*push)(struct mt_config *config, const char *where, enum mt_state state);
};

// The service itself, for whoever hosts it. Subscriptions are kept in order of subscription.
struct mt_config_service {
    struct mt_config config; // its interface; first member
    struct ct_env *env;
    enum mt_state current;
    struct mt_subscription *first, **last;
};

void mt_config_service_init(struct mt_config_service *service, struct ct_env *env,
                            enum mt_state initial);

#endif

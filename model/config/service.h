// The configuration service in one process, for whoever hosts it.
//
// In a cooperative world (the tester's) tasks come one at a time and may wait within an apply or a
// push. A host with preemptive threads has the service keep a lock of the environment, which is
// held while it looks at its own data and at no other time: not while a subscriber is told
// something, nor while a push waits. It never fails, and expires nobody unless told to.
#ifndef MODEL_CONFIG_SERVICE_H
#define MODEL_CONFIG_SERVICE_H

#include "model/config/config.h"
#include "model/table/env.h"

struct mt_config_service {
    struct mt_config config; // its interface; first member
    struct ct_env *env;
    struct ct_lock *guard; // NULL: in a cooperative world
    enum mt_state current;
    bool is_closed;                 // whoever subscribes is refused
    struct arena *arena;            // of places
    struct mt_place *first, **last; // the subscribed ones, in the order of subscription
    struct mt_place *free;          // places to be used again
};

void mt_config_service_init(struct mt_config_service *service, struct ct_env *env,
                            enum mt_state initial, bool is_preemptive);

// Gives back what it holds. There are no subscriptions left, and no push waits.
void mt_config_service_deinit(struct mt_config_service *service);

// Whether nobody is subscribed.
bool mt_config_service_is_idle(const struct mt_config_service *service);

// Ends every subscription that is there now, as if their process had been silent for too long.
void mt_config_service_expire(struct mt_config_service *service);

// The same, and refuses whoever subscribes from now on with CT_STATUS_SERVER_ERROR. Returns when no
// call of before is left: fixed subscriptions have been ended, those with an [expire] have been
// told (all others have one). For a process that must not go on with what it has begun.
void mt_config_service_close(struct mt_config_service *service, const char *where);

// Opens it again, in any state.
void mt_config_service_open(struct mt_config_service *service, enum mt_state state);

// Adds what decides on its future: the state, and of each subscription, in their order, the pushes
// that wait for it and its own digest.
void mt_config_service_add(const struct mt_config_service *service, struct digest_words *words);

#endif

#include "model/config/service.h"

// A push, or a close, that waits for one subscription. Its own: it has gone when the push returns.
struct waiter {
    struct mt_place *place; // NULL: it does not wait for this one any more
    struct waiter *next;    // of the same place
    struct ct_latch *latch; // the push's
    enum mt_state state;    // which it pushes; a close waits for the end: no state is late enough
};

// A subscription's place. It outlives the subscription while somebody is telling that something.
struct mt_place {
    struct mt_config_service *service;
    struct mt_subscription *subscription;
    struct mt_place *next,
        **link;             // among the subscribed ones (link is NULL if it is none), or free
    struct waiter *waiters; // the pushes that wait for it
    bool is_told;           // a task calls the subscriber's functions, or is about to
    bool has_expired;       // and the subscriber has not been told yet
};

static struct mt_config_service *service_of(struct mt_config *config) {
    return (struct mt_config_service *)config;
}

// Cooperative tasks change places only at scheduling points, and none lies within a pair of these.
static void enter(struct mt_config_service *service) {
    if (service->guard)
        service->env->ops->lock_acquire(service->env, HERE, service->guard);
}

static void leave(struct mt_config_service *service) {
    if (service->guard)
        service->env->ops->lock_release(service->env, service->guard);
}

// ---- Places ------------------------------------------------------------------------------------

// An arena gives nothing back, and every call subscribes: used places are taken again, so there are
// never more of them than calls have run at once.
static struct mt_place *new_place(struct mt_config_service *service) {
    struct mt_place *place = service->free;
    if (place)
        service->free = place->next;
    else
        place = ARENA_NEW(service->arena, struct mt_place);
    *place = (struct mt_place){.service = service};
    return place;
}

static void append(struct mt_place *place) {
    struct mt_config_service *service = place->service;
    place->link = service->last;
    *service->last = place;
    service->last = &place->next;
}

static void unlink_place(struct mt_place *place) {
    struct mt_config_service *service = place->service;
    *place->link = place->next;
    if (place->next)
        place->next->link = place->link;
    else
        service->last = place->link;
    place->link = NULL;
}

// The push need not wait for this subscription any more.
static void settle(struct waiter *waiter) {
    // Read before the count: the waiter lies in the arena of the push, which may end with it.
    struct ct_env *env = waiter->place->service->env;
    waiter->place = NULL;
    env->ops->latch_count_down(env, waiter->latch); // the waiter may be gone from here on
}

// Those that push [state] or an earlier one: the subscriber has been moved to [state].
static void settle_up_to(struct mt_place *place, enum mt_state state) {
    struct waiter **link = &place->waiters;
    while (*link) {
        struct waiter *waiter = *link;
        if (waiter->state <= state) {
            *link = waiter->next;
            settle(waiter);
        } else {
            link = &waiter->next;
        }
    }
}

static void settle_all(struct mt_place *place) {
    while (place->waiters) {
        struct waiter *waiter = place->waiters;
        place->waiters = waiter->next;
        settle(waiter);
    }
}

// Forgets the ended subscription; to be called once it is not being told anything. Leaves.
// The release comes after the guard was left, and nothing of the place is touched after it: it may
// free the subscription, or subscribe it anew, perhaps at this very place.
static void release_and_leave(struct mt_place *place) {
    struct mt_config_service *service = place->service;
    struct mt_subscription *subscription = place->subscription;
    ASSERT(!place->link);
    ASSERT(!place->waiters);
    place->next = service->free;
    service->free = place;
    leave(service);
    if (subscription->release)
        subscription->release(subscription);
}

// ---- Subscriptions -----------------------------------------------------------------------------

static struct ct_outcome subscribe(struct mt_config *config, struct mt_subscription *subscription,
                                   enum mt_state *state) {
    struct mt_config_service *service = service_of(config);
    ASSERT(!subscription->place);
    enter(service);
    if (service->is_closed) {
        leave(service);
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    }
    struct mt_place *place = new_place(service);
    place->subscription = subscription;
    subscription->place = place;
    append(place);
    *state = service->current;
    leave(service);
    return ct_success();
}

static void unsubscribe(struct mt_config *config, struct mt_subscription *subscription) {
    struct mt_config_service *service = service_of(config);
    enter(service);
    struct mt_place *place = subscription->place;
    if (!place) {
        leave(service);
        return;
    }
    ASSERT(!subscription->apply || subscription->release); // else nobody knows when it is free
    // This is what ends it: whoever is telling it something looks there (has_ended) before he tells
    // it more.
    subscription->place = NULL;
    if (place->link)
        unlink_place(place);
    // A call that has ended is in no state: every push may go on.
    settle_all(place);
    if (place->is_told)
        leave(service); // whoever does so releases it
    else
        release_and_leave(place);
}

// ---- Pushes ------------------------------------------------------------------------------------

// The subscription is still there to be asked: its owner keeps it until the release, which is the
// teller's.
static bool has_ended(const struct mt_place *place) {
    return place->subscription->place != place;
}

// Tells the subscriber one thing. The guard is held before and after.
static void tell(struct mt_place *place) {
    struct mt_config_service *service = place->service;
    struct mt_subscription *subscription = place->subscription;
    // Without the guard: the subscriber may wait for a call that ends only when it has
    // unsubscribed. Meanwhile another push may change [current]; the subscriber was moved to what
    // was read here, and settles that much.
    enum mt_state state = service->current;
    bool has_expired = place->has_expired;
    place->has_expired = false;
    leave(service);
    if (has_expired)
        subscription->expire(subscription);
    else
        subscription->apply(subscription, state);
    enter(service);
    if (!has_expired)
        settle_up_to(place, state);
    else
        settle_all(place); // it does nothing any more
}

// Whether there is something to tell: a close waits for the end, and has nothing to say.
static bool has_news(const struct mt_place *place) {
    for (const struct waiter *waiter = place->waiters; waiter; waiter = waiter->next)
        if (waiter->state < MT_STATE_COUNT)
            return true;
    return place->has_expired;
}

// Runs concurrently with the push. A push that comes meanwhile (the migrator of the one before has
// died waiting) starts no second task, which might overtake this one: it is seen to here.
static void deliver(void *argument) {
    struct mt_place *place = (struct mt_place *)argument;
    struct mt_config_service *service = place->service;
    enter(service);
    while (!has_ended(place) && has_news(place))
        tell(place);
    place->is_told = false;
    if (has_ended(place))
        release_and_leave(place);
    else
        leave(service);
}

static size_t subscription_count(const struct mt_config_service *service) {
    size_t count = 0;
    for (const struct mt_place *place = service->first; place; place = place->next)
        count++;
    return count;
}

// Makes the push of [state] wait for everyone who is subscribed now. Before the first apply: that
// may run at once and change the list.
// [count] is the number of the subscribed, so that the latch is made with its final count: each of
// them settles its waiter exactly once, by apply, expiry or end.
static struct waiter *wait_for_all(struct mt_config_service *service, struct arena *arena,
                                   size_t count, enum mt_state state) {
    struct ct_env *env = service->env;
    struct ct_latch *latch = env->ops->latch_create(env, count);
    struct waiter *waiters = ARENA_ARRAY(arena, struct waiter, count);
    struct waiter *waiter = waiters;
    for (struct mt_place *place = service->first; place; place = place->next) {
        *waiter = (struct waiter){place, place->waiters, latch, state};
        place->waiters = waiter++;
    }
    return waiters;
}

// A fixed subscription accepts no update: the push waits until it is ended. One that is being told
// something hears of this push there.
static bool must_be_told(const struct waiter *waiter) {
    return waiter->place && waiter->place->subscription->apply && !waiter->place->is_told;
}

static void tell_all(struct mt_config_service *service, struct waiter *waiters, size_t count) {
    struct ct_env *env = service->env;
    // The guard is left for each start, whose task may run at once and enters itself. So a waiter
    // may have been settled since the last time round, and is looked at anew.
    for (size_t i = 0; i < count; i++) {
        enter(service);
        struct mt_place *place = must_be_told(&waiters[i]) ? waiters[i].place : NULL;
        if (place)
            place->is_told = true;
        leave(service);
        if (place)
            env->ops->start(env, "apply configuration", deliver, place);
    }
}

// The barrier of the protocol (state.h): on return no subscription is in an earlier state. It waits
// for those that were there when the state was changed, and for no others.
static struct ct_outcome push(struct mt_config *config, const char *where, enum mt_state state) {
    struct mt_config_service *service = service_of(config);
    struct ct_env *env = service->env;
    enter(service);
    // The same state again is the push of a migrator that takes up the work of a dead one; one
    // state back is the way of mt_undo.
    ASSERT(state < MT_STATE_COUNT && state + 1 >= service->current);
    // First the state, so that whoever subscribes from now on need not be waited for.
    service->current = state;
    size_t count = subscription_count(service);
    if (count == 0) {
        leave(service);
        return ct_success();
    }
    struct arena *arena = env->ops->arena_open(env);
    struct waiter *waiters = wait_for_all(service, arena, count, state);
    struct ct_latch *latch = waiters->latch;
    leave(service);
    tell_all(service, waiters, count);
    env->ops->latch_wait(env, where, latch);
    env->ops->latch_destroy(env, latch);
    env->ops->arena_close(env, arena);
    return ct_success();
}

// ---- For the host ------------------------------------------------------------------------------

void mt_config_service_init(struct mt_config_service *service, struct ct_env *env,
                            enum mt_state initial, bool is_preemptive) {
    static const struct mt_config_ops ops = {.version = MT_CONFIG_VERSION,
                                             .subscribe = subscribe,
                                             .unsubscribe = unsubscribe,
                                             .push = push};
    ASSERT(initial < MT_STATE_COUNT);
    *service = (struct mt_config_service){.config = {.ops = &ops}, .env = env, .current = initial};
    service->arena = env->ops->arena_open(env);
    if (is_preemptive)
        service->guard = env->ops->lock_create(env);
    service->last = &service->first;
}

void mt_config_service_deinit(struct mt_config_service *service) {
    struct ct_env *env = service->env;
    ASSERT(mt_config_service_is_idle(service));
    if (service->guard)
        env->ops->lock_destroy(env, service->guard);
    env->ops->arena_close(env, service->arena);
    service->arena = NULL;
}

void mt_config_service_expire(struct mt_config_service *service) {
    struct ct_env *env = service->env;
    enter(service);
    while (service->first) {
        struct mt_place *place = service->first;
        // A task that is telling it something now sees [has_expired] when it comes back, and tells
        // that too.
        bool must_start = place->subscription->expire && !place->is_told;
        unlink_place(place); // no later push waits for it
        // Pushes need wait no longer: the tables refuse whatever the call still sends. A close does
        // wait, for the call itself.
        settle_up_to(place, MT_STATE_COUNT - 1);
        place->has_expired = place->subscription->expire != NULL;
        place->is_told = place->is_told || must_start;
        leave(service);
        if (must_start)
            env->ops->start(env, "expire subscription", deliver, place);
        enter(service);
    }
    leave(service);
}

// Closed first, then listed, then expired: nobody comes after the list was made, and everyone on it
// is told to end or ends by itself.
void mt_config_service_close(struct mt_config_service *service, const char *where) {
    struct ct_env *env = service->env;
    struct arena *arena = env->ops->arena_open(env);
    enter(service);
    service->is_closed = true;
    size_t count = subscription_count(service);
    struct ct_latch *latch =
        count > 0 ? wait_for_all(service, arena, count, MT_STATE_COUNT)->latch : NULL;
    leave(service);
    mt_config_service_expire(service);
    if (latch) {
        env->ops->latch_wait(env, where, latch);
        env->ops->latch_destroy(env, latch);
    }
    env->ops->arena_close(env, arena);
}

void mt_config_service_open(struct mt_config_service *service, enum mt_state state) {
    ASSERT(state < MT_STATE_COUNT && service->is_closed && !service->first);
    enter(service);
    service->current = state;
    service->is_closed = false;
    leave(service);
}

bool mt_config_service_is_idle(const struct mt_config_service *service) {
    return !service->first;
}

// A waiter's state is more than the two ends of a list of them, of which the second says that a
// digest follows.
void mt_config_service_add(const struct mt_config_service *service, struct digest_words *words) {
    digest_words_add(words, service->current);
    for (const struct mt_place *place = service->first; place; place = place->next) {
        for (const struct waiter *waiter = place->waiters; waiter; waiter = waiter->next)
            digest_words_add(words, 3 + (uint64_t)waiter->state);
        digest_words_add(words, place->subscription->digest ? 2 : 1);
        if (place->subscription->digest)
            digest_words_add_digest(words, place->subscription->digest(place->subscription));
    }
    digest_words_add(words, 0);
}

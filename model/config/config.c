// The configuration service. Called by one thread at a time (the cooperative world of the tester);
// a host with preemptive threads guards it with a lock of its own.
#include "model/config/config.h"

const char *mt_state_name(enum mt_state state) {
    static const char *const names[MT_STATE_COUNT] = {
        "USE_OLD_HIDE_METADATA", "PREFER_OLD", "PREFER_NEW", "USE_NEW_WITH_TOMBSTONES",
        "USE_NEW_HIDE_METADATA",
    };
    ASSERT(state < MT_STATE_COUNT);
    return names[state];
}

// One subscription's part of a push. Outlives the subscription, which may end before its apply has
// run, or while it runs.
struct mt_delivery {
    struct ct_env *env;
    struct ct_latch *latch;
    struct mt_subscription *subscription; // NULL once the push does not wait for it any more
    enum mt_state state;
};

static struct mt_config_service *service_of(struct mt_config *config) {
    return (struct mt_config_service *)config;
}

// The push need not wait for this subscription any more.
static void settle(struct mt_delivery *delivery) {
    delivery->subscription->pending = NULL;
    delivery->subscription = NULL;
    delivery->env->ops->latch_count_down(delivery->env, delivery->latch);
}

// Runs concurrently with the push.
static void deliver(void *argument) {
    struct mt_delivery *delivery = (struct mt_delivery *)argument;
    if (!delivery->subscription)
        return; // ended before its turn came
    delivery->subscription->apply(delivery->subscription, delivery->state);
    if (delivery->subscription)
        settle(delivery);
}

static enum mt_state subscribe(struct mt_config *config, struct mt_subscription *subscription) {
    struct mt_config_service *service = service_of(config);
    subscription->next = NULL;
    subscription->link = service->last;
    subscription->pending = NULL;
    *service->last = subscription;
    service->last = &subscription->next;
    return service->current;
}

static void unsubscribe(struct mt_config *config, struct mt_subscription *subscription) {
    struct mt_config_service *service = service_of(config);
    if (!subscription->link)
        return;
    *subscription->link = subscription->next;
    if (subscription->next)
        subscription->next->link = subscription->link;
    else
        service->last = subscription->link;
    subscription->link = NULL;
    if (subscription->pending)
        settle(subscription->pending);
}

static size_t subscription_count(const struct mt_config_service *service) {
    size_t count = 0;
    for (const struct mt_subscription *s = service->first; s; s = s->next)
        count++;
    return count;
}

// Makes the push wait for everyone who is subscribed now. Before the first apply: that may run at
// once and change the list.
static struct mt_delivery *snapshot(struct mt_config_service *service, size_t count) {
    struct ct_env *env = service->env;
    struct ct_latch *latch = env->ops->latch_create(env, count);
    struct mt_delivery *deliveries = ARENA_ARRAY(env->arena, struct mt_delivery, count);
    struct mt_delivery *delivery = deliveries;
    for (struct mt_subscription *s = service->first; s; s = s->next) {
        ASSERT(!s->pending); // one push at a time
        *delivery = (struct mt_delivery){
            .env = env, .latch = latch, .subscription = s, .state = service->current};
        s->pending = delivery++;
    }
    return deliveries;
}

static void push(struct mt_config *config, const char *where, enum mt_state state) {
    struct mt_config_service *service = service_of(config);
    struct ct_env *env = service->env;
    // First the state, so that whoever subscribes from now on need not be waited for.
    service->current = state;
    size_t count = subscription_count(service);
    if (count == 0)
        return;
    struct mt_delivery *deliveries = snapshot(service, count);
    struct ct_latch *latch = deliveries->latch;
    for (size_t i = 0; i < count; i++) {
        // A fixed subscription accepts no update: the push waits until it is ended.
        if (deliveries[i].subscription && deliveries[i].subscription->apply)
            env->ops->start(env, "apply configuration", deliver, &deliveries[i]);
    }
    env->ops->latch_wait(env, where, latch);
    env->ops->latch_destroy(env, latch);
}

void mt_config_service_init(struct mt_config_service *service, struct ct_env *env,
                            enum mt_state initial) {
    static const struct mt_config_ops ops = {
        .subscribe = subscribe, .unsubscribe = unsubscribe, .push = push};
    ASSERT(initial < MT_STATE_COUNT);
    *service = (struct mt_config_service){
        .config = {.ops = &ops}, .env = env, .current = initial, .first = NULL};
    service->last = &service->first;
}

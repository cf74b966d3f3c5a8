#define _POSIX_C_SOURCE 200809L
#include "model/posix/guarded_config.h"

enum { ARENA_BYTES = 1 << 26 };

// The service's subscription of a subscriber, which finds it again through its own field next.
struct guarded_subscription {
    struct mt_subscription inner; // first member
    struct mt_subscription *outer;
    struct guarded_config *config;
};

struct ct_latch {
    size_t count;
};

// ---- The environment of the service; every call holds the mutex ---------------------------------

static struct guarded_config *config_of(struct ct_env *env) {
    return (struct guarded_config *)(void *)((char *)env - offsetof(struct guarded_config, env));
}

struct delivery_thread {
    struct guarded_config *config;
    void (*function)(void *);
    void *argument;
};

static void *run_delivery(void *argument) {
    struct delivery_thread *delivery = (struct delivery_thread *)argument;
    pthread_mutex_lock(&delivery->config->mutex);
    delivery->function(delivery->argument);
    pthread_mutex_unlock(&delivery->config->mutex);
    return NULL;
}

static void start(struct ct_env *env, const char *name, void (*function)(void *), void *argument) {
    struct guarded_config *config = config_of(env);
    (void)name;
    ASSERT(config->thread_count < GUARDED_THREADS_MAX);
    struct delivery_thread *delivery = ARENA_NEW(&config->arena, struct delivery_thread);
    *delivery = (struct delivery_thread){config, function, argument};
    int error =
        pthread_create(&config->threads[config->thread_count++], NULL, run_delivery, delivery);
    ASSERT(error == 0);
}

static struct ct_latch *latch_create(struct ct_env *env, size_t count) {
    struct ct_latch *latch = ARENA_NEW(env->arena, struct ct_latch);
    latch->count = count;
    return latch;
}

static void latch_count_down(struct ct_env *env, struct ct_latch *latch) {
    ASSERT(latch->count > 0);
    if (--latch->count == 0)
        pthread_cond_broadcast(&config_of(env)->changed);
}

static void latch_wait(struct ct_env *env, const char *where, struct ct_latch *latch) {
    struct guarded_config *config = config_of(env);
    (void)where;
    while (latch->count > 0)
        pthread_cond_wait(&config->changed, &config->mutex);
}

static void latch_destroy(struct ct_env *env, struct ct_latch *latch) {
    (void)env;
    (void)latch;
}

// ---- The service -------------------------------------------------------------------------------

static void apply_unguarded(struct mt_subscription *inner, enum mt_state state) {
    struct guarded_subscription *subscription = (struct guarded_subscription *)inner;
    struct guarded_config *config = subscription->config;
    pthread_mutex_unlock(&config->mutex);
    subscription->outer->apply(subscription->outer, state);
    pthread_mutex_lock(&config->mutex);
}

static enum mt_state subscribe(struct mt_config *base, struct mt_subscription *outer) {
    struct guarded_config *config = (struct guarded_config *)base;
    struct mt_config *service = &config->service.config;
    pthread_mutex_lock(&config->mutex);
    struct guarded_subscription *subscription =
        ARENA_NEW(&config->arena, struct guarded_subscription);
    subscription->outer = outer;
    subscription->config = config;
    subscription->inner.apply = outer->apply ? apply_unguarded : NULL;
    outer->next = &subscription->inner;
    enum mt_state state = service->ops->subscribe(service, &subscription->inner);
    pthread_mutex_unlock(&config->mutex);
    return state;
}

static void unsubscribe(struct mt_config *base, struct mt_subscription *outer) {
    struct guarded_config *config = (struct guarded_config *)base;
    struct mt_config *service = &config->service.config;
    pthread_mutex_lock(&config->mutex);
    if (outer->next)
        service->ops->unsubscribe(service, outer->next);
    outer->next = NULL;
    pthread_mutex_unlock(&config->mutex);
}

static void push(struct mt_config *base, const char *where, enum mt_state state) {
    struct guarded_config *config = (struct guarded_config *)base;
    struct mt_config *service = &config->service.config;
    pthread_mutex_lock(&config->mutex);
    service->ops->push(service, where, state);
    pthread_mutex_unlock(&config->mutex);
}

void guarded_config_init(struct guarded_config *config, enum mt_state initial) {
    static const struct mt_config_ops ops = {
        .subscribe = subscribe, .unsubscribe = unsubscribe, .push = push};
    static const struct ct_env_ops env_ops = {.start = start,
                                              .latch_create = latch_create,
                                              .latch_count_down = latch_count_down,
                                              .latch_wait = latch_wait,
                                              .latch_destroy = latch_destroy};
    config->config.ops = &ops;
    config->thread_count = 0;
    arena_init(&config->arena, ARENA_BYTES);
    config->env = (struct ct_env){.ops = &env_ops, .arena = &config->arena};
    pthread_mutex_init(&config->mutex, NULL);
    pthread_cond_init(&config->changed, NULL);
    mt_config_service_init(&config->service, &config->env, initial);
}

void guarded_config_deinit(struct guarded_config *config) {
    for (size_t i = 0; i < config->thread_count; i++)
        pthread_join(config->threads[i], NULL);
    pthread_cond_destroy(&config->changed);
    pthread_mutex_destroy(&config->mutex);
    arena_deinit(&config->arena);
}

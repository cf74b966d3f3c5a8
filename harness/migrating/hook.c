// Hooks: actions of a machine at a change of its state.
#include "harness/migrating/app.h"

void hook_run(void *argument) {
    struct hook *hook = argument;
    hook->action(hook->app);
}

static void apply_hook(struct mt_subscription *subscription, enum mt_state state) {
    struct hook *hook = MESSAGE_OF(struct hook, subscription, subscription);
    if (state != hook->state)
        return;
    if (hook->is_after)
        hook->app->world->delivery->act_later(hook);
    else
        hook->action(hook->app);
}

void hook_register(struct hook *hook, struct app *app) {
    hook->app = app;
    hook->subscription.apply = apply_hook;
    enum mt_state state;
    app->mirror.config.ops->subscribe(&app->mirror.config, &hook->subscription, &state);
}

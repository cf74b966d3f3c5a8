// The migrator's program: the whole migration, gone on with after each fault.
#include "core/engine/monitor.h"
#include "harness/migrating/checks.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"

// Whether the migration is to be gone on with: a fault has met it.
// Only after a fault that was injected: a server error without one is a fault of the protocol.
static bool must_go_on(struct app *app, struct ct_outcome outcome) {
    bool has_lost_answer = client_take_lost_answer(&app->client);
    return app_met_server_error(app, outcome) ||
           (has_lost_answer && ct_failed_with(outcome, CT_STATUS_SERVER_ERROR));
}

// Not inlined: its buffer would lie on the migrator's stack all the time, and searches copy stacks.
__attribute__((noinline)) static void tell_failure(struct ct_outcome outcome) {
    char buffer[DESCRIPTION_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    describe_outcome(&text, outcome, NULL, 0);
    sct_violation(outcome.kind == CT_PROGRAM_ERROR ? SCT_KIND_PROGRAM_ERROR : KIND_CALL_FAILED,
                  "the migration ended with %s", buffer);
}

void app_migrate(struct app *app) {
    struct table_log *log = app->world->log;
    // The migrator moves rows and makes no call of an application: a linearization point that it
    // reports is a violation.
    app->client.may_linearize = false;
    if (log)
        table_log_unsettle(log); // it may have ended before, and died since
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "the migration to end");
    struct ct_outcome outcome = mt_migrate(app->instance);
    while (must_go_on(app, outcome)) // "in theory you should be able to call this again"
        outcome = mt_migrate(app->instance);
    sct_monitor_cold(&monitor);
    if (outcome.kind == CT_SUCCEEDED) {
        if (log)
            table_log_settle(log);
        app->world->has_migrated = true;
        sct_waiters_wake(&app->world->migrated);
        return;
    }
    tell_failure(outcome);
}

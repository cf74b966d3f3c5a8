#include "harness/migrating/checks.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"

bool app_met_server_error(struct app *app, struct ct_outcome outcome) {
    if (!client_take_server_error(&app->client))
        return false;
    sct_check(ct_failed_with(outcome, CT_STATUS_SERVER_ERROR) && outcome.op_index == 0,
              KIND_FAULT_HIDDEN, "a backend call failed with a server error; the call did not");
    return true;
}

bool app_ignores_annotations(const struct app *app) {
    return app->world->tables.options.ignores_annotations;
}

// Not inlined: the buffer would lie beneath the whole call, and searches copy stacks.
__attribute__((noinline, cold)) void app_note_call(const char *what, const struct ct_batch *batch,
                                                   const struct ct_filter *filter) {
    char buffer[2000];
    struct text text = text_in(buffer, sizeof buffer);
    if (batch)
        describe_batch(&text, batch);
    else
        describe_filter(&text, filter);
    sct_note_as(SCT_NOTE_CALL, "calls %s: %s", what, buffer);
}

void app_call_ended(struct app *app) {
    app->calls_ended++;
    world_wake_others(app->world);
}

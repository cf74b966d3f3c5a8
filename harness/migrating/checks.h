// What the checks of calls, streams and the migration have in common.
#ifndef HARNESS_MIGRATING_CHECKS_H
#define HARNESS_MIGRATING_CHECKS_H

#include "harness/migrating/app.h"

// Whether a server error befell the call that ends with [outcome], which then must be that.
bool app_met_server_error(struct app *app, struct ct_outcome outcome);

// Without annotations there is nothing that answers could be compared with.
bool app_ignores_annotations(const struct app *app);

// Tells the narration of a call that begins: of a [batch], else with a [filter].
void app_note_call(const char *what, const struct ct_batch *batch, const struct ct_filter *filter);

// One more call or stream has ended: somebody may have waited for that.
void app_call_ended(struct app *app);

#endif

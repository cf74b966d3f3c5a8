// What mtable does: one function a command.
#ifndef MODEL_COMMAND_COMMAND_H
#define MODEL_COMMAND_COMMAND_H

#include "model/command/settings.h"

// Exit statuses, documented in the man page.
enum {
    COMMAND_DONE = 0,
    COMMAND_NEGATIVE = 1, // it was answered, and the answer is no: no such row, a condition not met
    COMMAND_USAGE = 2,    // arguments, settings, files that say something else than expected
    COMMAND_FAILED = 3,   // a table or an endpoint failed; [error] says what to do
    COMMAND_INTERRUPTED = 130,
};

// Runs a command and returns its status; a status that is not COMMAND_DONE comes with an error.
int command_serve(const struct settings *settings, struct error *error);
int command_get(const struct settings *settings, struct error *error);
int command_put(const struct settings *settings, struct error *error);
int command_query(const struct settings *settings, struct error *error);
int command_import(const struct settings *settings, struct error *error);
int command_export(const struct settings *settings, struct error *error);
int command_init(const struct settings *settings, struct error *error);
int command_status(const struct settings *settings, struct error *error);
int command_migrate(const struct settings *settings, struct error *error);
int command_pause(const struct settings *settings, struct error *error);
int command_resume(const struct settings *settings, struct error *error);
int command_throttle(const struct settings *settings, struct error *error);
int command_verify(const struct settings *settings, struct error *error);
int command_finish(const struct settings *settings, struct error *error);
int command_abort(const struct settings *settings, struct error *error);

#endif

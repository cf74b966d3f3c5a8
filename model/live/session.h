// What all functions of live.h begin with: the control file, the configuration, an environment.
// Internal to model/live.
#ifndef MODEL_LIVE_SESSION_H
#define MODEL_LIVE_SESSION_H

#include "model/live/files.h"
#include "model/live/live.h"
#include "model/live/orders.h"

struct session {
    const struct live_options *options;
    struct thread_env env;
    struct arena *arena;
    struct file_connection control;
    struct mt_control_config config; // as it was at the beginning
};

// Opens the control file; reads the configuration unless there may be none yet. False with a
// one-line error, and nothing is to be closed.
bool session_open(struct session *session, const struct live_options *options, bool is_new,
                  struct error *error);

void session_close(struct session *session);

// Now; false with a one-line error.
bool session_read_config(struct session *session, struct error *error);

// The clients, now.
bool session_read_clients(struct session *session, struct mt_control_clients *clients,
                          struct error *error);

// Makes [control] one of the session's connection, with some time from now.
void session_control(struct session *session, struct mt_control *control);

// "USE_OLD_HIDE_METADATA" ... as a number; false if there is none of that name.
bool session_state(const char *name, enum mt_state *state);

// Appends [text] as a JSON string, quotes included.
void session_json(FILE *out, const char *text);

#endif

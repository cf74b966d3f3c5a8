#include "model/live/session.h"

#include "core/base/clock.h"

#include <string.h>

// An operator's command has no lease: its requests end by a time that he can wait for.
enum { TIME_S = 20 };

void session_control(struct session *session, struct mt_control *control) {
    uint64_t time = (uint64_t)TIME_S * 1000000000;
    mt_control_init(control, &session->env.env, &session->control.bounded, session->options->name,
                    NULL);
    mt_control_until(control, clock_nanoseconds() + time, time);
}

bool session_read_config(struct session *session, struct error *error) {
    struct file_migration migration = {.control = &session->control,
                                       .env = &session->env,
                                       .path = session->options->control,
                                       .name = session->options->name};
    return file_read_config(&migration, session->arena, &session->config, error);
}

bool session_read_clients(struct session *session, struct mt_control_clients *clients,
                          struct error *error) {
    struct mt_control control;
    session_control(session, &control);
    struct ct_outcome outcome = mt_control_read_clients(&control, session->arena, clients);
    return outcome.kind == CT_SUCCEEDED ||
           error_set(error, "%.200s: expected the rows of clients: the file is busy or failed",
                     session->options->control);
}

bool session_open(struct session *session, const struct live_options *options, bool is_new,
                  struct error *error) {
    *session = (struct session){.options = options};
    thread_env_init(&session->env, FILES_ARENA_BYTES);
    session->arena = session->env.env.ops->arena_open(&session->env.env);
    if (file_open_control(&session->control, options->control, error) &&
        (is_new || session_read_config(session, error)))
        return true;
    session_close(session);
    return false;
}

void session_close(struct session *session) {
    file_close(&session->control);
    session->env.env.ops->arena_close(&session->env.env, session->arena);
    thread_env_deinit(&session->env);
}

bool session_state(const char *name, enum mt_state *state) {
    for (int i = 0; i < MT_STATE_COUNT; i++)
        if (strcmp(mt_state_name((enum mt_state)i), name) == 0) {
            *state = (enum mt_state)i;
            return true;
        }
    return false;
}

void session_json(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            fprintf(out, "\\%c", byte);
        else if (byte < ' ')
            // JSON has no other form for these.
            fprintf(out, "\\u%04x", (unsigned)byte);
        else
            fputc(byte, out);
    }
    fputc('"', out);
}

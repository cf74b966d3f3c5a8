// mtable init, status, migrate, pause, resume, throttle, verify, finish, abort: the functions of
// model/live/live.h with their options from the settings.
#define _POSIX_C_SOURCE 200809L
#include "model/command/command.h"

#include "model/live/live.h"

#include <string.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

static bool read_options(const struct settings *settings, struct live_options *options,
                         struct error *error) {
    *options = (struct live_options){
        .control = settings->control,
        .name = settings->name,
        .out = stdout,
        .old_name = settings->from,
        .new_name = settings->to,
        .against = *settings->against ? settings->against : NULL,
        .hold_before = *settings->hold_before ? settings->hold_before : NULL,
        .is_interrupted = &interrupted,
    };
    if (!*settings->control)
        return error_set(error, "expected --control FILE: where the migration's state is");
    if (!settings_word("still", settings->still, "on", "off", &options->is_still, error))
        return false;
    return settings_word("format", settings->format, "json", "text", &options->is_json, error) &&
           settings_word("dry-run", settings->dry_run, "on", "off", &options->is_dry_run, error) &&
           settings_number("lease-ms", settings->lease_ms, 1, INT32_MAX, &options->lease_ms,
                           error) &&
           settings_number("throttle", settings->throttle, 0, INT32_MAX, &options->rows_per_second,
                           error) &&
           settings_number("batch", settings->batch, 1, 10000, &options->batch_rows, error) &&
           settings_number("jobs", settings->jobs, 1, 64, &options->jobs, error);
}

static int run(const struct settings *settings, int arguments,
               int (*function)(const struct live_options *options, struct error *error),
               struct error *error) {
    struct live_options options;
    struct sigaction action = {.sa_handler = on_signal};
    if (settings->argument_count > arguments) {
        error_set(error, "unexpected argument '%.60s'", settings->arguments[arguments]);
        return COMMAND_USAGE;
    }
    if (!read_options(settings, &options, error))
        return COMMAND_USAGE;
    if (arguments > 0 && !settings_number("throttle", settings->arguments[0], 0, INT32_MAX,
                                          &options.rows_per_second, error))
        return COMMAND_USAGE;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return function(&options, error);
}

// Statuses of live.h are those of command.h.
_Static_assert((int)LIVE_FAILED == COMMAND_FAILED && (int)LIVE_NEGATIVE == COMMAND_NEGATIVE &&
                   (int)LIVE_USAGE == COMMAND_USAGE && (int)LIVE_INTERRUPTED == COMMAND_INTERRUPTED,
               "one list of statuses");

int command_init(const struct settings *settings, struct error *error) {
    if (!*settings->from || !*settings->to) {
        error_set(error,
                  "init: expected --from FILE#TABLE and --to FILE#TABLE, or account:FILE#TABLE");
        return COMMAND_USAGE;
    }
    return run(settings, 0, live_init, error);
}

int command_status(const struct settings *settings, struct error *error) {
    return run(settings, 0, live_print_status, error);
}

int command_migrate(const struct settings *settings, struct error *error) {
    return run(settings, 0, live_migrate, error);
}

int command_pause(const struct settings *settings, struct error *error) {
    return run(settings, 0, live_pause, error);
}

int command_resume(const struct settings *settings, struct error *error) {
    return run(settings, 0, live_resume, error);
}

int command_throttle(const struct settings *settings, struct error *error) {
    if (settings->argument_count < 1) {
        error_set(error, "expected: mtable throttle ROWS");
        return COMMAND_USAGE;
    }
    return run(settings, 1, live_throttle, error);
}

int command_verify(const struct settings *settings, struct error *error) {
    return run(settings, 0, live_verify, error);
}

int command_finish(const struct settings *settings, struct error *error) {
    return run(settings, 0, live_finish, error);
}

int command_abort(const struct settings *settings, struct error *error) {
    return run(settings, 0, live_abort, error);
}

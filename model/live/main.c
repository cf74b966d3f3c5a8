// mtable-live: the operator's subcommands by themselves.
#define _POSIX_C_SOURCE 200809L
#include "core/base/number.h"
#include "model/live/live.h"

#include <string.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

static const struct command {
    const char *name;
    int (*run)(const struct live_options *options, struct error *error);
    const char *summary;
} commands[] = {
    {"init", live_init, "prepare a migration: --from FILE#TABLE --to FILE#TABLE [--lease-ms N]"},
    {"status", live_print_status, "state, migrator, progress, who holds up a push"},
    {"migrate", live_migrate,
     "migrate to the end [--dry-run] [--throttle ROWS/S] [--hold-before STATE]"},
    {"pause", live_pause, "the migrator stands still"},
    {"resume", live_resume, "it goes on, past --hold-before too"},
    {"throttle", live_throttle, "at most --throttle ROWS/S from now on; 0: no limit"},
    {"verify", live_verify, "compare the tables with what the state promises"},
    {"finish", live_finish, "after the end: verify, remove the control rows"},
    {"abort", live_abort, "back to the first state, before PREFER_NEW"},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int usage(void) {
    puts("usage: mtable-live COMMAND --control FILE [--name NAME] [OPTION]...\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-9s %s\n", commands[i].name, commands[i].summary);
    puts("\n  --name NAME   of the migration (default: migration)\n"
         "  --batch N     rows that are copied at once (default: 100)\n"
         "  --json        for programs\n\n"
         "exit status: 0 done; 1 the answer is no; 2 usage; 3 a file failed; 130 interrupted");
    return LIVE_DONE;
}

// Divides "FILE#TABLE".
static bool set_table(char *value, const char **file, const char **table) {
    char *mark = strrchr(value, '#');
    if (!mark || mark == value || !mark[1])
        return false;
    *mark = '\0';
    *file = value;
    *table = mark + 1;
    return true;
}

static bool set_number(const char *value, uint32_t *number) {
    uint64_t parsed = 0;
    if (!number_parse(value, 0, INT32_MAX, &parsed))
        return false;
    *number = (uint32_t)parsed;
    return true;
}

static bool set_option(struct live_options *options, const char *name, char *value) {
    if (strcmp(name, "--control") == 0)
        options->control = value;
    else if (strcmp(name, "--name") == 0)
        options->name = value;
    else if (strcmp(name, "--from") == 0)
        return set_table(value, &options->old_file, &options->old_table);
    else if (strcmp(name, "--to") == 0)
        return set_table(value, &options->new_file, &options->new_table);
    else if (strcmp(name, "--hold-before") == 0)
        options->hold_before = value;
    else if (strcmp(name, "--lease-ms") == 0)
        return set_number(value, &options->lease_ms);
    else if (strcmp(name, "--throttle") == 0)
        return set_number(value, &options->rows_per_second);
    else if (strcmp(name, "--batch") == 0)
        return set_number(value, &options->batch_rows);
    else
        return false;
    return true;
}

static bool set_flag(struct live_options *options, const char *name) {
    if (strcmp(name, "--json") == 0)
        options->is_json = true;
    else if (strcmp(name, "--dry-run") == 0)
        options->is_dry_run = true;
    else
        return false;
    return true;
}

static bool read_options(struct live_options *options, char **arguments, struct error *error) {
    for (char **next = arguments; *next; next++) {
        if (set_flag(options, *next))
            continue;
        if (!next[1] || !set_option(options, *next, next[1]))
            return error_set(error, "%.100s: expected an option and its value (see --help)", *next);
        next++;
    }
    return options->control != NULL || error_set(error, "expected --control FILE (see --help)");
}

static const struct command *find_command(const char *name) {
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int main(int count, char **arguments) {
    struct error error = {""};
    struct live_options options = {
        .name = "migration", .out = stdout, .is_interrupted = &interrupted};
    if (count < 2 || strcmp(arguments[1], "--help") == 0)
        return usage();
    const struct command *command = find_command(arguments[1]);
    int status = LIVE_USAGE;
    if (!command)
        error_set(&error, "'%.100s': expected a command (see --help)", arguments[1]);
    else if (read_options(&options, arguments + 2, &error)) {
        if (command->run == live_init && !(options.old_file && options.new_file))
            error_set(&error, "init: expected --from FILE#TABLE and --to FILE#TABLE");
        else {
            struct sigaction action = {.sa_handler = on_signal};
            sigaction(SIGINT, &action, NULL);
            sigaction(SIGTERM, &action, NULL);
            status = command->run(&options, &error);
        }
    }
    if (status != LIVE_DONE)
        fprintf(stderr, "mtable-live: %s\n", *error.text ? error.text : "failed");
    return status;
}

#include "model/command/command.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *arguments, *what;
    int (*run)(const struct settings *settings, struct error *error);
} commands[] = {
    {"serve", "", "an endpoint of the Azure Table protocol over an SQLite file", command_serve},
    {"get", "TABLE PARTITION ROW", "prints an entity as a line of JSON", command_get},
    {"put", "TABLE JSON", "inserts or replaces an entity; makes the table", command_put},
    {"query", "TABLE [FILTER]", "prints the entities that match, in key order", command_query},
    {"import", "TABLE", "puts the entities of standard input, a line each", command_import},
    {"export", "TABLE", "prints all entities", command_export},
    {"init", "", "prepares a migration from one table to another", command_init},
    {"status", "", "its state, migrator, progress, and who holds up a push", command_status},
    {"migrate", "", "migrates to the end, from wherever it stands", command_migrate},
    {"pause", "", "the migrator stands still", command_pause},
    {"resume", "", "it goes on, past --hold-before too", command_resume},
    {"throttle", "ROWS", "it copies so many rows in a second at most; 0: no limit",
     command_throttle},
    {"verify", "", "compares the tables with what the state promises", command_verify},
    {"finish", "", "after the end: verifies, removes what is left of the migration",
     command_finish},
    {"abort", "", "back to the first state; until PREFER_NEW", command_abort},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int show_help(void) {
    printf("usage: mtable COMMAND [--SETTING VALUE]... [ARGUMENT]...\n\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-9s %-20s %s\n", commands[i].name, commands[i].arguments, commands[i].what);
    printf("\n");
    settings_help();
    printf("\nexit status: 0 done; 1 the answer is no; 2 usage; 3 a table failed; "
           "130 interrupted\n");
    return COMMAND_DONE;
}

int main(int count, char **arguments) {
    struct settings settings;
    struct error error = {""};
    for (int i = 1; i < count && strcmp(arguments[i], "--") != 0; i++)
        if (strcmp(arguments[i], "--help") == 0)
            return show_help();
    int chosen = 0;
    while (chosen < COMMANDS && (count < 2 || strcmp(arguments[1], commands[chosen].name) != 0))
        chosen++;
    int status = COMMAND_USAGE;
    if (chosen == COMMANDS) {
        error_set(&error, "expected a command, found '%.60s' (see mtable --help)",
                  count < 2 ? "" : arguments[1]);
    } else {
        if (settings_read(&settings, arguments + 2, &error))
            status = commands[chosen].run(&settings, &error);
        settings_free(&settings);
    }
    if (*error.text)
        fprintf(stderr, "mtable: %s\n", error.text);
    return status;
}

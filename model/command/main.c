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
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static int show_help(void) {
    printf("usage: mtable COMMAND [--SETTING VALUE]... [ARGUMENT]...\n\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-7s %-28s %s\n", commands[i].name, commands[i].arguments, commands[i].what);
    printf("\n");
    settings_help();
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

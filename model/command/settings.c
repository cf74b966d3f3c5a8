#include "model/command/settings.h"

#include "core/base/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct setting {
    const char *name, *value, *what;
    size_t offset; // of the member
    bool is_switch;
};

static const struct setting all[] = {
#define SETTING(member, name, value, what) \
    {name, value, what, offsetof(struct settings, member), false},
#define SWITCH(member, name, what) {name, "off", what, offsetof(struct settings, member), true},
#define GROUP(what)
#include "model/command/settings.def"
#undef GROUP
#undef SWITCH
#undef SETTING
};
enum {
    SETTINGS = sizeof all / sizeof all[0],
    LINE_BYTES_MAX = 4096,
    NAME_BYTES_MAX = 64,
    FILE_BYTES_MAX = 1 << 24
};

static const char **member_of(struct settings *settings, const struct setting *setting) {
    return (const char **)((char *)settings + setting->offset);
}

static const struct setting *find(const char *name, size_t length) {
    for (size_t i = 0; i < SETTINGS; i++)
        if (strlen(all[i].name) == length && memcmp(all[i].name, name, length) == 0)
            return &all[i];
    return NULL;
}

// ---- The configuration file --------------------------------------------------------------------

static char *trim(char *text) {
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t\r\n", text[size - 1]))
        text[--size] = '\0';
    return text;
}

static bool read_line(struct settings *settings, const char *path, int number, char *line,
                      struct error *error) {
    char *name = trim(line), *equals = strchr(name, '=');
    if (*name == '\0' || *name == '#')
        return true;
    if (!equals)
        return error_set(error, "%.200s:%d: expected 'name = value'", path, number);
    *equals = '\0';
    name = trim(name);
    const struct setting *setting = find(name, strlen(name));
    if (!setting)
        return error_set(error, "%.200s:%d: unknown setting '%.60s' (see mtable --help)", path,
                         number, name);
    *member_of(settings, setting) = arena_strdup(&settings->arena, trim(equals + 1));
    return true;
}

// Whatever it says is copied: the lines go.
static bool read_file(struct settings *settings, const char *path, struct error *error) {
    char line[LINE_BYTES_MAX];
    FILE *in = fopen(path, "r");
    bool is_read = true;
    if (!in)
        return error_set(error, "%.200s: %s", path, strerror(errno));
    for (int number = 1; is_read && fgets(line, sizeof line, in); number++)
        is_read = strchr(line, '\n') || feof(in)
                      ? read_line(settings, path, number, line, error)
                      : error_set(error, "%.200s:%d: a line is too long", path, number);
    fclose(in);
    return is_read;
}

// ---- Options and environment -------------------------------------------------------------------

static void read_environment(struct settings *settings) {
    for (size_t i = 0; i < SETTINGS; i++) {
        char name[NAME_BYTES_MAX];
        snprintf(name, sizeof name, "MTABLE_%s", all[i].name);
        for (char *at = name; *at; at++)
            *at = *at == '-' ? '_' : *at >= 'a' && *at <= 'z' ? (char)(*at - 0x20) : *at;
        const char *value = getenv(name);
        if (value)
            *member_of(settings, &all[i]) = value;
    }
}

// Takes "--name value", "--name=value" or "--switch" from [*at] on, which goes behind it. False
// with a one-line error.
static bool take_option(struct settings *settings, char ***at, bool is_first, struct error *error) {
    const char *name = **at + 2, *value = NULL;
    size_t length = strcspn(name, "=");
    const struct setting *setting = find(name, length);
    bool is_config = length == 6 && memcmp(name, "config", 6) == 0;
    if (!is_config && !setting)
        return error_set(error, "unknown option '--%.*s' (see mtable --help)",
                         (int)(length < 60 ? length : 60), name);
    (*at)++;
    if (name[length] == '=')
        value = name + length + 1;
    else if (setting && setting->is_switch)
        value = "on";
    else if (**at)
        value = *(*at)++;
    if (!value)
        return error_set(error, "--%.60s: expected a value", name);
    if (is_first && is_config)
        return read_file(settings, value, error);
    if (!is_first && setting)
        *member_of(settings, setting) = value;
    return true;
}

// Twice over the same arguments: the first time for the file alone, whose place among them does not
// matter.
static bool read_options(struct settings *settings, char **arguments, bool is_first,
                         struct error *error) {
    int count = 0;
    bool are_over = false;
    for (char **at = arguments; *at;) {
        if (!are_over && strncmp(*at, "--", 2) == 0 && (*at)[2] != '\0') {
            if (!take_option(settings, &at, is_first, error))
                return false;
        } else {
            bool is_mark = !are_over && strcmp(*at, "--") == 0;
            if (!is_first && !is_mark)
                arguments[count++] = *at;
            are_over = are_over || is_mark;
            at++;
        }
    }
    if (!is_first) {
        arguments[count] = NULL;
        settings->arguments = (const char *const *)arguments;
        settings->argument_count = count;
    }
    return true;
}

bool settings_read(struct settings *settings, char **arguments, struct error *error) {
    arena_init(&settings->arena, FILE_BYTES_MAX);
    settings->bugs = NULL;
    for (size_t i = 0; i < SETTINGS; i++)
        *member_of(settings, &all[i]) = all[i].value;
    // The file first: what else is said goes before it.
    if (!read_options(settings, arguments, true, error))
        return false;
    read_environment(settings);
    return read_options(settings, arguments, false, error);
}

void settings_free(struct settings *settings) {
    arena_deinit(&settings->arena);
}

bool settings_number(const char *name, const char *value, uint32_t min, uint32_t max,
                     uint32_t *number, struct error *error) {
    return number_parse32(value, min, max, number) ||
           error_set(error, "%s '%.60s': expected a number from %u to %u", name, value, min, max);
}

bool settings_word(const char *name, const char *value, const char *yes, const char *no,
                   bool *is_yes, struct error *error) {
    *is_yes = strcmp(value, yes) == 0;
    return *is_yes || strcmp(value, no) == 0 ||
           error_set(error, "%s '%.60s': expected '%s' or '%s'", name, value, yes, no);
}

void settings_help(void) {
    printf("  --config FILE           lines 'name = value' of what follows\n");
#define SETTING(member, name, value, what) \
    printf("  --%-21s %s%s%s%s\n", name, what, *(value) ? " (" : "", value, *(value) ? ")" : "");
#define SWITCH(member, name, what) printf("  --%-21s %s\n", name, what);
#define GROUP(what) printf("\n%s:\n", what);
#include "model/command/settings.def"
#undef GROUP
#undef SWITCH
#undef SETTING
}

// What mtable is told: options, environment, one configuration file.
#ifndef MODEL_COMMAND_SETTINGS_H
#define MODEL_COMMAND_SETTINGS_H

#include "core/base/arena.h"
#include "core/base/text.h"

#include <stdint.h>

struct bug_set;

struct settings {
#define SETTING(member, name, value, what) const char *member;
#define SWITCH(member, name, what) const char *member; // "on" or "off"
#define GROUP(what)
#include "model/command/settings.def"
#undef GROUP
#undef SWITCH
#undef SETTING
    const char *const *arguments; // those that are no options, NULL at the end
    int argument_count;
    struct arena arena; // of what the file says
    // Injected into what is served, or NULL: no setting, for those who test the testers.
    struct bug_set *bugs;
};

// Reads the options in [arguments], NULL at its end, and what they leave open. Values live until
// [settings_free], which follows in any case. False with a one-line error.
bool settings_read(struct settings *settings, char **arguments, struct error *error);

void settings_free(struct settings *settings);

// A value as a number, from [min] to [max]. False with a one-line error.
bool settings_number(const char *name, const char *value, uint32_t min, uint32_t max,
                     uint32_t *number, struct error *error);

// A value that is one of two words. False with a one-line error.
bool settings_word(const char *name, const char *value, const char *yes, const char *no,
                   bool *is_yes, struct error *error);

// Prints the list of them.
void settings_help(void);

#endif

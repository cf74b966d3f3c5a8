// Races that are passed over: those of a suppression file, and those that a survey has found before
// the campaign (--races all), whose places are scheduling points.
#ifndef CORE_POSIX_RACES_H
#define CORE_POSIX_RACES_H

#include "core/base/text.h"
#include "core/memory/race.h"

// Reads lines "KIND FUNCTION-or-FILE"; empty ones and those that begin with '#' say nothing.
bool posix_suppressions_read(const char *path, struct error *error);

// Whether a finding of [kind] in the call that returns to [place] is suppressed.
bool posix_is_suppressed(const char *kind, const void *place);

enum { POSIX_RACE_TEXT_BYTES = 768 };

// A race of a survey.
struct posix_surveyed {
    const void *places[2];
    char text[POSIX_RACE_TEXT_BYTES];
};

// Adds one, unless that pair of places is there.
void posix_survey_add(const struct posix_surveyed *race);

uint32_t posix_survey_count(void);
const struct posix_surveyed *posix_survey_at(uint32_t index);

// Whether the call that returns to [place] is on one side of a surveyed race.
bool posix_is_racy(const void *place);

// For sct_memory_options: whether [race] is one of those or suppressed.
bool posix_ignores_race(void *context, const struct sct_race *race);

// Of the suppressions and of the surveyed races: what executions depend on.
uint64_t posix_races_hash(void);

#endif

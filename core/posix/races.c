#define _GNU_SOURCE // getline
#include "core/posix/races.h"
#include "core/base/grow.h"
#include "core/base/hash.h"
#include "core/base/rng.h"
#include "core/posix/places.h"
#include "core/posix/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- Suppressions ------------------------------------------------------------------------------

struct suppression {
    char *kind, *where;
};

static struct suppression *suppressions;
static uint32_t suppression_count, suppression_room;

static bool add_line(char *line, struct error *error, const char *path, unsigned number) {
    char *rest;
    const char *kind = strtok_r(line, " \t\n", &rest), *where = strtok_r(NULL, " \t\n", &rest);
    if (!kind || *kind == '#')
        return true;
    if (!where || strtok_r(NULL, " \t\n", &rest))
        return error_set(error, "'%.200s', line %u: expected KIND FUNCTION-or-FILE", path, number);
    GROW(suppressions, suppression_count + 1, suppression_room, "suppressions");
    ASSERT(suppression_count < suppression_room);
    suppressions[suppression_count++] =
        (struct suppression){grow_text(kind, "a suppression"), grow_text(where, "a suppression")};
    return true;
}

bool posix_suppressions_read(const char *path, struct error *error) {
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    bool is_good = true;
    // Before the first execution: they are part of what decisions depend on (posix_races_hash).
    ASSERT(!posix_world.is_open);
    if (!file)
        return error_set(error, "option --suppress: '%.200s': %s", path, strerror(errno));
    for (unsigned number = 1; is_good && getline(&line, &room, file) >= 0; number++)
        is_good = add_line(line, error, path, number);
    free(line);
    fclose(file);
    return is_good;
}

// "q.c:41 (put)" is in file q.c and in function put.
static bool is_at(const char *place, const char *where) {
    // From the right: names of functions of C++ have brackets of their own.
    size_t length = strlen(where);
    ASSERT(length > 0);
    const char *colon = strchr(place, ':'), *bracket = strrchr(place, '(');
    bool is_file = colon && (size_t)(colon - place) == length && !strncmp(place, where, length);
    bool is_function = bracket && strncmp(bracket + 1, where, length) == 0 &&
                       strcmp(bracket + 1 + length, ")") == 0;
    return is_file || is_function;
}

bool posix_is_suppressed(const char *kind, const void *place) {
    for (uint32_t i = 0; i < suppression_count; i++)
        if (strcmp(suppressions[i].kind, kind) == 0 &&
            is_at(posix_place(place), suppressions[i].where))
            return true;
    return false;
}

// ---- The survey --------------------------------------------------------------------------------

static struct posix_surveyed *surveyed;
static uint32_t surveyed_count, surveyed_room;

static bool is_pair(const struct posix_surveyed *race, const void *a, const void *b) {
    // A pair has no order: which of the two comes first is the schedule's.
    return (race->places[0] == a && race->places[1] == b) ||
           (race->places[0] == b && race->places[1] == a);
}

static bool is_surveyed(const void *a, const void *b) {
    for (uint32_t i = 0; i < surveyed_count; i++)
        if (is_pair(&surveyed[i], a, b))
            return true;
    return false;
}

void posix_survey_add(const struct posix_surveyed *race) {
    if (is_surveyed(race->places[0], race->places[1]))
        return;
    // Inside an execution a survey does; its parent adds what that has sent.
    ASSERT(!sct_engine_inside() || posix_world.is_surveying);
    GROW(surveyed, surveyed_count + 1, surveyed_room, "races");
    surveyed[surveyed_count++] = *race;
}

uint32_t posix_survey_count(void) {
    return surveyed_count;
}

const struct posix_surveyed *posix_survey_at(uint32_t index) {
    ASSERT(index < surveyed_count);
    return &surveyed[index];
}

bool posix_is_racy(const void *place) {
    for (uint32_t i = 0; i < surveyed_count; i++)
        if (surveyed[i].places[0] == place || surveyed[i].places[1] == place)
            return true;
    return false;
}

bool posix_ignores_race(void *context, const struct sct_race *race) {
    // In the survey as after it: what it has found once it need not find again.
    (void)context;
    const void *a = race->earlier.place, *b = race->later.place;
    return is_surveyed(a, b) || posix_is_suppressed(SCT_KIND_DATA_RACE, a) ||
           posix_is_suppressed(SCT_KIND_DATA_RACE, b);
}

static uint64_t add_text(uint64_t hash, const char *text) {
    return rng_mix(hash ^ hash_bytes(text, strlen(text)));
}

uint64_t posix_races_hash(void) {
    // Texts, not addresses: the same numbers in another process of the same build.
    uint64_t hash = 0;
    for (uint32_t i = 0; i < suppression_count; i++)
        hash = add_text(add_text(hash, suppressions[i].kind), suppressions[i].where);
    for (uint32_t i = 0; i < surveyed_count; i++)
        for (int side = 0; side < 2; side++)
            hash = add_text(hash, posix_place(surveyed[i].places[side]));
    return hash;
}

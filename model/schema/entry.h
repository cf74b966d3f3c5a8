// Entries as each release reads and writes them. Pure functions.
#ifndef MODEL_SCHEMA_ENTRY_H
#define MODEL_SCHEMA_ENTRY_H

#include "model/schema/schema.h"

// An entry in the hands of a release: what its class knows of the row.
struct su_entry {
    struct ct_key key;
    const char *etag;
    enum su_version version;
    int32_t time;
    int32_t temperature;
    const char *scale; // NULL: the row has none
    const char *area;  // NULL: the row has none, or the class does not know it
};

// Reads [row] by the class of [release]. False if the class cannot, and in *[property] why.
bool su_entry_parse(enum su_release release, const struct ct_row *row, struct su_entry *entry,
                    const char **property);

// The row of all that the class of [release] knows of [entry], with If-Match [if_match] (may be
// NULL).
struct ct_row *su_entry_format(enum su_release release, const struct su_entry *entry,
                               const char *if_match, struct arena *arena);

// What a reader of [release] makes of [entry].
struct su_reading su_entry_reading(enum su_release release, const struct su_entry *entry,
                                   struct bug_set *bugs);

// A new entry of [release].
struct su_entry su_entry_new(enum su_release release, struct ct_key key,
                             const struct su_sample *sample);

// Makes of [entry] what an update of [release] leaves, apart from the update itself.
void su_entry_touch(enum su_release release, struct su_entry *entry, struct bug_set *bugs);

#endif

// What the conformance suite runs on.
#ifndef TESTS_CONFORMANCE_SUBJECTS_H
#define TESTS_CONFORMANCE_SUBJECTS_H

#include "model/table/value.h"

#include <stdlib.h>

struct subject {
    const char *name;
    // An empty table; one at a time is open. [arena] lives as long and is for whatever it likes.
    struct ct_table *(*open)(struct arena *arena, int argument);
    int argument;
    // Closes it and removes what it has left anywhere.
    void (*close)(struct ct_table *table);
};

#define SUBJECT(name, open, argument, close)                \
    struct ct_table *open(struct arena *arena, int number); \
    void close(struct ct_table *table);
#include "tests/conformance/subjects.def"
#undef SUBJECT

// Whether a table gave back what it was given. Azurite, which MTCHECK_AZURITE puts in the place of
// an endpoint, loses the sign of a zero.
static inline bool subject_same(const struct ct_property *given, const struct ct_property *back) {
    bool is_zero = given->type == CT_DOUBLE && back->type == CT_DOUBLE && given->value.real == 0 &&
                   back->value.real == 0 && strcmp(given->name, back->name) == 0;
    return ct_property_equal(given, back) || (is_zero && getenv("MTCHECK_AZURITE"));
}

#endif

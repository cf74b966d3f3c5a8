// What the conformance suite runs on.
#ifndef TESTS_CONFORMANCE_SUBJECTS_H
#define TESTS_CONFORMANCE_SUBJECTS_H

#include "model/table/table.h"

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

#endif

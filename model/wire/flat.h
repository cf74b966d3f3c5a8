// JSON objects of plain members: what entities are, as a rule. Internal to model/wire.
//
// Reads what is read without a question, and says of everything else that it is not for here: then
// the library of JSON decides what it is. So this needs to be right only in what it takes.
#ifndef MODEL_WIRE_FLAT_H
#define MODEL_WIRE_FLAT_H

#include "core/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLAT_MEMBERS_MAX = 32 }; // names are compared with each other

enum flat_kind {
    FLAT_NULL,
    FLAT_FALSE,
    FLAT_TRUE,
    FLAT_INTEGER,
    FLAT_REAL,
    FLAT_STRING,
    FLAT_OTHER, // an array or an object: never among the members here
};

struct flat_value {
    enum flat_kind kind;
    size_t size; // of [text] without its NUL
    const char *text;
    int64_t integer;
    double real;
};

struct flat_member {
    const char *name;
    size_t length;
    struct flat_value value;
};

struct flat_object {
    size_t count;
    struct flat_member members[FLAT_MEMBERS_MAX]; // in their order
};

// Reads the text of one JSON object, whole and without doubles; names and texts are in [arena].
// False: it has more members, a member that has members, a number or escape that is no plain one,
// or is malformed. Then nothing is left in the arena.
bool flat_read(struct arena *arena, const char *text, size_t size, struct flat_object *object);

#endif

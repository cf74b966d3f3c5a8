// The specification of every system whose histories can be read: keys, each with a value of its own
// that can be read, written, compared and set, and appended to. A single register is one key.
//
// Values are strings, known by number. Keys do not influence each other.
#ifndef HARNESS_HISTORY_STORE_H
#define HARNESS_HISTORY_STORE_H

#include "core/history/linearize.h"
#include "harness/history/strings.h"

enum { STORE_NIL = 0 }; // the value of what was never written; appending to it is as to ""

enum store_function {
    STORE_READ,   // output: the value
    STORE_WRITE,  // input: the value
    STORE_CAS,    // inputs: the value expected, the new one; output: whether it was as expected
    STORE_APPEND, // input: what to append
    STORE_FUNCTION_COUNT,
};

// What a value is in the history; bits.
enum store_role { STORE_WRITTEN = 1, STORE_APPENDED = 2 };

enum { STORE_LENGTHS_MAX = 32 };

struct store {
    struct strings values; // number 0 is STORE_NIL
    struct strings keys;
    uint32_t told_values; // so many of [values] the history tells; others are made of them
    uint8_t *roles;       // of values, as far as they have one
    uint32_t role_count, role_capacity;
    uint32_t lengths[STORE_LENGTHS_MAX]; // of what is appended, ascending
    uint32_t length_count;
    bool is_ambiguous;        // how a value came about: there are more lengths, or "" is appended
    uint32_t initial;         // value
    bool is_map;              // keys are told
    bool has_appends;         // in the history
    bool is_whole;            // not key by key (slow, to compare); a state is then all keys' values
    const char *const *names; // of the functions
};

void store_init(struct store *store);

void store_deinit(struct store *store);

// Takes note of an operation. Each of the history's is to be told, when its values have numbers.
void store_note(struct store *store, const struct sct_operation *operation);

// The specification; it refers to [store], which must have all keys and all values of the history.
struct lin_spec store_spec(struct store *store);

// "nil", 12 or "text"; cut in the middle if it is long.
void store_describe_value(const struct store *store, uint64_t value, struct text *text);

#endif

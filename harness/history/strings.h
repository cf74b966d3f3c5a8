// Strings as numbers: equal strings have equal numbers, counted from 0 in the order of their first
// use. So values can be compared, hashed and kept in states as numbers.
#ifndef HARNESS_HISTORY_STRINGS_H
#define HARNESS_HISTORY_STRINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRINGS_FULL UINT32_MAX

struct string {
    size_t offset; // in bytes
    uint32_t length;
    uint32_t hash;
};

struct strings {
    char *bytes;
    size_t byte_count, byte_capacity, bytes_max;
    struct string *strings;
    uint32_t count, capacity;
    uint32_t *slots; // numbers + 1, 0: empty
    uint32_t slot_count;
};

// An empty table for at most [bytes_max] bytes of text. FAIL_RESOURCE without memory, here and
// below.
void strings_init(struct strings *strings, size_t bytes_max);

void strings_deinit(struct strings *strings);

// The number of the string of [length] bytes at [text], or STRINGS_FULL.
uint32_t strings_add(struct strings *strings, const char *text, size_t length);

// The number of that string, or STRINGS_FULL if there is none.
uint32_t strings_find(const struct strings *strings, const char *text, size_t length);

// The number of string [first] followed by string [second], or STRINGS_FULL.
uint32_t strings_join(struct strings *strings, uint32_t first, uint32_t second);

// Forgets all but the first [count] strings.
void strings_forget(struct strings *strings, uint32_t count);

// Whether string [whole] begins with string [start].
bool strings_begins(const struct strings *strings, uint32_t whole, uint32_t start);

static inline const char *strings_text(const struct strings *strings, uint32_t number) {
    return strings->bytes + strings->strings[number].offset;
}

static inline uint32_t strings_length(const struct strings *strings, uint32_t number) {
    return strings->strings[number].length;
}

#endif

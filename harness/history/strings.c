#include "harness/history/strings.h"
#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 1 << 12, FIRST_STRINGS = 1 << 7, FIRST_SLOTS = 1 << 8 };

static const char memory_name[] = "the strings of a history";

void strings_init(struct strings *strings, size_t bytes_max) {
    *strings = (struct strings){
        .bytes = grow_to(NULL, FIRST_BYTES, 1, memory_name),
        .byte_capacity = FIRST_BYTES,
        .bytes_max = bytes_max,
        .strings = grow_to(NULL, FIRST_STRINGS, sizeof(struct string), memory_name),
        .capacity = FIRST_STRINGS,
        .slots = grow_new(FIRST_SLOTS, sizeof(uint32_t), memory_name),
        .slot_count = FIRST_SLOTS,
    };
}

void strings_deinit(struct strings *strings) {
    free(strings->bytes);
    free(strings->strings);
    free(strings->slots);
    *strings = (struct strings){0};
}

// Makes room for [length] bytes at the end.
// The limit bounds a search that makes ever longer strings; reaching it ends the search as unknown.
static bool reserve(struct strings *strings, size_t length) {
    ASSERT(strings->byte_count <= strings->bytes_max);
    if (length > strings->bytes_max - strings->byte_count || length > UINT32_MAX)
        return false;
    if (length <= strings->byte_capacity - strings->byte_count)
        return true;
    while (length > strings->byte_capacity - strings->byte_count)
        strings->byte_capacity *= 2;
    strings->bytes = grow_to(strings->bytes, strings->byte_capacity, 1, memory_name);
    return true;
}

static void grow_slots(struct strings *strings) {
    ASSERT(strings->count <= strings->slot_count);
    // A power of two, so that a slot is a mask away.
    uint32_t count = strings->slot_count * 2;
    uint32_t *slots = grow_new(count, sizeof *slots, memory_name);
    for (uint32_t i = 0; i < strings->count; i++) {
        uint32_t at = strings->strings[i].hash & (count - 1);
        while (slots[at] != 0)
            at = (at + 1) & (count - 1);
        slots[at] = i + 1;
    }
    free(strings->slots);
    strings->slots = slots;
    strings->slot_count = count;
}

// The slot of the string, or the empty one where it belongs.
static uint32_t *find(const struct strings *strings, const char *text, size_t length,
                      uint32_t hash) {
    uint32_t mask = strings->slot_count - 1;
    // Ends: at most half of the slots are taken.
    for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
        if (strings->slots[at] == 0)
            return &strings->slots[at];
        const struct string *string = &strings->strings[strings->slots[at] - 1];
        if (string->hash == hash && string->length == length &&
            memcmp(strings->bytes + string->offset, text, length) == 0)
            return &strings->slots[at];
    }
}

// The number of the string that stands, not yet counted, at the end of the bytes. If it is new, its
// bytes are counted.
// Written first and looked up then: a join needs no buffer of its own.
static uint32_t settle(struct strings *strings, size_t length) {
    const char *text = strings->bytes + strings->byte_count;
    uint32_t hash = (uint32_t)hash_bytes(text, length);
    ASSERT(length <= strings->byte_capacity - strings->byte_count);
    uint32_t *slot = find(strings, text, length, hash);
    if (*slot != 0)
        return *slot - 1;
    if (strings->count >= STRINGS_FULL / 4)
        return STRINGS_FULL;
    if (strings->count == strings->capacity) {
        strings->capacity *= 2;
        strings->strings =
            grow_to(strings->strings, strings->capacity, sizeof(struct string), memory_name);
    }
    uint32_t number = strings->count++;
    strings->strings[number] = (struct string){strings->byte_count, (uint32_t)length, hash};
    // Settled: until here the next string would have been written over it.
    strings->byte_count += length;
    *slot = number + 1;
    if (strings->count * 2 > strings->slot_count)
        grow_slots(strings);
    return number;
}

uint32_t strings_add(struct strings *strings, const char *text, size_t length) {
    if (!reserve(strings, length))
        return STRINGS_FULL;
    memcpy(strings->bytes + strings->byte_count, text, length);
    return settle(strings, length);
}

uint32_t strings_find(const struct strings *strings, const char *text, size_t length) {
    uint32_t number = *find(strings, text, length, (uint32_t)hash_bytes(text, length));
    ASSERT(number <= strings->count);
    return number == 0 ? STRINGS_FULL : number - 1;
}

uint32_t strings_join(struct strings *strings, uint32_t first, uint32_t second) {
    size_t first_length = strings_length(strings, first);
    size_t second_length = strings_length(strings, second);
    if (!reserve(strings, first_length + second_length))
        return STRINGS_FULL;
    // After the room was made: the texts may have moved.
    char *end = strings->bytes + strings->byte_count;
    memcpy(end, strings_text(strings, first), first_length);
    memcpy(end + first_length, strings_text(strings, second), second_length);
    return settle(strings, first_length + second_length);
}

void strings_forget(struct strings *strings, uint32_t count) {
    ASSERT(count <= strings->count);
    // The last first: whatever took its slot later, passing this one by, is gone.
    while (strings->count > count) {
        const struct string *last = &strings->strings[strings->count - 1];
        uint32_t *slot = find(strings, strings->bytes + last->offset, last->length, last->hash);
        ASSERT(*slot == strings->count);
        *slot = 0;
        strings->byte_count = last->offset; // texts stand in the order of their numbers
        strings->count--;
    }
}

bool strings_begins(const struct strings *strings, uint32_t whole, uint32_t start) {
    uint32_t length = strings_length(strings, start);
    ASSERT(start < strings->count);
    return length <= strings_length(strings, whole) &&
           memcmp(strings_text(strings, whole), strings_text(strings, start), length) == 0;
}

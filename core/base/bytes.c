#include "core/base/bytes.h"
#include "core/base/assert.h"
#include "core/base/grow.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 8, FIRST_BYTES = 4096 };

// ---- Writing -----------------------------------------------------------------------------------

static void reserve(struct sct_bytes *bytes, size_t size) {
    ASSERT(bytes->size <= bytes->capacity);
    if (bytes->capacity - bytes->size >= size)
        return;
    // At least twice as much: n bytes that come one by one are moved O(n) times in all.
    size_t capacity = bytes->capacity * 2 + size + FIRST_BYTES;
    bytes->data = grow_to(bytes->data, capacity, 1, "bytes that grow");
    bytes->capacity = capacity;
}

void sct_bytes_add(struct sct_bytes *bytes, const void *data, size_t size) {
    ASSERT(data || size == 0);
    reserve(bytes, size);
    ASSERT(bytes->size <= bytes->capacity);
    if (size > 0)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void sct_bytes_add_number(struct sct_bytes *bytes, uint64_t number) {
    unsigned char digits[NUMBER_BYTES];
    for (int i = 0; i < NUMBER_BYTES; i++)
        // The lowest byte first, whatever the machine's order is: checkpoints move between them.
        digits[i] = (unsigned char)(number >> 8 * i);
    sct_bytes_add(bytes, digits, sizeof digits);
}

void sct_bytes_add_block(struct sct_bytes *bytes, const void *data, size_t size) {
    sct_bytes_add_number(bytes, size);
    sct_bytes_add(bytes, data, size);
}

// With its NUL, so that a length of 0 is left for NULL.
void sct_bytes_add_text(struct sct_bytes *bytes, const char *text) {
    sct_bytes_add_block(bytes, text, text ? strlen(text) + 1 : 0);
}

bool sct_bytes_read(struct sct_bytes *bytes, FILE *in, size_t most) {
    // More than [most] is read at one go at the most, so that a file without end does not fill
    // memory.
    size_t added = 0;
    ASSERT(in && bytes->size <= bytes->capacity);
    // Until nothing comes, not until the end is known: a pipe gives what it has, and a file that is
    // being written may grow meanwhile.
    for (;;) {
        reserve(bytes, 1);
        size_t got = fread(bytes->data + bytes->size, 1, bytes->capacity - bytes->size, in);
        bytes->size += got;
        added += got;
        if (got == 0 || added > most)
            return added <= most;
    }
}

void sct_bytes_free(struct sct_bytes *bytes) {
    ASSERT(bytes->size <= bytes->capacity);
    free(bytes->data);
    *bytes = (struct sct_bytes){0};
}

// ---- Reading -----------------------------------------------------------------------------------

static void spoil(struct sct_reader *reader) {
    ASSERT(reader->at <= reader->end);
    // At the end nothing more can be taken: whoever reads on gets zeros, and looks at [is_bad]
    // once.
    reader->is_bad = true;
    reader->at = reader->end;
}

uint64_t sct_take_number(struct sct_reader *reader) {
    ASSERT(reader->at <= reader->end);
    if (reader->end - reader->at < NUMBER_BYTES) {
        spoil(reader);
        return 0;
    }
    uint64_t number = 0;
    for (int i = 0; i < NUMBER_BYTES; i++)
        number |= (uint64_t)reader->at[i] << 8 * i;
    reader->at += NUMBER_BYTES;
    return number;
}

const unsigned char *sct_take_block(struct sct_reader *reader, size_t *size) {
    *size = (size_t)sct_take_number(reader);
    // A length is as foreign as the rest: compared with what is left, never added to an address.
    if (*size > (size_t)(reader->end - reader->at)) {
        spoil(reader);
        *size = 0;
    }
    const unsigned char *block = *size > 0 ? reader->at : NULL;
    reader->at += *size;
    ASSERT(reader->at <= reader->end);
    return block;
}

const char *sct_take_text(struct sct_reader *reader) {
    size_t size;
    const unsigned char *text = sct_take_block(reader, &size);
    // The NUL is part of what was written; without it the text would have no end here.
    ASSERT(!text || size > 0);
    if (!text || text[size - 1] == '\0')
        return (const char *)text;
    spoil(reader);
    return NULL;
}

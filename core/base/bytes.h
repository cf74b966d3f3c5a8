// Bytes that grow, and how numbers and texts stand in them: numbers of 64 bits, the lowest byte
// first, and texts with their lengths; the same on every machine.
#ifndef CORE_BASE_BYTES_H
#define CORE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// Zero is empty. Freed with sct_bytes_free. FAIL_RESOURCE without memory.
struct sct_bytes {
    unsigned char *data;
    size_t size, capacity;
};

void sct_bytes_add(struct sct_bytes *bytes, const void *data, size_t size);

void sct_bytes_add_number(struct sct_bytes *bytes, uint64_t number);

// NULL is another text than "".
void sct_bytes_add_text(struct sct_bytes *bytes, const char *text);

// A length and the data.
void sct_bytes_add_block(struct sct_bytes *bytes, const void *data, size_t size);

// Adds what [in] still holds. False if there is more than [most] bytes, of which some were added
// then. What ferror(in) says is the caller's to ask.
bool sct_bytes_read(struct sct_bytes *bytes, FILE *in, size_t most);

void sct_bytes_free(struct sct_bytes *bytes);

// Bytes being read. Behind their end everything is 0 or NULL, and [is_bad] is set.
struct sct_reader {
    const unsigned char *at, *end;
    bool is_bad;
};

uint64_t sct_take_number(struct sct_reader *reader);

// The text, inside the bytes; or NULL.
const char *sct_take_text(struct sct_reader *reader);

// The data, inside the bytes, and in *[size] how many; NULL and 0 if there are none.
const unsigned char *sct_take_block(struct sct_reader *reader, size_t *size);

#endif

// Properties as bytes: what the file holds of a row beside its key and ETag.
//
// A count, then per property its name (length, bytes), a byte that tells the type, and the value:
// strings and binaries as length and bytes, a Guid as bytes. Counts and lengths are 32-bit, numbers
// are of their size, all least byte first. The bytes are the same on every machine and are part of
// the file's version.
#ifndef MODEL_SQLITE_RECORD_H
#define MODEL_SQLITE_RECORD_H

#include "model/table/table.h"

// The bytes of [row]'s properties in [arena]; how many there are goes to [size].
const void *record_write(struct arena *arena, const struct ct_row *row, size_t *size);

// Such bytes; NULL: none have been made.
struct record {
    const void *bytes;
    size_t size;
};

// The row under [key] and [etag] (both shared) with the properties that [record_write] has put into
// [bytes], in [arena]; NULL if no such bytes could have come from it.
struct ct_row *record_read(struct arena *arena, struct ct_key key, const char *etag,
                           const void *bytes, size_t size);

#endif

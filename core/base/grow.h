// Memory of the heap, or the failure FAIL_RESOURCE: the one place that asks for it and looks
// whether it was refused. What comes back is never NULL and is freed with free().
//
// [what] says what the memory is for: it ends the message "out of memory: 4096 bytes for a plan".
#ifndef CORE_BASE_GROW_H
#define CORE_BASE_GROW_H

#include "core/base/assert.h"

#include <stddef.h>
#include <stdint.h>

// The one form of that message, for memory that comes from elsewhere (mmap, a library). 0 bytes:
// nobody knows how many.
SCT_NORETURN void grow_failed(size_t bytes, const char *what);

// [count] elements of [bytes] bytes, all zero.
void *grow_new(size_t count, size_t bytes, const char *what);

// [array] moved to where [count] elements have room; what is new is not initialised. NULL is the
// empty array.
void *grow_to(void *array, size_t count, size_t bytes, const char *what);

// A copy of the NUL-terminated [text], or NULL for NULL.
char *grow_text(const char *text, const char *what);

// The slow end of GROW: room for [count] elements or more, at least twice as many as before.
void *grow_room(void *array, size_t count, uint32_t *capacity, size_t bytes, const char *what);

// Makes room for [count] elements in [array], a pointer whose [capacity] is a uint32_t; both may
// change. Cheap where there is room already.
#define GROW(array, count, capacity, what) \
    ((count) <= (capacity)                 \
         ? (void)0                         \
         : (void)((array) = grow_room((array), (count), &(capacity), sizeof *(array), (what))))

#endif

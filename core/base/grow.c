#define _POSIX_C_SOURCE 200809L // strdup
#include "core/base/grow.h"
#include "core/base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void grow_failed(size_t bytes, const char *what) {
    if (bytes == 0)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: %s", what);
    fail_at(FAIL_RESOURCE, HERE, "out of memory: %zu bytes for %s", bytes, what);
}

// One byte at least: what malloc(0) gives is another thing on every system.
static size_t product(size_t count, size_t bytes, const char *what) {
    ASSERT(bytes > 0 && what);
    size_t size;
    if (__builtin_mul_overflow(count, bytes, &size))
        grow_failed(SIZE_MAX, what);
    return size ? size : 1;
}

void *grow_new(size_t count, size_t bytes, const char *what) {
    size_t size = product(count, bytes, what);
    void *memory = calloc(1, size);
    if (!memory)
        grow_failed(size, what);
    return memory;
}

void *grow_to(void *array, size_t count, size_t bytes, const char *what) {
    size_t size = product(count, bytes, what);
    void *memory = realloc(array, size);
    if (!memory)
        grow_failed(size, what);
    return memory;
}

char *grow_text(const char *text, const char *what) {
    ASSERT(what);
    if (!text)
        return NULL;
    char *copy = strdup(text);
    if (!copy)
        grow_failed(strlen(text) + 1, what);
    return copy;
}

void *grow_room(void *array, size_t count, uint32_t *capacity, size_t bytes, const char *what) {
    ASSERT(count > *capacity);
    // Doubling: elements that are added one by one are moved at most twice each on average.
    size_t wanted = *capacity > 0 ? (size_t)*capacity * 2 : FIRST_CAPACITY;
    if (wanted < count)
        wanted = count;
    if (wanted > UINT32_MAX)
        grow_failed(product(wanted, bytes, what), what);
    array = grow_to(array, wanted, bytes, what);
    // The capacity last: who fails above leaves array and capacity as they were, in step.
    ASSERT(wanted >= count && wanted <= UINT32_MAX);
    *capacity = (uint32_t)wanted;
    return array;
}

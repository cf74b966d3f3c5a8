#include "core/posix/variable.h"
#include "core/posix/heap.h"
#include "core/posix/places.h"

const char *posix_variable_step(const char *verb, const void *address) {
    return posix_step(verb, address, posix_is_heap(address) ? "heap" : "stack");
}

// Accesses to the program's memory as steps of the engine.
#ifndef CORE_POSIX_VARIABLE_H
#define CORE_POSIX_VARIABLE_H

#include "core/engine/machine.h"

#include <stddef.h>
#include <stdint.h>

// The object of accesses to memory; keys are addresses. And that of descriptors and files.
enum { POSIX_MEMORY = 1, POSIX_FILES = 2 };

static inline struct sct_access posix_access(const void *address, size_t bytes,
                                             enum sct_access_mode mode) {
    uintptr_t low = (uintptr_t)address;
    return (struct sct_access){
        .mode = mode, .object = POSIX_MEMORY, .low = low, .high = low + bytes - 1};
}

// "[verb] queue.head", "[verb] heap", "[verb] stack": what a step on [address] is called.
const char *posix_variable_step(const char *verb, const void *address);

#endif

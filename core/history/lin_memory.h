// The memory of a check of a history: one block, handed out from both ends; nothing is freed
// singly. Used by the files of core/history alone.
#ifndef CORE_HISTORY_LIN_MEMORY_H
#define CORE_HISTORY_LIN_MEMORY_H

#include <stddef.h>

struct lin_memory {
    char *base;
    size_t size;
    size_t used; // from the low end
    size_t top;  // offset of the lowest byte used at the high end
};

// [bytes] of uninitialised memory from the low end, 8-byte aligned, or NULL.
void *lin_take(struct lin_memory *memory, size_t bytes);

#endif

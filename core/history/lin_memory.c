#include "core/history/lin_memory.h"

void *lin_take(struct lin_memory *memory, size_t bytes) {
    // Whole words: what comes next is aligned, and the comparison below also catches what
    // overflows.
    size_t rounded = (bytes + 7) & ~(size_t)7;
    if (rounded < bytes || rounded > memory->top - memory->used)
        return NULL;
    void *result = memory->base + memory->used;
    memory->used += rounded;
    return result;
}

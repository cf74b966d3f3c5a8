// The program's heap: what it allocates itself, at addresses that are the same in every execution.
//
// Blocks are handed out one behind the other and never again in the same execution, so that a stale
// pointer points to nobody else's block. What the C library allocates for itself, and all that the
// tester does, is the C library's. What constructors allocated is there in each execution, as they
// left it.
#ifndef CORE_POSIX_HEAP_H
#define CORE_POSIX_HEAP_H

#include "core/base/text.h"
#include "core/memory/shadow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSIX_HEAP_BASE UINT64_C(0x200000000000)
#define POSIX_HEAP_BYTES (UINT64_C(1) << 30)

static inline bool posix_is_heap(const void *address) {
    return (uintptr_t)address - POSIX_HEAP_BASE < POSIX_HEAP_BYTES;
}

#define POSIX_KIND_BAD_FREE "bad-free"
#define POSIX_KIND_DOUBLE_FREE "double-free"
#define POSIX_KIND_USE_AFTER_FREE "use-after-free"
#define POSIX_KIND_HEAP_OVERFLOW "heap-overflow"
#define POSIX_KIND_LEAK "leak"

// To be called before the first allocation of a program that is going to be under control.
void posix_heap_open(void);

// To be called before the first execution, and when each begins.
void posix_heap_save(void);
void posix_heap_begin(void);

// Adds what of it is not as it was; false if all is. To be called when an execution has begun.
bool posix_heap_find_lost(struct text *text);

// The running thread accesses [bytes] bytes at [address], which is in the heap: a violation unless
// they are in a block that is not freed.
void posix_heap_check(const void *address, size_t bytes, enum sct_access_kind kind,
                      const void *caller);

// At the end of an execution: a violation if there are blocks that no pointer leads to, from
// variables, threads (roots.h) or other such blocks.
void posix_heap_find_leaks(void);

// Adds "of a block of 48 bytes allocated at q.c:12 (new_node)" for [address] in the heap.
void posix_heap_describe(const void *address, struct text *text);

#endif

// Accesses to the program's memory: as steps of the engine, and what may be wrong with them.
//
// Segments, heap and stacks have shadow memory (core/memory/shadow.h). Every access that the
// compiler tells of is checked: that it is inside a block of the heap that is not freed, and that
// it races with no other.
#ifndef CORE_POSIX_VARIABLE_H
#define CORE_POSIX_VARIABLE_H

#include "core/engine/machine.h"
#include "core/memory/shadow.h"
#include "core/posix/world.h"

// The objects of accesses: memory, where keys are addresses; descriptors and files; virtual time.
enum { POSIX_MEMORY = 1, POSIX_FILES, POSIX_TIME };

static inline struct sct_access posix_access(const void *address, size_t bytes,
                                             enum sct_access_mode mode) {
    uintptr_t low = (uintptr_t)address;
    return (struct sct_access){
        .mode = mode, .object = POSIX_MEMORY, .low = low, .high = low + bytes - 1};
}

// "[verb] queue.head", "[verb] heap", "[verb] stack": what a step on [address] is called.
const char *posix_variable_step(const char *verb, const void *address);

// The memory of the program, made as [options] say, with shadow for segments and heap. The one that
// was made before, if any, is used no more.
struct sct_memory *posix_memory_open(const struct posix_options *options);

// The running thread begins on its stack.
void posix_stack_begins(void);

// The running thread, which is under control, accesses [bytes] bytes at [address] in the call that
// returns to [caller]. A violation if they are no part of a living block or call, or if it races.
void posix_memory_access(const void *address, size_t bytes, enum sct_access_kind kind,
                         const void *caller);

// The same for plain accesses of any number of bytes, as a scheduling point with --points all. Of
// more than a page only the first bytes are looked at for races.
void posix_range_access(const void *address, size_t bytes, bool writes, const void *caller);

// The variables in that part of a stack are no more.
void posix_frame_ends(const void *low, const void *high);

#endif

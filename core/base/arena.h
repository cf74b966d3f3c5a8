// Arena: a bump allocator over one reserved range of addresses.
//
// Everything an execution allocates lives in one arena and is forgotten by one reset; nothing is
// freed singly. The range is reserved once and touched page by page, so after the first executions
// no call asks the operating system for anything. Under AddressSanitizer the unused part is
// poisoned: a pointer that outlives a reset is reported where it is used.
//
// Stability: what is used of it through sct_arena (ARENA_NEW, ARENA_ARRAY, arena_alloc,
// arena_printf) stays within 0.2; the rest is the library's own.
#ifndef CORE_BASE_ARENA_H
#define CORE_BASE_ARENA_H

#include "core/base/api.h"
#include "core/base/assert.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif
#ifndef ARENA_POISONS
#define ARENA_POISONS 0
#endif

#if ARENA_POISONS
#include <sanitizer/asan_interface.h>
#endif

enum { ARENA_ALIGNMENT = 8 };

#define ARENA_BYTES_MAX (SIZE_MAX / 2) // no arena has as many

struct arena {
    char *base;
    size_t used; // bytes handed out since the last reset, always a multiple of ARENA_ALIGNMENT
    size_t size; // bytes reserved
};

// Reserves [size] bytes of addresses (not memory). Fails with FAIL_RESOURCE if that is refused.
void arena_init(struct arena *arena, size_t size);

void arena_deinit(struct arena *arena);

// The slow end of [arena_alloc]: says which limit was hit.
SCT_API SCT_NORETURN void arena_exhausted(const struct arena *arena, size_t bytes)
    __attribute__((cold));

// Returns [bytes] of uninitialised memory, 8-byte aligned, valid until the arena is reset below it.
static inline void *arena_alloc(struct arena *arena, size_t bytes) {
    size_t rounded = (bytes + (ARENA_ALIGNMENT - 1)) & ~(size_t)(ARENA_ALIGNMENT - 1);
    size_t used = arena->used, end = used + rounded;
    // The first, so that [end] has not wrapped around: for a constant the compiler knows it.
    if (__builtin_expect(bytes > ARENA_BYTES_MAX || end > arena->size, 0))
        arena_exhausted(arena, bytes);
    char *result = arena->base + used;
    arena->used = end;
#if ARENA_POISONS
    __asan_unpoison_memory_region(result, bytes);
#endif
    return result;
}

// As [arena_alloc], all bytes zero.
static inline void *arena_zalloc(struct arena *arena, size_t bytes) {
    return memset(arena_alloc(arena, bytes), 0, bytes);
}

// A copy of the NUL-terminated [text], or NULL for NULL.
const char *arena_strdup(struct arena *arena, const char *text);

// printf into the arena.
SCT_API const char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// The present fill, for [arena_reset]. 0 is the empty arena.
static inline size_t arena_mark(const struct arena *arena) {
    return arena->used;
}

// Forgets everything allocated since [mark] was taken.
static inline void arena_reset(struct arena *arena, size_t mark) {
    ASSERT(mark <= arena->used);
#if ARENA_POISONS
    __asan_poison_memory_region(arena->base + mark, arena->used - mark);
#endif
    arena->used = mark;
}

// An array of [count] uninitialised elements of [type].
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count)))

// One zeroed element of [type].
#define ARENA_NEW(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))

#endif

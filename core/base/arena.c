#include "core/base/arena.h"
#include "core/base/reserve.h"

#include <stdio.h>

void arena_init(struct arena *arena, size_t size) {
    ASSERT(size > 0);
    // An execution touches little of the 256 MiB.
    void *base = reserve_new(size, false, "an arena");
    *arena = (struct arena){.base = base, .used = 0, .size = size};
#if ARENA_POISONS
    __asan_poison_memory_region(base, size);
#endif
}

// Poison belongs to addresses, not to mappings: what is mapped there next must not find any.
void arena_deinit(struct arena *arena) {
    ASSERT(arena->used <= arena->size);
#if ARENA_POISONS
    __asan_unpoison_memory_region(arena->base, arena->size);
#endif
    reserve_free(arena->base, arena->size);
    *arena = (struct arena){0};
}

void arena_exhausted(const struct arena *arena, size_t bytes) {
    ASSERT(arena->used <= arena->size);
    fail_at(FAIL_LIMIT, HERE, "arena of %zu bytes is full: %zu in use, %zu more asked for",
            arena->size, arena->used, bytes);
}

const char *arena_strdup(struct arena *arena, const char *text) {
    if (!text)
        return NULL;
    size_t bytes = strlen(text) + 1;
    return memcpy(arena_alloc(arena, bytes), text, bytes);
}

const char *arena_printf(struct arena *arena, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    // Twice: to measure, and to write into as much room as it needs.
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    ASSERT(length >= 0);
    char *text = arena_alloc(arena, (size_t)length + 1);
    va_start(arguments, format);
    int written = vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    ASSERT(written == length);
    return text;
}

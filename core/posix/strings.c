// Functions of the C library that read and write memory of the program for it. mtcheck-cc links
// programs so that their calls come here (the linker's --wrap); libraries that it has not built,
// and the tester, call the C library itself. Each looks at what it is going to access, and then has
// it done.
#define _GNU_SOURCE // stpcpy, memrchr
#include "core/posix/hook.h"
#include "core/posix/variable.h"

#include <string.h>

#define WRAP(type, name, ...)        \
    type __wrap_##name(__VA_ARGS__); \
    HOOK type __wrap_##name(__VA_ARGS__)

// The access comes before the call, as compiled code says it: a race is told although the copy has
// not been made, and what a violation leaves behind is not the copy's.
static inline void reads(const void *memory, size_t bytes, const void *caller) {
    if (posix_controls() && bytes > 0)
        posix_range_access(memory, bytes, false, caller);
}

static inline void writes(const void *memory, size_t bytes, const void *caller) {
    if (posix_controls() && bytes > 0)
        posix_range_access(memory, bytes, true, caller);
}

// ---- Memory ------------------------------------------------------------------------------------

WRAP(void *, memcpy, void *restrict to, const void *restrict from, size_t bytes) {
    reads(from, bytes, CALLER);
    writes(to, bytes, CALLER);
    return memcpy(to, from, bytes);
}

WRAP(void *, mempcpy, void *restrict to, const void *restrict from, size_t bytes) {
    reads(from, bytes, CALLER);
    writes(to, bytes, CALLER);
    return mempcpy(to, from, bytes);
}

WRAP(void *, memmove, void *to, const void *from, size_t bytes) {
    reads(from, bytes, CALLER);
    writes(to, bytes, CALLER);
    return memmove(to, from, bytes);
}

WRAP(void *, memset, void *to, int value, size_t bytes) {
    writes(to, bytes, CALLER);
    return memset(to, value, bytes);
}

// All of both, also behind the first difference: all of it must be there (C11, 7.24.4.1).
WRAP(int, memcmp, const void *a, const void *b, size_t bytes) {
    reads(a, bytes, CALLER);
    reads(b, bytes, CALLER);
    return memcmp(a, b, bytes);
}

// It stops where it finds the byte.
WRAP(void *, memchr, const void *memory, int value, size_t bytes) {
    const char *found = memchr(memory, value, bytes);
    reads(memory, found ? (size_t)(found - (const char *)memory) + 1 : bytes, CALLER);
    return (void *)(uintptr_t)found;
}

// ---- Strings -----------------------------------------------------------------------------------

WRAP(size_t, strlen, const char *text) {
    // Of a string the length has to be found before the access can be told.
    size_t length = strlen(text);
    reads(text, length + 1, CALLER);
    return length;
}

static size_t bytes_within(const char *text, size_t max) {
    // With the NUL, if one was met: it was read to know that.
    size_t length = strnlen(text, max);
    return length < max ? length + 1 : max;
}

WRAP(size_t, strnlen, const char *text, size_t max) {
    reads(text, bytes_within(text, max), CALLER);
    return strnlen(text, max);
}

WRAP(char *, strcpy, char *restrict to, const char *restrict from) {
    size_t bytes = strlen(from) + 1;
    reads(from, bytes, CALLER);
    writes(to, bytes, CALLER);
    return memcpy(to, from, bytes);
}

WRAP(char *, stpcpy, char *restrict to, const char *restrict from) {
    size_t bytes = strlen(from) + 1;
    reads(from, bytes, CALLER);
    writes(to, bytes, CALLER);
    return (char *)mempcpy(to, from, bytes) - 1;
}

WRAP(char *, strncpy, char *restrict to, const char *restrict from, size_t bytes) {
    // What is behind the NUL is written, too: with more of them (C11, 7.24.2.4).
    reads(from, bytes_within(from, bytes), CALLER);
    writes(to, bytes, CALLER);
    return strncpy(to, from, bytes);
}

static void append(char *to, const char *from, size_t length, const void *caller) {
    // Looked for before anything is told: where the string ends is what the access is about.
    size_t before = strlen(to);
    reads(to, before + 1, caller);
    writes(to + before, length + 1, caller);
    memcpy(to + before, from, length);
    to[before + length] = '\0';
}

WRAP(char *, strcat, char *restrict to, const char *restrict from) {
    size_t length = strlen(from);
    reads(from, length + 1, CALLER);
    append(to, from, length, CALLER);
    return to;
}

WRAP(char *, strncat, char *restrict to, const char *restrict from, size_t max) {
    reads(from, bytes_within(from, max), CALLER);
    append(to, from, strnlen(from, max), CALLER);
    return to;
}

// How far two strings are looked at: to the first difference, or the end of both.
static size_t bytes_compared(const char *a, const char *b, size_t max) {
    size_t i = 0;
    while (i < max && a[i] == b[i] && a[i])
        i++;
    return i < max ? i + 1 : max;
}

WRAP(int, strcmp, const char *a, const char *b) {
    size_t bytes = bytes_compared(a, b, SIZE_MAX);
    reads(a, bytes, CALLER);
    reads(b, bytes, CALLER);
    return strcmp(a, b);
}

WRAP(int, strncmp, const char *a, const char *b, size_t max) {
    size_t bytes = bytes_compared(a, b, max);
    reads(a, bytes, CALLER);
    reads(b, bytes, CALLER);
    return strncmp(a, b, max);
}

WRAP(char *, strchr, const char *text, int character) {
    char *found = strchr(text, character);
    reads(text, found ? (size_t)(found - text) + 1 : strlen(text) + 1, CALLER);
    return found;
}

WRAP(char *, strrchr, const char *text, int character) {
    reads(text, strlen(text) + 1, CALLER);
    return strrchr(text, character);
}

// What programs tell ThreadSanitizer of orders that it does not see: they call it where
// __SANITIZE_THREAD__ is defined, as it is under mtcheck-cc. Orders are believed; what was to
// silence false reports is not needed here. Names and arguments are those of the "dynamic
// annotations" (compiler-rt, lib/tsan/rtl/tsan_interface_ann.cpp), which headers of programs
// declare for themselves: there is no header of the system's to include.
#include "core/posix/hook.h"
#include "core/posix/objects.h"
#include "core/threads/object.h"

#include <stddef.h>

// Of a kind of its own: the address is often that of an atomic or of a mutex, whose record is
// another one.
static struct sct_object *object_at(const volatile void *address) {
    ASSERT(posix_controls());
    const void *place = (const void *)(uintptr_t)address;
    struct sct_object *object = posix_object_find(place, POSIX_ANNOTATION);
    if (object)
        return object;
    // By whichever side comes first: who acquires what nobody has released yet finds no edge, and
    // learns nothing.
    object = posix_object_new(place, POSIX_ANNOTATION, sizeof *object);
    sct_object_init(object, "annotation", posix_object_title(place, POSIX_ANNOTATION));
    return object;
}

// Neither side is a scheduling point: an order that is told adds no step to the program, and the
// operation that it stands for (an atomic, a lock) has its own.
static void release(const volatile void *address) {
    if (posix_controls())
        sct_edge_release(&object_at(address)->edge);
}

static void acquire(const volatile void *address) {
    if (posix_controls())
        sct_edge_acquire(object_at(address)->edge);
}

void __tsan_acquire(void *address);
HOOK void __tsan_acquire(void *address) {
    acquire(address);
}

void __tsan_release(void *address);
HOOK void __tsan_release(void *address) {
    release(address);
}

#define ANNOTATION(name, ...)         \
    void Annotate##name(__VA_ARGS__); \
    HOOK void Annotate##name(__VA_ARGS__)

ANNOTATION(HappensBefore, const char *file, int line, const volatile void *address) {
    (void)file;
    (void)line;
    release(address);
}

ANNOTATION(HappensAfter, const char *file, int line, const volatile void *address) {
    (void)file;
    (void)line;
    acquire(address);
}

#define IGNORED(name)                              \
    ANNOTATION(name, const char *file, int line) { \
        (void)file;                                \
        (void)line;                                \
    }

IGNORED(IgnoreReadsBegin)
IGNORED(IgnoreReadsEnd)
IGNORED(IgnoreWritesBegin)
IGNORED(IgnoreWritesEnd)
IGNORED(IgnoreSyncBegin)
IGNORED(IgnoreSyncEnd)

// A race that the program calls benign is undefined all the same (C11, 5.1.2.4, 25): it is told,
// unless --suppress is given.
ANNOTATION(BenignRaceSized, const char *file, int line, const volatile void *address, size_t bytes,
           const char *why) {
    (void)file;
    (void)line;
    (void)address;
    (void)bytes;
    (void)why;
}

ANNOTATION(BenignRace, const char *file, int line, const volatile void *address, const char *why) {
    (void)file;
    (void)line;
    (void)address;
    (void)why;
}

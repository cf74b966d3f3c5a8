// The synchronisation objects of the program: what is known of each in this execution.
//
// An object is known by its address. The program's own bytes stay as they are until it is
// destroyed, so an object that was initialised statically is known when it is first used, and one
// that is initialised again, statically too, is a new one. Records are in the arena; each begins
// with a struct sct_object.
#ifndef CORE_POSIX_OBJECTS_H
#define CORE_POSIX_OBJECTS_H

#include <stddef.h>
#include <stdint.h>

enum posix_kind {
    POSIX_MUTEX,
    POSIX_CONDITION,
    POSIX_RWLOCK,
    POSIX_SEMAPHORE,
    POSIX_BARRIER,
    POSIX_ONCE,
    POSIX_SPIN,
    POSIX_FUTEX,
    POSIX_ANNOTATION,
    POSIX_KINDS
};

// To be called when an execution begins: nothing is known.
void posix_objects_begin(void);

// The record of the object of [kind] at [address]; NULL if it is not known, or was initialised
// again after its end.
void *posix_object_find(const void *address, enum posix_kind kind);

// A record of [bytes] zero bytes for the object of [kind] that begins its life at [address]. What
// was known there is forgotten.
void *posix_object_new(const void *address, enum posix_kind kind, size_t bytes);

// The object at [address] was destroyed: its first bytes say so, until it is initialised again.
void posix_object_end(void *address);

// The objects in that memory are no more.
void posix_objects_forget(uintptr_t address, size_t bytes);

// Tells of every object that is known: its kind, record and address.
void posix_objects_visit(void (*visit)(void *context, enum posix_kind kind, const void *record,
                                       const void *address),
                         void *context);

// Up to [max] names of locks that the running thread holds; how many.
uint32_t posix_locks_held(const char **names, uint32_t max);

// The name of a lock in that memory that another thread holds; NULL if there is none.
const char *posix_lock_held_in(uintptr_t address, size_t bytes);

// What a new object is called: its variable, or "mutex-3": the third mutex without one.
const char *posix_object_title(const void *address, enum posix_kind kind);

#endif

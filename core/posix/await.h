// Loops that wait: a thread that looks at variables again and again until somebody changes them.
//
// A thread that reads an atomic or volatile variable at a place where it has been before, with the
// same registers and the same stack, and that has changed nothing in between, is where it was: if
// it reads the same again, it will come back once more. So it waits here, until one of the
// variables that it has read since then holds another value or another store; and of stores it
// reads one that it has not read yet, if that is the only one among these variables that has
// changed. Nothing is left out but rounds that are as if they had not been, and no loop is taken
// for such a one that counts, or changes anything, on its way.
//
// A read-modify-write that leaves the value as it is counts as a look at the value, whoever stored
// it: two threads that set a flag which is set do not keep each other busy.
//
// What counts as a change: writes outside of the thread's own stack, atomic operations but those
// that leave the value as it is, and every call that is a scheduling point but yielding and
// sleeping. Where nothing else can run, a thread that waits takes another round nevertheless, for
// there may be what nobody sees here (random numbers, files); after POSIX_ROUNDS_MAX of them in a
// row the loop is a violation of kind `livelock`.
#ifndef CORE_POSIX_AWAIT_H
#define CORE_POSIX_AWAIT_H

#include "core/engine/wait.h"
#include "core/memory/location.h"
#include "core/posix/registers.h"

enum { POSIX_ROUNDS_MAX = 200 };

struct posix_loop;

// One read, from before its point to its end.
struct posix_look {
    const void *address, *caller;
    const char *where; // the place of the call; set before the point
    unsigned bytes;
    struct posix_loop *loop; // of its thread; NULL: nobody looks at loops
    uint64_t key;            // of the place, the variable and the thread's state; 0: not made yet
    uint32_t round; // the index, from 1, of the same one in the loop that is closed; 0: it is new
    uintptr_t registers[POSIX_REGISTERS]; // of one without a key
};

// To be called when an execution begins: nobody waits.
void posix_awaits_begin(void);

// The running thread is at the call that returns to [caller], and is about to read [bytes] bytes at
// [address]: *[look] is written. To be called before anything else, from a hook with registers
// (registers.h). [changes]: it is a read-modify-write, which mostly turns out to be no look.
void posix_look_begin(struct posix_look *look, const void *address, unsigned bytes,
                      const void *caller, bool changes);

// Scheduling point before the read, a wait if it closes a loop in which nothing has changed.
void posix_look_again(struct posix_look *look, const char *label, enum sct_access_mode mode);
static inline void posix_look_point(struct posix_look *look, const char *label,
                                    const struct sct_access *access) {
    if (__builtin_expect(look->round > 0, 0))
        posix_look_again(look, label, access->mode);
    else
        sct_point(label, look->where, access);
}

// Before the read of an atomic variable: what it reads will be new, if it has to.
void posix_look_limit_again(const struct posix_look *look);
static inline void posix_look_limit(const struct posix_look *look) {
    if (__builtin_expect(look->round > 0, 0))
        posix_look_limit_again(look);
}

enum posix_look_kind {
    POSIX_LOOK_READ,
    POSIX_LOOK_UPDATE,   // a read-modify-write that has left the value; others are no looks
    POSIX_LOOK_SPURIOUS, // a compare-exchange that has read what it expects, and failed
};

// It has read [value]; [location] NULL: of a volatile variable.
void posix_look_end(const struct posix_look *look, const struct sct_location *location,
                    uint64_t value, enum posix_look_kind kind);

// The running thread has changed something at [address], or does so before its next point.
extern struct posix_loop *posix_waiting; // of those who wait for a change, of the execution
void posix_look_tell(const void *address, unsigned bytes);
static inline void posix_look_change(const void *address, unsigned bytes) {
    if (__builtin_expect(posix_waiting != NULL, 0))
        posix_look_tell(address, bytes);
}

// The same, of a plain variable: on the thread's own stack it is part of its state.
void posix_look_write(const void *address);

// The step that was taken last has neither changed anything nor looked at something.
void posix_look_pass(void);

// The number of value that is at [address].
uint64_t posix_value_at(const void *address, unsigned bytes);

#endif

// Futexes: what C++'s atomic waits and hand-written locks wait by. A wait compares with the newest
// value in memory, as the kernel does, and orders nothing: programs synchronise by the atomic that
// they look at before and after.
#define _GNU_SOURCE // syscall
#include "core/posix/hook.h"
#include "core/engine/inside.h"
#include "core/posix/objects.h"
#include "core/posix/time.h"
#include "core/posix/variable.h"
#include "core/threads/object.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

// By its address, as in the kernel: a word that nobody waits at is no object, and this record stays
// when the last one has gone.
struct futex {
    struct sct_object object;
    struct sct_queue waiters;
    struct sct_queue woken; // each may go on
};

// Of a call of the system.
struct arguments {
    long values[6];
};

static struct futex *record_of(const void *address) {
    ASSERT(posix_controls());
    struct futex *record = posix_object_find(address, POSIX_FUTEX);
    if (record)
        return record;
    record = posix_object_new(address, POSIX_FUTEX, sizeof *record);
    sct_object_init(&record->object, "futex", posix_object_title(address, POSIX_FUTEX));
    sct_queue_init(&record->waiters);
    sct_queue_init(&record->woken);
    if (sct_comparing()) // who waits is in the states of tasks
        sct_object_become(&record->object, (struct digest){0, 8});
    return record;
}

static long fail(int error) {
    ASSERT(error > 0);
    errno = error;
    return -1;
}

// [deadline], if it is not NULL, is relative where [is_relative].
static long wait(uint32_t *address, uint32_t expected, const struct timespec *deadline,
                 clockid_t clock, bool is_relative, const char *where) {
    struct futex *record = record_of(address);
    sct_object_point(&record->object, "wait for", SCT_ACCESS_WRITE, where);
    // The word is read, too: else a search could take a store to it, which decides whether this
    // waits, for independent of this step.
    const struct sct_access access = posix_access(address, sizeof *address, SCT_ACCESS_READ);
    sct_touch(&access);
    // Compared and queued in one step, as the kernel does both under the lock of its bucket: a wake
    // between the two is not lost.
    uint32_t value = __atomic_load_n(address, __ATOMIC_SEQ_CST);
    sct_object_learn(value);
    if (value != expected)
        return fail(EAGAIN);
    if (deadline && !posix_is_deadline(deadline))
        return fail(EINVAL);
    struct timespec until = {0, 0};
    if (deadline)
        until = is_relative ? posix_deadline_after(clock, deadline) : *deadline;
    if (deadline && posix_is_past(clock, &until))
        return fail(ETIMEDOUT);
    const struct sct_wait wait = {&record->object, "wake", where,
                                  deadline ? posix_patience(&until) : SCT_WAIT_FOR_EVER};
    if (sct_object_wait(&record->waiters, &wait, false))
        return 0;
    ASSERT(deadline); // nobody else goes on without being woken
    posix_time_reaches(clock, &until);
    return fail(ETIMEDOUT);
}

static long wake(const uint32_t *address, uint32_t count_max, const char *where) {
    struct futex *record = record_of(address);
    sct_object_point(&record->object, "wake those at", SCT_ACCESS_WRITE, where);
    long woken = 0;
    for (uint32_t count; woken < (long)count_max; woken++) {
        count = sct_queue_count(&record->waiters);
        if (count == 0)
            break;
        // Where all are woken it is the same in which order; else any may be among them.
        uint32_t index = count_max < count ? sct_choose(count, "who is woken") : 0;
        ASSERT(index < count);
        // To the queue of those who may go on: who is woken takes a step of its own, when it is
        // chosen, and others may come before it.
        sct_object_move(sct_queue_at(&record->waiters, index), &record->woken, &record->object,
                        "wake", true);
    }
    sct_object_learn((uint64_t)woken);
    return woken;
}

// FUTEX_WAIT takes a length, FUTEX_WAIT_BITSET a moment (futex(2)). Sets of bits are not looked at:
// whoever wakes by one wakes any.
static long call_futex(const struct arguments *arguments, const char *where) {
    ASSERT(posix_controls());
    uint32_t *address = (uint32_t *)arguments->values[0];
    if ((uintptr_t)address % sizeof *address != 0)
        return fail(EINVAL);
    int operation = (int)arguments->values[1];
    uint32_t value = (uint32_t)arguments->values[2];
    const struct timespec *time = (const struct timespec *)arguments->values[3];
    bool is_realtime = operation & FUTEX_CLOCK_REALTIME;
    // Without FUTEX_PRIVATE_FLAG, which says that no other process takes part: none does here.
    switch (operation & FUTEX_CMD_MASK) {
    // A length is the same on every clock: here all of them go on alike.
    case FUTEX_WAIT:
        return wait(address, value, time, CLOCK_MONOTONIC, true, where);
    case FUTEX_WAIT_BITSET:
        return wait(address, value, time, is_realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, false,
                    where);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        return wake(address, value, where);
    default:
        posix_refuse("futex() but to wait and to wake", where);
    }
}

// Six arguments are read whatever the call has: more than were given are whatever stands in their
// registers, which the kernel does not look at (syscall(2), glibc does the same).
HOOK long syscall(long number, ...) {
    struct arguments arguments;
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        arguments.values[i] = va_arg(list, long);
    va_end(list);
    if (posix_controls() && number == SYS_futex)
        return call_futex(&arguments, WHERE);
    const long *values = arguments.values;
    return REAL(syscall)(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

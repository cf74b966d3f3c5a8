#define _GNU_SOURCE // pthread_barrier_t
#include "core/threads/barrier.h"
#include "core/posix/exit.h"
#include "core/posix/hook.h"
#include "core/posix/objects.h"

#include <errno.h>
#include <pthread.h>

// The count is an argument of the initialisation and stands in glibc's bytes only in its own form,
// so no record can be made later. Nothing stands in a barrier for those that were initialised
// before main, or not at all.
static struct sct_barrier *record_of(const pthread_barrier_t *barrier, const char *where) {
    ASSERT(posix_controls());
    struct sct_barrier *record = posix_object_find(barrier, POSIX_BARRIER);
    if (!record)
        posix_violate(SCT_KIND_PROGRAM_ERROR, where, "a barrier is used that was not initialised");
    return record;
}

HOOK int pthread_barrier_init(pthread_barrier_t *restrict barrier,
                              const pthread_barrierattr_t *restrict attributes, unsigned count) {
    int error = REAL(pthread_barrier_init)(barrier, attributes, count);
    if (!posix_controls() || error != 0)
        return error;
    ASSERT(count > 0); // else the C library has refused it
    struct sct_barrier *record = posix_object_new(barrier, POSIX_BARRIER, sizeof *record);
    sct_barrier_init(record, posix_object_title(barrier, POSIX_BARRIER), count);
    return 0;
}

HOOK int pthread_barrier_destroy(pthread_barrier_t *barrier) {
    if (!posix_controls())
        return REAL(pthread_barrier_destroy)(barrier);
    const char *where = WHERE;
    sct_barrier_destroy_at(record_of(barrier, where), where);
    posix_object_end(barrier);
    return 0;
}

HOOK int pthread_barrier_wait(pthread_barrier_t *barrier) {
    if (!posix_controls())
        return REAL(pthread_barrier_wait)(barrier);
    const char *where = WHERE;
    struct sct_barrier *record = record_of(barrier, where);
    bool is_last = sct_barrier_wait_at(record, where);
    // The record is in the arena: it is there also if somebody who went on first has destroyed the
    // barrier by now.
    ASSERT(record->arrived < record->count); // who completes a round begins the next one
    return is_last ? PTHREAD_BARRIER_SERIAL_THREAD : 0;
}

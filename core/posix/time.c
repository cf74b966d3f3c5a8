#define _GNU_SOURCE // clock_nanosleep, gettimeofday
#include "core/posix/time.h"
#include "core/engine/inside.h"
#include "core/posix/await.h"
#include "core/posix/hook.h"
#include "core/posix/variable.h"

#include <errno.h>
#include <sys/time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

// At the begin of every execution; the same on every machine. They differ as on a real one: a
// deadline of one clock that is used with another is long past, or too far away.
#define REALTIME_BEGIN (UINT64_C(1700000000) * SECOND)
#define MONOTONIC_BEGIN (UINT64_C(100000) * SECOND)

enum { LOOK_NS = 1000 };

// Of clocks that are not known: those of other processes and threads (pthread_getcpuclockid) count
// as the time of day, which is wrong for them, but the same in every replay.
static uint64_t begin_of(clockid_t clock) {
    bool is_monotonic = clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
                        clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME;
    bool is_of_processor = clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
    return is_of_processor ? 0 : is_monotonic ? MONOTONIC_BEGIN : REALTIME_BEGIN;
}

_Static_assert(sizeof(time_t) == 8, "seconds until a distant deadline fit");

// What is further away than that is as good as for ever: tv_sec may be the greatest there is.
static const uint64_t distant = UINT64_C(1) << 62;

static uint64_t to_number(const struct timespec *time) {
    ASSERT(posix_is_deadline(time));
    if ((uint64_t)time->tv_sec >= distant / SECOND)
        return distant;
    return (uint64_t)time->tv_sec * SECOND + (uint64_t)time->tv_nsec;
}

static struct timespec to_time(uint64_t number) {
    // As clock_gettime has it: nanoseconds below a second, whatever the sum.
    return (struct timespec){.tv_sec = (time_t)(number / SECOND),
                             .tv_nsec = (long)(number % SECOND)};
}

bool posix_is_deadline(const struct timespec *deadline) {
    return deadline->tv_nsec >= 0 && (uint64_t)deadline->tv_nsec < SECOND;
}

bool posix_is_past(clockid_t clock, const struct timespec *deadline) {
    return deadline->tv_sec < 0 || to_number(deadline) <= begin_of(clock) + posix_world.now;
}

enum sct_patience posix_patience(const struct timespec *deadline) {
    return to_number(deadline) >= distant ? SCT_WAIT_FOR_EVER : SCT_WAIT_TIMED;
}

// The running step moves time on; those that look at it depend on each other and on all others.
static void touch_time(bool looks) {
    ASSERT(posix_controls());
    // Sleeps add up in whatever order they come, so two of them are like two reads. Who looks at
    // the sum, or sets it, is like one that writes: by that its order with each sleep matters.
    const struct sct_access access = {.mode = looks ? SCT_ACCESS_WRITE : SCT_ACCESS_READ,
                                      .object = POSIX_TIME};
    if (sct_reducing())
        sct_touch(&access);
}

void posix_time_reaches(clockid_t clock, const struct timespec *deadline) {
    touch_time(true);
    if (!posix_is_past(clock, deadline))
        posix_world.now = to_number(deadline) - begin_of(clock);
    ASSERT(posix_is_past(clock, deadline)); // as whoever has timed out finds
}

struct timespec posix_deadline_after(clockid_t clock, const struct timespec *length) {
    return to_time(begin_of(clock) + posix_world.now + to_number(length));
}

static struct timespec look(clockid_t clock) {
    // It goes on, so that a loop which waits for a moment comes to its end without another's help.
    touch_time(true);
    posix_world.now += LOOK_NS;
    return to_time(begin_of(clock) + posix_world.now);
}

// ---- Clocks ------------------------------------------------------------------------------------

HOOK int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!posix_controls())
        return REAL(clock_gettime)(clock, time);
    *time = look(clock);
    return 0;
}

HOOK int timespec_get(struct timespec *time, int base) {
    if (!posix_controls())
        return REAL(timespec_get)(time, base);
    // C11, 7.27.2.5: 0 says that there is no such base.
    if (base != TIME_UTC)
        return 0;
    *time = look(CLOCK_REALTIME);
    return base;
}

HOOK int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    if (!posix_controls())
        return REAL(gettimeofday)(time, zone);
    struct timespec now = look(CLOCK_REALTIME);
    *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

HOOK time_t time(time_t *time_out) {
    if (!posix_controls())
        return REAL(time)(time_out);
    time_t now = look(CLOCK_REALTIME).tv_sec;
    if (time_out)
        *time_out = now;
    return now;
}

HOOK clock_t clock(void) {
    if (!posix_controls())
        return REAL(clock)();
    touch_time(true);
    posix_world.now += LOOK_NS;
    // CLOCKS_PER_SEC is a million (POSIX), and no other time than the virtual one is the same in a
    // replay.
    return (clock_t)(posix_world.now / 1000);
}

// ---- Sleeping ----------------------------------------------------------------------------------

// Others may run as long as they like: a sleep is a point, and its length is only told by clocks.
static void sleep_for(uint64_t length, const char *where) {
    ASSERT(posix_controls());
    // Time moves on behind the point: what others do before this one is chosen again they do while
    // it sleeps, by their clocks, too.
    sct_point("sleep", where, &sct_access_none);
    touch_time(false);
    posix_look_pass();
    posix_world.now += length;
}

static int sleep_for_time(const struct timespec *length, struct timespec *left, const char *where) {
    if (length->tv_sec < 0 || !posix_is_deadline(length))
        return EINVAL;
    sleep_for(to_number(length), where);
    if (left)
        *left = (struct timespec){0, 0};
    return 0;
}

HOOK int nanosleep(const struct timespec *length, struct timespec *left) {
    if (!posix_controls())
        return REAL(nanosleep)(length, left);
    int error = sleep_for_time(length, left, WHERE);
    if (error != 0) // what succeeds leaves errno as it is
        errno = error;
    return error == 0 ? 0 : -1;
}

HOOK int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                         struct timespec *left) {
    if (!posix_controls())
        return REAL(clock_nanosleep)(clock, flags, time, left);
    if (!(flags & TIMER_ABSTIME))
        return sleep_for_time(time, left, WHERE);
    if (!posix_is_deadline(time))
        return EINVAL;
    // The point first: what others do in the meantime may bring time beyond the deadline.
    sleep_for(0, WHERE);
    posix_time_reaches(clock, time);
    return 0;
}

HOOK int usleep(useconds_t microseconds) {
    if (!posix_controls())
        return REAL(usleep)(microseconds);
    sleep_for((uint64_t)microseconds * 1000, WHERE);
    return 0;
}

HOOK unsigned sleep(unsigned seconds) {
    if (!posix_controls())
        return REAL(sleep)(seconds);
    sleep_for(seconds * SECOND, WHERE);
    return 0;
}

HOOK int thrd_sleep(const struct timespec *length, struct timespec *left);
HOOK int thrd_sleep(const struct timespec *length, struct timespec *left) {
    if (!posix_controls())
        return REAL(thrd_sleep)(length, left);
    return sleep_for_time(length, left, WHERE) == 0 ? 0 : -2; // C11: -1 is an interrupt
}

#define _POSIX_C_SOURCE 200809L // clock_gettime
#include "core/base/clock.h"
#include "core/base/assert.h"

#include <time.h>

static struct timespec now(void) {
    struct timespec time;
    // Not the time of day: that one is set, and may go back.
    int status = clock_gettime(CLOCK_MONOTONIC, &time);
    ASSERT(status == 0);
    return time;
}

double clock_seconds(void) {
    struct timespec time = now();
    // A double tells nanoseconds apart for 100 days from the start of the machine on.
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

uint64_t clock_nanoseconds(void) {
    struct timespec time = now();
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}
